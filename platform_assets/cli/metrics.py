"""`platform-assets metrics`: what the warehouse recorded, as Prometheus reads it. Imports neither Dagster nor dlt."""

import contextlib
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from prometheus_client import start_http_server

from platform_assets.cli.environment import chosen_platforms, report_broken_platforms
from platform_assets.cli.ports import check_port
from platform_assets.declarations import Platform, PlatformAssetsError
from platform_assets.reporting.metrics import metrics_text, registry
from platform_assets.warehouse.location import check_settings
from platform_assets.whole_file import write_whole


def show_metrics(names: Sequence[str]) -> None:
    """Print the metrics of the platforms, of all if `names` is empty."""
    sys.stdout.write(metrics_text(_platforms(names)).decode())


def write_metrics(path: Path, names: Sequence[str]) -> None:
    """Write the metrics into a file, which always is whole: node_exporter may read it at any moment."""
    _write(path, metrics_text(_platforms(names)))


def serve_metrics(host: str, port: int, names: Sequence[str]) -> None:
    """Serve the metrics at `/metrics` until Ctrl-C. Each scrape reads the warehouse."""
    platforms = _platforms(names)
    check_settings()
    check_port("the metrics", host, port)
    server, thread = start_http_server(port, host, registry(platforms, keep=True))
    print(f"metrics on http://{host}:{port}/metrics; Ctrl-C ends it", file=sys.stderr, flush=True)
    try:
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()
    finally:
        server.shutdown()
        thread.join()


def _platforms(names: Sequence[str]) -> list[Platform]:
    report_broken_platforms()
    return chosen_platforms(names)


def _write(path: Path, text: bytes) -> None:
    """Replace the file by one with the text, readable by everybody as node_exporter needs it."""
    try:
        write_whole(path, text, mode=0o644)
    except OSError as error:
        raise PlatformAssetsError(f"{path} cannot be written: {error.strerror or error}") from None

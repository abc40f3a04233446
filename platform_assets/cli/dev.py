"""`platform-assets dev`: the Dagster UI."""

import sys
from collections.abc import Iterable
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException

import typer

from platform_assets.cli.dbt_lines import DbtLines
from platform_assets.cli.environment import (
    dagster_home,
    report_broken_platforms,
    sandbox_for,
    sandbox_line,
)
from platform_assets.cli.ports import check_port
from platform_assets.configuration import unknown_settings
from platform_assets.configuration.platform_settings import is_configured, is_loopback, is_mentioned
from platform_assets.declarations import REFERENCE
from platform_assets.platforms import all_platforms, broken_platforms
from platform_assets.ui.processes import run_ui

# Seconds to wait for an answer of the UI.
_ANSWER_SECONDS = 0.2


def open_ui(host: str, port: int, sandbox: bool | None, contract: str = REFERENCE) -> int:
    """Run the Dagster UI until it is ended; the exit code.

    Args:
        host: address of the UI.
        port: port of the UI.
        sandbox: whether platforms that are not configured come from the sandbox, whose data the sensors then load by
            themselves. None means only if no setting of any platform exists.
        contract: what the sandbox speaks, as for `sandbox_for`.

    Raises PortUnavailable before anything is started.
    """
    check_port("the Dagster UI", host, port)
    report_broken_platforms()
    for problem in unknown_settings(all_platforms(), [name for broken in broken_platforms() for name in broken.names]):
        print(f"warning: {problem}", file=sys.stderr)
    home = dagster_home()
    platforms = all_platforms()
    configured = [platform.name for platform in platforms if is_configured(platform)]
    unconfigured = [platform.name for platform in platforms if not is_configured(platform)]
    wanted = not any(map(is_mentioned, platforms)) if sandbox is None else sandbox
    with sandbox_for(platforms, wanted, contract) as server:
        if server is not None:
            typer.echo(sandbox_line(unconfigured, configured, server.url))
            if sandbox is None:
                typer.echo("Nothing is configured, so everything comes from the sandbox; --no-sandbox turns it off.")
        elif unconfigured:
            typer.echo(f"Not configured, so off: {', '.join(unconfigured)} (--sandbox serves them from the sandbox)")
        typer.echo(f"Starting the Dagster UI (home: {home}) ...")
        if not is_loopback(host):
            typer.echo(f"Warning: the UI has no login: whoever can reach {host}:{port} can read and run everything.")
        return run_ui(host, port, _show, _Announcement(host, port))


class _Announcement:
    """Says the address of the UI once it responds."""

    def __init__(self, host: str, port: int) -> None:
        self._host = "127.0.0.1" if host in ("0.0.0.0", "::") else host
        self._port = port
        self._made = False

    def __call__(self) -> None:
        if self._made:
            return
        connection = HTTPConnection(self._host, self._port, timeout=_ANSWER_SECONDS)
        try:
            connection.request("GET", "/server_info")
            self._made = connection.getresponse().status == HTTPStatus.OK
        except (OSError, HTTPException):
            return
        finally:
            connection.close()
        if self._made:
            typer.echo(f"Dagster UI: http://{self._host}:{self._port}")


def _show(lines: Iterable[str]) -> None:
    """Print what the runs print, which is dbt's most of all, in short."""
    dbt = DbtLines()
    for line in lines:
        shown = dbt.reduced(line.rstrip("\n"))
        if shown is not None:
            typer.echo(shown)

"""`platform-assets sync`: runs in this process, with progress and a summary.

The way through it: `sync_request` says which assets are meant, `orchestration/in_process` loads them,
`dbt/stale_models` says which models to build, and `summary` prints what the runs did.
"""

import json
import signal
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import resource_tracker
from pathlib import Path

import dagster as dg
import typer

from platform_assets import configuration
from platform_assets.cancellation import Cancelled, current
from platform_assets.cli import environment
from platform_assets.cli.environment import (
    sandbox_for,
    sandbox_line,
    settings_problems,
)
from platform_assets.cli.live import progress_shown
from platform_assets.cli.phases import PhaseClock, phases_line
from platform_assets.cli.summary import AssetSummary, Summary, print_summary
from platform_assets.cli.sync_document import sync_document
from platform_assets.cli.sync_request import SyncRequest
from platform_assets.configuration import METRICS, METRICS_FILE
from platform_assets.configuration.platform_settings import is_configured
from platform_assets.counted import counted
from platform_assets.declarations import Platform, PlatformAssetsError
from platform_assets.http.errors import SettingsError
from platform_assets.orchestration.in_process import InProcessRuns
from platform_assets.orchestration.interrupts import cancelled_by_signals
from platform_assets.orchestration.partitions import delete_partitions
from platform_assets.orchestration.sync_config import SyncConfig
from platform_assets.platforms import all_platforms, broken_platforms
from platform_assets.progress import Phase
from platform_assets.warehouse import open_warehouse
from platform_assets.warehouse.location import exclusive

# What to type next.
_AFTER_A_SUCCESS = "Open the UI: make dev (or `platform-assets dev`), then http://127.0.0.1:3000"
_AFTER_A_FAILURE = "What failed, now and before: `platform-assets status`. What to do: docs/troubleshoot.md"


def run_sync(request: SyncRequest, assets: Sequence[str], clock: PhaseClock) -> int:
    """Load the assets (`<platform>/<resource>`), build the models, and print a summary.

    SIGINT and SIGTERM end it within seconds: what is being read is dropped, what is being written is finished, and the
    run is marked as canceled. The sync works in a thread, because only the main thread receives signals.

    Returns:
        The exit code: 0 if everything requested landed, 128 plus the signal's number if one ended it, else 1.
    """
    received: list[int] = []

    def on_signal(number: int) -> None:
        if not received:
            print("stopping; what is being written is finished first", file=sys.stderr, flush=True)
        received.append(number)

    landed = False
    with cancelled_by_signals(by_hand=True, on_signal=on_signal) as cancellation, ThreadPoolExecutor(1) as pool:
        try:
            landed = pool.submit(_run_sync, request, assets, clock).result()
        except Cancelled:
            pass
        except Exception:
            # What was interrupted may raise an error of its own.
            if not cancellation.cancelled:
                raise
    _write_metrics()
    return 128 + received[0] if received else int(not landed)


def _run_sync(request: SyncRequest, assets: Sequence[str], clock: PhaseClock) -> bool:
    """The sync, in the current thread; whether everything requested landed. Raises Cancelled if it was cancelled."""
    _keep_signals_from_children()
    # With --json, stdout is the document's alone.
    console = environment.console(stderr=request.as_json)
    keys = [dg.AssetKey(name.split("/")) for name in assets]
    platforms = [platform for platform in all_platforms() if any(key.path[0] == platform.name for key in keys)]
    served = [platform.name for platform in platforms if not is_configured(platform)]
    configured = [platform.name for platform in platforms if is_configured(platform)]
    with sandbox_for(platforms, request.sandbox, request.contract) as server:
        if server is not None and configured:
            line = sandbox_line(served, configured, server.url)
            console.print(line, highlight=False, soft_wrap=True)
        _check_settings(platforms)
        # Open the warehouse once now: if it is unavailable, every op would discover that and retry.
        with exclusive("reach"):
            pass
        if request.start_over:
            _start_over(platforms)
        summary = Summary({key.to_user_string(): AssetSummary() for key in keys})
        try:
            with progress_shown(Counter(key.path[0] for key in keys), clock), clock.phase(Phase.DAGSTER):
                _load_and_build(request, keys, summary)
        finally:
            if current().cancelled:
                landed = len(summary.landed)
                console.print(
                    f"stopped: {landed} of {counted(len(keys), 'asset')} had landed; the next sync loads the rest"
                )
        current().check()
        print_summary(console, summary, platforms)
        agrees = True
        is_whole = not request.partitions and not request.parents
        if server is not None and is_whole and not summary.failures:
            from platform_assets.cli.sandbox_comparison import rows_equal_sandbox

            agrees = rows_equal_sandbox(console, server, summary, set(served))
    landed = len(summary.landed)
    phases = clock.seconds()
    console.print(
        f"{landed} of {counted(len(keys), 'asset')} and {counted(summary.models, 'dbt model')}", highlight=False
    )
    console.print(phases_line(phases), highlight=False)
    all_usable = request.platforms or request.assets or not broken_platforms()
    ok = agrees and not summary.failures and landed == len(keys) and bool(all_usable)
    if not ok:
        console.print(_AFTER_A_FAILURE, highlight=False, soft_wrap=True)
    elif server is not None or sys.stdout.isatty():
        # A job that loads from vendors every hour need not hear it.
        console.print(_AFTER_A_SUCCESS, highlight=False, soft_wrap=True)
    if request.as_json:
        typer.echo(json.dumps(sync_document(summary, ok=ok, phases=phases), indent=2))
    return ok


def _load_and_build(request: SyncRequest, keys: Sequence[dg.AssetKey], summary: Summary) -> None:
    """Load the tables, then build the dbt models that are stale because of them."""
    # Imported here, so that a wrong option or setting is reported without loading dbt and all definitions first.
    from platform_assets.dbt.stale_models import models_below, models_to_build
    from platform_assets.definitions import defs

    repository = defs().get_repository_def()
    config = SyncConfig(
        full_refresh=request.full_refresh, partitions=list(request.partitions), parents=list(request.parents)
    )
    current().check()
    with environment.open_instance() as instance:
        runs = InProcessRuns(repository, instance, config, summary.record)
        runs.load(set(keys))
        if request.models and not current().cancelled:
            runs.build(set(models_to_build(instance, repository, models_below(repository, set(keys)))))


def _write_metrics() -> None:
    """Write the file of `[metrics] file`, if it is set. A line on stderr says why it could not: the sync landed."""
    path = configuration.read(METRICS, METRICS_FILE)
    if path is None:
        return
    from platform_assets.cli.metrics import write_metrics

    try:
        write_metrics(Path(path), ())
    except PlatformAssetsError as error:
        print(f"warning: the metrics were not written: {error}", file=sys.stderr)


def _keep_signals_from_children() -> None:
    """Block SIGINT in what this thread starts (dbt, Dagster's helpers).

    A terminal's Ctrl-C reaches these processes as well, and each would print its traceback. Python's resource tracker
    would unblock the signal if it were started later.
    """
    resource_tracker.ensure_running()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


def _check_settings(platforms: Sequence[Platform]) -> None:
    """Read every setting before anything is loaded. Raises SettingsError with all that is missing or misspelt."""
    problems = settings_problems(platforms)
    if problems:
        raise SettingsError("\nerror: ".join(problems))


def _start_over(platforms: Sequence[Platform]) -> None:
    """Drop the platforms' rows, cursors and dynamic partitions, and forget which account the rows came from."""
    for platform in platforms:
        with open_warehouse(platform) as warehouse:
            warehouse.start_over()
    with environment.open_instance() as instance:
        delete_partitions(instance, platforms)

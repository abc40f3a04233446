"""`platform-assets sync`: one Dagster run in this process, with progress and a summary."""

import functools
import logging
import os
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import resource_tracker
from typing import Any, NoReturn

import dagster as dg
from rich.console import Console
from rich.table import Table

from platform_assets.cancellation import Cancelled, current
from platform_assets.cli import environment
from platform_assets.cli.environment import (
    chosen_platforms,
    sandbox_for,
    say_what_the_sandbox_serves,
    settings_problems,
    tell_of_broken_platforms,
    unserved,
)
from platform_assets.configuration.platform_settings import is_configured
from platform_assets.dbt.stale_models import MODEL_SCHEMAS, ancestors, buildable, stale_models
from platform_assets.declarations import Platform, Resource
from platform_assets.declarations.nearest import did_you_mean
from platform_assets.http.errors import SettingsError
from platform_assets.orchestration.interrupts import cancelled_by_signals
from platform_assets.orchestration.jobs import SYNC_ALL
from platform_assets.orchestration.partitions import children_of, partition_tags
from platform_assets.platforms import all_platforms, broken_platforms
from platform_assets.warehouse import LOG_TABLE, open_warehouse
from platform_assets.warehouse.location import exclusive


@dataclass(frozen=True)
class SyncRequest:
    """What the user asked for; empty means everything."""

    platforms: tuple[str, ...] = ()
    assets: tuple[str, ...] = ()
    partitions: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    full_refresh: bool = False
    start_over: bool = False
    models: bool = True
    sandbox: bool = False


@dataclass
class AssetLine:
    """One asset of the summary."""

    rows: int | None = None
    loaded: int = 0
    requests: int = 0
    materialized: bool = False


@dataclass
class Summary:
    """What a run did, read from its events."""

    assets: dict[str, AssetLine]
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    models: int = 0
    failures: list[str] = field(default_factory=list)


def run_sync(request: SyncRequest) -> int:
    """Run the sync and print its summary; the exit code: 0 where everything asked for landed, else 1.

    SIGINT and SIGTERM end it within seconds, with 128 and their number: what is being read is dropped, what is being
    written is finished, and the run is marked as canceled. So it works in a thread, and the main one hears signals.
    """
    heard: list[int] = []

    def hear(number: int) -> None:
        if not heard:
            print("stopping; what is being written is finished first", file=sys.stderr, flush=True)
        heard.append(number)

    landed = False
    with cancelled_by_signals(by_hand=True, heard=hear) as cancellation, ThreadPoolExecutor(1) as pool:
        try:
            landed = pool.submit(_run_sync, request).result()
        except Cancelled:
            pass
        except Exception:
            # What was broken off may say so in its own words.
            if not cancellation.cancelled:
                raise
    return 128 + heard[0] if heard else int(not landed)


def _run_sync(request: SyncRequest) -> bool:
    """The sync in this thread; whether everything asked for landed. Raises Cancelled where it was told to end."""
    # Inherited by what is started from here (dbt, Dagster's helpers): a terminal's Ctrl-C would reach them as well, and
    # each would print its traceback. Python's own helper would unblock it where it is started later.
    resource_tracker.ensure_running()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    started = time.monotonic()
    console = environment.console()
    tell_of_broken_platforms()
    keys = selected_keys(request)
    platforms = [p for p in all_platforms() if any(key.path[0] == p.name for key in keys)]
    served = {platform.name for platform in platforms if not is_configured(platform)}
    configured = [platform.name for platform in platforms if is_configured(platform)]
    with sandbox_for(platforms, request.sandbox) as server:
        if server is not None and configured:
            names = [platform.name for platform in platforms if platform.name in served]
            console.print(say_what_the_sandbox_serves(names, configured, server.url), highlight=False, soft_wrap=True)
        _check_settings(platforms)
        # Now, since every op would find a missing warehouse by itself, and try again.
        with exclusive("reach"):
            pass
        if request.start_over:
            _start_over(platforms)
        _show_progress()
        summary = Summary({key.to_user_string(): AssetLine() for key in keys})
        try:
            _execute(request, keys, summary)
        finally:
            if current().cancelled:
                landed = sum(line.materialized for line in summary.assets.values())
                console.print(f"stopped: {landed} of {len(keys)} assets had landed; the next sync loads the rest")
        current().check()
        _print_assets(console, summary)
        _print_platforms(console, summary, platforms)
        for failure in dict.fromkeys(summary.failures):
            console.print(f"failed: {failure}", style="red", markup=False, highlight=False, soft_wrap=True)
        agrees = True
        whole = not request.partitions and not request.parents
        if server is not None and whole and not summary.failures:
            agrees = _compare_with_expected(console, server, summary, served)
    landed = sum(line.materialized for line in summary.assets.values())
    console.print(
        f"{landed} of {len(keys)} assets and {summary.models} dbt models in {time.monotonic() - started:.1f} s",
        highlight=False,
    )
    console.print("Open the UI: make dev (or `platform-assets dev`), then http://127.0.0.1:3000", highlight=False)
    whole_platforms = request.platforms or request.assets or not broken_platforms()
    return agrees and not summary.failures and landed == len(keys) and bool(whole_platforms)


def selected_keys(request: SyncRequest) -> list[dg.AssetKey]:
    """Asset keys of the request. Raises SettingsError for one that does not exist."""
    platforms = _without_unserved(request, chosen_platforms(request.platforms))
    known = {f"{platform.name}/{resource.name}": resource for platform in platforms for resource in platform.resources}
    for name in request.assets:
        if name not in known:
            _refuse_asset(name, known)
    names = list(dict.fromkeys(request.assets)) or list(known)
    _refuse_unused(request, [known[name] for name in names], names)
    return [dg.AssetKey(name.split("/")) for name in names]


def _without_unserved(request: SyncRequest, platforms: list[Platform]) -> list[Platform]:
    """Leave out, with a word, what the sandbox is asked for and does not serve, unless it was asked for by name."""
    if not request.sandbox or request.platforms or request.assets:
        return platforms
    left_out = unserved(platforms)
    for platform in left_out:
        print(f"{platform.name}: left out, it is not configured and the sandbox does not serve it", file=sys.stderr)
    return [platform for platform in platforms if platform not in left_out]


def _refuse_asset(name: str, known: Iterable[str]) -> NoReturn:
    """Raise SettingsError for an asset that is not there, with the nearest that is."""
    for broken in broken_platforms():
        if name.split("/")[0] == broken.module:
            raise SettingsError(f"{name!r} cannot be loaded: {broken}")
    near = [other for other in known if other.split("/")[-1] == name.split("/")[-1]]
    hint = f"; did you mean {', '.join(near)}?" if near else did_you_mean(name, known)
    raise SettingsError(f"no asset is called {name!r}{hint}")


def _refuse_unused(request: SyncRequest, resources: Sequence[Resource], names: Sequence[str]) -> None:
    """Raise SettingsError for `--partition` or `--parent` where none of the assets has any, or half a new start."""
    if request.start_over and (request.assets or request.partitions or request.parents or not request.platforms):
        raise SettingsError("--start-over drops whole platforms: name each with --platform, and nothing else")
    said = ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
    if request.partitions and not any(resource.partition for resource in resources):
        raise SettingsError(f"--partition {request.partitions[0]}: {said} has no partitions")
    if request.parents and not any(resource.parent for resource in resources):
        raise SettingsError(f"--parent {request.parents[0]}: {said} has no parents")


def _check_settings(platforms: Sequence[Platform]) -> None:
    """Read every setting before anything is loaded; all that is missing or misspelt is said at once."""
    problems = settings_problems(platforms)
    if problems:
        raise SettingsError("\nerror: ".join(problems))


def _start_over(platforms: Sequence[Platform]) -> None:
    """Drop the platforms' rows, cursors and partitions; whose rows they were is forgotten with them."""
    for platform in platforms:
        with open_warehouse(platform) as warehouse:
            warehouse.start_over()
    with environment.open_instance() as instance:
        for name in (name for platform in platforms for name in children_of(platform)):
            for key in instance.get_dynamic_partitions(name):
                instance.delete_dynamic_partition(name, key)


def _show_progress() -> None:
    """One line per asset as it lands: plain text, so that it reads the same on a terminal and in a log."""
    logger = logging.getLogger("platform_assets")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    logger.handlers = [handler]
    if "RUNTIME__LOG_LEVEL" not in os.environ:
        # dlt would print the traceback of what is said in a line at the end.
        logging.getLogger("dlt").setLevel(logging.CRITICAL)


def _execute(request: SyncRequest, keys: Sequence[dg.AssetKey], summary: Summary) -> None:
    """Run the assets, what a failure kept from running (Dagster skips all below a failed op), and stale models."""
    from platform_assets.dbt.assets import edited_at
    from platform_assets.definitions import defs

    repository = defs().get_repository_def()
    tables = set(keys)
    current().check()
    with environment.open_instance() as instance:
        run = functools.partial(_run, repository, instance, request)
        started = run([*tables], summary)
        if current().cancelled:
            return
        left = {key for key in tables if _op_of(repository, key) not in started}
        if left:
            run([*left], summary)
        if not request.models or current().cancelled:
            return
        models = stale_models(instance, repository, models_below(repository, tables), edited_at())
        landed = {model for model in models if _landed_below(repository, model, tables, summary)}
        ready = buildable(instance, repository, landed)
        if ready:
            run([*ready], summary)


def _run(
    repository: dg.RepositoryDefinition,
    instance: dg.DagsterInstance,
    request: SyncRequest,
    keys: Sequence[dg.AssetKey],
    summary: Summary,
) -> set[str]:
    """One run in this process; adds its events to the summary and returns the ops that started."""
    config = {
        "full_refresh": request.full_refresh,
        "partitions": list(request.partitions),
        "parents": list(request.parents),
    }
    known = {name.to_user_string() for name in keys} & summary.assets.keys()
    ops = {_op_of(repository, key): {"config": config} for key in keys if key.to_user_string() in known}
    result = repository.get_job(SYNC_ALL).execute_in_process(
        run_config={"ops": ops, "loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        asset_selection=list(keys),
        tags=partition_tags(request.partitions),
        instance=instance,
        raise_on_error=False,
    )
    add_events(summary, result.all_events)
    return {str(event.step_key) for event in result.all_events if event.is_step_start}


def models_below(repository: dg.RepositoryDefinition, tables: Set[dg.AssetKey]) -> set[dg.AssetKey]:
    """dbt models downstream of the tables."""
    graph = repository.asset_graph
    below = set(dg.AssetSelection.assets(*tables).downstream(include_self=False).resolve(graph))
    for platform in {key.path[0] for key in tables}:
        below |= graph.get(dg.AssetKey([platform, LOG_TABLE])).child_keys
    return {key for key in below if key.path[0] in MODEL_SCHEMAS}


def _landed_below(
    repository: dg.RepositoryDefinition, model: dg.AssetKey, tables: Set[dg.AssetKey], summary: Summary
) -> bool:
    above = ancestors(repository, model) & tables
    return all(summary.assets[key.to_user_string()].materialized for key in above)


def _op_of(repository: dg.RepositoryDefinition, key: dg.AssetKey) -> str:
    return repository.assets_defs_by_key[key].op.name


def add_events(summary: Summary, events: Iterable[dg.DagsterEvent]) -> None:
    """Add rows, requests, seconds and failures of a run's events."""
    for event in events:
        if event.is_step_materialization:
            _add_materialization(summary, event.asset_key, event.step_materialization_data.materialization)
        elif event.is_step_success:
            platform = str(event.step_key).split("__")[0]
            summary.seconds[platform] += event.step_success_data.duration_ms / 1000
        if event.is_step_failure:
            summary.failures.extend(_reasons(event))


def _add_materialization(summary: Summary, key: dg.AssetKey | None, materialization: dg.AssetMaterialization) -> None:
    line = summary.assets.get(key.to_user_string()) if key else None
    if line is None:
        summary.models += key is not None and key.path[0] in MODEL_SCHEMAS
        return
    metadata: Mapping[str, Any] = {name: value.value for name, value in materialization.metadata.items()}
    line.rows = metadata.get("dagster/row_count", line.rows)
    if materialization.partition is None:
        line.materialized = True
        line.loaded = metadata.get("rows_loaded", 0)
        line.requests = metadata.get("requests", 0)


def _reasons(event: dg.DagsterEvent) -> list[str]:
    data = event.step_failure_data
    error = data.error
    while error is not None and error.cause is not None:
        error = error.cause
    text = (data.user_failure_data.description if data.user_failure_data else None) or (
        f"{event.step_key}: {error.message}" if error else str(event.step_key)
    )
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[1:] if len(lines) > 1 and lines[0].endswith("failed:") else lines


def _print_assets(console: Console, summary: Summary) -> None:
    table = Table(box=None, pad_edge=False)
    table.add_column("asset")
    for name in ("rows", "new or changed", "requests"):
        table.add_column(name, justify="right")
    for name, line in summary.assets.items():
        rows = "failed" if not line.materialized else str(line.rows)
        table.add_row(name, rows, str(line.loaded), str(line.requests))
    console.print(table)
    console.print()


def _print_platforms(console: Console, summary: Summary, platforms: Sequence[Platform]) -> None:
    table = Table(box=None, pad_edge=False)
    table.add_column("platform")
    for name in ("assets", "rows", "new or changed", "requests", "seconds"):
        table.add_column(name, justify="right")
    for platform in platforms:
        lines = [line for name, line in summary.assets.items() if name.startswith(f"{platform.name}/")]
        table.add_row(
            platform.name,
            str(sum(line.materialized for line in lines)),
            str(sum(line.rows or 0 for line in lines)),
            str(sum(line.loaded for line in lines)),
            str(sum(line.requests for line in lines)),
            f"{summary.seconds[platform.name]:.1f}",
        )
    console.print(table)
    console.print()


def _compare_with_expected(console: Console, server: Any, summary: Summary, served: Set[str]) -> bool:
    """Compare row counts with what the sandbox itself says, for the platforms that it served."""
    from platform_assets.sandbox import expected_rows

    expected = expected_rows(server.world)
    wrong = []
    compared = {name: line for name, line in summary.assets.items() if name.split("/")[0] in served}
    for name, line in compared.items():
        platform, resource = name.split("/")
        if line.rows != len(expected[platform][resource]):
            wrong.append(f"{name}: {line.rows} rows, the sandbox has {len(expected[platform][resource])}")
    if not wrong:
        console.print(f"Row counts of all {len(compared)} assets equal the sandbox's own truth.", highlight=False)
    for line in wrong:
        console.print(line, style="red", markup=False)
    return not wrong

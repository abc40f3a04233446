"""`platform-assets status`: what is failed, stale or missing, then rows and times of every asset.

Reads what the warehouse recorded, through a connection that cannot write, and imports neither Dagster nor dlt.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

import typer
from rich.console import Console

from platform_assets.cli.environment import chosen_platforms, console, report_broken_platforms
from platform_assets.cli.table import Column, print_table
from platform_assets.counted import counted
from platform_assets.declarations import Platform
from platform_assets.declarations.errors import about
from platform_assets.reporting.ages import ago, duration, exact
from platform_assets.reporting.asset_status import AssetStatus, State, read_statuses
from platform_assets.warehouse.location import warehouse_name
from platform_assets.warehouse.queries import reading

_LISTED = 8


def show_status(names: Sequence[str], *, as_json: bool = False, exact_times: bool = False) -> None:
    """Print the status of the platforms' assets, of all platforms if `names` is empty.

    Args:
        as_json: one JSON document instead of text.
        exact_times: UTC instead of "3 h ago".
    """
    report_broken_platforms()
    platforms = chosen_platforms(names)
    now = datetime.now(UTC)
    with reading(or_copy=True) as reader:
        statuses = [status for platform in platforms for status in read_statuses(reader, platform, now)]
    if as_json:
        document = {
            "warehouse": warehouse_name(),
            "at": now.isoformat(),
            "assets": [status.document() for status in statuses],
        }
        typer.echo(json.dumps(document, indent=2))
        return
    screen = console()
    for line in _findings(statuses, platforms, now):
        screen.print(line, markup=False, highlight=False, soft_wrap=True)
    _print_table(screen, statuses, exact if exact_times else lambda moment: ago(moment, now))


def _findings(statuses: Sequence[AssetStatus], platforms: Sequence[Platform], now: datetime) -> Iterator[str]:
    """Lines about what is not as it should be, and a count of the rest."""
    by_state = {state: [status for status in statuses if status.state is state] for state in State}
    for status in by_state[State.FAILED]:
        yield f"failed: {about(status.asset, status.failure)}"
    for status in by_state[State.STALE]:
        assert status.last_load is not None
        yield f"stale: {status.asset}: loaded {ago(status.last_load, now)}, allowed {duration(status.allowed_lag)}"
    for status in by_state[State.WAITING]:
        yield f"waiting: {status.asset}: for {status.waiting_for}, which was never loaded"
    for status in statuses:
        if status.unread:
            yield f"unfinished: {status.asset}: {status.unread} is still to be read; the next sync goes on with it"
    for platform in platforms:
        missing = [status for status in by_state[State.NEVER] if status.asset.startswith(f"{platform.name}/")]
        if missing:
            yield _never_loaded(platform, missing)
    for status in by_state[State.UNSERVED]:
        yield f"not served: {status.asset}: {status.unserved}"
    children = {f"{platform.name}/{one.name}" for platform in platforms for one in platform.resources if one.parent}
    for status in statuses:
        if status.skipped and status.asset not in children:
            yield f"skipped: {status.asset}: a response was ignored as declared; what it would have had is still due"
        elif status.skipped:
            yield f"skipped: {status.asset}: the server refuses {status.skipped} of {counted(status.reads, 'parent')}"
    counts = [f"{len(found)} {state}" for state, found in by_state.items() if found]
    yield f"{counted(len(statuses), 'asset')}: {', '.join(counts)}"
    yield ""


def _never_loaded(platform: Platform, missing: Sequence[AssetStatus]) -> str:
    command = f"`platform-assets sync --platform {platform.name}` loads "
    if len(missing) > _LISTED:
        return f"never loaded: {len(missing)} assets of {platform.name}: {command}them"
    names = ", ".join(status.asset for status in missing)
    return f"never loaded: {names}: {command}{'them' if len(missing) > 1 else 'it'}"


def _print_table(screen: Console, statuses: Sequence[AssetStatus], shown: Callable[[datetime], str]) -> None:
    columns: list[Column[AssetStatus]] = [
        Column("asset", lambda status: status.asset),
        Column("state", lambda status: str(status.state)),
        Column("rows", lambda status: "-" if status.rows is None else str(status.rows), rank=2, right=True),
        Column("last load", lambda status: shown(status.last_load) if status.last_load else "never", right=True),
        Column(
            "newest record",
            lambda status: shown(status.newest_record) if status.newest_record else "-",
            rank=1,
            right=True,
        ),
    ]
    print_table(screen, columns, statuses)

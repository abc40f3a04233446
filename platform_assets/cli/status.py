"""`platform-assets status`: rows, cursor and state of every asset, as the warehouse recorded them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from rich.table import Table

from platform_assets.cli.environment import chosen_platforms, console, report_broken_platforms
from platform_assets.declarations import Platform, Resource
from platform_assets.warehouse import Progress, Status, open_warehouse
from platform_assets.warehouse.source_account import Source


def show_status(names: Sequence[str]) -> None:
    """Print one line per asset: rows, cursor, lag, last success, state."""
    report_broken_platforms()
    now = datetime.now(UTC)
    table = Table(box=None, pad_edge=False)
    table.add_column("asset")
    table.add_column("rows", justify="right")
    table.add_column("cursor")
    table.add_column("lag", justify="right")
    table.add_column("last success (UTC)")
    table.add_column("state")
    for platform in chosen_platforms(names):
        with open_warehouse(platform) as warehouse, warehouse.session() as session:
            unserved = _unserved(platform, session.source())
            progress = session.progress([resource.name for resource in platform.resources])
            for resource in platform.resources:
                entries = [entry for (name, _), entry in progress.items() if name == resource.name]
                cells = _cells(platform, resource, entries, session.count(resource.name), now)
                why = unserved.get(resource.name)
                table.add_row(*cells, _state(entries) if why is None else f"not served: {why}")
    console().print(table)


def _unserved(platform: Platform, source: Source | None) -> Mapping[str, str]:
    """Resource -> why the contract that the platform was last loaded by does not serve it."""
    contract = platform.contracts.get(source.contract) if source else None
    return contract.unserved if contract else {}


def _cells(platform: Platform, resource: Resource, entries: Sequence[Progress], rows: int, now: datetime) -> list[str]:
    """Cells of one asset but for its state; `entries` are its recorded reads, one per parent."""
    cursor = max((entry.cursor_value for entry in entries if entry.cursor_value), default=None)
    success = max((entry.succeeded_at for entry in entries if entry.succeeded_at), default=None)
    return [
        f"{platform.name}/{resource.name}",
        str(rows) if entries else "-",
        f"{cursor.astimezone(UTC):%Y-%m-%d %H:%M:%S}" if cursor else "-",
        _duration((now - cursor).total_seconds()) if cursor else "-",
        f"{success.astimezone(UTC):%Y-%m-%d %H:%M:%S}" if success else "never",
    ]


def _state(entries: Sequence[Progress]) -> str:
    if not entries:
        return "not loaded"
    failed = [entry for entry in entries if entry.status is Status.FAILED]
    skipped = sum(entry.status is Status.SKIPPED for entry in entries)
    skipped_suffix = f", {skipped} parents skipped" if skipped else ""
    if not failed:
        return f"ok{skipped_suffix}"
    if not failed[0].parent:
        return f"failed: {failed[0].error}"
    names = ", ".join(entry.parent for entry in failed[:3]) + (", …" if len(failed) > 3 else "")
    return f"{len(failed)} of {len(entries)} parents failed: {names}{skipped_suffix}"


def _duration(seconds: float) -> str:
    """Seconds in the largest unit that fits, e.g. `1.5 h`."""
    sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{sign}{seconds / size:.1f} {unit}"
    return f"{sign}{seconds:.0f} s"

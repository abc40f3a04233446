"""The report's first section: what failed, what is stale and since when, and what the syncs of each day did."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from platform_assets.counted import counted
from platform_assets.declarations import Platform
from platform_assets.reporting.ages import ago, duration
from platform_assets.reporting.asset_status import AssetStatus, State, read_statuses
from platform_assets.reporting.charts import Row, text
from platform_assets.warehouse.queries import Reader, rows

# Days of syncs that are shown, per platform.
_DAYS = 7
# Assets of a platform with the same problem that are listed; more are one row.
_LISTED = 5
# What somebody must do something about.
_TO_ACT_ON = (State.FAILED, State.STALE, State.WAITING)


@dataclass(frozen=True)
class PlatformHealth:
    """A platform's assets, and what its syncs did: a row per UTC day, the latest first."""

    name: str
    statuses: Sequence[AssetStatus]
    syncs: Sequence[Row]

    @property
    def oldest(self) -> AssetStatus | None:
        """The asset whose last load is longest ago; None if nothing was ever loaded."""
        loaded = [status for status in self.statuses if status.last_load is not None]
        return min(loaded, key=_last_load, default=None)

    @property
    def newest(self) -> AssetStatus | None:
        loaded = [status for status in self.statuses if status.last_load is not None]
        return max(loaded, key=_last_load, default=None)

    @property
    def is_used(self) -> bool:
        """Whether a sync has tried it: a platform of which nothing was ever read is not somebody's problem."""
        return self.newest is not None or self.count(State.FAILED) > 0

    def count(self, state: State) -> int:
        return sum(status.state is state for status in self.statuses)


def read_health(reader: Reader, platform: Platform, now: datetime) -> PlatformHealth:
    """What the warehouse recorded of a platform. Raises WarehouseError if it cannot be read."""
    return PlatformHealth(platform.name, read_statuses(reader, platform, now), _syncs(reader, platform.name))


def _syncs(reader: Reader, schema: str) -> list[Row]:
    day = "CAST(started_at AT TIME ZONE 'UTC' AS date)"
    return rows(
        reader,
        f"SELECT {day} AS sync_date, count(DISTINCT resource) AS resources,"
        " count(*) FILTER (WHERE status = 'failed') AS failures, sum(requests) AS requests, sum(retries) AS retries,"
        f" sum(rows_read) AS rows_read, sum(rows_loaded) AS rows_loaded FROM {schema}._sync_log"
        f" GROUP BY {day} ORDER BY 1 DESC LIMIT {_DAYS}",
    )


def figures(platforms: Sequence[PlatformHealth], now: datetime) -> list[tuple[str, str, str, bool]]:
    """Label, value and note of the first figures, and whether each is bad news."""
    failed = [s for platform in platforms for s in platform.statuses if s.state is State.FAILED]
    stale = [s for platform in platforms for s in platform.statuses if s.state is State.STALE]
    never = sum(platform.count(State.NEVER) + platform.count(State.WAITING) for platform in platforms)
    oldest = min((p.oldest for p in platforms if p.oldest is not None), key=_last_load, default=None)
    newest = max((p.newest for p in platforms if p.newest is not None), key=_last_load, default=None)
    return [
        ("oldest data", _age(oldest, now), oldest.asset if oldest else "nothing was loaded", _is_late(oldest, now)),
        ("last load", _age(newest, now), newest.asset if newest else "nothing was loaded", _is_late(newest, now)),
        ("failed assets", str(len(failed)), _longest(failed, now, "no last attempt failed"), bool(failed)),
        ("stale assets", str(len(stale)), _longest(stale, now, "none is older than allowed"), bool(stale)),
        ("never loaded", str(never), "assets" if never else "every asset was loaded", never > 0),
    ]


def _is_late(status: AssetStatus | None, now: datetime) -> bool:
    return status is None or now - _last_load(status) > status.allowed_lag


def _longest(found: Sequence[AssetStatus], now: datetime, otherwise: str) -> str:
    if not found:
        return otherwise
    loaded = [status for status in found if status.last_load is not None]
    oldest = min(loaded, key=_last_load, default=None)
    return f"last loaded {_age(oldest, now)}: {oldest.asset}" if oldest else f"never loaded: {found[0].asset}"


def findings(platforms: Iterable[PlatformHealth], now: datetime) -> list[tuple[str, list[str]]]:
    """Platform and cells (state, asset, last load, why, what to do) of what somebody must act on, by urgency."""
    found: list[tuple[State, str, list[str]]] = []
    for platform in platforms:
        alike: dict[tuple[State, str], list[AssetStatus]] = {}
        unread = [status for status in platform.statuses if _is_unread(platform, status)]
        for status in platform.statuses:
            if status.state in _TO_ACT_ON and status not in unread:
                alike.setdefault((status.state, _reason(status)), []).append(status)
        for (state, why), statuses in alike.items():
            for asset, oldest, command in _rows(platform.name, statuses):
                found.append((state, platform.name, [str(state), asset, _age(oldest, now), why, command]))
        if unread:
            what = counted(len(unread), "asset")
            command = f"platform-assets sync --platform {platform.name}"
            cells = [str(State.NEVER), f"{platform.name}: {what}", "never", "no sync has read it yet", command]
            found.append((State.NEVER, platform.name, cells))
    order = {state: number for number, state in enumerate(State)}
    return [(name, cells) for _, name, cells in sorted(found, key=lambda one: order[one[0]])]


def _rows(platform: str, statuses: Sequence[AssetStatus]) -> Iterator[tuple[str, AssetStatus, str]]:
    """Asset, the one whose last load is shown, and what to run: for each, or for all if they are many."""
    if len(statuses) > _LISTED:
        never = [status for status in statuses if status.last_load is None]
        oldest = never[0] if never else min(statuses, key=_last_load)
        yield f"{platform}: {counted(len(statuses), 'asset')}", oldest, f"platform-assets sync --platform {platform}"
        return
    for status in statuses:
        yield status.asset, status, f"platform-assets sync --select {status.waiting_for or status.asset}"


def _is_unread(platform: PlatformHealth, status: AssetStatus) -> bool:
    """Whether a sync of the platform is all that it needs: nothing tried it, nor, if it waits for one, its parent."""
    if status.state is not State.WAITING:
        return status.state is State.NEVER
    return any(other.asset == status.waiting_for and other.state is not State.FAILED for other in platform.statuses)


def _reason(status: AssetStatus) -> str:
    if status.state is State.FAILED:
        return status.failure
    if status.state is State.STALE:
        return f"more than the {duration(status.allowed_lag)} that are allowed"
    return f"{status.waiting_for} was never loaded"


FRESHNESS_HEADINGS = (
    "platform",
    "last load",
    "oldest data",
    "newest record",
    "rows",
    "failed",
    "stale",
    "never loaded",
)


def freshness_row(platform: PlatformHealth, now: datetime) -> list[str]:
    """Cells of a platform, as in `FRESHNESS_HEADINGS`."""
    records = [status.newest_record for status in platform.statuses if status.newest_record is not None]
    oldest = platform.oldest
    return [
        platform.name,
        _age(platform.newest, now),
        f"{_age(oldest, now)} ({oldest.asset.split('/')[1]})" if oldest else "-",
        ago(max(records), now) if records else "-",
        text(sum(status.rows or 0 for status in platform.statuses)),
        str(platform.count(State.FAILED)),
        str(platform.count(State.STALE)),
        str(platform.count(State.NEVER) + platform.count(State.WAITING)),
    ]


SYNC_COLUMNS: Mapping[str, str] = {
    "sync_date": "day (UTC)",
    "resources": "resources",
    "failures": "failures",
    "requests": "requests",
    "retries": "retries",
    "rows_read": "rows read",
    "rows_loaded": "new or changed rows",
}


def _age(status: AssetStatus | None, now: datetime) -> str:
    return "never" if status is None or status.last_load is None else ago(status.last_load, now)


def _last_load(status: AssetStatus) -> datetime:
    assert status.last_load is not None
    return status.last_load

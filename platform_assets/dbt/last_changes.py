"""When a table last changed, by the event log: a load that found nothing new is an event too, but no change.

A table that never changes has an event more with each sync, of which none may be missed. So that a sync after a year
does not read a year of them, what was found is kept in Dagster's storage, with the time up to which it holds.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import dagster as dg
import orjson

# Loads that are read from the event log at once, and at most for one table: if none of so many brought anything, the
# newest counts as a change, so that the models are built and the search begins anew from there.
_PAGE = 200
_MOST_LOADS = 2000
# Nothing is kept of the newest events, in seconds: others of that time may not have been stored yet.
_SETTLED = 600.0
_KEY = "platform_assets/last_change/"


@dataclass(frozen=True)
class _Found:
    """What is known of a table's loads of a time, in POSIX seconds.

    Attributes:
        since, through: begin and end of the time.
        change: the last change in it, None without one.
    """

    since: float
    through: float
    change: float | None

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """None for what another version has written."""
        try:
            return cls(**orjson.loads(text))
        except (TypeError, ValueError):
            return None


class LastChanges:
    """The last changes of some tables.

    Args:
        latest: table -> its newest materialization.
    """

    def __init__(self, instance: dg.DagsterInstance, latest: Mapping[dg.AssetKey, dg.EventLogEntry]) -> None:
        self._instance = instance
        self._latest = latest

    def since(self, oldest: Mapping[dg.AssetKey, float]) -> dict[dg.AssetKey, float]:
        """POSIX time of each table's last load that brought or removed rows, of those that have one.

        Args:
            oldest: table -> the POSIX time after which a change counts.
        """
        changes: dict[dg.AssetKey, float] = {}
        search: dict[dg.AssetKey, float] = {}
        for table, since in oldest.items():
            newest = self._latest[table]
            if newest.timestamp > since:
                if has_changes(newest.asset_materialization):
                    changes[table] = newest.timestamp
                else:
                    search[table] = since
        known = self._known(search)
        found: dict[dg.AssetKey, _Found] = {}
        for table, since in search.items():
            before = known.get(table)
            if before is not None and before.since > since:
                before = None
            change, kept = self._search(table, since, before)
            if change is not None:
                changes[table] = change
            if kept is not None:
                found[table] = kept
        self._keep(found)
        return changes

    def _search(self, table: dg.AssetKey, since: float, known: _Found | None) -> tuple[float | None, _Found | None]:
        """The last change after `since`, and what is new to be kept; None for what there is not."""
        settled = time.time() - _SETTLED
        begin = max(since, known.through) if known else since
        records = dg.AssetRecordsFilter(asset_key=table, after_timestamp=begin)
        is_new, cursor = False, None
        for _ in range(_MOST_LOADS // _PAGE):
            page = self._instance.fetch_materializations(records, limit=_PAGE, cursor=cursor)
            changed = (load.timestamp for load in page.records if has_changes(load.asset_materialization))
            if (last := next(changed, None)) is not None:
                return last, _Found(since, settled, last) if last <= settled else None
            is_new = is_new or any(load.timestamp <= settled for load in page.records)
            if not page.has_more:
                change = known.change if known else None
                kept = _Found(known.since if known else since, settled, change) if is_new else None
                return change if change is not None and change > since else None, kept
            cursor = page.cursor
        return self._latest[table].timestamp, None

    def _known(self, tables: Iterable[dg.AssetKey]) -> dict[dg.AssetKey, _Found]:
        keys = {_key(table): table for table in tables}
        values = self._instance.daemon_cursor_storage.get_cursor_values(set(keys)) if keys else {}
        parsed = {keys[key]: _Found.parse(value) for key, value in values.items()}
        return {table: found for table, found in parsed.items() if found is not None}

    def _keep(self, found: Mapping[dg.AssetKey, _Found]) -> None:
        if found:
            values = {_key(table): orjson.dumps(asdict(one)).decode() for table, one in found.items()}
            self._instance.daemon_cursor_storage.set_cursor_values(values)


def has_changes(materialization: dg.AssetMaterialization | None) -> bool:
    """Whether a load changed the table. One that does not say how many rows it brought may have."""
    if materialization is None or "rows_loaded" not in materialization.metadata:
        return True
    names = ("rows_loaded", "rows_removed", "table_created", "resources_failed")
    values: Mapping[str, Any] = materialization.metadata
    return any(name in values and values[name].value for name in names)


def _key(table: dg.AssetKey) -> str:
    return _KEY + table.to_user_string()

"""Metrics for Prometheus, from what the warehouse itself recorded: right over restarts, processes and machines.

Counters are sums over `_sync_log`, which is only ever added to, so they never go down until a platform's rows are
dropped (`sync --start-over`); Prometheus takes that for a restart. Labels are platform, resource and status, never a
parent: of those there may be 10^5.
"""

import threading
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from platform_assets.configuration.freshness import late_after
from platform_assets.declarations import Platform
from platform_assets.warehouse import LOG_TABLE, STATE_TABLE, Status, WarehouseError
from platform_assets.warehouse.queries import Reader, reading, recorded_rows
from platform_assets.warehouse.state import LOADED

# Seconds for which a process that writes is waited for: half of Prometheus's default timeout.
WAIT = 5.0
_LABELS = ("platform", "resource")
# Metric -> its help, and what of a row of the log it adds up.
_COUNTERS = {
    "platform_assets_reads": ("Reads of a resource, one for each of its parents.", "reads"),
    "platform_assets_failed_reads": ("Reads that failed.", "failed_reads"),
    "platform_assets_skipped_reads": ("Reads of parents that the server refused.", "skipped_reads"),
    "platform_assets_requests": ("Requests sent, retries included.", "requests"),
    "platform_assets_retries": ("Requests sent again.", "retries"),
    "platform_assets_wait_seconds": ("Seconds spent waiting for retries and rate limits.", "seconds_waited"),
    "platform_assets_rows_read": ("Records in the answers.", "rows_read"),
    "platform_assets_rows_loaded": ("Rows loaded, new or changed.", "rows_loaded"),
    "platform_assets_rows_removed": (
        "Rows marked as deleted, or deleted, since upstream has them no longer.",
        "rows_removed",
    ),
}
_GAUGES = {
    "platform_assets_last_success_timestamp_seconds": "When a sync last ended that read all of the resource.",
    "platform_assets_last_load_timestamp_seconds": "When a sync last loaded any of the resource, as `status` counts.",
    "platform_assets_allowed_lag_seconds": "Age of the last load from which on the resource is stale.",
    "platform_assets_cursor_lag_seconds": "Age of the newest record that was read, of resources with a cursor.",
    "platform_assets_table_rows": "Rows in the table after its last load, soft-deleted ones included.",
    "platform_assets_parents_failed": "Parents whose last read failed; 1 for a resource without parents that failed.",
}


class WarehouseMetrics(Collector):
    """What `prometheus_client` asks at each scrape.

    Args:
        keep: if the warehouse cannot be read, e.g. while a sync writes to the DuckDB file, give what it had last time;
            `platform_assets_warehouse_readable` says so. Otherwise WarehouseError is raised.
    """

    def __init__(self, platforms: Sequence[Platform], *, keep: bool = False) -> None:
        self._platforms = platforms
        self._keep = keep
        self._last: list[Metric] = []
        # Two scrapes at once would open the DuckDB file twice.
        self._one_at_a_time = threading.Lock()

    def describe(self) -> Iterable[Metric]:
        """Nothing: to know the names, Prometheus's registry would read the warehouse when it is made."""
        return []

    def collect(self) -> Iterator[Metric]:
        with self._one_at_a_time:
            readable = True
            try:
                self._last = _read(self._platforms)
            except WarehouseError:
                if not self._keep:
                    raise
                readable = False
            yield from self._last
        if self._keep:
            text = (
                "Whether the warehouse could be read at this scrape; if not, all others are of the last time it could."
            )
            yield GaugeMetricFamily("platform_assets_warehouse_readable", text, float(readable))


def registry(platforms: Sequence[Platform], *, keep: bool = False) -> CollectorRegistry:
    """A registry with these metrics alone; see `WarehouseMetrics`."""
    found = CollectorRegistry()
    found.register(WarehouseMetrics(platforms, keep=keep))
    return found


def metrics_text(platforms: Sequence[Platform]) -> bytes:
    """The metrics in Prometheus's text format. Raises WarehouseError if the warehouse cannot be read within `WAIT`."""
    return generate_latest(registry(platforms))


def _read(platforms: Sequence[Platform]) -> list[Metric]:
    syncs = CounterMetricFamily(
        "platform_assets_syncs", "Syncs of a resource, by how they ended.", labels=(*_LABELS, "status")
    )
    counters = {name: CounterMetricFamily(name, text, labels=_LABELS) for name, (text, _) in _COUNTERS.items()}
    gauges = {name: GaugeMetricFamily(name, text, labels=_LABELS) for name, text in _GAUGES.items()}
    with reading(wait=WAIT) as reader:
        recorded = [_recorded(reader, platform) for platform in platforms]
    for platform, (log, cursors, rows) in zip(platforms, recorded, strict=True):
        if not log:
            continue  # Nothing was ever loaded of it.
        now = datetime.now(UTC)
        # Also those that have failed only, with a counter from 0 on: without one, the first increase is not seen.
        for resource in platform.resources:
            labels = (platform.name, resource.name)
            found = log.get(resource.name, {})
            for status in (Status.OK, Status.FAILED):
                syncs.add_metric((*labels, str(status)), found.get(str(status), 0))
            for name, (_, column) in _COUNTERS.items():
                counters[name].add_metric(labels, found.get(column, 0))
            newest, failed = cursors.get(resource.name, (None, 0))
            values = {
                "platform_assets_last_success_timestamp_seconds": found.get("last_success"),
                "platform_assets_last_load_timestamp_seconds": found.get("last_load"),
                "platform_assets_allowed_lag_seconds": late_after(platform, resource).total_seconds(),
                "platform_assets_cursor_lag_seconds": (now - newest).total_seconds() if newest else None,
                "platform_assets_table_rows": rows.get(resource.name),
                "platform_assets_parents_failed": failed,
            }
            for name, value in values.items():
                if value is not None:
                    gauges[name].add_metric(labels, value)
    return [syncs, *counters.values(), *gauges.values()]


def _recorded(
    reader: Reader, platform: Platform
) -> tuple[dict[str, dict[str, Any]], dict[str, tuple[datetime | None, int]], dict[str, int]]:
    """What is on record of a platform's resources: of `_log`, of `_cursors`, and rows in their tables."""
    reader.use(platform.name)
    tables = reader.tables()
    return (
        _log(reader) if LOG_TABLE in tables else {},
        _cursors(reader) if STATE_TABLE in tables else {},
        recorded_rows(reader),
    )


def _log(reader: Reader) -> dict[str, dict[str, Any]]:
    """Resource -> sums over its rows of the log, how often it ended how, and when it last did (POSIX seconds)."""
    sums = ", ".join(f"sum({column})" for _, column in _COUNTERS.values())
    rows = reader.execute_sql(
        "SELECT resource, count(*) FILTER (WHERE status = 'ok'), count(*) FILTER (WHERE status = 'failed'),"
        f" max(ended_at) FILTER (WHERE status = 'ok'), max(ended_at) FILTER (WHERE {LOADED}), {sums}"
        f" FROM {reader.make_qualified_table_name(LOG_TABLE)} GROUP BY resource"
    )
    found: dict[str, dict[str, Any]] = {}
    for resource, ok, failed, success, load, *values in rows:
        columns = (column for _, column in _COUNTERS.values())
        found[str(resource)] = {
            "ok": ok,
            "failed": failed,
            "last_success": success.timestamp() if success else None,
            "last_load": load.timestamp() if load else None,
            **{column: float(value or 0) for column, value in zip(columns, values, strict=True)},
        }
    return found


def _cursors(reader: Reader) -> dict[str, tuple[datetime | None, int]]:
    """Resource -> newest cursor value that was read, and how many of its parents are left failed."""
    rows = reader.execute_sql(
        "SELECT resource, max(cursor_value), count(*) FILTER (WHERE status = 'failed')"
        f" FROM {reader.make_qualified_table_name(STATE_TABLE)} GROUP BY resource"
    )
    return {str(resource): (newest, int(failed)) for resource, newest, failed in rows}

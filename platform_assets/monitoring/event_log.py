"""What Dagster's event log and run storage know about an asset, in a fixed number of queries."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import dagster as dg

from platform_assets.monitoring.freshness import RunState
from platform_assets.orchestration.failures import PERMANENT
from platform_assets.patches.runs import RUN_KEY_TAG


@dataclass(frozen=True)
class Load:
    """One materialization: when (POSIX seconds), how many rows were new or changed, and the cursor after it."""

    at: float
    rows_loaded: int
    cursor: float | None


def last_load(instance: dg.DagsterInstance, key: dg.AssetKey) -> Load | None:
    """The last load of an asset, None if it was never loaded."""
    event = instance.get_latest_materialization_event(key)
    if event is None or event.asset_materialization is None:
        return None
    metadata = {name: entry.value for name, entry in event.asset_materialization.metadata.items()}
    cursor: Any = metadata.get("cursor")
    rows: Any = metadata.get("rows_loaded", 0)
    return Load(event.timestamp, int(rows), None if cursor is None else float(cursor))


def stale_partitions(
    instance: dg.DagsterInstance, key: dg.AssetKey, partitions: Iterable[str], cutoff: float
) -> list[str]:
    """Those of `partitions` that were not loaded since `cutoff` (POSIX seconds), in order.

    Two queries for any number of partitions: event ids grow with time, so the id of the first event after the cutoff
    separates the partitions.
    """
    storage = instance.event_log_storage
    last_ids = storage.get_latest_storage_id_by_partition(key, dg.DagsterEventType.ASSET_MATERIALIZATION)
    newer = instance.fetch_materializations(
        dg.AssetRecordsFilter(asset_key=key, after_timestamp=cutoff), limit=1, ascending=True
    ).records
    if not newer:
        return list(partitions)
    first_newer = newer[0].storage_id
    return [partition for partition in partitions if last_ids.get(partition, -1) < first_newer]


def run_of_key(instance: dg.DagsterInstance, run_key: str) -> tuple[RunState, set[str]]:
    """What became of the run with a run key, and which of its assets and asset[partition]s failed permanently."""
    runs = instance.get_runs(dg.RunsFilter(tags={RUN_KEY_TAG: run_key}), limit=1)
    if not runs:
        return RunState.NONE, set()
    run = runs[0]
    if not run.is_finished:
        return RunState.IN_FLIGHT, set()
    if run.is_success:
        return RunState.SUCCEEDED, set()
    return RunState.FAILED, _permanent_failures(instance, run.run_id)


def _permanent_failures(instance: dg.DagsterInstance, run_id: str) -> set[str]:
    failed: set[str] = set()
    for entry in instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_FAILURE):
        failure = entry.dagster_event.step_failure_data.user_failure_data if entry.dagster_event else None
        names: Any = failure.metadata[PERMANENT].value if failure and PERMANENT in failure.metadata else ()
        failed.update(names)
    return failed

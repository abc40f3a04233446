"""What Dagster's event log and run storage say of an asset, in a fixed number of queries."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import dagster as dg

from platform_assets.monitoring.freshness import RunState
from platform_assets.orchestration.failures import PERMANENT
from platform_assets.patches.runs import RUN_KEY_TAG


@dataclass(frozen=True)
class Load:
    """One materialization: when (POSIX), how many rows were new or changed, and the cursor after it (POSIX)."""

    at: float
    rows_loaded: int
    cursor: float | None


def last_load(instance: dg.DagsterInstance, key: dg.AssetKey) -> Load | None:
    """The last load of an asset, None where there was none."""
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
    """Those of `partitions` that were not loaded since `cutoff` (POSIX), in order.

    Two queries however many there are: event ids grow with time, so the id of the first event after the
    cutoff parts them.
    """
    storage = instance.event_log_storage
    last = storage.get_latest_storage_id_by_partition(key, dg.DagsterEventType.ASSET_MATERIALIZATION)
    newer = instance.fetch_materializations(
        dg.AssetRecordsFilter(asset_key=key, after_timestamp=cutoff), limit=1, ascending=True
    ).records
    if not newer:
        return list(partitions)
    first = newer[0].storage_id
    return [partition for partition in partitions if last.get(partition, -1) < first]


def run_of_key(instance: dg.DagsterInstance, run_key: str) -> tuple[RunState, set[str]]:
    """What became of the run with a run key, and what of it failed for good (assets and asset[partition]s)."""
    found = instance.get_runs(dg.RunsFilter(tags={RUN_KEY_TAG: run_key}), limit=1)
    if not found:
        return RunState.NONE, set()
    run = found[0]
    if not run.is_finished:
        return RunState.UNDER_WAY, set()
    if run.is_success:
        return RunState.SUCCEEDED, set()
    return RunState.FAILED, _refused(instance, run.run_id)


def _refused(instance: dg.DagsterInstance, run_id: str) -> set[str]:
    found: set[str] = set()
    for entry in instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_FAILURE):
        failure = entry.dagster_event.step_failure_data.user_failure_data if entry.dagster_event else None
        names: Any = failure.metadata[PERMANENT].value if failure and PERMANENT in failure.metadata else ()
        found.update(names)
    return found

"""Which assets and dynamic partitions runs in flight hold: none is deleted under a run, or requested a second time."""

import json
from collections.abc import Iterable, Mapping, Sequence, Set
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg

from platform_assets.declarations import Platform, Resource
from platform_assets.orchestration.partitions import PARTITIONS_TAG, children_of, op_names
from platform_assets.orchestration.translator import asset_key
from platform_assets.patches.backfills import assets_of_open_backfills
from platform_assets.patches.runs import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    PARTITION_NAME_TAG,
    UNFINISHED_STATUSES,
)

# A run that has not changed its state for so long counts as dead: Dagster keeps a killed process's run unfinished.
LONGEST_RUN = timedelta(days=1)


def assets_in_flight(instance: dg.DagsterInstance, repository: dg.RepositoryDefinition) -> set[dg.AssetKey]:
    """Assets that runs in flight may load or build; what is in flight, and for how long: see `partitions_in_flight`."""
    recent = datetime.now(UTC) - LONGEST_RUN
    held = set(assets_of_open_backfills(instance, created_after=recent))
    for run in _runs_in_flight(instance, recent):
        held |= _assets_of_job(repository, run.job_name) if run.asset_selection is None else run.asset_selection
    return held


def _assets_of_job(repository: dg.RepositoryDefinition, job: str) -> Set[dg.AssetKey]:
    """All assets of a job; none if it is another code location's."""
    return repository.get_job(job).asset_layer.selected_asset_keys if repository.has_job(job) else set()


def _runs_in_flight(instance: dg.DagsterInstance, recent: datetime) -> Iterable[dg.DagsterRun]:
    return instance.get_runs(dg.RunsFilter(statuses=UNFINISHED_STATUSES, updated_after=recent))


def partitions_in_flight(
    instance: dg.DagsterInstance, platform: Platform, own_run: str | None = None
) -> dict[str, set[str]]:
    """Keys that runs in flight hold, by the name of the platform's dynamic partitions.

    In flight is a run that is queued, running or being canceled. A run that names no partitions holds all partitions of
    its assets, and so does a backfill that has not yet requested all of its runs. A run counts for `LONGEST_RUN` after
    its last change of state.

    Args:
        own_run: id of a run that does not count, because it is the caller.
    """
    children = children_of(platform)
    held: dict[str, set[str]] = {name: set() for name in children}
    recent = datetime.now(UTC) - LONGEST_RUN
    for run in _runs_in_flight(instance, recent):
        for name, resources in children.items() if run.run_id != own_run else ():
            loaded = [resource for resource in resources if _is_selected(run, platform, resource)]
            if loaded:
                held[name] |= _held_by(instance, run, platform, name, loaded)
    backfilled = assets_of_open_backfills(instance, created_after=recent)
    for name, resources in children.items():
        if any(asset_key(platform, resource.name) in backfilled for resource in resources):
            held[name] |= set(instance.get_dynamic_partitions(name))
    return held


def _is_selected(run: dg.DagsterRun, platform: Platform, resource: Resource) -> bool:
    """Whether a run may load the resource; a run without a selection loads all of its job, whatever that is."""
    return run.asset_selection is None or asset_key(platform, resource.name) in run.asset_selection


def _held_by(
    instance: dg.DagsterInstance, run: dg.DagsterRun, platform: Platform, name: str, resources: Sequence[Resource]
) -> set[str]:
    """Keys of the partitions called `name` that a run of `resources` loads; all registered keys if it names none."""
    registered = list(instance.get_dynamic_partitions(name))
    if PARTITION_NAME_TAG in run.tags:
        return {run.tags[PARTITION_NAME_TAG]}
    first, last = run.tags.get(ASSET_PARTITION_RANGE_START_TAG), run.tags.get(ASSET_PARTITION_RANGE_END_TAG)
    if first in registered and last in registered:
        return set(registered[registered.index(first) : registered.index(last) + 1])
    ops = op_names(platform)
    named = [_named_keys(run, ops[resource.name]) for resource in resources]
    return {key for keys in named for key in keys} if all(named) else set(registered)


def _named_keys(run: dg.DagsterRun, op: str) -> list[str]:
    """Partitions, or parents (whose keys are also their partitions' keys), in an op's config, else in the run's tag."""
    config: Any = run.run_config
    for step in ("ops", op, "config"):
        config = config.get(step) if isinstance(config, Mapping) else None
    config = config if isinstance(config, Mapping) else {}
    keys = config.get("partitions") or config.get("parents")
    if keys:
        return list(map(str, keys))
    with suppress(json.JSONDecodeError):
        tagged = json.loads(run.tags.get(PARTITIONS_TAG, "[]"))
        return list(map(str, tagged)) if isinstance(tagged, list) else []
    return []

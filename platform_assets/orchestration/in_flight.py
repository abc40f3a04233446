"""Which dynamic partitions runs in flight hold, so that none of them is retired under a run."""

import json
from collections.abc import Mapping, Sequence
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

LONGEST_RUN = timedelta(days=1)


def partitions_in_flight(
    instance: dg.DagsterInstance, platform: Platform, own_run: str | None = None
) -> dict[str, set[str]]:
    """Keys that runs in flight, other than `own_run`, hold, by the name of the platform's dynamic partitions.

    In flight is what is queued, under way or being canceled; and a backfill that has not yet asked for all its runs,
    which holds every partition of its assets, as does a run that names none. A run whose process was killed stays
    in flight for Dagster: it counts for `LONGEST_RUN` after its last change of state, then no more.
    """
    children = children_of(platform)
    held: dict[str, set[str]] = {name: set() for name in children}
    recent = datetime.now(UTC) - LONGEST_RUN
    for run in instance.get_runs(dg.RunsFilter(statuses=UNFINISHED_STATUSES, updated_after=recent)):
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
    """Whether a run may load the resource; one without a selection loads all of its job, whatever that is."""
    return run.asset_selection is None or asset_key(platform, resource.name) in run.asset_selection


def _held_by(
    instance: dg.DagsterInstance, run: dg.DagsterRun, platform: Platform, name: str, resources: Sequence[Resource]
) -> set[str]:
    """Keys of the partitions called `name` that a run of `resources` works on; all of them where it names none."""
    registered = list(instance.get_dynamic_partitions(name))
    if PARTITION_NAME_TAG in run.tags:
        return {run.tags[PARTITION_NAME_TAG]}
    first, last = run.tags.get(ASSET_PARTITION_RANGE_START_TAG), run.tags.get(ASSET_PARTITION_RANGE_END_TAG)
    if first in registered and last in registered:
        return set(registered[registered.index(first) : registered.index(last) + 1])
    ops = op_names(platform)
    given = [_given(run, ops[resource.name]) for resource in resources]
    return {key for keys in given for key in keys} if all(given) else set(registered)


def _given(run: dg.DagsterRun, op: str) -> list[str]:
    """Partitions, or parents (whose keys are their partitions' too), in an op's config, else in our tag."""
    config: Any = run.run_config
    for step in ("ops", op, "config"):
        config = config.get(step) if isinstance(config, Mapping) else None
    config = config if isinstance(config, Mapping) else {}
    given = config.get("partitions") or config.get("parents")
    if given:
        return list(map(str, given))
    with suppress(json.JSONDecodeError):
        tagged = json.loads(run.tags.get(PARTITIONS_TAG, "[]"))
        return list(map(str, tagged)) if isinstance(tagged, list) else []
    return []

"""Partitions of child assets: which an asset has, which op loads it, and which keys are registered.

Few parents are dynamic partitions, one per parent, so that each can be loaded and seen alone. Many parents (deals, mail
threads) would overwhelm the scheduler, so these share a fixed number of buckets.
"""

import json
from collections.abc import Iterable, Sequence, Set

import dagster as dg

from platform_assets.declarations import Buckets, DynamicPartitions, Platform, Resource
from platform_assets.declarations.ancestry import depth, parents_of

# Tag of a run that the sensors or the command requested: its partitions, as JSON.
PARTITIONS_TAG = "platform_assets/partitions"

# Keys that one call registers; Dagster stores each call in one statement.
_CHUNK = 1000
# Up to so many missing keys are always believed; more only if they are at most half of the registered keys.
_ALWAYS_BELIEVED = 10
# More partitions than these are named in the run's config only.
_MOST_TAGGED = 20


def partitions_def(resource: Resource) -> dg.PartitionsDefinition | None:
    """Dynamic partitions for few parents, a fixed list of buckets for many, None for a plain resource."""
    if isinstance(resource.partition, DynamicPartitions):
        return dg.DynamicPartitionsDefinition(name=resource.partition.name)
    if isinstance(resource.partition, Buckets):
        return dg.StaticPartitionsDefinition(resource.partition.keys)
    return None


def backfill_policy(resource: Resource) -> dg.BackfillPolicy | None:
    """A backfill is a handful of runs: all buckets in one, parents in batches. None for a plain resource."""
    if isinstance(resource.partition, DynamicPartitions):
        return dg.BackfillPolicy.multi_run(max_partitions_per_run=resource.partition.batch_size)
    return dg.BackfillPolicy.single_run() if resource.partition else None


def op_names(platform: Platform) -> dict[str, str]:
    """Resource -> name of the op that loads it."""
    groups = op_groups(platform)
    return {resource.name: f"{platform.name}__{suffix}" for suffix, group in groups.items() for resource in group}


def register(instance: dg.DagsterInstance, name: str, keys: Iterable[str]) -> list[str]:
    """Add the keys that `name` does not have yet, in chunks; returns the added keys, sorted."""
    new = sorted({key for key in keys if key} - set(instance.get_dynamic_partitions(name)))
    for start in range(0, len(new), _CHUNK):
        instance.add_dynamic_partitions(name, new[start : start + _CHUNK])
    return new


def delete_removed(instance: dg.DagsterInstance, name: str, known: Set[str], in_flight: Set[str]) -> list[str]:
    """Delete the partitions of `name` whose parents were removed upstream; returns the deleted keys, sorted.

    Rows stay in the warehouse. Keys in flight are left for a later call. If `known` is suspiciously small, nothing is
    deleted: see `removed_upstream`.
    """
    removed = sorted(removed_upstream(instance.get_dynamic_partitions(name), known) - in_flight)
    for key in removed:
        instance.delete_dynamic_partition(name, key)
    return removed


def removed_upstream(registered: Iterable[str], known: Set[str]) -> set[str]:
    """Registered keys whose parents are not `known` any more.

    Empty if no parent is known (an empty list is taken for a faulty response), or if more than half of a longer list
    would be deleted.
    """
    before = set(registered)
    removed = before - known
    suspicious = not known or (len(removed) > _ALWAYS_BELIEVED and len(removed) * 2 > len(before))
    return set() if suspicious else removed


def delete_partitions(instance: dg.DagsterInstance, platforms: Iterable[Platform]) -> None:
    """Delete all dynamic partitions of the platforms."""
    for name in (name for platform in platforms for name in children_of(platform)):
        for key in instance.get_dynamic_partitions(name):
            instance.delete_dynamic_partition(name, key)


def partition_tags(keys: Sequence[str]) -> dict[str, str]:
    """Tags of a run whose config names its partitions: for people who search for it, and for `in_flight`.

    Empty for a run of many partitions; its config names them.
    """
    return {PARTITIONS_TAG: json.dumps(list(keys))} if 0 < len(keys) <= _MOST_TAGGED else {}


def children_of(platform: Platform) -> dict[str, list[Resource]]:
    """Names of the platform's dynamic partitions, each with the resources that have them."""
    children: dict[str, list[Resource]] = {}
    for resource in platform.resources:
        if isinstance(resource.partition, DynamicPartitions):
            children.setdefault(resource.partition.name, []).append(resource)
    return children


def op_groups(platform: Platform) -> dict[str, list[Resource]]:
    """The platform's resources that share an op, by the op's suffix.

    One op per partitioning loads many resources. Parents have an op of their own: Dagster skips everything below a
    failed op, and a failed list without children must not keep other lists' children from loading. Each generation
    below the first children has ops of its own: it reads what the one before has loaded.
    """
    parents = {name for resource in platform.resources for name in parents_of(platform, resource)}
    groups: dict[str, list[Resource]] = {}
    for resource in sorted(platform.resources, key=lambda item: item.partition is not None):
        if isinstance(resource.partition, DynamicPartitions):
            suffix = f"per_{resource.partition.name.removeprefix(f'{platform.name}_')}"
        elif isinstance(resource.partition, Buckets):
            suffix = f"buckets_{resource.partition.count}"
        else:
            suffix = "parents" if resource.name in parents else "resources"
        generation = depth(platform, resource)
        if generation and resource.name in parents:
            suffix += "_parents"
        if generation > 1:
            suffix += f"_generation_{generation}"
        groups.setdefault(suffix, []).append(resource)
    return groups

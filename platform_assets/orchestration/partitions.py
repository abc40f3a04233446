"""Partitions of child assets, and their registration from loaded parents."""

import json
from collections.abc import Iterable, Sequence, Set

import dagster as dg

from platform_assets.declarations import Buckets, DynamicPartitions, Platform, Resource

_CHUNK = 1000
_GUARD = 10
_TAGGED = 20
PARTITIONS_TAG = "platform_assets/partitions"
"""Tag of a run that our sensors or the command asked for: the partitions it was asked for, as JSON."""


def partitions_def(resource: Resource) -> dg.PartitionsDefinition | None:
    """Dynamic partitions for few parents, a fixed list of buckets for many, None for a plain resource."""
    if isinstance(resource.partition, DynamicPartitions):
        return dg.DynamicPartitionsDefinition(name=resource.partition.name)
    if isinstance(resource.partition, Buckets):
        return dg.StaticPartitionsDefinition(resource.partition.keys)
    return None


def backfill_policy(resource: Resource) -> dg.BackfillPolicy | None:
    """A backfill is a handful of runs: buckets all in one, parents in batches."""
    if isinstance(resource.partition, DynamicPartitions):
        return dg.BackfillPolicy.multi_run(max_partitions_per_run=resource.partition.batch_size)
    return dg.BackfillPolicy.single_run() if resource.partition else None


def op_names(platform: Platform) -> dict[str, str]:
    """Resource -> name of the op that loads it."""
    groups = op_groups(platform.resources)
    return {resource.name: f"{platform.name}__{suffix}" for suffix, group in groups.items() for resource in group}


def register(instance: dg.DagsterInstance, name: str, keys: Iterable[str]) -> list[str]:
    """Add the keys that `name` does not have yet, in chunks; returns the new ones, sorted."""
    new = sorted({key for key in keys if key} - set(instance.get_dynamic_partitions(name)))
    for start in range(0, len(new), _CHUNK):
        instance.add_dynamic_partitions(name, new[start : start + _CHUNK])
    return new


def retire(instance: dg.DagsterInstance, name: str, keys: Set[str], busy: Set[str]) -> list[str]:
    """Remove from `name` what is not among `keys` any more; returns the removed ones, sorted.

    Rows stay where they are. A busy key is left for a later time, and a suspiciously small set of keys
    retires nobody: see `removed_upstream`.
    """
    gone = removed_upstream(instance.get_dynamic_partitions(name), keys) - busy
    for key in sorted(gone):
        instance.delete_dynamic_partition(name, key)
    return sorted(gone)


def removed_upstream(registered: Iterable[str], known: Set[str]) -> set[str]:
    """Registered keys that are not known any more.

    None where nothing is known (an empty list of parents is a faulty answer until proven), or where more
    than half of a longer list would go.
    """
    before = set(registered)
    gone = before - known
    suspicious = not known or (len(gone) > _GUARD and len(gone) * 2 > len(before))
    return set() if suspicious else gone


def delete_partitions(instance: dg.DagsterInstance, platforms: Iterable[Platform]) -> None:
    """Delete all dynamic partitions of the platforms."""
    for name in (name for platform in platforms for name in children_of(platform)):
        for key in instance.get_dynamic_partitions(name):
            instance.delete_dynamic_partition(name, key)


def partition_tags(keys: Sequence[str]) -> dict[str, str]:
    """Tags of a run that names its partitions in its config: for people who look for it, and for `in_flight`.

    None for a run of many partitions, which its config names anyway.
    """
    return {PARTITIONS_TAG: json.dumps(list(keys))} if 0 < len(keys) <= _TAGGED else {}


def children_of(platform: Platform) -> dict[str, list[Resource]]:
    """Names of the platform's dynamic partitions, each with the resources that have them."""
    found: dict[str, list[Resource]] = {}
    for resource in platform.resources:
        if isinstance(resource.partition, DynamicPartitions):
            found.setdefault(resource.partition.name, []).append(resource)
    return found


def op_groups(resources: Sequence[Resource]) -> dict[str, list[Resource]]:
    """Resources that share an op, by the op's suffix.

    One op per partitioning loads many resources; parents have one of their own, since a failed op keeps
    everything below it from running, and a list without children must not do that.
    """
    parents = {resource.parent for resource in resources}
    groups: dict[str, list[Resource]] = {}
    for resource in sorted(resources, key=lambda item: item.partition is not None):
        if isinstance(resource.partition, DynamicPartitions):
            suffix = resource.partition.name
        elif isinstance(resource.partition, Buckets):
            suffix = f"buckets_{resource.partition.count}"
        else:
            suffix = "parents" if resource.name in parents else "resources"
        groups.setdefault(suffix, []).append(resource)
    return groups

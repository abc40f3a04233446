"""Partitions of child assets, and their registration from loaded parents."""

from collections.abc import Iterable, Sequence

import dagster as dg

from platform_assets.vocabulary import Buckets, DynamicPartitions, Resource

_CHUNK = 1000


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


def register(instance: dg.DagsterInstance, name: str, keys: Iterable[str]) -> list[str]:
    """Add the keys that `name` does not have yet, in chunks; returns the new ones, sorted."""
    new = sorted(set(keys) - set(instance.get_dynamic_partitions(name)))
    for start in range(0, len(new), _CHUNK):
        instance.add_dynamic_partitions(name, new[start : start + _CHUNK])
    return new


def partition_groups(resources: Sequence[Resource]) -> list[list[Resource]]:
    """Resources that can share one op: those with the same partitioning, plain ones first."""
    groups: dict[str, list[Resource]] = {}
    for resource in sorted(resources, key=lambda item: item.partition is not None):
        groups.setdefault(repr(resource.partition), []).append(resource)
    return list(groups.values())

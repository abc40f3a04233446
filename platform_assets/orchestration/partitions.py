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

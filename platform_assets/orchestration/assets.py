"""`@dlt_assets` definitions: one per platform and partitioning, so that one op loads many resources."""

from collections.abc import Iterator, Sequence
from typing import Any, cast

import dagster as dg
from dagster_dlt import dlt_assets

from platform_assets.extraction.source import declared_source
from platform_assets.orchestration.dlt_resource import Landed, PlatformDlt, SyncConfig
from platform_assets.orchestration.partitions import backfill_policy, partition_groups, partitions_def
from platform_assets.orchestration.translator import PlatformTranslator
from platform_assets.vocabulary import Buckets, DynamicPartitions, Platform, Resource


def platform_assets(platform: Platform) -> list[dg.AssetsDefinition]:
    """Every resource of the platform as an asset; selecting three of an op's assets fetches three."""
    return [_assets(platform, group) for group in partition_groups(platform.resources)]


def _assets(platform: Platform, group: Sequence[Resource]) -> dg.AssetsDefinition:
    first = group[0]

    # The real source and pipeline are built inside the op; a pipeline made here would touch the disk.
    @dlt_assets(
        dlt_source=declared_source(platform, [resource.name for resource in group]),
        dlt_pipeline=cast(Any, None),
        name=op_name(platform, first),
        dagster_dlt_translator=PlatformTranslator(platform),
        partitions_def=partitions_def(first),
        backfill_policy=backfill_policy(first),
        pool=platform.name,
    )
    def load(context: dg.AssetExecutionContext, config: SyncConfig, dlt: PlatformDlt) -> Iterator[Landed]:
        yield from dlt.sync(context, platform, config)

    return load


def op_name(platform: Platform, resource: Resource) -> str:
    """Name of the op that loads the resource, e.g. `crm`, `crm__buckets_16`, `ci_analytics_organization`."""
    if isinstance(resource.partition, DynamicPartitions):
        return f"{platform.name}__{resource.partition.name}"
    if isinstance(resource.partition, Buckets):
        return f"{platform.name}__buckets_{resource.partition.count}"
    return f"{platform.name}__resources"

"""Jobs that load the tables and build the dbt models below them: one per platform, and one for everything."""

from collections.abc import Sequence

import dagster as dg

from platform_assets.declarations import Platform, Resource
from platform_assets.orchestration.partitions import op_names, partition_tags
from platform_assets.orchestration.translator import asset_key
from platform_assets.patches.mixed_partitions import MixedPartitionsJob, mixed_partitions_job
from platform_assets.patches.partitioned_inputs import allow_partitioned_inputs

SYNC_ALL = "sync_all"


def sync_job_name(platform: Platform) -> str:
    """`sync_<platform>`."""
    return f"sync_{platform.name}"


def sync_job(platform: Platform, *, downstream: bool = True) -> MixedPartitionsJob:
    """`sync_<platform>`: a run without a partition loads every known parent of the partitioned assets.

    In one process, whatever the project's executor is: a process per step costs seconds, and the steps are short.

    Args:
        downstream: whether it also builds what is below the platform's tables.
    """
    allow_partitioned_inputs()
    tables = dg.AssetSelection.assets(*(asset_key(platform, resource.name) for resource in platform.resources))
    below = " and build the dbt models downstream" if downstream else ""
    return mixed_partitions_job(
        sync_job_name(platform),
        dg.AssetSelection.groups(platform.name).downstream() if downstream else tables,
        f"Load all of {platform.title}{below}.",
        executor_def=dg.in_process_executor,
    )


def sync_all_job() -> MixedPartitionsJob:
    """`sync_all`: every platform and all dbt models; partitions as in `sync_job`."""
    allow_partitioned_inputs()
    return mixed_partitions_job(SYNC_ALL, dg.AssetSelection.all(), "Load every platform and build all dbt models.")


def sync_request(platform: Platform, resources: Sequence[Resource], keys: Sequence[str], run_key: str) -> dg.RunRequest:
    """A run of some resources, for the partitions `keys` of these if there are any, as the launchpad would start it."""
    ops = op_names(platform)
    config = {ops[resource.name]: {"config": {"partitions": list(keys)}} for resource in resources} if keys else {}
    return dg.RunRequest(
        run_key=run_key,
        job_name=sync_job_name(platform),
        asset_selection=[asset_key(platform, resource.name) for resource in resources],
        run_config={"ops": config},
        tags=partition_tags(keys),
    )

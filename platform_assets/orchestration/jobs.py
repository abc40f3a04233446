"""Jobs that load and then model: one per platform, and one for everything."""

from collections.abc import Sequence

import dagster as dg

from platform_assets.orchestration.mixed_partitions import MixedPartitionsJob, mixed_partitions_job
from platform_assets.vocabulary import Platform

SYNC_ALL = "sync_all"


def sync_job_name(platform: Platform) -> str:
    return f"sync_{platform.name}"


def sync_jobs(platforms: Sequence[Platform]) -> list[MixedPartitionsJob]:
    """`sync_<platform>` for each platform and `sync_all`, each with the dbt models downstream.

    A run of these without a partition loads every known parent of the partitioned assets.
    """
    jobs = [
        mixed_partitions_job(
            sync_job_name(platform),
            dg.AssetSelection.groups(platform.name).downstream(),
            f"Load all of {platform.title} and build the models downstream.",
        )
        for platform in platforms
    ]
    everything = dg.AssetSelection.groups(*(platform.name for platform in platforms)).downstream()
    jobs.append(mixed_partitions_job(SYNC_ALL, everything, "Load and model every platform."))
    return jobs

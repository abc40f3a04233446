"""Everything that Dagster loads of platforms: here and in other people's projects (`components`) alike."""

from collections.abc import Sequence

import dagster as dg

from platform_assets.declarations import Platform
from platform_assets.monitoring.freshness_sensor import freshness_sensors
from platform_assets.monitoring.partition_sensor import partition_sensors
from platform_assets.orchestration.assets import log_spec, platform_assets
from platform_assets.orchestration.dlt_resource import RESOURCES
from platform_assets.orchestration.jobs import sync_job
from platform_assets.orchestration.schedules import schedules
from platform_assets.orchestration.verification import verified_checks, verify_jobs, verify_schedules


def definitions_of(
    platforms: Sequence[Platform], *, downstream: bool = True, scheduled: bool = True, fresh: bool = True
) -> dg.Definitions:
    """The platforms' assets, checks, jobs, schedules and sensors, and the resource that the assets need.

    All names begin with, or end in, the platform's. Uses no network and reads no credentials.

    Args:
        downstream: whether `sync_<platform>` also builds what is below the platform's tables.
        scheduled: whether there are schedules.
        fresh: whether there are sensors of freshness. Those of partitions are always there: without them new parents
            would have no partition.
    """
    tables = [definition for platform in platforms for definition in platform_assets(platform, heartbeat=fresh)]
    return dg.Definitions(
        assets=[*tables, *map(log_spec, platforms)],
        asset_checks=[verified_checks(platform) for platform in platforms],
        jobs=[*(sync_job(platform, downstream=downstream) for platform in platforms), *verify_jobs(platforms)],
        schedules=[*schedules(platforms), *verify_schedules(platforms)] if scheduled else [],
        sensors=[*partition_sensors(platforms), *(freshness_sensors(platforms) if fresh else [])],
        resources=RESOURCES,
    )

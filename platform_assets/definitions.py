"""Everything that Dagster loads, composed in one place. Uses no network and reads no credentials."""

import logging

import dagster as dg

from platform_assets.dbt.assets import dbt_models
from platform_assets.dbt.project import dbt_cli, dbt_project
from platform_assets.monitoring.alerts import stale_alert_sensor, webhook_on_failure
from platform_assets.monitoring.freshness_sensor import freshness_sensors
from platform_assets.monitoring.models_sensor import models_sensor
from platform_assets.monitoring.partition_sensor import partition_sensors
from platform_assets.orchestration.assets import log_spec, platform_assets
from platform_assets.orchestration.dlt_resource import PlatformDlt
from platform_assets.orchestration.jobs import sync_jobs
from platform_assets.orchestration.schedules import schedules
from platform_assets.orchestration.verification import verified_checks, verify_jobs, verify_schedules
from platform_assets.platforms import all_platforms, broken_platforms


@dg.definitions
def defs() -> dg.Definitions:
    """The project's definitions; a platform file that cannot be used is logged and left out."""
    platforms = all_platforms()
    for broken in broken_platforms():
        # The other platforms keep running; CI notices the broken one in `make lint`.
        logging.getLogger("platform_assets").error("a platform is left out: %s", broken)
    project = dbt_project()
    tables = [definition for platform in platforms for definition in platform_assets(platform)]
    return dg.Definitions(
        assets=[*tables, *map(log_spec, platforms), dbt_models(project)],
        asset_checks=[verified_checks(platform) for platform in platforms],
        jobs=[*sync_jobs(platforms), *verify_jobs(platforms)],
        schedules=[*schedules(platforms), *verify_schedules(platforms)],
        sensors=[
            *partition_sensors(platforms),
            *freshness_sensors(platforms),
            models_sensor(),
            webhook_on_failure,
            stale_alert_sensor(platforms),
        ],
        executor=dg.in_process_executor,
        resources={"dlt": PlatformDlt(), "dbt": dbt_cli(project)},
    )

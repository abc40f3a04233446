"""Everything that Dagster loads, composed in one place. Uses no network and reads no credentials."""

import logging

import dagster as dg

from platform_assets.garbage import collect_less_often

# Before the rest is imported: code servers and runs start with this module.
collect_less_often()

from platform_assets.dbt.assets import dbt_models
from platform_assets.dbt.project import dbt_cli, dbt_project
from platform_assets.monitoring.alerts import stale_alert_sensor, webhook_on_failure
from platform_assets.monitoring.models_sensor import models_sensor
from platform_assets.orchestration.jobs import sync_all_job
from platform_assets.platform_definitions import definitions_of
from platform_assets.platforms import all_platforms, broken_platforms


@dg.definitions
def defs() -> dg.Definitions:
    """The project's definitions; a platform file that cannot be used is logged and left out."""
    platforms = all_platforms()
    for broken in broken_platforms():
        # The other platforms keep running; CI notices the broken one in `make lint`.
        logging.getLogger("platform_assets").error("a platform is left out: %s", broken)
    project = dbt_project()
    project_wide = dg.Definitions(
        assets=[dbt_models(project)],
        jobs=[sync_all_job()],
        sensors=[models_sensor(), webhook_on_failure, stale_alert_sensor(platforms)],
        executor=dg.in_process_executor,
        resources={"dbt": dbt_cli(project)},
    )
    return dg.Definitions.merge(definitions_of(platforms), project_wide)

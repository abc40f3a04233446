"""Schedules: what is read at fixed times, whatever the sensors decide."""

from collections.abc import Sequence

import dagster as dg

from platform_assets.configuration.platform_settings import is_configured, setting_name
from platform_assets.declarations import Platform, Resource
from platform_assets.orchestration.jobs import sync_job_name
from platform_assets.orchestration.partitions import op_names
from platform_assets.orchestration.translator import asset_key


def schedules(platforms: Sequence[Platform]) -> list[dg.ScheduleDefinition]:
    """Up to three per platform, at the declared times in UTC: snapshots, cursored resources, and their full re-read."""
    definitions: list[dg.ScheduleDefinition] = []
    for platform in platforms:
        cursored = [resource for resource in platform.resources if _is_cursored(resource)]
        others = [resource for resource in platform.resources if not _is_cursored(resource)]
        cadence = platform.cadence
        definitions += [
            _schedule(platform, "snapshots", cadence.snapshots, others, "Loads everything that is read in full."),
            *(
                [
                    _schedule(
                        platform, "cursored", cadence.cursored, cursored, "Loads what the server filters by a cursor."
                    ),
                    _schedule(
                        platform,
                        "full",
                        cadence.full,
                        cursored,
                        "Loads cursored resources from the beginning, for records that changed without a newer cursor.",
                        full_refresh=True,
                    ),
                ]
                if cursored
                else []
            ),
        ]
    return definitions


def _is_cursored(resource: Resource) -> bool:
    incremental = resource.endpoint.incremental
    return incremental is not None and incremental.server_side


def _schedule(
    platform: Platform,
    suffix: str,
    cron: str,
    resources: Sequence[Resource],
    description: str,
    *,
    full_refresh: bool = False,
) -> dg.ScheduleDefinition:
    ops = sorted({op_names(platform)[resource.name] for resource in resources})
    config = {"ops": {op: {"config": {"full_refresh": True}} for op in ops}} if full_refresh else {}
    selection = [asset_key(platform, resource.name) for resource in resources]

    @dg.schedule(
        name=f"{platform.name}_{suffix}",
        cron_schedule=cron,
        job_name=sync_job_name(platform),
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=description,
    )
    def evaluate(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        if not is_configured(platform):
            return dg.SkipReason(f"Not configured: {setting_name(platform, 'base_url')} is not set.")
        return dg.RunRequest(run_config=config, asset_selection=selection)

    return evaluate

"""Schedules: what is read at fixed times, whatever the sensors decide."""

from collections.abc import Callable, Sequence

import dagster as dg

from platform_assets.configuration.platform_settings import is_configured, not_configured
from platform_assets.declarations import Platform, Resource
from platform_assets.extraction.connection import as_served
from platform_assets.orchestration.jobs import sync_job_name
from platform_assets.orchestration.partitions import op_names
from platform_assets.orchestration.translator import asset_key


def schedules(platforms: Sequence[Platform]) -> list[dg.ScheduleDefinition]:
    """Up to three per platform, at the declared times in UTC: snapshots, cursored resources, and their full re-read.

    Which resources are which depends on the contract in use, so that each tick decides it anew.
    """
    definitions: list[dg.ScheduleDefinition] = []
    for platform in platforms:
        cadence = platform.cadence
        definitions += [
            _schedule(
                platform,
                "snapshots",
                cadence.snapshots,
                lambda resource: not _is_cursored(resource),
                "Loads everything that is read in full.",
            ),
            *(
                [
                    _schedule(
                        platform,
                        "cursored",
                        cadence.cursored,
                        _is_cursored,
                        "Loads what is read from a cursor on.",
                    ),
                    _schedule(
                        platform,
                        "full",
                        cadence.full,
                        _is_cursored,
                        "Loads cursored resources from the beginning, for records that changed without a newer cursor.",
                        full_refresh=True,
                    ),
                ]
                if _is_cursored_by_any_contract(platform)
                else []
            ),
        ]
    return definitions


def _is_cursored(resource: Resource) -> bool:
    incremental = resource.endpoint.incremental
    return incremental is not None and incremental.partial


def _is_cursored_by_any_contract(platform: Platform) -> bool:
    contracts = map(platform.with_contract, platform.contract_names)
    return any(_is_cursored(resource) for contract in contracts for resource in contract.resources)


def _schedule(
    platform: Platform,
    suffix: str,
    cron: str,
    wanted: Callable[[Resource], bool],
    description: str,
    *,
    full_refresh: bool = False,
) -> dg.ScheduleDefinition:
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
            return dg.SkipReason(not_configured(platform))
        resources = [resource for resource in as_served(platform).resources if wanted(resource)]
        if not resources:
            return dg.SkipReason("The contract in use has no such resource.")
        ops = sorted({op_names(platform)[resource.name] for resource in resources})
        config = {"ops": {op: {"config": {"full_refresh": True}} for op in ops}} if full_refresh else {}
        selection = [asset_key(platform, resource.name) for resource in resources]
        return dg.RunRequest(run_config=config, asset_selection=selection)

    return evaluate

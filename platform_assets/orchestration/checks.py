"""Asset checks, evaluated inside the op that loads: what a good load has to show, and what is left to mend."""

from collections.abc import Iterator

import dagster as dg

from platform_assets.loading import ResourceOutcome
from platform_assets.orchestration.translator import asset_key
from platform_assets.vocabulary import Platform, Resource

NO_PARTITIONS_LEFT_FAILED = "no_partitions_left_failed"
_SAMPLE = 10


def check_specs(platform: Platform, resource: Resource) -> list[dg.AssetCheckSpec]:
    """The checks of one resource's asset."""
    key = asset_key(platform, resource.name)
    specs: list[dg.AssetCheckSpec] = []
    if resource.endpoint.parents:
        specs.append(
            dg.AssetCheckSpec(
                NO_PARTITIONS_LEFT_FAILED,
                asset=key,
                description="No parent's last attempt failed, in this run or in an earlier one.",
            )
        )
    return specs


def check_results(
    context: dg.AssetExecutionContext, platform: Platform, outcome: ResourceOutcome
) -> Iterator[dg.AssetCheckResult]:
    """What the selected checks of one asset found. A resource that did not land has none but the standing one."""
    wanted = {
        key.name for key in context.selected_asset_check_keys if key.asset_key == asset_key(platform, outcome.name)
    }
    if NO_PARTITIONS_LEFT_FAILED in wanted and (outcome.error is None or outcome.left_failed):
        yield _left_failed(platform, outcome)


def _left_failed(platform: Platform, outcome: ResourceOutcome) -> dg.AssetCheckResult:
    sample = dict(list(outcome.left_failed.items())[:_SAMPLE])
    return dg.AssetCheckResult(
        check_name=NO_PARTITIONS_LEFT_FAILED,
        asset_key=asset_key(platform, outcome.name),
        passed=not outcome.left_failed,
        severity=dg.AssetCheckSeverity.ERROR,
        description=f"{len(outcome.left_failed)} parents' last attempt failed" if outcome.left_failed else None,
        metadata={"left_failed": len(outcome.left_failed), **({"sample": sample} if sample else {})},
    )

"""Asset checks, evaluated inside the op that loads: whether the load is good, and what is left to fix.

Inside the op, because the outcome of the sync has all numbers already; a check with an op of its own would query the
warehouse again and cost a step.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from platform_assets.configuration.freshness import too_late_after
from platform_assets.counted import counted
from platform_assets.declarations import OnRemoval, Platform, Resource
from platform_assets.extraction.support import Support
from platform_assets.orchestration.heartbeat import find_heartbeat
from platform_assets.orchestration.translator import asset_key
from platform_assets.sync import ResourceOutcome

# Parents that a failed check lists; all are counted.
_SAMPLE = 10
_ERROR, _WARN = dg.AssetCheckSeverity.ERROR, dg.AssetCheckSeverity.WARN

# Whether the check passed, what is wrong if it did not, and its metadata.
Finding = tuple[bool, str, dict[str, Any]]


@dataclass(frozen=True)
class Check:
    """One kind of check.

    Attributes:
        find: evaluates the check on the outcome of a sync.
        applies: whether a resource has this check.
        always: whether the check is evaluated also if the resource did not land.
    """

    name: str
    description: str
    severity: dg.AssetCheckSeverity | Callable[[Platform, ResourceOutcome], dg.AssetCheckSeverity]
    find: Callable[[ResourceOutcome], Finding]
    applies: Callable[[Resource], bool] = lambda resource: True
    always: bool = False


def _key_unique(outcome: ResourceOutcome) -> Finding:
    count = outcome.duplicate_keys
    return count == 0, f"in the table more than once: {counted(count, 'key')}", {"duplicate_keys": count}


def _key_not_null(outcome: ResourceOutcome) -> Finding:
    count = outcome.null_keys
    return count == 0, f"{counted(count, 'row')} without a key", {"rows_without_key": count}


def _no_drift(outcome: ResourceOutcome) -> Finding:
    drift: dict[str, Any] = {}
    if outcome.added_columns:
        drift["new_columns"] = outcome.added_columns
    if outcome.variants:
        drift["columns_of_misfits"] = outcome.variants
    return not drift, "the API sent fields or types that are not declared; they were loaded nevertheless", drift


def _volume(outcome: ResourceOutcome) -> Finding:
    withheld = outcome.deletion_withheld
    problem = f"missing from the list, suspiciously many: {counted(withheld, 'row')}; none was soft-deleted"
    return withheld == 0, problem, {"rows_missing": withheld, "records_read": outcome.records}


def _cursor_fresh(outcome: ResourceOutcome) -> Finding:
    late = outcome.not_fresh
    sample = {parent or outcome.name: str(success or "never") for parent, success in list(late.items())[:_SAMPLE]}
    return (
        not late,
        f"not read completely within the allowed lag: {len(late)} of its parents or lists",
        {"late": len(late), "sample": sample},
    )


def _none_left_failed(outcome: ResourceOutcome) -> Finding:
    left = outcome.left_failed
    sample = dict(list(left.items())[:_SAMPLE])
    return (
        not left,
        f"the last attempt failed for {counted(len(left), 'parent')}",
        {"left_failed": len(left), "sample": sample},
    )


def _api_supported(outcome: ResourceOutcome) -> Finding:
    ends = outcome.support_ends
    found = {"support_ends": str(ends), "replacement": outcome.replacement} if ends else {}
    is_near = Support(ends=ends).ends_soon(datetime.now(UTC).date())
    instead = f"; the vendor offers {outcome.replacement}" if outcome.replacement else ""
    return not is_near, f"the vendor may stop to serve it on {ends}{instead}", found


def _how_late(platform: Platform, outcome: ResourceOutcome) -> dg.AssetCheckSeverity:
    """An error once anything is too late; what was never read completely has failed, which another check reports."""
    since = datetime.now(UTC) - too_late_after(platform, platform.resource(outcome.name))
    return _ERROR if any(success is not None and success < since for success in outcome.not_fresh.values()) else _WARN


CHECKS = (
    Check("key_unique", "No primary key is in the table more than once.", _ERROR, _key_unique),
    Check("key_not_null", "Every row has its primary key.", _ERROR, _key_not_null),
    Check("no_drift", "The API sent no undeclared field and no value of another type.", _WARN, _no_drift),
    Check(
        "volume_not_collapsed",
        "A list that is read in full did not lose most of its rows at once.",
        _ERROR,
        _volume,
        applies=lambda resource: resource.removal_policy is OnRemoval.SOFT_DELETE,
    ),
    Check(
        "cursor_fresh",
        "Every parent, or the list itself, was read completely within the allowed lag; an error after twice as long.",
        _how_late,
        _cursor_fresh,
        applies=lambda resource: resource.endpoint.incremental is not None,
        always=True,
    ),
    Check(
        "no_partitions_left_failed",
        "No parent's last attempt failed, in this run or in an earlier one.",
        _ERROR,
        _none_left_failed,
        applies=lambda resource: bool(resource.endpoint.parents),
        always=True,
    ),
    Check(
        "api_supported",
        "The vendor has not announced the end of what serves it for the next 30 days.",
        _WARN,
        _api_supported,
        always=True,
    ),
)


# The check that the platform's freshness sensor ticks; on one asset per platform only.
HEARTBEAT = "freshness_sensor_ticks"


def check_specs(platform: Platform, resource: Resource, *, heartbeat: bool = True) -> list[dg.AssetCheckSpec]:
    """The checks of one resource's asset; with `heartbeat`, the platform's first asset has that of its sensor."""
    key = asset_key(platform, resource.name)
    specs = [
        dg.AssetCheckSpec(check.name, asset=key, description=check.description)
        for check in CHECKS
        if check.applies(resource)
    ]
    if heartbeat and resource == platform.resources[0]:
        specs.append(
            dg.AssetCheckSpec(HEARTBEAT, asset=key, description=f"The sensor {platform.name}_freshness ticks.")
        )
    return specs


def check_results(
    context: dg.AssetExecutionContext, platform: Platform, outcome: ResourceOutcome
) -> Generator[dg.AssetCheckResult, None, None]:
    """Results of the selected checks of one asset."""
    key = asset_key(platform, outcome.name)
    wanted = {check.name for check in context.selected_asset_check_keys if check.asset_key == key}
    if HEARTBEAT in wanted:
        ticks, description, age = find_heartbeat(context.instance, platform)
        yield dg.AssetCheckResult(
            check_name=HEARTBEAT, asset_key=key, passed=ticks, severity=_WARN, description=description, metadata=age
        )
    for check in CHECKS:
        if check.name not in wanted or (outcome.error is not None and not check.always):
            continue
        passed, problem, metadata = check.find(outcome)
        yield dg.AssetCheckResult(
            check_name=check.name,
            asset_key=key,
            passed=passed,
            severity=check.severity(platform, outcome) if callable(check.severity) else check.severity,
            description=None if passed else problem,
            metadata={name: value for name, value in metadata.items() if value != {}},
        )

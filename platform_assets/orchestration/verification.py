"""The checks `verified_<resource>`: once a week the warehouse is compared with the API, within a budget of requests.

The checks belong to the asset of the platform's log of syncs, not to the resources: Dagster runs every check of the
assets that a run selects, and a sync never selects the log, so that no sync pays for them. They have an op and a job of
their own. What was verified longest ago comes first, and a child continues with the parent at which the last
verification stopped, so that everything gets its turn. What the budget does not reach keeps its last result.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from platform_assets.configuration.platform_settings import is_configured, not_configured
from platform_assets.counted import counted
from platform_assets.declarations import Platform, PlatformAssetsError
from platform_assets.extraction.connection import connect
from platform_assets.http.redaction import Redactor
from platform_assets.orchestration.translator import asset_key
from platform_assets.patches.check_history import last_evaluation
from platform_assets.verification import Budget, Kind, Verification, verify
from platform_assets.warehouse import LOG_TABLE, open_warehouse
from platform_assets.warehouse.load_errors import reason
from platform_assets.warehouse.location import shared_limits, warehouse_secrets

# Prefix of the checks' names, suffix of the schedules' names.
VERIFIED = "verified"
# Requests of one platform's weekly verification; it may send two more, which are in flight when the budget is spent.
REQUESTS = 200
# Parents that a result lists as not verified.
_LISTED = 10
# Metadata of a result that the next verification reads.
_VERIFIED_AT, _NEXT_PARENT = "verified_at", "next_parent"


def verify_job_name(platform: Platform) -> str:
    """`verify_<platform>`."""
    return f"verify_{platform.name}"


def check_key(platform: Platform, resource: str) -> dg.AssetCheckKey:
    """The check of one resource."""
    return dg.AssetCheckKey(asset_key(platform, LOG_TABLE), f"{VERIFIED}_{resource}")


def verified_selection(platforms: Sequence[Platform]) -> dg.AssetSelection:
    """All checks `verified_<resource>` of the platforms."""
    return dg.AssetSelection.checks(*(check_key(p, resource.name) for p in platforms for resource in p.resources))


def verified_checks(platform: Platform) -> dg.AssetChecksDefinition:
    """The platform's checks in one op; a run may select any of them."""
    resources = {check_key(platform, resource.name): resource.name for resource in platform.resources}
    specs = [
        dg.AssetCheckSpec(
            key.name,
            asset=key.asset_key,
            description=f"{name} equals what the API serves, as far as a weekly budget of requests reaches.",
        )
        for key, name in resources.items()
    ]

    @dg.multi_asset_check(name=f"{platform.name}__verified", specs=specs, can_subset=True, pool=platform.name)
    def check(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        wanted = context.selected_asset_check_keys
        yield from _results(context, platform, [name for key, name in resources.items() if key in wanted])

    return check


def verify_jobs(platforms: Sequence[Platform]) -> list[Any]:
    """`verify_<platform>` for each platform: these checks and nothing else."""
    return [
        dg.define_asset_job(
            verify_job_name(platform),
            selection=verified_selection([platform]),
            description=f"Compare {platform.title} with the warehouse, within {REQUESTS} requests.",
        )
        for platform in platforms
    ]


def verify_schedules(platforms: Sequence[Platform]) -> list[dg.ScheduleDefinition]:
    """`<platform>_verified` for each platform, once a week."""
    return [_schedule(platform) for platform in platforms]


def _schedule(platform: Platform) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=f"{platform.name}_{VERIFIED}",
        cron_schedule=platform.cadence.verified,
        job_name=verify_job_name(platform),
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Compares the warehouse with the API, within a budget of requests.",
    )
    def evaluate(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        if not is_configured(platform):
            return dg.SkipReason(not_configured(platform))
        return dg.RunRequest()

    return evaluate


def _results(
    context: dg.AssetCheckExecutionContext, platform: Platform, names: Sequence[str]
) -> Iterator[dg.AssetCheckResult]:
    last = {name: last_evaluation(context.instance, check_key(platform, name)) for name in names}
    oldest_first = sorted(names, key=lambda name: _verified_at(last[name]))
    first_parents = {
        name: str(evaluation.metadata[_NEXT_PARENT].value)
        for name, evaluation in last.items()
        if evaluation and _NEXT_PARENT in evaluation.metadata
    }
    reached: set[str] = set()
    for verification in _verified(platform, oldest_first, first_parents):
        reached.add(verification.name)
        yield _result(platform, verification)
    for name in names:
        evaluation = last[name]
        if name not in reached and evaluation is not None:
            yield dg.AssetCheckResult(
                check_name=check_key(platform, name).name,
                asset_key=check_key(platform, name).asset_key,
                passed=evaluation.passed,
                severity=evaluation.severity,
                description="Not reached by this week's budget of requests; this is the last result.",
                metadata=evaluation.metadata,
            )


def _verified(platform: Platform, names: Sequence[str], firsts: Mapping[str, str]) -> Iterator[Verification]:
    secrets: list[str] = []
    try:
        connection = connect(platform)
        secrets.extend(connection.settings.secret_values)
        with open_warehouse(connection.platform) as warehouse, connection.open_client(limits=shared_limits()) as client:
            yield from verify(client, warehouse, names, budget=Budget(REQUESTS), first_parents=firsts)
    except PlatformAssetsError as error:
        raise dg.Failure(str(error)) from None
    except Exception as error:
        # Errors of the driver may quote anything; only their redacted text is reported.
        text = Redactor([*secrets, *warehouse_secrets()])(reason(error))
        raise dg.Failure(f"{platform.name}: the verification failed: {text}") from None


def _result(platform: Platform, found: Verification) -> dg.AssetCheckResult:
    metadata: dict[str, Any] = {
        _VERIFIED_AT: dg.MetadataValue.timestamp(datetime.now(UTC)),
        "rows_verified": found.rows_served,
        "complete": found.complete,
        "requests": found.requests,
        **{kind.value: found.counts[kind] for kind in Kind},
        "not_synced_yet": sum(found.not_synced_yet.values()),
    }
    if found.parents_known:
        metadata |= {"parents_verified": found.parents_verified, "parents_known": found.parents_known}
    if found.next_parent is not None:
        metadata[_NEXT_PARENT] = found.next_parent
    if found.not_verified:
        metadata["not_verified"] = dg.MetadataValue.json(dict(list(found.not_verified.items())[:_LISTED]))
    if found.examples:
        metadata["examples"] = dg.MetadataValue.json(found.document()["examples"])
    return dg.AssetCheckResult(
        check_name=check_key(platform, found.name).name,
        asset_key=check_key(platform, found.name).asset_key,
        passed=found.ok,
        # If something could not be read, nothing is known about its rows.
        severity=dg.AssetCheckSeverity.ERROR if found.differences else dg.AssetCheckSeverity.WARN,
        description=None if found.ok else _description(found),
        metadata=metadata,
    )


def _description(found: Verification) -> str:
    if found.error is not None:
        return f"not verified: {found.error}"
    parts = [f"{counted(count, 'row')} {kind}" for kind, count in found.counts.items() if count]
    if found.not_verified:
        parts.append(f"{counted(len(found.not_verified), 'parent')} not verified")
    return ", ".join(parts)


def _verified_at(last: dg.AssetCheckEvaluation | None) -> float:
    moment: Any = last.metadata[_VERIFIED_AT].value if last is not None and _VERIFIED_AT in last.metadata else 0.0
    return float(moment)

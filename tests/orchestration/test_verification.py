"""The weekly check `verified`: what it finds, what its request budget covers, and that no sync runs it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from platform_assets.orchestration import verification
from platform_assets.orchestration.verification import VERIFIED
from platform_assets.platforms import all_platforms, platform_named
from platform_assets.sandbox import Fault, SandboxServer
from tests.conftest import Sync
from tests.settings import PointAt

Evaluations = dict[str, dg.AssetCheckEvaluation]


@pytest.fixture
def server(point_at: PointAt) -> Iterator[SandboxServer]:
    with SandboxServer() as running:
        point_at(running)
        yield running


def checked(repository: dg.RepositoryDefinition, instance: dg.DagsterInstance, name: str) -> Evaluations:
    """Run the platform's verification as its schedule requests it."""
    schedule = repository.get_schedule_def(f"{name}_{VERIFIED}")
    context = dg.build_schedule_context(
        scheduled_execution_time=datetime(2026, 1, 17, tzinfo=UTC), repository_def=repository
    )
    assert isinstance(schedule(context), dg.RunRequest)
    result = repository.get_job(schedule.job_name).execute_in_process(instance=instance)
    assert not result.get_asset_materialization_events()
    return {found.check_name.removeprefix(f"{VERIFIED}_"): found for found in result.get_asset_check_evaluations()}


@pytest.mark.slow
def test_every_asset_is_verified_once_a_week_and_differences_fail(
    repository: dg.RepositoryDefinition,
    instance: dg.DagsterInstance,
    server: SandboxServer,
    sync_platform: Sync,
    warehouse_file: Path,
) -> None:
    sync_platform("device_management")
    found = checked(repository, instance, "device_management")
    assert {name: one.passed for name, one in found.items()} == {
        resource.name: True for resource in platform_named("device_management").resources
    }
    assert all(one.metadata["complete"].value for one in found.values())
    with duckdb.connect(str(warehouse_file)) as connection:
        connection.execute(
            "UPDATE device_management.roles SET name = 'x' WHERE id = (SELECT min(id) FROM device_management.roles)"
        )
    server.faults.append(Fault("/v2/groups", status=404, times=None))
    found = checked(repository, instance, "device_management")
    assert {name for name, one in found.items() if not one.passed} == {"roles", "groups"}
    assert found["roles"].severity is dg.AssetCheckSeverity.ERROR and found["roles"].metadata["changed"].value == 1
    examples: Any = found["roles"].metadata["examples"].value
    assert examples[0]["columns"] == ["name"]
    assert found["groups"].severity is dg.AssetCheckSeverity.WARN and "404" in str(found["groups"].description)


@pytest.mark.slow
def test_a_small_budget_verifies_assets_in_turn_and_keeps_the_other_results(
    repository: dg.RepositoryDefinition,
    instance: dg.DagsterInstance,
    server: SandboxServer,
    sync_platform: Sync,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sync_platform("error_tracking")
    monkeypatch.setattr(verification, "REQUESTS", 12)
    seen: dict[str, set[float]] = {}
    requested: set[str] = set()
    for _ in range(12):
        before = len(server.requests)
        found = checked(repository, instance, "error_tracking")
        requested |= {request["path"] for request in server.requests[before:]}
        assert len(server.requests) - before <= 14
        for name, one in found.items():
            assert one.passed
            seen.setdefault(name, set()).add(float(str(one.metadata["verified_at"].value)))
    assert seen.keys() == {resource.name for resource in platform_named("error_tracking").resources}
    assert all(len(times) > 1 for times in seen.values())
    assert max(len(times) for times in seen.values()) < 12
    projects = server.backend.tables["error_tracking"]["project_detail"]
    details = {path for path in requested if path.count("/") == 6 and "/projects/" in path}
    assert len(details) == len(projects), "every parent was verified"


def test_no_sync_runs_the_verification(
    repository: dg.RepositoryDefinition, instance: dg.DagsterInstance, server: SandboxServer
) -> None:
    """Neither the job of a whole sync, nor a part of it as requested by sensors, schedules and the command."""
    for platform in all_platforms():
        for job in (f"sync_{platform.name}", "sync_all"):
            checks = repository.get_job(job).asset_layer.asset_graph.asset_check_keys
            assert not [key for key in checks if key.name.startswith(VERIFIED)] and checks
    result = repository.get_job("sync_all").execute_in_process(
        instance=instance, asset_selection=[dg.AssetKey(["crm", "roles"])]
    )
    names = {found.check_name for found in result.get_asset_check_evaluations()}
    assert "key_unique" in names and not [name for name in names if name.startswith(VERIFIED)]


def test_an_unconfigured_platform_is_not_verified(repository: dg.RepositoryDefinition) -> None:
    context = dg.build_schedule_context(
        scheduled_execution_time=datetime(2026, 1, 17, tzinfo=UTC), repository_def=repository
    )
    assert isinstance(repository.get_schedule_def("crm_verified")(context), dg.SkipReason)

"""Every asset is also on a schedule: staggered, and only for configured platforms."""

from datetime import UTC, datetime

import dagster as dg
import pytest

from platform_assets.orchestration.translator import asset_key
from platform_assets.platforms import all_platforms
from platform_assets.sandbox import SandboxServer
from tests.settings import PointAt, vendor_settings


def request_of(schedule: dg.ScheduleDefinition, repository: dg.RepositoryDefinition) -> object:
    context = dg.build_schedule_context(
        scheduled_execution_time=datetime(2026, 1, 15, tzinfo=UTC), repository_def=repository
    )
    return schedule(context)


def test_every_asset_is_read_by_one_schedule_and_cursored_ones_once_a_week_in_full(
    repository: dg.RepositoryDefinition, point_at: PointAt, shared_sandbox: SandboxServer
) -> None:
    point_at(shared_sandbox)
    read: list[dg.AssetKey] = []
    full: list[dg.AssetKey] = []
    for schedule in (one for one in repository.schedule_defs if not one.name.endswith("_verified")):
        request = request_of(schedule, repository)
        if isinstance(request, dg.SkipReason) and "no such resource" in str(request.skip_message):
            # For a vendor's contract that filters where the reference does not.
            assert not schedule.name.endswith("_snapshots")
            continue
        assert isinstance(request, dg.RunRequest) and request.asset_selection
        in_full = schedule.name.endswith("_full")
        (full if in_full else read).extend(request.asset_selection)
        configs = [op["config"]["full_refresh"] for op in (request.run_config or {}).get("ops", {}).values()]
        assert all(configs) and bool(configs) == in_full
    every = [asset_key(platform, resource.name) for platform in all_platforms() for resource in platform.resources]
    assert sorted(read) == sorted(every)
    cursored = {
        asset_key(platform, resource.name)
        for platform in all_platforms()
        for resource in platform.resources
        if resource.endpoint.incremental and resource.endpoint.incremental.server_side
    }
    assert set(full) == cursored


def test_the_contract_in_use_decides_what_is_read_from_a_cursor_on(
    repository: dg.RepositoryDefinition, monkeypatch: pytest.MonkeyPatch, shared_sandbox: SandboxServer
) -> None:
    for name, value in vendor_settings(shared_sandbox, "pipedrive").items():
        monkeypatch.setenv(name, value)
    cursored, snapshots = (
        request_of(repository.get_schedule_def(f"crm_{suffix}"), repository) for suffix in ("cursored", "snapshots")
    )
    assert isinstance(cursored, dg.RunRequest) and isinstance(snapshots, dg.RunRequest)
    # Pipedrive filters organizations and leads, which the reference lists in full, and not stages.
    filtered = {dg.AssetKey(["crm", name]) for name in ("organizations", "leads", "deals")}
    assert filtered <= set(cursored.asset_selection or ())
    assert dg.AssetKey(["crm", "stages"]) in (snapshots.asset_selection or ())


def test_no_two_schedules_begin_in_the_same_minute(repository: dg.RepositoryDefinition) -> None:
    minutes = [str(schedule.cron_schedule).split()[0:2] for schedule in repository.schedule_defs]
    assert len({tuple(minute) for minute in minutes}) == len(minutes)


def test_an_unconfigured_platform_is_not_read(repository: dg.RepositoryDefinition) -> None:
    found = request_of(repository.get_schedule_def("crm_snapshots"), repository)
    assert isinstance(found, dg.SkipReason) and "SOURCES__CRM__BASE_URL" in str(found.skip_message)

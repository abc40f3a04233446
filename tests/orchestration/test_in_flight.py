"""No partition is deleted while a run loads it; the test creates each run with the code that requests such runs."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.automation_tick_evaluation_context import build_run_requests_with_backfill_policies
from dagster._core.definitions.events import AssetKeyPartitionKey
from dagster._core.definitions.partitions.context import partition_loading_context
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill

from platform_assets.cli.environment import open_instance
from platform_assets.monitoring.freshness_sensor import freshness_sensor
from platform_assets.monitoring.partition_sensor import partition_sensor
from platform_assets.orchestration import in_flight
from platform_assets.orchestration.in_flight import partitions_in_flight
from platform_assets.orchestration.partitions import register
from platform_assets.platforms import platform_named
from platform_assets.sandbox import SandboxServer
from tests.cli.command import MAIN, ROOT, warm_command
from tests.orchestration.organizations import NAME, ORGANIZATIONS, PIPELINES, remove_organization, run
from tests.settings import PointAt, sandbox_settings

PLATFORM = platform_named("ci_analytics")
SUITES = "ci_analytics/organizations_suites"


@pytest.fixture
def server(
    repository: dg.RepositoryDefinition, instance: dg.DagsterInstance, point_at: PointAt
) -> Iterator[SandboxServer]:
    """A sandbox whose organizations are loaded and registered, and whose children are not."""
    with SandboxServer() as found:
        point_at(found)
        assert run(repository, instance, ORGANIZATIONS).success
        assert "globex" in instance.get_dynamic_partitions(NAME)
        yield found


def queue(
    repository: dg.RepositoryDefinition, instance: dg.DagsterInstance, request: dg.RunRequest, job: str = ""
) -> dg.DagsterRun:
    """The run that Dagster creates for a request, not started."""
    selection = frozenset(request.asset_selection or ())
    definition = repository.get_job(job or str(request.job_name))
    definition = definition.get_subset(asset_selection=selection) if selection else definition
    return instance.create_run_for_job(
        definition,
        run_config=json.loads(json.dumps(request.run_config or {})),
        tags={**request.tags, "dagster/run_key": str(request.run_key)},
        asset_selection=selection if request.asset_selection else None,
    )


def requests_of(
    sensor: dg.SensorDefinition, repository: dg.RepositoryDefinition, instance: dg.DagsterInstance
) -> list[dg.RunRequest]:
    found = sensor(dg.build_sensor_context(instance=instance, repository_def=repository))
    assert isinstance(found, dg.SensorResult)
    for request in found.dynamic_partitions_requests or []:
        if isinstance(request, dg.AddDynamicPartitionsRequest):
            instance.add_dynamic_partitions(request.partitions_def_name, list(request.partition_keys))
    children = {dg.AssetKey(PIPELINES.split("/")), dg.AssetKey(SUITES.split("/"))}
    return [one for one in found.run_requests or [] if children & set(one.asset_selection or ())]


def by_the_freshness_sensor(repository: dg.RepositoryDefinition, instance: dg.DagsterInstance) -> list[dg.DagsterRun]:
    requests = requests_of(freshness_sensor(PLATFORM), repository, instance)
    return [queue(repository, instance, request) for request in requests]


def by_the_partition_sensor(repository: dg.RepositoryDefinition, instance: dg.DagsterInstance) -> list[dg.DagsterRun]:
    for key in instance.get_dynamic_partitions(NAME):
        instance.delete_dynamic_partition(NAME, key)
    requests = requests_of(partition_sensor(PLATFORM), repository, instance)
    return [queue(repository, instance, request) for request in requests]


def by_the_launchpad(repository: dg.RepositoryDefinition, instance: dg.DagsterInstance) -> list[dg.DagsterRun]:
    return [queue(repository, instance, dg.RunRequest(job_name="sync_ci_analytics"))]


def by_a_schedule(repository: dg.RepositoryDefinition, instance: dg.DagsterInstance) -> list[dg.DagsterRun]:
    found = []
    for name in ("ci_analytics_snapshots", "ci_analytics_full"):
        schedule = repository.get_schedule_def(name)
        with dg.build_schedule_context(instance=instance) as context:
            data = schedule.evaluate_tick(context)
        found += [queue(repository, instance, request, schedule.job_name) for request in data.run_requests or []]
    return found


def by_a_backfill(*keys: str) -> Callable[[dg.RepositoryDefinition, dg.DagsterInstance], list[dg.DagsterRun]]:
    def ask(repository: dg.RepositoryDefinition, instance: dg.DagsterInstance) -> list[dg.DagsterRun]:
        partitions = {AssetKeyPartitionKey(dg.AssetKey(PIPELINES.split("/")), key) for key in keys}
        with partition_loading_context(dynamic_partitions_store=instance):
            requests = build_run_requests_with_backfill_policies(partitions, repository.asset_graph, instance)
        assert requests
        return [queue(repository, instance, request, "sync_ci_analytics") for request in requests]

    return ask


@pytest.mark.parametrize(
    "request_runs",
    [
        by_the_freshness_sensor,
        pytest.param(by_the_partition_sensor, marks=pytest.mark.slow),
        pytest.param(by_the_launchpad, marks=pytest.mark.slow),
        pytest.param(by_a_schedule, marks=pytest.mark.slow),
        pytest.param(by_a_backfill("globex"), marks=pytest.mark.slow),
        pytest.param(by_a_backfill("acme", "globex", "initech"), marks=pytest.mark.slow),
    ],
    ids=["freshness sensor", "partition sensor", "launchpad", "schedule", "backfill of one", "backfill of a range"],
)
def test_a_partition_of_a_run_in_flight_is_deleted_only_after_the_run(
    request_runs: Callable[[dg.RepositoryDefinition, dg.DagsterInstance], list[dg.DagsterRun]],
    server: SandboxServer,
    repository: dg.RepositoryDefinition,
    instance: dg.DagsterInstance,
) -> None:
    queued = request_runs(repository, instance)
    assert queued
    remove_organization(server, "globex")
    assert run(repository, instance, ORGANIZATIONS).success
    assert "globex" in instance.get_dynamic_partitions(NAME)
    sensor = partition_sensor(PLATFORM)
    found = sensor(dg.build_sensor_context(instance=instance, repository_def=repository))
    assert isinstance(found, dg.SensorResult)
    assert found.cursor is None and not found.dynamic_partitions_requests, "it is registered again at the next tick"
    for one in queued:
        instance.report_run_canceled(one)
    assert run(repository, instance, ORGANIZATIONS).success
    assert "globex" not in instance.get_dynamic_partitions(NAME)


def test_runs_of_other_assets_hold_no_partitions(
    server: SandboxServer, repository: dg.RepositoryDefinition, instance: dg.DagsterInstance
) -> None:
    selection = [dg.AssetKey(["ci_analytics", "builds"])]
    queue(repository, instance, dg.RunRequest(job_name="sync_ci_analytics", asset_selection=selection))
    (backfill,) = by_a_backfill("acme")(repository, instance)
    assert partitions_in_flight(instance, PLATFORM) == {NAME: {"acme"}}
    assert partitions_in_flight(instance, PLATFORM, backfill.run_id) == {NAME: set()}
    deals = [dg.AssetKey(["crm", "deals"])]
    queue(repository, instance, dg.RunRequest(job_name="sync_crm", asset_selection=deals))
    assert partitions_in_flight(instance, PLATFORM) == {NAME: {"acme"}}


def test_a_backfill_holds_its_partitions_before_it_requests_its_runs(
    server: SandboxServer, repository: dg.RepositoryDefinition, instance: dg.DagsterInstance
) -> None:
    backfill = PartitionBackfill.from_asset_partitions(
        backfill_id="backfill",
        asset_graph=repository.asset_graph,
        partition_names=["globex"],
        asset_selection=[dg.AssetKey(PIPELINES.split("/"))],
        backfill_timestamp=time.time(),
        tags={},
        dynamic_partitions_store=instance,
        all_partitions=False,
        title=None,
        description=None,
        run_config=None,
    )
    instance.add_backfill(backfill)
    assert "globex" in partitions_in_flight(instance, PLATFORM)[NAME]
    instance.update_backfill(backfill.with_status(BulkActionStatus.COMPLETED_SUCCESS))
    assert partitions_in_flight(instance, PLATFORM) == {NAME: set()}


def test_a_run_whose_process_was_killed_holds_its_partitions_for_a_day_only(
    server: SandboxServer,
    repository: dg.RepositoryDefinition,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (queued,) = by_a_backfill("globex")(repository, instance)
    instance.report_engine_event("started", queued)
    assert partitions_in_flight(instance, PLATFORM) == {NAME: {"globex"}}
    assert timedelta(days=1) == in_flight.LONGEST_RUN
    monkeypatch.setattr(in_flight, "LONGEST_RUN", timedelta(0))
    assert partitions_in_flight(instance, PLATFORM) == {NAME: set()}


@pytest.mark.slow
def test_a_sync_of_one_partition_by_the_command_holds_only_that_partition(tmp_path: Path) -> None:
    with SandboxServer(latency=0.5) as server:
        environment = {**os.environ, **sandbox_settings(server)}
        first = warm_command("sync", "--no-models", "--select", ORGANIZATIONS, env=environment)
        assert first.returncode == 0
        before = len(server.requests)
        process = subprocess.Popen(
            [sys.executable, "-c", MAIN, "sync", "--no-models", "--select", PIPELINES, "--partition", "globex"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 60
        while len(server.requests) == before and time.monotonic() < deadline:
            time.sleep(0.01)
        with open_instance() as instance:
            register(instance, NAME, ["acme", "globex"])
            assert partitions_in_flight(instance, PLATFORM) == {NAME: {"globex"}}
            assert process.wait(60) == 0
            assert partitions_in_flight(instance, PLATFORM) == {NAME: set()}

"""The services of docker-compose.yml as separate processes, which share nothing on the disk but the code.

Runs and a backfill are asked for as the UI does it, load over HTTP into a real Postgres that also has Dagster's
history, and what dagster.yaml promises about killed, failed and waiting runs holds.
"""

import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import dagster as dg
import psycopg2
import pytest
from dagster._core.definitions.run_request import InstigatorType

from platform_assets.orchestration.in_flight import LONGEST_RUN
from platform_assets.sandbox import SandboxServer
from tests.deploy.compose import Service
from tests.deploy.graphql import Webserver
from tests.servers.http_server import Query, Reply
from tests.servers.postgres import PostgresServer, free_port, running_postgres
from tests.servers.stub_api import StubApi, listed
from tests.settings import platform_settings

SECONDS = 90
ENDED = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
PARTITIONED = ["ci_analytics/analytics_organizations_suites", "ci_analytics/organizations_pipelines"]
WAITING = "load_testing/organizations"


class Gate:
    """A list of organizations that is answered only while the gate is open."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.asked = threading.Event()

    def __call__(self, query: Query) -> Reply:
        self.asked.set()
        assert self.open.wait(SECONDS)
        return listed([{"id": 1, "name": "One"}], "organizations")(query)


@dataclass
class Cluster:
    """The running services, Dagster's instance as each of them sees it, and the warehouse."""

    postgres: PostgresServer
    services: dict[str, Service]
    webserver: Webserver
    instance: dg.DagsterInstance
    gate: Gate

    def ended(self, run_id: str) -> dg.DagsterRun:
        """The run, once it has ended."""
        wait_until(lambda: self.run(run_id).status in ENDED)
        return self.run(run_id)

    def run(self, run_id: str) -> dg.DagsterRun:
        run = self.instance.get_run_by_id(run_id)
        assert run is not None
        return run

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        connection = psycopg2.connect(self.postgres.url("warehouse"))
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetchall()
        finally:
            connection.close()

    def worker_of(self, run_id: str) -> int:
        """Process id of the run, as the run itself told."""
        found: list[int] = []

        def started() -> bool:
            messages = [str(record.message) for record in self.instance.all_logs(run_id)]
            found.extend(int(pid) for pid in re.findall(r"Started process for run \(pid: (\d+)\)", "\n".join(messages)))
            return bool(found)

        wait_until(started)
        return found[0]


def wait_until(happened: Callable[[], object]) -> None:
    deadline = time.monotonic() + SECONDS
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    homes = tmp_path_factory.mktemp("homes")
    gate = Gate()
    with (
        running_postgres() as postgres,
        SandboxServer() as sandbox,
        StubApi({"/v3/organizations": gate}) as stub,
        pytest.MonkeyPatch.context() as environment,
    ):
        for name in ("dagster", "warehouse"):
            postgres.create(name)
        code, web = free_port(), free_port()
        addresses = {
            "dagster:unused@postgres:5432": f"postgres:unused@127.0.0.1:{postgres.port}",
            "code": "127.0.0.1",
            "4000": str(code),
            "3000": str(web),
            "127.0.0.1:3000": f"127.0.0.1:{web}",
        }
        settings = {
            "POSTGRES_PASSWORD": "unused",
            **platform_settings("ci_analytics", sandbox.base_url("ci_analytics"), sandbox.token("ci_analytics")),
            **platform_settings("load_testing", stub.url, "a-token-of-the-stub"),
        }
        services = {name: Service(name, homes / name, addresses, settings) for name in ("code", "webserver", "daemon")}
        webserver = Webserver(f"http://127.0.0.1:{web}")
        environment.setenv("DAGSTER_POSTGRES_URL", postgres.url("dagster", "postgresql+psycopg2"))
        environment.setenv("DAGSTER_HOME", str(homes / "webserver"))
        try:
            for service in services.values():
                service.start()
                service.wait_until_healthy()
                if service.name == "webserver":
                    webserver.stop_sensors()
            with dg.DagsterInstance.get() as instance:
                yield Cluster(postgres, services, webserver, instance, gate)
        finally:
            gate.open.set()
            for service in reversed(services.values()):
                service.stop()


@pytest.mark.long  # The daemon looks for backfills twice a minute.
def test_a_run_and_a_backfill_load_into_postgres(cluster: Cluster) -> None:
    parents = cluster.webserver.launch("sync_ci_analytics", ["ci_analytics/organizations"])
    assert cluster.ended(parents).status == dg.DagsterRunStatus.SUCCESS
    organizations = [slug for (slug,) in cluster.rows("SELECT slug FROM ci_analytics.organizations ORDER BY slug")]
    assert cluster.instance.get_dynamic_partitions("ci_analytics_organization") == organizations
    backfill = cluster.webserver.backfill(PARTITIONED, [str(slug) for slug in organizations])
    wait_until(lambda: is_completed(cluster.instance, backfill))
    loaded = cluster.rows("SELECT DISTINCT _organizations_slug FROM ci_analytics.organizations_pipelines ORDER BY 1")
    assert [slug for (slug,) in loaded] == [slug for slug in organizations if slug != "no-pipelines"]
    for asset in PARTITIONED:
        key = dg.AssetKey(asset.split("/"))
        assert cluster.instance.get_materialized_partitions(key) == set(organizations)
    assert not (cluster.services["code"].home / "storage").exists()


def is_completed(instance: dg.DagsterInstance, backfill: str) -> bool:
    found = instance.get_backfill(backfill)
    assert found is not None and "FAIL" not in found.status.value, found and found.error
    return found.status.value.startswith("COMPLETED")


def test_a_killed_run_is_seen_as_failed_and_loaded_by_another(cluster: Cluster) -> None:
    cluster.gate.open.clear()
    cluster.gate.asked.clear()
    killed = cluster.webserver.launch("sync_load_testing", [WAITING])
    os.kill(cluster.worker_of(killed), signal.SIGKILL)
    assert cluster.ended(killed).status == dg.DagsterRunStatus.FAILURE
    cluster.gate.open.set()
    wait_until(lambda: retries_of(cluster.instance, killed))
    (retry,) = retries_of(cluster.instance, killed)
    assert cluster.ended(retry).status == dg.DagsterRunStatus.SUCCESS
    assert cluster.rows("SELECT id FROM load_testing.organizations") == [(1,)]


def retries_of(instance: dg.DagsterInstance, run_id: str) -> list[str]:
    return [run.run_id for run in instance.get_runs(dg.RunsFilter(tags={"dagster/parent_run_id": run_id}))]


def test_what_the_api_refuses_is_not_run_again(cluster: Cluster) -> None:
    """The stub has no projects: 404."""
    refused = cluster.webserver.launch("sync_load_testing", ["load_testing/projects"])
    assert cluster.ended(refused).status == dg.DagsterRunStatus.FAILURE
    wait_until(lambda: cluster.run(refused).tags.get("dagster/will_retry") == "false")
    assert retries_of(cluster.instance, refused) == []


def test_ticks_are_purged_and_no_run_outlives_what_the_sensors_take_for_alive(cluster: Cluster) -> None:
    kept = cluster.instance.get_tick_retention_settings(InstigatorType.SENSOR)
    assert all(days > 0 for days in kept.values()), "-1 keeps them for ever"
    assert cluster.instance.run_monitoring_max_runtime_seconds == LONGEST_RUN.total_seconds()


def test_a_run_waits_in_the_queue_while_its_pool_is_full(cluster: Cluster) -> None:
    cluster.instance.event_log_storage.set_concurrency_slots("load_testing", 1)
    cluster.gate.open.clear()
    cluster.gate.asked.clear()
    first = cluster.webserver.launch("sync_load_testing", [WAITING])
    assert cluster.gate.asked.wait(SECONDS)
    second = cluster.webserver.launch("sync_load_testing", [WAITING])
    # Another platform's pool has room, and its run passes the queue.
    other = cluster.webserver.launch("sync_ci_analytics", ["ci_analytics/access_token"])
    assert cluster.ended(other).status == dg.DagsterRunStatus.SUCCESS
    assert cluster.run(second).status == dg.DagsterRunStatus.QUEUED
    cluster.gate.open.set()
    assert cluster.ended(first).status == cluster.ended(second).status == dg.DagsterRunStatus.SUCCESS

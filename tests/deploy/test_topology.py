"""The services of docker-compose.yml as separate processes, which share nothing on the disk but the code.

Runs and a backfill are asked for as the UI does it, load over HTTP into a real Postgres that also has Dagster's
history, and what dagster.yaml promises about killed, failed and waiting runs holds.
"""

import os
import re
import signal
import threading
from collections.abc import Iterator

import dagster as dg
import pytest
from dagster._core.definitions.run_request import InstigatorType

from platform_assets.orchestration.in_flight import LONGEST_RUN
from platform_assets.sandbox import SandboxServer
from tests.deploy.cluster import SECONDS, Cluster, running_cluster, wait_until
from tests.servers.http_server import Query, Reply
from tests.servers.postgres import PostgresServer
from tests.servers.stub_api import StubApi, listed
from tests.settings import platform_settings

# Seven processes of Dagster and Postgres.
pytestmark = pytest.mark.slow

PARTITIONED = ["ci_analytics/analytics_organizations_suites", "ci_analytics/organizations_pipelines"]
WAITING = "load_testing/organizations"


class Gate:
    """A list of organizations that is answered only while the gate is open."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.asked = threading.Event()

    def close(self) -> None:
        self.open.clear()
        self.asked.clear()

    def __call__(self, query: Query) -> Reply:
        self.asked.set()
        assert self.open.wait(SECONDS)
        return listed([{"id": 1, "name": "One"}], "organizations")(query)


@pytest.fixture(scope="module")
def gate() -> Gate:
    return Gate()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, gate: Gate) -> Iterator[Cluster]:
    with (
        PostgresServer() as postgres,
        SandboxServer() as sandbox,
        StubApi({"/v3/organizations": gate}) as stub,
    ):
        settings = {
            **platform_settings("ci_analytics", sandbox.base_url("ci_analytics"), sandbox.token("ci_analytics")),
            **platform_settings("load_testing", stub.url, "a-token-of-the-stub"),
        }
        with running_cluster(postgres, tmp_path_factory.mktemp("homes"), settings) as running:
            yield running
            gate.open.set()


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


def test_a_killed_run_is_seen_as_failed_and_loaded_by_another(cluster: Cluster, gate: Gate) -> None:
    gate.close()
    killed = cluster.webserver.launch("sync_load_testing", [WAITING])
    os.kill(worker_of(cluster, killed), signal.SIGKILL)
    assert cluster.ended(killed).status == dg.DagsterRunStatus.FAILURE
    gate.open.set()
    wait_until(lambda: cluster.retries_of(killed))
    (retry,) = cluster.retries_of(killed)
    assert cluster.ended(retry).status == dg.DagsterRunStatus.SUCCESS
    assert cluster.rows("SELECT id FROM load_testing.organizations") == [(1,)]


def worker_of(cluster: Cluster, run_id: str) -> int:
    """Process id of the run, as the run itself told."""
    found: list[str] = []

    def started() -> list[str]:
        messages = "\n".join(str(record.message) for record in cluster.instance.all_logs(run_id))
        found.extend(re.findall(r"Started process for run \(pid: (\d+)\)", messages))
        return found

    wait_until(started)
    return int(found[0])


def test_what_the_api_refuses_is_not_run_again(cluster: Cluster) -> None:
    """The stub has no projects: 404."""
    refused = cluster.webserver.launch("sync_load_testing", ["load_testing/projects"])
    assert cluster.ended(refused).status == dg.DagsterRunStatus.FAILURE
    wait_until(lambda: cluster.run(refused).tags.get("dagster/will_retry") == "false")
    assert cluster.retries_of(refused) == []


def test_ticks_are_purged_and_no_run_outlives_what_the_sensors_take_for_alive(cluster: Cluster) -> None:
    kept = cluster.instance.get_tick_retention_settings(InstigatorType.SENSOR)
    assert all(days > 0 for days in kept.values()), "-1 keeps them for ever"
    assert cluster.instance.run_monitoring_max_runtime_seconds == LONGEST_RUN.total_seconds()


def test_a_run_waits_in_the_queue_while_its_pool_is_full(cluster: Cluster, gate: Gate) -> None:
    cluster.instance.event_log_storage.set_concurrency_slots("load_testing", 1)
    gate.close()
    first = cluster.webserver.launch("sync_load_testing", [WAITING])
    assert gate.asked.wait(SECONDS)
    second = cluster.webserver.launch("sync_load_testing", [WAITING])
    # Another platform's pool has room, and its run passes the queue.
    other = cluster.webserver.launch("sync_ci_analytics", ["ci_analytics/access_token"])
    assert cluster.ended(other).status == dg.DagsterRunStatus.SUCCESS
    assert cluster.run(second).status == dg.DagsterRunStatus.QUEUED
    gate.open.set()
    assert cluster.ended(first).status == cluster.ended(second).status == dg.DagsterRunStatus.SUCCESS

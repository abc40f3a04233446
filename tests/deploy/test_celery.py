"""The services of the compose files with Celery: the partitions of one resource over workers that share no disk."""

import threading
from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest

from tests.deploy.cluster import SECONDS, Cluster, running_cluster
from tests.servers.http_server import Query, Reply
from tests.servers.postgres import PostgresServer
from tests.servers.redis import redis_server
from tests.servers.stub_api import Route, StubApi, listed
from tests.settings import platform_settings

# Seven processes of Dagster, two databases and a broker.
pytestmark = pytest.mark.slow

ORGANIZATIONS = [{"id": f"o{n}", "slug": f"org-{n}", "created_at": "2026-01-01T00:00:00Z"} for n in range(12)]
PARTITIONED = "ci_analytics/organizations_pipelines"


def pipelines_of(slug: str) -> list[dict[str, Any]]:
    return [{"id": f"{slug}-{n}", "name": f"Pipeline {n} of {slug}", "slug": f"p-{n}"} for n in range(3)]


class Gates:
    """The organizations' pipelines: of the last one they are served only once the gate is open."""

    def __init__(self) -> None:
        self.open = threading.Event()

    def route(self, slug: str) -> Route:
        answer = listed(pipelines_of(slug))

        def waiting(query: Query) -> Reply:
            assert slug != ORGANIZATIONS[-1]["slug"] or self.open.wait(3 * SECONDS)
            return answer(query)

        return waiting


@pytest.fixture
def gates() -> Gates:
    return Gates()


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory, gates: Gates) -> Iterator[Cluster]:
    routes = {f"/v2/organizations/{one['slug']}/pipelines": gates.route(one["slug"]) for one in ORGANIZATIONS}
    with (
        PostgresServer() as postgres,
        redis_server() as redis,
        StubApi({"/v2/organizations": listed(ORGANIZATIONS), **routes}) as stub,
    ):
        settings = platform_settings("ci_analytics", stub.url, "a-token-of-the-stub")
        with running_cluster(postgres, tmp_path_factory.mktemp("homes"), settings, redis, workers=2) as running:
            yield running
            gates.open.set()


def test_partitions_over_workers_are_all_loaded_once_although_one_is_killed(cluster: Cluster, gates: Gates) -> None:
    parents = cluster.webserver.launch("sync_ci_analytics", ["ci_analytics/organizations"])
    assert cluster.ended(parents).status == dg.DagsterRunStatus.SUCCESS
    slugs = [str(one["slug"]) for one in ORGANIZATIONS]
    launched = [launch(cluster, slugs[at::4]) for at in range(4)]
    victim, killed = cluster.busy_worker(launched[-1:])
    victim.kill()
    gates.open.set()
    assert cluster.finish(launched, 3 * SECONDS) == [killed]
    loaded = cluster.rows("SELECT id, name, _organizations_slug FROM ci_analytics.organizations_pipelines ORDER BY 1")
    served = [(one["id"], one["name"], slug) for slug in slugs for one in pipelines_of(slug)]
    assert loaded == sorted(served)
    key = dg.AssetKey(PARTITIONED.split("/"))
    assert cluster.instance.get_materialized_partitions(key) == set(slugs)


def launch(cluster: Cluster, slugs: list[str]) -> str:
    config = {"ops": {"ci_analytics__per_organization": {"config": {"partitions": slugs}}}}
    return cluster.webserver.launch("sync_ci_analytics", [PARTITIONED], config)

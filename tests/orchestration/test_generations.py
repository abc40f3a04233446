"""Children of children in Dagster: an op per generation, in order, and partitions that follow the grandparents."""

from pathlib import Path

import dagster as dg
import pytest

from platform_assets.declarations import Buckets, DynamicPartitions, Platform, Resolve
from platform_assets.monitoring.partition_sensor import partition_sensors
from platform_assets.orchestration.assets import platform_assets
from platform_assets.orchestration.dlt_resource import PlatformDlt
from platform_assets.orchestration.in_process import InProcessRuns
from platform_assets.orchestration.jobs import SYNC_ALL, sync_all_job, sync_job
from platform_assets.orchestration.partitions import op_groups
from platform_assets.orchestration.sync_config import SyncConfig
from tests.settings import Point
from tests.sync.generations import ORG, Api, declared, grow, resource, tree
from tests.warehouse_rows import query

SHOP = declared(
    *tree(),
    resource(
        "boards",
        "/orgs/{org}/projects/{project}/boards",
        endpoint={"params": {"org": ORG, "project": Resolve("projects", "id")}},
        partition=DynamicPartitions(name="shop_project"),
    ),
    resource("members", "/orgs/{org}/members", endpoint={"params": {"org": ORG}}, partition=Buckets(count=4)),
    resource("labels", "/labels"),
)


def repository_of(platform: Platform) -> dg.RepositoryDefinition:
    return dg.Definitions(
        assets=platform_assets(platform),
        jobs=[sync_job(platform), sync_all_job()],
        sensors=partition_sensors([platform]),
        executor=dg.in_process_executor,
        resources={"platform_dlt": PlatformDlt()},
    ).get_repository_def()


def test_each_generation_has_ops_of_its_own() -> None:
    groups = {suffix: [one.name for one in group] for suffix, group in op_groups(SHOP).items()}
    assert groups == {
        "parents": ["orgs"],
        "resources": ["labels"],
        "per_org_parents": ["projects"],
        "buckets_4": ["members"],
        "buckets_4_generation_2": ["issues"],
        "per_project_generation_2": ["boards"],
    }


@pytest.fixture
def api(point: Point):
    with Api() as server:
        grow(server)
        for project in ("acme/projects/11", "acme/projects/12", "globex/eu/projects/21"):
            server.lists[f"/orgs/{project}/boards"] = []
        point("shop", server.url)
        yield server


@pytest.mark.slow
def test_one_run_loads_three_generations_and_registers_their_partitions(
    api: Api, instance: dg.DagsterInstance, warehouse_file: Path
) -> None:
    api.lists |= {"/labels": [], "/orgs/acme/members": [], "/orgs/globex/eu/members": []}
    repository = repository_of(SHOP)
    assert repository.get_job("sync_shop").execute_in_process(instance=instance, raise_on_error=False).success
    assert query(warehouse_file, "SELECT id, _orgs_slug, _projects_id FROM shop.issues ORDER BY id") == [
        (110, "acme", 11),
        (120, "acme", 12),
        (210, "globex/eu", 21),
    ]
    assert set(instance.get_dynamic_partitions("shop_project")) == {"acme/11", "acme/12", "globex%2Feu/21"}

    api.lists["/orgs"] = [one for one in api.lists["/orgs"] if one["slug"] == "acme"]  # pyright: ignore[reportGeneralTypeIssues, reportIndexIssue] -- it is a list here
    job = repository.get_job("sync_shop")
    assert job.execute_in_process(instance=instance, raise_on_error=False).success
    assert set(instance.get_dynamic_partitions("shop_project")) == {"acme/11", "acme/12"}, "with the grandparent"
    assert query(warehouse_file, "SELECT count(*) FROM shop.issues") == [(3,)]


@pytest.mark.slow
def test_a_failure_in_one_generation_does_not_keep_the_next_ones_from_loading(
    api: Api, instance: dg.DagsterInstance, warehouse_file: Path
) -> None:
    repository = repository_of(declared(*tree()))
    assert repository.get_job(SYNC_ALL).execute_in_process(instance=instance, raise_on_error=False).success
    api.lists["/orgs"] = api.lists["/orgs/globex/eu/projects"] = 500
    api.lists["/orgs/acme/projects/11/issues"] = [{"id": 111, "name": "new", "at": "2026-01-09T00:00:00Z"}]
    api.lists["/orgs/acme/projects"] = [{"id": 11, "name": "changed", "at": "2026-01-09T00:00:00Z"}]
    runs = InProcessRuns(repository, instance, SyncConfig(), lambda events, seconds: None)
    runs.load({dg.AssetKey(["shop", name]) for name in ("orgs", "projects", "issues")})
    assert (111,) in query(warehouse_file, "SELECT id FROM shop.issues")

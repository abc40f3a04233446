"""Dynamic partitions are registered and deleted with their parents, never by mistake."""

import json

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_assets.monitoring.partition_sensor import partition_sensor
from platform_assets.orchestration.partitions import register, removed_upstream
from platform_assets.platforms import platform_named
from platform_assets.sandbox import Fault, SandboxServer
from tests.orchestration.organizations import NAME, ORGANIZATIONS, PIPELINES, remove_organization, run
from tests.settings import PointAt
from tests.warehouse_rows import query


def test_the_partition_of_a_removed_parent_is_deleted_and_its_rows_are_kept(
    repository: dg.RepositoryDefinition, instance: dg.DagsterInstance, point_at: PointAt, warehouse_file: object
) -> None:
    with SandboxServer() as server:
        point_at(server)
        assert run(repository, instance, ORGANIZATIONS, PIPELINES).success
        assert instance.has_dynamic_partition(NAME, "globex")
        remove_organization(server, "globex")
        assert run(repository, instance, ORGANIZATIONS, PIPELINES).success
        assert not instance.has_dynamic_partition(NAME, "globex")
        kept = "SELECT count(*) FROM ci_analytics.organizations_pipelines WHERE _organizations_slug = 'globex'"
        assert query(warehouse_file, kept)[0][0] == len(  # pyright: ignore[reportArgumentType] -- a path
            server.backend.tables["ci_analytics"]["organizations_pipelines"]["globex"]
        )


@pytest.mark.parametrize(
    "fault",
    [
        Fault("/v2/organizations", status=500, times=None),
        Fault("/v2/organizations", status=200, times=None, body=b'{"data": []}'),
    ],
    ids=["failed", "empty"],
)
def test_a_failed_or_empty_list_of_parents_deletes_nothing(
    fault: Fault, repository: dg.RepositoryDefinition, instance: dg.DagsterInstance, point_at: PointAt
) -> None:
    with SandboxServer() as server:
        point_at(server)
        run(repository, instance, ORGANIZATIONS)
        before = set(instance.get_dynamic_partitions(NAME))
        server.faults.append(fault)
        run(repository, instance, ORGANIZATIONS)
        assert set(instance.get_dynamic_partitions(NAME)) == before != set()


@given(st.sets(st.text(max_size=3)), st.sets(st.text(max_size=3)))
def test_only_registered_and_unknown_keys_are_removed(registered: set[str], known: set[str]) -> None:
    removed = removed_upstream(registered, known)
    assert removed in (registered - known, set())
    if not known or len(removed) > 10:
        assert len(removed) * 2 <= len(registered)


def test_thousands_of_parents_are_registered(instance: dg.DagsterInstance) -> None:
    keys = [f"org-{number}" for number in range(2500)]
    assert len(register(instance, NAME, keys)) == 2500
    assert register(instance, NAME, keys) == []
    assert len(instance.get_dynamic_partitions(NAME)) == 2500


def test_the_sensor_follows_a_load_of_the_parents_and_loads_what_is_new(
    repository: dg.RepositoryDefinition, instance: dg.DagsterInstance, point_at: PointAt
) -> None:
    sensor = partition_sensor(platform_named("ci_analytics"))

    def tick(cursor: str | None) -> dg.SensorResult | dg.SkipReason:
        context = dg.build_sensor_context(instance=instance, cursor=cursor, repository_def=repository)
        found = sensor(context)
        assert isinstance(found, dg.SensorResult | dg.SkipReason)
        return found

    with SandboxServer() as server:
        point_at(server)
        nothing = tick(None)
        assert isinstance(nothing, dg.SkipReason) and "No list of parents" in str(nothing.skip_message)
        run(repository, instance, ORGANIZATIONS)
        for key in instance.get_dynamic_partitions(NAME):
            instance.delete_dynamic_partition(NAME, key)
        register(instance, NAME, ["gone", "acme"])
        found = tick(None)
        assert isinstance(found, dg.SensorResult)
        added, removed = found.dynamic_partitions_requests or []
        assert added.partition_keys == ["globex", "initech", "no-pipelines", "no-suites", "umbrella-labs"]
        assert removed.partition_keys == ["gone"]
        instance.add_dynamic_partitions(NAME, list(added.partition_keys))
        (request,) = found.run_requests or []
        assert request.asset_selection is not None and request.run_key
        result = run(
            repository,
            instance,
            *(key.to_user_string() for key in request.asset_selection),
            run_config=json.loads(json.dumps(request.run_config)),
        )
        assert result.success
        loaded = instance.get_materialized_partitions(dg.AssetKey(PIPELINES.split("/")))
        assert loaded == set(added.partition_keys)
        idle = tick(found.cursor)
        assert isinstance(idle, dg.SkipReason) and "since the last tick" in str(idle.skip_message)


def test_the_partition_check_names_failed_partitions_until_they_load(
    repository: dg.RepositoryDefinition, instance: dg.DagsterInstance, point_at: PointAt
) -> None:
    def check(result: dg.ExecuteInProcessResult) -> dg.AssetCheckEvaluation:
        (found,) = [
            found
            for found in result.get_asset_check_evaluations()
            if found.check_name == "no_partitions_left_failed" and found.asset_key.path[-1] == "organizations_pipelines"
        ]
        return found

    with SandboxServer(faults=[Fault("/organizations/acme/pipelines", status=500, times=None)]) as server:
        point_at(server)
        failed = check(run(repository, instance, ORGANIZATIONS, PIPELINES))
        assert not failed.passed and failed.metadata["left_failed"].value == 1
        assert "acme" in str(failed.metadata["sample"].value)
        neighbour = run(repository, instance, PIPELINES, partition_key="globex")
        assert neighbour.success and not check(neighbour).passed
        server.faults.clear()
        assert check(run(repository, instance, PIPELINES, partition_key="acme")).passed

"""Runs on a real instance against the sandbox: loaded assets are materialised, failed ones are named."""

from pathlib import Path

import dagster as dg
import pytest

from platform_assets.orchestration import failures
from platform_assets.sandbox import Fault, SandboxServer, expected_rows
from tests.settings import PointAt
from tests.warehouse_rows import query

PIPELINES = dg.AssetKey(["ci_analytics", "organizations_pipelines"])


def run(
    repository: dg.RepositoryDefinition, job: str, instance: dg.DagsterInstance, keys: list[str], **given: object
) -> dg.ExecuteInProcessResult:
    selection = [dg.AssetKey(key.split("/")) for key in keys]
    return repository.get_job(job).execute_in_process(
        instance=instance,
        asset_selection=selection,
        raise_on_error=False,
        **given,  # pyright: ignore[reportArgumentType] -- keywords of execute_in_process
    )


def metadata(result: dg.ExecuteInProcessResult, key: str, partition: str | None = None) -> dict[str, object]:
    found = [
        event.materialization
        for event in result.get_asset_materialization_events()
        if event.asset_key == dg.AssetKey(key.split("/")) and event.partition == partition
    ]
    assert len(found) == 1
    return {name: value.value for name, value in found[0].metadata.items()}


@pytest.mark.slow
def test_parents_children_and_models_in_one_run(
    repository: dg.RepositoryDefinition, instance: dg.DagsterInstance, point_at: PointAt, warehouse_file: Path
) -> None:
    with SandboxServer() as server:
        point_at(server)
        models = ["staging/stg_ci_analytics__builds", "marts/ci_analytics_build_outcomes_daily"]
        keys = ["ci_analytics/organizations", PIPELINES.to_user_string(), "ci_analytics/builds", *models]
        result = run(repository, "sync_ci_analytics", instance, keys)
        assert result.success
        expected = expected_rows(server.backend)["ci_analytics"]
        slugs = {organization["slug"] for organization in expected["organizations"]}
        assert set(instance.get_dynamic_partitions("ci_analytics_organization")) == slugs
        assert instance.get_materialized_partitions(PIPELINES) == slugs
        builds = metadata(result, "ci_analytics/builds")
        assert builds["dagster/row_count"] == builds["rows_loaded"] == len(expected["builds"])
        assert builds["dagster/table_name"] == "ci_analytics.builds"
        described = {column.name: column.description for column in builds["dagster/column_schema"].columns}  # pyright: ignore[reportAttributeAccessIssue] -- a table schema
        assert described["number"] == "Counts up within its pipeline, with gaps; unique only there."
        assert all(described.values()) and described["_dlt_id"] == "Hash of the record's content."
        assert next(iter(described)) == "id" and next(reversed(described)).startswith("_")
        assert builds["cursor_field"] == "created_at"
        requested = sum(request["path"].endswith("/v2/builds") for request in server.requests)
        # 25 pages could hold them all; pages that begin with the last row of the previous one need a few more.
        assert builds["requests"] == requested <= 30
        total = query(warehouse_file, "SELECT sum(builds) FROM marts.ci_analytics_build_outcomes_daily")[0][0]
        assert total == len(expected["builds"])


def test_no_rows_are_reported_as_zero(
    repository: dg.RepositoryDefinition, instance: dg.DagsterInstance, point_at: PointAt
) -> None:
    fault = Fault("/v2/roles", status=200, times=None, body=b'{"data": []}')
    with SandboxServer(faults=[fault]) as server:
        point_at(server)
        result = run(repository, "sync_device_management", instance, ["device_management/roles"])
        found = metadata(result, "device_management/roles")
        assert found["rows_loaded"] == found["dagster/row_count"] == 0


def test_a_partition_run_reads_only_its_parent(
    repository: dg.RepositoryDefinition, instance: dg.DagsterInstance, point_at: PointAt
) -> None:
    with SandboxServer() as server:
        point_at(server)
        run(repository, "sync_ci_analytics", instance, ["ci_analytics/organizations"])
        before = len(server.requests)
        result = run(repository, "sync_ci_analytics", instance, [PIPELINES.to_user_string()], partition_key="acme")
        assert result.success
        requested = {request["path"] for request in server.requests[before:]}
        assert requested == {"/ci_analytics/v2/organizations/acme/pipelines"}
        found = metadata(result, PIPELINES.to_user_string(), "acme")
        assert found["rows_loaded"] == 45 and found["parents_read"] == 1
        # Dagster plots `dagster/row_count` as the partition's.
        assert found["rows_in_table"] == 45 and "dagster/row_count" not in found


def test_successful_partitions_are_materialised_when_another_fails(
    repository: dg.RepositoryDefinition, instance: dg.DagsterInstance, point_at: PointAt
) -> None:
    fault = Fault("/organizations/acme/pipelines", status=500, times=None)
    with SandboxServer(faults=[fault]) as server:
        point_at(server)
        keys = ["ci_analytics/organizations", PIPELINES.to_user_string()]
        result = run(repository, "sync_ci_analytics", instance, keys)
        assert not result.success
        assert "acme" not in instance.get_materialized_partitions(PIPELINES)
        assert {"globex", "initech"} <= instance.get_materialized_partitions(PIPELINES)
        failure = result.failure_data_for_node("ci_analytics__per_organization")
        assert failure is not None and failure.user_failure_data is not None
        assert "ci_analytics/organizations_pipelines[acme]" in (failure.user_failure_data.description or "")


def test_successful_resources_are_materialised_when_another_fails(
    repository: dg.RepositoryDefinition, instance: dg.DagsterInstance, point_at: PointAt
) -> None:
    with SandboxServer(faults=[Fault("/v2/roles", status=404, times=None)]) as server:
        point_at(server)
        keys = ["device_management/roles", "device_management/groups"]
        result = run(repository, "sync_device_management", instance, keys)
        assert not result.success
        landed = {
            event.asset_key.to_user_string() for event in result.get_asset_materialization_events() if event.asset_key
        }
        assert landed == {"device_management/groups", "device_management/_sync_log"}


def test_a_failed_list_does_not_block_children_of_other_lists(
    repository: dg.RepositoryDefinition, instance: dg.DagsterInstance, point_at: PointAt
) -> None:
    with SandboxServer(faults=[Fault("/v2/access-token", status=404, times=None)]) as server:
        point_at(server)
        keys = ["ci_analytics/access_token", "ci_analytics/organizations", PIPELINES.to_user_string()]
        result = run(repository, "sync_ci_analytics", instance, keys)
        assert not result.success
        assert len(instance.get_materialized_partitions(PIPELINES)) == 6


def test_the_first_line_of_a_failed_step_is_the_reason_and_the_last_what_to_do(
    repository: dg.RepositoryDefinition, instance: dg.DagsterInstance, point_at: PointAt
) -> None:
    faults = [Fault("/v2/roles", status=404, times=None), Fault("/v2/groups", status=404, times=None)]
    with SandboxServer(faults=faults) as server:
        point_at(server)
        result = run(repository, "sync_device_management", instance, ["device_management/roles"])
    failure = result.failure_data_for_node("device_management__resources")
    assert failure is not None and failure.error is not None and failure.user_failure_data is not None
    reason, to_do = (failure.user_failure_data.description or "").splitlines()
    assert reason.startswith("device_management/roles: GET /v2/roles: answered 404")
    assert to_do.startswith("what to do: `platform-assets check --platform device_management`")
    assert failure.error.message.startswith(f"dagster._core.definitions.events.Failure: {reason}")
    assert failure.user_failure_data.metadata["failed"].value == "device_management/roles", "shown without a click"


def test_a_missing_parent_is_told_without_a_promise_that_the_next_sync_loads_it(
    repository: dg.RepositoryDefinition, instance: dg.DagsterInstance, point_at: PointAt
) -> None:
    with SandboxServer() as server:
        point_at(server)
        result = run(repository, "sync_ci_analytics", instance, [PIPELINES.to_user_string()])
        failure = result.failure_data_for_node("ci_analytics__per_organization")
        assert failure is not None and failure.user_failure_data is not None
        reason = "its parent ci_analytics/organizations was never loaded; load that first"
        assert failure.user_failure_data.description == f"ci_analytics/organizations_pipelines: {reason}"


def test_the_reason_comes_first_also_if_retries_did_not_help(
    repository: dg.RepositoryDefinition,
    instance: dg.DagsterInstance,
    point_at: PointAt,
    shared_sandbox: SandboxServer,
    warehouse_file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(failures, "TRANSIENT_RETRIES", dg.RetryPolicy(max_retries=1, delay=0.01))
    point_at(shared_sandbox)
    warehouse_file.write_bytes(b"not a database" * 1000)
    result = run(repository, "sync_crm", instance, ["crm/roles"])
    assert sum(event.event_type is dg.DagsterEventType.STEP_UP_FOR_RETRY for event in result.all_events) == 1
    failure = result.failure_data_for_node("crm__resources")
    assert failure is not None and failure.error is not None
    assert failure.error.message.startswith("dagster._core.definitions.events.Failure: the warehouse ")
    assert "max_retries" not in failure.error.message


def test_a_setting_that_cannot_be_used_fails_at_once(
    repository: dg.RepositoryDefinition,
    instance: dg.DagsterInstance,
    point_at: PointAt,
    shared_sandbox: SandboxServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    point_at(shared_sandbox)
    monkeypatch.setenv("DESTINATION__DUCKDB__CREDENTIALS", str(tmp_path / "crm.duckdb"))
    result = run(repository, "sync_crm", instance, ["crm/roles"])
    assert not any(event.event_type is dg.DagsterEventType.STEP_UP_FOR_RETRY for event in result.all_events)
    failure = result.failure_data_for_node("crm__resources")
    assert failure is not None and failure.user_failure_data is not None
    assert "cannot tell the file crm.duckdb from the schema `crm`" in (failure.user_failure_data.description or "")


def test_missing_settings_fail_the_run_with_one_line(
    repository: dg.RepositoryDefinition, instance: dg.DagsterInstance
) -> None:
    result = run(repository, "sync_crm", instance, ["crm/roles"])
    failure = result.failure_data_for_node("crm__resources")
    assert failure is not None and failure.user_failure_data is not None
    assert "SOURCES__CRM__BASE_URL" in (failure.user_failure_data.description or "")


def test_the_event_log_does_not_contain_the_token(
    repository: dg.RepositoryDefinition,
    instance: dg.DagsterInstance,
    point_at: PointAt,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    with SandboxServer() as server:
        point_at(server)
        monkeypatch.setenv("SOURCES__CRM__API_TOKEN", "hush-s3cret")
        result = run(repository, "sync_crm", instance, ["crm/roles", "crm/currencies", "crm/deals"])
        logs = "".join(repr(entry) for entry in instance.all_logs(result.run_id))
        captured = capfd.readouterr()
        assert "401" in logs and "hush-s3cret" not in logs + captured.out + captured.err

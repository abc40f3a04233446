"""The one rule for which models must be built, on histories of loads and builds in Dagster's event log."""

import time
from pathlib import Path

import dagster as dg
import pytest

from platform_assets.dbt import last_changes, project, stale_models
from platform_assets.dbt.stale_models import ModelHistory, build_metadata, models_below, models_to_build
from platform_assets.sandbox import SandboxServer
from tests.settings import PointAt

TABLE = dg.AssetKey(["ci_analytics", "builds"])
STAGING = dg.AssetKey(["staging", "stg_ci_analytics__builds"])
MART = dg.AssetKey(["marts", "ci_analytics_build_outcomes_daily"])
MODELS = {STAGING, MART}


def load(instance: dg.DagsterInstance, rows: int = 0, table: dg.AssetKey = TABLE, **more: object) -> None:
    metadata = {"rows_loaded": rows, "rows_removed": 0, **more}
    partition = metadata.pop("partition", None)
    instance.report_runless_asset_event(dg.AssetMaterialization(table, metadata=metadata, partition=partition))  # pyright: ignore[reportArgumentType] -- a key or None


def build(instance: dg.DagsterInstance, *models: dg.AssetKey, read_at: float | None = None) -> None:
    """As a run that began to read at `read_at` records it, with the SQL that is there now."""
    began, versions = read_at or time.time(), project.model_versions()
    for model in models:
        metadata = build_metadata(model.path[-1], began, versions)
        instance.report_runless_asset_event(dg.AssetMaterialization(model, metadata=metadata))


def due(instance: dg.DagsterInstance, repository: dg.RepositoryDefinition) -> set[dg.AssetKey]:
    return set(models_to_build(instance, repository, MODELS))


def reason(instance: dg.DagsterInstance, repository: dg.RepositoryDefinition, model: dg.AssetKey) -> str:
    return models_to_build(instance, repository, MODELS)[model].reason


@pytest.fixture
def built(instance: dg.DagsterInstance) -> None:
    """The table was loaded, then both models were built."""
    load(instance, 5)
    build(instance, STAGING, MART)


def test_a_model_whose_table_was_never_loaded_is_left_out(
    instance: dg.DagsterInstance, repository: dg.RepositoryDefinition
) -> None:
    assert due(instance, repository) == set()
    assert set(ModelHistory(instance, repository, MODELS).stale) == MODELS
    load(instance)
    assert due(instance, repository) == MODELS
    assert reason(instance, repository, STAGING) == "it was never built"
    assert set(models_to_build(instance, repository, [MART])) == set(), "the model it reads does not exist"


@pytest.mark.usefixtures("built")
def test_a_load_that_found_nothing_new_is_no_change(
    instance: dg.DagsterInstance, repository: dg.RepositoryDefinition
) -> None:
    assert due(instance, repository) == set()
    load(instance)
    assert due(instance, repository) == set()


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("numbers", [{"rows_loaded": 1}, {"rows_removed": 1}, {"table_created": True}])
def test_a_load_that_changed_the_table_makes_what_is_below_stale(
    numbers: dict[str, object], instance: dg.DagsterInstance, repository: dg.RepositoryDefinition
) -> None:
    load(instance, **numbers)  # pyright: ignore[reportArgumentType] -- the table is not among them
    load(instance)
    assert due(instance, repository) == MODELS
    assert reason(instance, repository, STAGING) == "changed: ci_analytics/builds"
    build(instance, STAGING, MART)
    assert due(instance, repository) == set()


@pytest.mark.usefixtures("built")
def test_a_load_that_does_not_say_what_it_brought_is_a_change(
    instance: dg.DagsterInstance, repository: dg.RepositoryDefinition
) -> None:
    """Such as one that a person reports in the UI, or of a table that another project loads."""
    instance.report_runless_asset_event(dg.AssetMaterialization(TABLE))
    assert due(instance, repository) == MODELS


def test_rows_that_landed_while_a_build_ran_are_a_change(
    instance: dg.DagsterInstance, repository: dg.RepositoryDefinition
) -> None:
    load(instance, 5)
    began = time.time()
    load(instance, 5)
    build(instance, STAGING, MART, read_at=began)
    assert due(instance, repository) == MODELS


@pytest.mark.usefixtures("built")
def test_a_model_that_was_built_alone_makes_what_reads_it_stale(
    instance: dg.DagsterInstance, repository: dg.RepositoryDefinition
) -> None:
    load(instance, 1)
    build(instance, STAGING)
    assert due(instance, repository) == {MART}
    build(instance, MART)
    build(instance, STAGING)
    assert due(instance, repository) == {MART}
    assert reason(instance, repository, MART) == "built since: staging/stg_ci_analytics__builds"


@pytest.mark.usefixtures("built")
def test_an_edited_model_and_what_is_below_it_are_stale_whatever_the_files_times_say(
    instance: dg.DagsterInstance, repository: dg.RepositoryDefinition, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = project.model_versions()
    monkeypatch.setattr(stale_models, "model_versions", lambda: {**versions, STAGING.path[-1]: "edited"})
    assert due(instance, repository) == MODELS
    monkeypatch.setattr(stale_models, "model_versions", lambda: {**versions, MART.path[-1]: "edited"})
    assert due(instance, repository) == {MART}
    assert reason(instance, repository, MART) == "its SQL, a macro or dbt_project.yml was edited"


def test_a_version_is_of_a_models_own_sql_and_of_what_all_models_share(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(project, "project_dir", lambda: tmp_path)
    for name in ("models/a.sql", "models/marts/b.sql", "macros/m.sql", "dbt_project.yml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("before")
    first = project.model_versions()
    (tmp_path / "models" / "a.sql").touch()
    assert project.model_versions() == first
    (tmp_path / "models" / "a.sql").write_text("after")
    second = project.model_versions()
    assert second["a"] != first["a"] and second["b"] == first["b"]
    (tmp_path / "macros" / "m.sql").write_text("after")
    third = project.model_versions()
    assert third["a"] != second["a"] and third["b"] != second["b"]


def test_one_loaded_partition_is_enough_for_a_table_to_exist(
    instance: dg.DagsterInstance, repository: dg.RepositoryDefinition
) -> None:
    """The other may never load, such as a parent that the API refuses."""
    table = dg.AssetKey(["ci_analytics", "organizations_pipelines"])
    model = dg.AssetKey(["staging", "stg_ci_analytics__organizations_pipelines"])
    instance.add_dynamic_partitions("ci_analytics_organization", ["loaded", "missing"])
    load(instance, 5, table, partition="loaded")
    assert set(models_to_build(instance, repository, [model])) == {model}


def test_a_change_of_a_childs_parents_alone_is_no_change_of_the_child(
    instance: dg.DagsterInstance, repository: dg.RepositoryDefinition
) -> None:
    model = dg.AssetKey(["staging", "stg_ci_analytics__organizations_pipelines"])
    load(instance, 5, dg.AssetKey(["ci_analytics", "organizations_pipelines"]))
    build(instance, model)
    load(instance, 5, dg.AssetKey(["ci_analytics", "organizations"]))
    assert not models_to_build(instance, repository, [model])


@pytest.mark.usefixtures("built")
def test_a_change_is_found_behind_many_loads_that_brought_nothing(
    instance: dg.DagsterInstance, repository: dg.RepositoryDefinition, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(last_changes, "_PAGE", 2)
    monkeypatch.setattr(last_changes, "_MOST_LOADS", 6)
    for _ in range(5):
        load(instance)
    assert due(instance, repository) == set()
    load(instance)
    load(instance)
    assert due(instance, repository) == MODELS, "after too many the newest counts as a change"
    build(instance, STAGING, MART)
    load(instance, 1)
    for _ in range(3):
        load(instance)
    assert due(instance, repository) == MODELS


def test_a_failed_sync_is_a_change_of_the_log_of_syncs(
    instance: dg.DagsterInstance, repository: dg.RepositoryDefinition, point_at: PointAt
) -> None:
    """The log is written by every load, but only what its models would show counts."""
    health = dg.AssetKey(["marts", "platform_health"])
    assert health in models_below(repository, {TABLE})
    for log in ModelHistory(instance, repository, [health]).tables_above(health):
        load(instance, 1, log)
    build(instance, health)
    load(instance, 0, dg.AssetKey(["crm", "_sync_log"]))
    assert not models_to_build(instance, repository, [health])
    load(instance, 0, dg.AssetKey(["crm", "_sync_log"]), resources_failed=1)
    assert set(models_to_build(instance, repository, [health])) == {health}


def test_the_health_of_one_platform_needs_no_other(
    instance: dg.DagsterInstance, repository: dg.RepositoryDefinition
) -> None:
    health = dg.AssetKey(["marts", "platform_health"])
    assert not models_to_build(instance, repository, [health])
    load(instance, 1, dg.AssetKey(["crm", "_sync_log"]))
    assert set(models_to_build(instance, repository, [health])) == {health}


@pytest.mark.slow
def test_what_runs_record_is_what_the_rule_reads(
    instance: dg.DagsterInstance, repository: dg.RepositoryDefinition, point_at: PointAt
) -> None:
    """Real loads and builds: stale until built, not after a load without news, again after a change and a removal."""
    job = repository.get_job("sync_ci_analytics")
    with SandboxServer() as server:
        point_at(server)
        assert job.execute_in_process(instance=instance, asset_selection=[TABLE, *MODELS]).success
        assert due(instance, repository) == set()
        assert job.execute_in_process(instance=instance, asset_selection=[TABLE]).success
        assert due(instance, repository) == set()
        server.backend.advance(hours=3)
        assert job.execute_in_process(instance=instance, asset_selection=[TABLE]).success
        assert due(instance, repository) == MODELS


def test_a_partition_says_which_rows_were_removed(
    instance: dg.DagsterInstance, repository: dg.RepositoryDefinition, point_at: PointAt
) -> None:
    """Or a run of partitions that removes rows and brings none would look as if it had changed nothing."""
    parents, children = (dg.AssetKey(["ci_analytics", name]) for name in ("organizations", "organizations_pipelines"))
    job = repository.get_job("sync_ci_analytics")
    with SandboxServer() as server:
        point_at(server)
        assert job.execute_in_process(instance=instance, asset_selection=[parents]).success
        found = []
        for _ in range(2):
            run = job.execute_in_process(instance=instance, asset_selection=[children], partition_key="acme")
            events = run.get_asset_materialization_events()
            found += [event.materialization.metadata for event in events if event.partition == "acme"]
            with server.backend.lock:
                del server.backend.tables["ci_analytics"]["organizations_pipelines"]["acme"][-1]
    created, removed = found
    assert created["table_created"].value is True and "table_created" not in removed
    assert (removed["rows_loaded"].value, removed["rows_removed"].value) == (0, 1)

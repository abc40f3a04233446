"""dbt models are requested after their tables, also if one dynamic partition of a table was never loaded."""

from pathlib import Path

import dagster as dg
import pytest

from platform_assets.dbt.assets import ModelTranslator
from platform_assets.definitions import defs
from platform_assets.sandbox import SandboxServer
from tests.settings import PointAt


def graph(condition: dg.AutomationCondition) -> list[dg.AssetsDefinition]:
    partitions = dg.DynamicPartitionsDefinition(name="ci_analytics_organization")

    @dg.asset(partitions_def=partitions)
    def table() -> None: ...

    @dg.asset(deps=[table], automation_condition=condition)
    def model() -> None: ...

    return [table, model]


@pytest.mark.parametrize(("ours", "requested"), [(True, 1), (False, 0)], ids=["ours", "plain eager"])
def test_a_model_is_requested_although_one_partition_of_its_table_was_never_loaded(ours: bool, requested: int) -> None:
    """Plain `eager` waits indefinitely; once it no longer does, `without` can be deleted."""
    eager = dg.AutomationCondition.eager()
    condition = ModelTranslator().get_automation_condition({}) if ours else eager
    assets = graph(condition)
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("ci_analytics_organization", ["loaded", "missing"])
        before = dg.evaluate_automation_conditions(defs=assets, instance=instance)
        instance.report_runless_asset_event(dg.AssetMaterialization("table", partition="loaded"))
        after = dg.evaluate_automation_conditions(defs=assets, instance=instance, cursor=before.cursor)
        assert after.get_num_requested(dg.AssetKey("model")) == requested


def test_a_model_is_requested_once_after_its_table_was_loaded(
    point_at: PointAt, shared_sandbox: SandboxServer, warehouse_file: Path
) -> None:
    point_at(shared_sandbox)
    definitions = defs()
    repository = definitions.get_repository_def()
    builds = dg.AssetKey(["ci_analytics", "builds"])
    model = next(key for key in repository.asset_graph.get(builds).child_keys if key.path[0] == "staging")
    with dg.DagsterInstance.ephemeral() as instance:
        first = dg.evaluate_automation_conditions(defs=definitions, instance=instance)
        repository.get_job("sync_ci_analytics").execute_in_process(instance=instance, asset_selection=[builds])
        second = dg.evaluate_automation_conditions(defs=definitions, instance=instance, cursor=first.cursor)
        assert second.get_num_requested(model) == 1
        third = dg.evaluate_automation_conditions(defs=definitions, instance=instance, cursor=second.cursor)
        assert third.get_num_requested(model) == 0

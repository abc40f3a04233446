"""A build of some models runs every test of these that can be run, and none of another model."""

from typing import Any

import dagster as dg
import pytest

from platform_assets.dbt.existing import left_out_tests
from platform_assets.sandbox import SandboxServer
from tests.conftest import Sync
from tests.settings import PointAt


def model(name: str) -> dict[str, Any]:
    return {"resource_type": "model", "schema": "staging", "alias": name, "name": name}


def check(name: str, of: str, *others: str) -> dict[str, Any]:
    needed = [f"model.p.{one}" for one in (*others, of)]
    attached = f"model.p.{of}"
    return {"resource_type": "test", "name": name, "attached_node": attached, "depends_on": {"nodes": needed}}


MANIFEST = {
    "nodes": {
        **{f"model.p.{name}": model(name) for name in ("deals", "users", "notes")},
        "test.p.1": check("unique_deals_id", "deals"),
        "test.p.2": check("relationships_deals_user", "deals", "users"),
        "test.p.3": check("relationships_notes_deal", "notes", "deals"),
        "test.p.4": check("unique_notes_id", "notes"),
    }
}


def left_out(built: set[str], existing: set[str]) -> set[str]:
    names = left_out_tests(MANIFEST, {("staging", one) for one in built}, {("staging", one) for one in existing})
    return set(names)


def test_tests_of_models_that_are_not_built_are_left_out() -> None:
    assert left_out({"deals"}, {"deals", "users", "notes"}) == {"relationships_notes_deal"}


def test_tests_that_need_a_model_that_does_not_exist_are_left_out() -> None:
    assert left_out({"deals"}, set()) == {"relationships_deals_user", "relationships_notes_deal"}
    assert left_out({"deals", "users", "notes"}, set()) == set()


@pytest.mark.slow
def test_one_model_is_built_with_all_its_tests(
    repository: dg.RepositoryDefinition,
    instance: dg.DagsterInstance,
    point_at: PointAt,
    shared_sandbox: SandboxServer,
    sync_platform: Sync,
) -> None:
    """`users` and `stages` exist when `deals` is built alone; persons, organizations and pipelines do not."""
    point_at(shared_sandbox)
    sync_platform("crm", ["deals", "users", "stages"])
    evaluated: list[set[str]] = []
    for names in (["users", "stages"], ["deals"]):
        result = repository.get_job("sync_all").execute_in_process(
            instance=instance, asset_selection=[dg.AssetKey(["staging", f"stg_crm__{name}"]) for name in names]
        )
        evaluations = result.get_asset_check_evaluations()
        assert not [event for event in result.all_events if event.is_asset_observation]
        evaluated.append({evaluation.check_name for evaluation in evaluations if evaluation.passed})
        assert len(evaluated[-1]) == len(evaluations)
    others, deals = evaluated
    assert not any("deals" in name for name in others)
    assert {name.split("__ref_")[-1] for name in deals if name.startswith("relationships")} == {
        "stg_crm__users_",
        "stg_crm__stages_",
    }
    assert any(name.startswith("unique") for name in deals)

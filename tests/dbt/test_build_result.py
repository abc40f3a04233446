"""A build says how far it is, and at its end only what failed or warned, with the reason first."""

import json
import logging
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from platform_assets.dbt.build_result import BuildResult, reason_of
from platform_assets.progress import Observer, observed_by
from tests.settings import PointAt

MANIFEST: dict[str, Any] = {
    "nodes": {
        "model.p.deals": {"name": "deals", "schema": "marts", "resource_type": "model"},
        "model.p.persons": {"name": "persons", "schema": "marts", "resource_type": "model"},
        "test.p.relationships_deals": {
            "name": "relationships_deals_owner_id__user_id__ref_users_",
            "resource_type": "test",
            "attached_node": "model.p.deals",
            "column_name": "owner_id",
            "test_metadata": {"name": "relationships"},
        },
    },
    "unit_tests": {"unit_test.p.deals.sums": {"name": "sums", "model": "deals", "resource_type": "unit_test"}},
}
BINDER = "Runtime Error in model deals (models/deals.sql)\n  Binder Error: no column named a\n  \n  LINE 1: SELECT a"


def result(folder: Path, *found: tuple[str, str, str | None, int | None]) -> BuildResult:
    names = ("unique_id", "status", "message", "failures")
    text = json.dumps({"results": [dict(zip(names, one, strict=True)) for one in found]})
    (folder / "run_results.json").write_text(text)
    return BuildResult(MANIFEST, folder)


def test_a_failure_begins_with_the_reason(tmp_path: Path) -> None:
    built = result(
        tmp_path,
        ("model.p.deals", "error", BINDER, None),
        ("unit_test.p.deals.sums", "fail", "actual differs from expected:\n\n@@,total\n→,1→2", 1),
        ("test.p.relationships_deals", "skipped", None, None),
        ("model.p.persons", "success", "OK", None),
    )
    first, second, third, last = (built.failure().description or "").splitlines()
    assert first == "marts/deals: Binder Error: no column named a"
    assert second == "deals: the unit test sums: actual differs from expected: @@,total →,1→2"
    assert third == "dbt: skipped because of these: 1"
    assert last.startswith("what to do: ") and "dbt.log" in last


def test_a_failed_test_is_named_by_its_column(tmp_path: Path) -> None:
    built = result(tmp_path, ("test.p.relationships_deals", "fail", "Got 3 results, configured to fail if != 0", 3))
    assert (built.failure().description or "").startswith("deals.owner_id: 3 rows fail the test relationships\n")


def test_many_failures_are_counted(tmp_path: Path) -> None:
    built = result(tmp_path, *[("model.p.deals", "error", BINDER, None)] * 50)
    text = (built.failure().description or "").splitlines()
    assert len(text) == 22 and text[20] == "dbt: 30 more failed"


def test_a_project_that_dbt_cannot_read(tmp_path: Path) -> None:
    built = BuildResult(MANIFEST, tmp_path)
    message = (
        "Encountered an error:\nCompilation Error\n  Model 'deals' depends on a node named 'x' which was not found"
    )
    built.follow({"info": {"name": "MainEncounteredError", "level": "error", "msg": message}, "data": {}})
    first = (built.failure().description or "").splitlines()[0]
    assert first == "dbt: Model 'deals' depends on a node named 'x' which was not found"


def test_what_is_no_message_has_a_reason_too() -> None:
    assert reason_of("") == "failed without a reason"
    assert reason_of("Database Error in model x (y.sql)") == "Database Error in model x (y.sql)"


def test_warnings_are_lines_of_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "platform_assets")
    result(
        tmp_path,
        ("test.p.relationships_deals", "warn", "Got 805 results, configured to warn if != 0", 805),
        ("model.p.deals", "success", "OK", None),
    ).log_warnings()
    assert caplog.messages == [
        "dbt: 1 model and 1 test, 1 warned",
        "dbt warns: deals.owner_id: 805 rows fail the test relationships",
    ]


def test_how_far_it_is() -> None:
    told: list[tuple[int, int, str]] = []

    class Watch(Observer):
        def dbt_node(self, done: int, total: int, name: str) -> None:
            told.append((done, total, name))

    built = BuildResult(MANIFEST, Path())
    with observed_by(Watch()):
        for name in ("FoundStats", "LogStartLine", "LogModelResult", "LogStartLine", "SkippingDetails"):
            data = {"total": 2, "node_info": {"node_name": "deals"}} if name != "FoundStats" else {}
            built.follow({"info": {"name": name, "level": "info", "msg": ""}, "data": data})
    assert told == [(0, 2, "deals"), (1, 2, "deals"), (1, 2, "deals"), (2, 2, "deals")]


@pytest.mark.slow
def test_dagster_shows_the_reason_of_a_failed_build_first(
    repository: dg.RepositoryDefinition, instance: dg.DagsterInstance, point_at: PointAt
) -> None:
    """Nothing was loaded, so the model's table does not exist."""
    key = dg.AssetKey(["staging", "stg_crm__roles"])
    done = repository.get_job("sync_all").execute_in_process(
        instance=instance, asset_selection=[key], raise_on_error=False
    )
    data = done.failure_data_for_node("dbt_models")
    assert data is not None and data.error is not None and data.user_failure_data is not None
    first = (data.user_failure_data.description or "").splitlines()[0]
    assert first.startswith("staging/stg_crm__roles: Catalog Error: "), first
    assert data.error.message.startswith(f"dagster._core.definitions.events.Failure: {first}")
    assert data.error.cause is None

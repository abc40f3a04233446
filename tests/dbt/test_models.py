"""Every resource has a staging model, and every model and column says what it is."""

import json
from typing import Any

import pytest

from platform_assets.dbt.project import dbt_project
from platform_assets.platforms import all_platforms
from platform_assets.warehouse import LOG_TABLE, STATE_TABLE


@pytest.fixture(scope="module")
def models() -> dict[str, dict[str, Any]]:
    manifest = json.loads(dbt_project().manifest_path.read_text())
    return {node["name"]: node for node in manifest["nodes"].values() if node["resource_type"] == "model"}


def test_every_resource_has_a_staging_model_that_reads_its_table(models: dict[str, dict[str, Any]]) -> None:
    for platform in all_platforms():
        for resource in platform.resources:
            model = models[f"stg_{platform.name}__{resource.name}"]
            assert model["schema"] == "staging"
            assert f"source.platform_assets.{platform.name}.{resource.name}" in model["depends_on"]["nodes"]


def test_every_model_and_column_is_described(models: dict[str, dict[str, Any]]) -> None:
    for name, model in models.items():
        assert model["description"], name
        assert model["columns"], name
        for column in model["columns"].values():
            assert column["description"] and column["data_type"], f"{name}.{column['name']}"


def test_every_source_and_its_columns_are_described_and_have_a_freshness() -> None:
    sources = json.loads(dbt_project().manifest_path.read_text())["sources"].values()
    for source in sources:
        assert source["description"] and all(column["description"] for column in source["columns"].values())
        assert source["name"] in (STATE_TABLE, LOG_TABLE) or source["freshness"]["warn_after"]["count"]
    assert len(sources) == sum(len(platform.resources) + 2 for platform in all_platforms())


def test_every_staging_model_tells_what_is_gone_and_when_a_row_was_seen(models: dict[str, dict[str, Any]]) -> None:
    for name, model in models.items():
        if name.startswith("stg_"):
            assert {"is_deleted", "last_seen_at"} <= model["columns"].keys(), name


def test_the_key_of_every_staging_model_is_tested(models: dict[str, dict[str, Any]]) -> None:
    manifest = json.loads(dbt_project().manifest_path.read_text())
    tests = [node for node in manifest["nodes"].values() if node["resource_type"] == "test"]
    for kind in ("unique", "not_null"):
        tested = {test["attached_node"] for test in tests if test["test_metadata"]["name"] == kind}
        for platform in all_platforms():
            for resource in platform.resources:
                assert f"model.platform_assets.stg_{platform.name}__{resource.name}" in tested

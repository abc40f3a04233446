"""What dbt builds is what the tables hold: all columns described are there and no others, on full and empty APIs."""

import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from platform_assets.dbt.project import dbt_project
from platform_assets.platforms import all_platforms
from platform_assets.sandbox import FakeBackend, SandboxServer, expected_rows
from tests.dbt.building import build, load_everything, run_dbt
from tests.settings import sandbox_settings
from tests.tiers import only

Records = dict[str, dict[str, list[dict[str, Any]]]]
SQL_NAMES = {
    "BIGINT": "bigint",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "DECIMAL(38,6)": "numeric",
    "DOUBLE": "double precision",
    "HUGEINT": "numeric",
    "JSON": "json",
    "TIMESTAMP WITH TIME ZONE": "timestamptz",
    "VARCHAR": "varchar",
}


@dataclass
class Built:
    """A warehouse with all models on everything that a world serves."""

    warehouse: Path
    target: Path
    statuses: Mapping[str, str]
    expected: Records


Build = Callable[[Callable[[], FakeBackend]], Built]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Builds each world once."""

    @functools.cache
    def build_world(world: Callable[[], FakeBackend]) -> Built:
        folder = tmp_path_factory.mktemp("built")
        warehouse, target = folder / "warehouse.duckdb", folder / "target"
        with pytest.MonkeyPatch.context() as patch, SandboxServer(world()) as server:
            patch.setenv("DESTINATION__DUCKDB__CREDENTIALS", str(warehouse))
            for name, value in sandbox_settings(server).items():
                patch.setenv(name, value)
            load_everything()
            return Built(warehouse, target, build(warehouse, target), expected_rows(server.backend))

    return build_world


@pytest.mark.slow
@pytest.mark.parametrize(
    "world",
    # The full one has its test in test_marts.py, which builds it for more.
    only([FakeBackend.empty], [FakeBackend, FakeBackend.empty, FakeBackend.tiny]),
    ids=["full", "empty", "tiny"],
)
def test_all_models_build_and_their_columns_are_the_described_ones(
    world: Callable[[], FakeBackend], built: Build
) -> None:
    whole = built(world)
    # The tiny world's rows are the first of each list, whatever they point to; else our own data gives no warning.
    assert set(whole.statuses.values()) <= {"success", "pass", *(["warn"] if world == FakeBackend.tiny else [])}
    check_columns_and_rows(whole.warehouse, whole.expected)


def check_columns_and_rows(warehouse: Path, expected: Records) -> None:
    """Every model has the described columns, and every staging model the rows that were served."""
    manifest = json.loads(dbt_project().manifest_path.read_text())
    models: list[dict[str, Any]] = [n for n in manifest["nodes"].values() if n["resource_type"] == "model"]
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        for model in models:
            relation = connection.execute(f"SELECT * FROM {model['schema']}.{model['name']} LIMIT 0")
            found = {column[0]: SQL_NAMES.get(str(column[1]), str(column[1])) for column in relation.description or ()}
            declared = {name: column["data_type"] for name, column in model["columns"].items()}
            assert list(found) == list(declared), model["name"]
            assert found == declared, model["name"]
        for platform in all_platforms():
            for resource in platform.resources:
                name = f"staging.stg_{platform.name}__{resource.name}"
                rows = connection.execute(f"SELECT count(*) FROM {name}").fetchall()[0][0]
                assert rows == len(expected[platform.name][resource.name]), name


@pytest.mark.slow
def test_the_documentation_generates_with_every_table_in_it(built: Build) -> None:
    empty = built(FakeBackend.empty)
    run_dbt("docs", "generate", warehouse=empty.warehouse, target=empty.target)
    catalog = json.loads((empty.target / "catalog.json").read_text())
    assert catalog["errors"] is None
    manifest = json.loads(dbt_project().manifest_path.read_text())
    models = {name: node for name, node in manifest["nodes"].items() if node["resource_type"] == "model"}
    assert models.keys() <= catalog["nodes"].keys() and manifest["sources"].keys() == catalog["sources"].keys()
    for name, node in models.items():
        assert all(node["columns"][column]["description"] for column in catalog["nodes"][name]["columns"]), name

"""One connection reads one schema after another: each finds its own tables, whatever was read before it."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from platform_assets.warehouse.queries import reading, rows
from tests.warehouse.databases import Database


@pytest.fixture(params=["duckdb", "postgres"])
def database(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Database:
    """A warehouse with two schemas that each have a table `things`, and one table of their own."""
    if request.param == "duckdb":
        found = Database.file(tmp_path / "warehouse.duckdb")
    else:
        settings: Mapping[str, str] = request.getfixturevalue("in_postgres")
        found = Database(settings)
    found.configure(monkeypatch)
    for schema in ("first", "second"):
        for statement in (
            f"CREATE SCHEMA {schema}",
            f"CREATE TABLE {schema}.things AS SELECT '{schema}' AS name",
            f"CREATE TABLE {schema}.only_{schema} (n integer)",
        ):
            found.run(statement)
    return found


def test_tables_are_those_of_the_schema_in_use(database: Database) -> None:
    with reading("first") as reader:
        assert reader.tables() == {"things", "only_first"}
        assert rows(reader, "SELECT name FROM things") == [{"name": "first"}]
        reader.use("second")
        assert reader.tables() == {"things", "only_second"}
        assert reader.columns("only_second") == {"n"}
        assert rows(reader, "SELECT name FROM things") == [{"name": "second"}]
        assert reader.make_qualified_table_name("things") == '"second"."things"'


@pytest.mark.parametrize("schema", ["", "missing"])
def test_a_schema_that_does_not_exist_has_nothing_of_the_one_before(schema: str, database: Database) -> None:
    with reading("first") as reader:
        reader.use(schema)
        assert reader.tables() == set()
        assert rows(reader, "SELECT name FROM things") == []
        reader.use("first")
        assert rows(reader, "SELECT name FROM things") == [{"name": "first"}]

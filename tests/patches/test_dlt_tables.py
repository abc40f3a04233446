"""dlt's bugs with empty and dropped tables, and whether the workarounds are still needed."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import dlt
import duckdb
import pyarrow as pa
import pytest
from dlt.common.schema import Schema
from dlt.destinations.exceptions import DatabaseTransientException
from dlt.destinations.job_client_impl import SqlJobClientBase
from dlt.pipeline.exceptions import PipelineStepFailed

from platform_assets.patches.dropped_tables import make_dropped_tables_again
from platform_assets.patches.empty_table_load_ids import LOAD_ID, allow_rows_without_load_id
from platform_assets.patches.tables_in_transaction import make_tables

# Our rows have their own `_dlt_id`, as warehouse/dlt_source.py declares them.
COLUMNS: Any = {"id": {"data_type": "bigint", "nullable": False}, "_dlt_id": {"data_type": "text"}}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "w.duckdb"


@pytest.fixture
def pipeline(tmp_path: Path, file: Path) -> dlt.Pipeline:
    return dlt.pipeline(
        "p", destination=dlt.destinations.duckdb(str(file)), dataset_name="d", pipelines_dir=str(tmp_path / "p")
    )


def load(pipeline: dlt.Pipeline, rows: Callable[[], Iterator[Any]], schema: Schema | None = None) -> None:
    source = dlt.sources.DltSource(schema or Schema("d"), "d", [dlt.resource(rows, name="things", columns=COLUMNS)])
    pipeline.run(source, loader_file_format="parquet")


def empty() -> Iterator[Any]:
    yield dlt.mark.materialize_table_schema()


def one_row() -> Iterator[Any]:
    yield pa.table({"id": pa.array([1], pa.int64()), "_dlt_id": ["a"]})


def ids(file: Path) -> list[tuple[int]]:
    with duckdb.connect(str(file), read_only=True) as connection:
        return connection.execute("SELECT id FROM d.things").fetchall()


def test_dlt_still_requires_a_load_id_in_a_table_created_empty(pipeline: dlt.Pipeline) -> None:
    """When this fails: delete patches/empty_table_load_ids.py once no warehouse of an earlier version is left."""
    load(pipeline, empty)
    with pytest.raises(PipelineStepFailed, match=f"NOT NULL constraint failed: things.{LOAD_ID}"):
        load(pipeline, one_row, pipeline.default_schema.clone())


def test_a_table_created_empty_takes_rows_once_its_load_id_is_not_required(pipeline: dlt.Pipeline, file: Path) -> None:
    load(pipeline, empty)
    schema = pipeline.default_schema.clone()
    with pipeline.sql_client() as client:
        allow_rows_without_load_id(schema, client)
    assert schema.tables["things"].get("columns", {})[LOAD_ID].get("nullable")
    load(pipeline, one_row, schema)
    assert ids(file) == [(1,)]


def dropped(pipeline: dlt.Pipeline, file: Path) -> Schema:
    """The schema of a load after which its table was dropped."""
    load(pipeline, one_row)
    with duckdb.connect(str(file)) as connection:
        connection.execute("DROP TABLE d.things")
    return pipeline.default_schema.clone()


def test_dlt_still_does_not_create_a_dropped_table_again(pipeline: dlt.Pipeline, file: Path) -> None:
    """When this fails: delete patches/dropped_tables.py."""
    schema = dropped(pipeline, file)
    with pytest.raises(PipelineStepFailed, match="does not exist"):
        load(pipeline, one_row, schema)


def test_a_dropped_table_is_created_again(pipeline: dlt.Pipeline, file: Path) -> None:
    schema = dropped(pipeline, file)
    make_dropped_tables_again(schema, ["things"])
    load(pipeline, one_row, schema)
    assert ids(file) == [(1,)]


def test_dlt_still_makes_tables_in_no_transaction_but_its_own(pipeline: dlt.Pipeline) -> None:
    """When this fails: delete patches/tables_in_transaction.py and call `update_stored_schema`."""
    load(pipeline, one_row)
    with pipeline.destination_client() as client:
        assert isinstance(client, SqlJobClientBase)
        with pytest.raises(DatabaseTransientException, match="transaction"), client.sql_client.begin_transaction():
            client.update_stored_schema(force=True)


def test_tables_that_are_made_in_a_transaction_are_gone_if_it_fails(pipeline: dlt.Pipeline, file: Path) -> None:
    schema = dropped(pipeline, file)
    with pipeline.destination_client() as client:
        assert isinstance(client, SqlJobClientBase)
        with pytest.raises(KeyError), client.sql_client.begin_transaction():
            make_tables(client, schema)
            raise KeyError
        with client.sql_client.begin_transaction():
            make_tables(client, schema)
    assert ids(file) == []


def test_dlt_still_fails_at_a_parquet_file_without_rows(tmp_path: Path, in_postgres: Mapping[str, str]) -> None:
    """When this fails: delete patches/empty_parquet_files.py."""
    code = f"""
import dlt, pyarrow as pa
pipeline = dlt.pipeline("p", destination="postgres", dataset_name="d", pipelines_dir={str(tmp_path)!r})
rows = dlt.resource([pa.table({{"id": pa.array([], pa.int64())}})], name="things", columns={COLUMNS!r})
pipeline.run(rows, loader_file_format="parquet")
"""
    # In a process of its own: in this one it may be mended.
    environment = {**os.environ, "LOAD__RAISE_ON_MAX_RETRIES": "1"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
    assert "Must pass schema, or at least one RecordBatch" in done.stderr

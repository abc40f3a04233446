"""Our fast path into the warehouse loads the same rows as dlt's own (slow) normaliser."""

import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dlt
import duckdb
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from platform_assets.arrow.batches import Batch
from platform_assets.arrow.buffer import ParquetBuffer
from platform_assets.declarations import BearerAuth, Client, Endpoint, OnRemoval, Platform, Resource, SinglePage
from platform_assets.warehouse.dlt_source import buffered_resource, default_naming, platform_source, table_columns

COLUMNS = {
    "id": "bigint",
    "title": "text",
    "price": "double",
    "open": "bool",
    "at": "timestamp",
    "day": "date",
    "tags": "json",
}
ROWS = Resource(
    name="rows", description="", endpoint=Endpoint(path="/rows"), columns=COLUMNS, on_removal=OnRemoval.IGNORE
)
SHOP = Platform(
    name="shop",
    title="",
    description="",
    client=Client(auth=BearerAuth(), probe="/", paginator=SinglePage()),
    resources=(ROWS,),
)


# Texts that are not a number, timestamp or bool: dlt would convert those, and we put them into variant columns.
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=("Nd",)), max_size=12).filter(
    lambda text: text.strip().lower().lstrip("+-") not in ("", "nan", "inf", "infinity", "true", "false")
)
integers = st.integers(-(2**53), 2**53)
numbers = integers | st.floats(allow_nan=False, allow_infinity=False)
times = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)).map(lambda moment: f"{moment.isoformat()}Z")
values: dict[str, st.SearchStrategy[Any]] = {
    "title": texts | integers,
    "price": numbers | st.booleans(),
    "open": st.booleans(),
    "at": times,
    "day": st.dates().map(str),
    "tags": st.lists(texts | numbers, max_size=3) | st.dictionaries(st.sampled_from(["a", "b"]), numbers, max_size=2),
}
records = st.lists(
    st.fixed_dictionaries({}, optional={name: found | st.none() for name, found in values.items()}),
    min_size=1,
    max_size=40,
)


def slow(found: list[dict[str, Any]], folder: Path, database: str) -> None:
    """Rows as dicts through dlt's extract and normalise, nested values kept as JSON."""
    hints: Any = {name: {"name": name, "data_type": kind} for name, kind in COLUMNS.items()}
    resource = dlt.resource(found, name="rows", columns=hints, max_table_nesting=0)
    pipeline(folder, "slow", database).run(platform_source(SHOP, [resource]))


def fast(found: list[dict[str, Any]], folder: Path, database: str) -> None:
    columns = table_columns(SHOP, ROWS, default_naming())
    buffer = ParquetBuffer(folder / "buffer", columns, ("id",), None, np.empty(0, np.uint64), b"", datetime.now(UTC))
    batch = Batch()
    buffer.add(batch, found, {})
    buffer.accept(batch)
    resource = buffered_resource(SHOP, ROWS, buffer.finish(), merge=False, parquet=True)
    pipeline(folder, "fast", database).run(platform_source(SHOP, [resource]), loader_file_format="parquet")


def pipeline(folder: Path, name: str, database: str) -> dlt.Pipeline:
    destination = dlt.destinations.duckdb(credentials=database)
    return dlt.pipeline(name, destination=destination, dataset_name=name, pipelines_dir=str(folder / name))


def table(connection: duckdb.DuckDBPyConnection, schema: str) -> list[dict[str, Any]]:
    cursor = connection.execute(f"SELECT * FROM {schema}.rows ORDER BY id")
    names = [column[0] for column in cursor.description or ()]
    rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    kept = [
        {name: value for name, value in row.items() if value is not None and not name.startswith("_")} for row in rows
    ]
    return [{name: json.loads(value) if name == "tags" else value for name, value in row.items()} for row in kept]


@pytest.mark.slow
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(records)
def test_equal_row_for_row_to_dlts_normaliser(found: list[dict[str, Any]]) -> None:
    """The same columns, the same variants for values of another type, the same values."""
    numbered = [{"id": number, **record} for number, record in enumerate(found)]
    with tempfile.TemporaryDirectory() as name:
        folder, database = Path(name), f"{name}/both.duckdb"
        slow([dict(record) for record in numbered], folder, database)
        fast([dict(record) for record in numbered], folder, database)
        with duckdb.connect(database, read_only=True) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            assert table(connection, "fast") == table(connection, "slow")

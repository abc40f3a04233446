"""A table's rows as Arrow, a batch at a time, whatever its size."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
from dlt.destinations.exceptions import DatabaseUndefinedRelation
from dlt.destinations.sql_client import SqlClientBase

from platform_assets.arrow.columns import ARROW_TYPES
from platform_assets.warehouse.location import destination_name

ROWS = 32_768
"""Rows of a batch; a multiple of DuckDB's vectors."""
_CURSOR = "verified_rows"


def row_batches(
    client: SqlClientBase[Any], table: str, columns: Sequence[str], types: Mapping[str, str]
) -> Iterator[pa.Table]:
    """Rows of `table` (qualified and quoted) with those of `columns` that it has; nothing where it does not exist.

    `types` maps a column to its dlt data type. JSON comes as text; of DuckDB the other types are the table's own.
    """
    there = _columns_of(client, table)
    wanted = [name for name in columns if name in there]
    if not wanted:
        return
    if destination_name() == "postgres":
        yield from _from_postgres(client, table, wanted, types)
        return
    names = ", ".join(map(client.escape_column_name, wanted))
    connection: Any = client.native_connection
    # Not by dlt's cursor: DuckDB then makes the whole result before it gives the first batch.
    for batch in connection.sql(f"SELECT {names} FROM {table}").to_arrow_reader(ROWS):
        yield pa.Table.from_batches([batch])


def _columns_of(client: SqlClientBase[Any], table: str) -> set[str]:
    try:
        with client.execute_query(f"SELECT * FROM {table} WHERE 1 = 0") as cursor:
            return {str(column[0]) for column in cursor.description or ()}
    except DatabaseUndefinedRelation:
        return set()


def _from_postgres(
    client: SqlClientBase[Any], table: str, columns: Sequence[str], types: Mapping[str, str]
) -> Iterator[pa.Table]:
    """Through a cursor of the server's: the driver would otherwise take all rows into memory first."""
    kinds = {name: types.get(name, "text") for name in columns}
    escape = client.escape_column_name
    # As text, since the driver parses JSON and so rounds its numbers.
    names = ", ".join(f"{escape(n)}::text" if k in ("json", "text") else escape(n) for n, k in kinds.items())
    with client.begin_transaction():
        client.execute_sql(f"DECLARE {_CURSOR} NO SCROLL CURSOR FOR SELECT {names} FROM {table}")
        while rows := client.execute_sql(f"FETCH {ROWS} FROM {_CURSOR}"):
            values = zip(*rows, strict=True)
            arrays = [pa.array(found, ARROW_TYPES[kind]) for found, kind in zip(values, kinds.values(), strict=True)]
            yield pa.table(arrays, names=list(columns))
        client.execute_sql(f"CLOSE {_CURSOR}")

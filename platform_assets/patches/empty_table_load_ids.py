"""dlt requires a load id in tables that it made without a row, and rows loaded from Parquet have none.

A resource that yields only `dlt.mark.materialize_table_schema()` gets the column `_dlt_load_id` with NOT NULL (dlt
1.31), whereas one whose rows come as Arrow or Parquet does not get the column at all. The first row of such a table
then fails: "NOT NULL constraint failed". Our own loads avoid the mark (see warehouse/dlt_source.py), so this is for
tables that earlier versions made. tests/patches/test_dlt_tables.py says when it can go.
"""

from collections.abc import Iterator
from typing import Any

from dlt.common.schema import Schema
from dlt.destinations.sql_client import SqlClientBase

# dlt's name of the column.
LOAD_ID = "_dlt_load_id"


def allow_rows_without_load_id(schema: Schema, client: SqlClientBase[Any]) -> None:
    """Drop NOT NULL from the load id of the tables of `schema`: in the schema itself and in the warehouse."""
    for name, table in schema.tables.items():
        column = table.get("columns", {}).get(LOAD_ID)
        if name.startswith("_dlt") or column is None or column.get("nullable", True):
            continue
        column["nullable"] = True
        for target in _tables_that_require_it(client, name):
            client.execute_sql(f"ALTER TABLE {target} ALTER COLUMN {client.escape_column_name(LOAD_ID)} DROP NOT NULL")


def _tables_that_require_it(client: SqlClientBase[Any], name: str) -> Iterator[str]:
    """The table and its staging copy, as qualified names, if their load id is NOT NULL."""
    for dataset in (client.dataset_name, client.staging_dataset_name):
        rows = client.execute_sql(
            "SELECT 1 FROM information_schema.columns WHERE table_schema = %s AND table_name = %s"
            " AND column_name = %s AND is_nullable = 'NO'",
            dataset,
            name,
            LOAD_ID,
        )
        if rows:
            with client.with_alternative_dataset_name(dataset):
                target = client.make_qualified_table_name(name)
            yield target

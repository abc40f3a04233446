"""dlt makes a schema's tables in a transaction of its own, so not in one with the rows that belong to them (dlt 1.31).

`update_stored_schema` begins a transaction, and neither DuckDB nor Postgres has one inside another. What it does inside
is called here. tests/patches/test_dlt_tables.py says when it can go.
"""

from dlt.common.schema import Schema
from dlt.destinations.job_client_impl import SqlJobClientBase


def make_tables(client: SqlJobClientBase, schema: Schema) -> None:
    """Make the tables of `schema` and store it, in the caller's transaction. `client` then has this schema."""
    client.schema = schema
    client._execute_schema_update_sql(None, store_schema=True)  # pyright: ignore[reportArgumentType] -- None is all tables

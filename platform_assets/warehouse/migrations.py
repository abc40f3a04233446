"""Brings our own tables of an earlier release to the form that this release reads and writes.

The table `_sync_version` of each platform's schema says how many of `MIGRATIONS` its tables have had. A new warehouse
is made in the newest form (state.py) and has had all of them. Tables without `_sync_version` are of a release that did
not record it; which of their columns they lack differs, so migrations add only what is missing.

To change our tables: change their columns where they are declared, and append a migration. Migrations that have been
released stay as they are, with their own copy of what they add: the declared columns are those of the newest form.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from platform_assets.warehouse import state
from platform_assets.warehouse.errors import WarehouseError

if TYPE_CHECKING:
    from dlt.destinations.job_client_impl import SqlJobClientBase
    from dlt.destinations.sql_client import SqlClientBase

    from platform_assets.warehouse.backends import Queries

TABLE = "_sync_version"
_COLUMN = "version"


@dataclass(frozen=True)
class OwnTables:
    """What a migration works with.

    Attributes:
        types: dlt data type -> the destination's.
        columns: table -> its columns, kept up to date by the methods.
    """

    client: SqlClientBase[Any]
    types: Mapping[str, str]
    columns: dict[str, set[str]]

    def create(self, table: str, columns: Mapping[str, str]) -> None:
        """Create a table (column -> dlt data type) if it is missing."""
        if table not in self.columns:
            defined = ", ".join(self._definition(name, kind) for name, kind in columns.items())
            self.client.execute_sql(f"CREATE TABLE {self.client.make_qualified_table_name(table)} ({defined})")
            self.columns[table] = set(columns)

    def add_column(self, table: str, name: str, data_type: str) -> None:
        """Add a column to a table if it is missing; it is null in the table's rows."""
        if name not in self.columns[table]:
            target = self.client.make_qualified_table_name(table)
            self.client.execute_sql(f"ALTER TABLE {target} ADD COLUMN {self._definition(name, data_type)}")
            self.columns[table].add(name)

    def _definition(self, name: str, data_type: str) -> str:
        return f"{self.client.escape_column_name(name)} {self.types[data_type]}"


def _progress(tables: OwnTables) -> None:
    columns = dict.fromkeys(("resource", "parent", "partition_key", "parent_cursor", "status", "error"), "text")
    moments = dict.fromkeys(("cursor_value", "attempted_at", "succeeded_at"), "timestamp")
    tables.create("_sync_state", {**columns, **moments, "rows_read": "bigint", "rows_loaded": "bigint"})


def _log_of_syncs(tables: OwnTables) -> None:
    moments = dict.fromkeys(("started_at", "ended_at"), "timestamp")
    counts = dict.fromkeys(("reads", "failed_reads", "skipped_reads", "requests", "retries"), "bigint")
    rows = dict.fromkeys(("rows_read", "rows_loaded", "rows_removed"), "bigint")
    texts = {"status": "text", "error": "text"}
    columns = {"resource": "text", **moments, **texts, **counts, "seconds_waited": "double", **rows}
    tables.create("_sync_log", columns)


def _account_and_contents(tables: OwnTables) -> None:
    """Whose data the tables hold, what they held, and which column a field has; parents by their own key."""
    tables.add_column("_sync_state", "parent_id", "text")
    held = {"row_count": "bigint", "newest_loaded_at": "timestamp", "is_loading": "bool"}
    tables.create("_sync_tables", {"resource": "text", **held})
    tables.create("_sync_source", dict.fromkeys(("origin", "contract", "account", "credential"), "text"))
    tables.create("_sync_columns", dict.fromkeys(("resource", "field", "column_name"), "text"))


def _unfinished_reads(tables: OwnTables) -> None:
    tables.add_column("_sync_state", "unread_before", "text")


# In the order of the releases that needed them. Never remove or reorder one.
MIGRATIONS: Sequence[Callable[[OwnTables], None]] = (
    _progress,
    _log_of_syncs,
    _account_and_contents,
    _unfinished_reads,
)
VERSION = len(MIGRATIONS)


def recorded_version(client: SqlClientBase[Any]) -> int | None:
    """The version of our tables in the dataset of `client`, None without any.

    It is 0 if they do not say, or if one is missing that somebody has dropped: then every migration looks for it.
    """
    from dlt.destinations.exceptions import DatabaseUndefinedRelation

    with suppress(DatabaseUndefinedRelation):
        return _version_of_all(client)
    rows = client.execute_sql(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = %s", client.dataset_name
    )
    found = {str(row[0]) for row in rows or ()} & {*state.TABLES, TABLE}
    if not found:
        return None
    version = read_version(client) if TABLE in found else 0
    return version if version > VERSION or len(found) > len(state.TABLES) else 0


def _version_of_all(client: SqlClientBase[Any]) -> int:
    """What `_sync_version` says, if no table of ours is missing. Raises DatabaseUndefinedRelation if one is.

    Asked in every session: DuckDB takes 20 times as long to list the tables of a schema.
    """
    name, table = client.escape_column_name(_COLUMN), client.make_qualified_table_name(TABLE)
    others = (client.make_qualified_table_name(other) for other in state.TABLES)
    exist = " AND ".join(f"NOT EXISTS (SELECT 1 FROM {other} WHERE 1 = 0)" for other in others)
    rows = client.execute_sql(f"SELECT max({name}) FROM {table} WHERE {exist}")
    return int(rows[0][0] or 0) if rows else 0


def read_version(client: Queries) -> int:
    """What `_sync_version` says. Raises what `client` raises if there is no such table."""
    name, table = client.escape_column_name(_COLUMN), client.make_qualified_table_name(TABLE)
    rows = client.execute_sql(f"SELECT max({name}) FROM {table}")
    return int(rows[0][0] or 0) if rows else 0


def refuse_newer(tables: str, version: int | None) -> None:
    """Raise WarehouseError if `tables`, e.g. "the tables of crm in the warehouse", are of a newer release than this."""
    if version is not None and version > VERSION:
        raise WarehouseError(
            f"{tables} were written by a newer release (version {version} of our own tables, this release knows"
            f" {VERSION}): nothing was changed; upgrade platform-assets"
        )


def make_own_tables(client: SqlJobClientBase) -> None:
    """Make our tables in the newest form, in one transaction. Call with the warehouse held and without such tables."""
    sql = client.sql_client
    types = state.column_types(client)
    with sql.begin_transaction():
        state.create_tables(sql, types)
        record(OwnTables(sql, types, {}), VERSION)


def migrate(client: SqlJobClientBase, version: int) -> None:
    """Bring tables of `version` to the newest one, in one transaction: all of it or, in a crash, nothing.

    Call with the warehouse held, so that no other process migrates them too.
    """
    if version >= VERSION:
        return
    sql = client.sql_client
    types = state.column_types(client)
    columns: dict[str, set[str]] = {}
    query = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = %s"
    for table, column in sql.execute_sql(query, sql.dataset_name) or ():
        columns.setdefault(str(table), set()).add(str(column))
    with sql.begin_transaction():
        tables = OwnTables(sql, types, columns)
        for change in MIGRATIONS[version:]:
            change(tables)
        record(tables, VERSION)


def record(tables: OwnTables, version: int) -> None:
    """Record the version of our tables. Call inside a transaction."""
    tables.create(TABLE, {_COLUMN: "bigint"})
    client = tables.client
    target = client.make_qualified_table_name(TABLE)
    client.execute_sql(f"DELETE FROM {target}")
    client.execute_sql(f"INSERT INTO {target} ({client.escape_column_name(_COLUMN)}) VALUES (%s)", version)

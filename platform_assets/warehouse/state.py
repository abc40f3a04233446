"""Our own tables: progress per resource and parent, the log of syncs, and what the tables of resources held.

`_sync_state` has cursors and failures, a row per (resource, parent). dlt's own state would be one document per
pipeline, in which the later of two concurrent runs erases the earlier one's cursors; rows are independent of each
other, also when there are 10^5 parents. `_sync_log` is append-only. `_sync_tables` has the row count of each table
after its last load, by which the next sync notices rows that somebody else removed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from platform_assets.warehouse import column_names, source_account
from platform_assets.warehouse.indexes import is_one_of

if TYPE_CHECKING:
    from dlt.destinations.job_client_impl import SqlJobClientBase
    from dlt.destinations.sql_client import SqlClientBase

    from platform_assets.warehouse.backends import Queries

TABLE = "_sync_state"
_CHUNK = 500
# Rows fetched at once.
_FETCH = 50_000
# More parents than these are picked out of all that are on record: each lookup reads the whole table, or an index.
_LOOKED_UP = 2_000
_LOOKED_UP_BY_INDEX = 20_000
COLUMNS = (
    ("resource", "text"),
    ("parent", "text"),
    ("parent_id", "text"),
    ("partition_key", "text"),
    ("cursor_value", "timestamp"),
    ("unread_before", "text"),
    ("parent_cursor", "text"),
    ("status", "text"),
    ("error", "text"),
    ("rows_read", "bigint"),
    ("rows_loaded", "bigint"),
    ("attempted_at", "timestamp"),
    ("succeeded_at", "timestamp"),
)
LOG_TABLE = "_sync_log"
LOG_COLUMNS = (
    ("resource", "text"),
    ("started_at", "timestamp"),
    ("ended_at", "timestamp"),
    ("status", "text"),
    ("error", "text"),
    ("reads", "bigint"),
    ("failed_reads", "bigint"),
    ("skipped_reads", "bigint"),
    ("requests", "bigint"),
    ("retries", "bigint"),
    ("seconds_waited", "double"),
    ("rows_read", "bigint"),
    ("rows_loaded", "bigint"),
    ("rows_removed", "bigint"),
)
# Of a row of the log: whether this sync loaded any of the resource. Also part of dbt's sources.
LOADED = "(status = 'ok' or failed_reads < reads)"


TABLES_TABLE = "_sync_tables"
TABLES_COLUMNS = (
    ("resource", "text"),
    ("row_count", "bigint"),
    ("newest_loaded_at", "timestamp"),
    ("is_loading", "bool"),
)
# All of our tables but the one with their version (migrations.py), with their columns and dlt data types.
TABLES: Mapping[str, Sequence[tuple[str, str]]] = {
    TABLE: COLUMNS,
    LOG_TABLE: LOG_COLUMNS,
    TABLES_TABLE: TABLES_COLUMNS,
    source_account.TABLE: source_account.COLUMNS,
    column_names.TABLE: column_names.COLUMNS,
}


class Status(StrEnum):
    """How the last attempt at a resource or parent ended."""

    OK = "ok"
    FAILED = "failed"
    # The parent answered 403, 404 or 410.
    SKIPPED = "skipped"


@dataclass(frozen=True, kw_only=True)
class Progress:
    """State of one resource (`parent` empty) or of one parent of it.

    Attributes:
        parent: the text in the path; a slug may be reused by another parent.
        parent_id: the parent's own key: progress counts only for the parent that it was made for.
        partition_key: Dagster's partition of the parent.
        cursor_value: newest cursor value that was read for certain.
        unread_before: upper bound of what an unfinished first read has left, as the list is asked for it (a time, or an
            id); None if everything older than the cursor was read.
        parent_cursor: version of the parent when its children were read.
        rows_read: records in the answers of the last success.
        rows_loaded: of these, new or changed.
        attempted_at: when the last attempt began.
        succeeded_at: when the last read began that was complete but for what is `unread_before`.
        starts_anew: of an attempt: earlier state does not count. Not recorded.
    """

    resource: str
    parent: str = ""
    parent_id: str | None = None
    partition_key: str = ""
    cursor_value: datetime | None = None
    unread_before: str | None = None
    parent_cursor: str | None = None
    status: Status = Status.OK
    error: str | None = None
    rows_read: int = 0
    rows_loaded: int = 0
    attempted_at: datetime | None = None
    succeeded_at: datetime | None = None
    starts_anew: bool = False

    def after(self, attempt: Progress) -> Progress:
        """This state followed by `attempt`: a cursor never goes back, a failure keeps the last success.

        A failed or skipped parent stays due. Earlier state does not count for another parent under the same name, nor
        for a resource whose rows are no longer those that its state was made for (`attempt.starts_anew`).
        """
        before = self
        if attempt.starts_anew or not self.is_of(attempt.parent_id):
            before = Progress(resource=self.resource, parent=self.parent)
        if attempt.status is not Status.OK:
            return replace(
                before,
                parent_id=attempt.parent_id,
                partition_key=attempt.partition_key,
                status=attempt.status,
                error=attempt.error,
                attempted_at=attempt.attempted_at,
            )
        cursors = [cursor for cursor in (before.cursor_value, attempt.cursor_value) if cursor is not None]
        return replace(attempt, cursor_value=max(cursors, default=None))

    def is_of(self, parent_id: str | None) -> bool:
        """Whether this is the state of the parent with that key; without a key on one side the name decides."""
        return None in (self.parent_id, parent_id) or self.parent_id == parent_id


@dataclass(frozen=True, kw_only=True)
class LogEntry:
    """One resource in one sync, a row of the log. `reads` counts its parents; it is 1 without parents."""

    resource: str
    started_at: datetime
    ended_at: datetime
    status: Status
    error: str | None
    reads: int
    failed_reads: int
    skipped_reads: int
    requests: int
    retries: int
    seconds_waited: float
    rows_read: int
    rows_loaded: int
    rows_removed: int


@dataclass(frozen=True)
class TableContent:
    """What a table held when its state was written.

    Attributes:
        row_count: all rows, soft-deleted ones included.
        newest_loaded_at: newest `_loaded_at`.
        is_loading: a load began and its end was not recorded: the table may have rows that the numbers do not count.
    """

    row_count: int
    newest_loaded_at: datetime | None
    is_loading: bool = False

    def is_still(self, found: TableContent) -> bool:
        """Whether `found` can be this content: the same, or more of it if a load was cut off."""
        if not self.is_loading:
            return (self.row_count, self.newest_loaded_at) == (found.row_count, found.newest_loaded_at)
        newest = found.newest_loaded_at
        return found.row_count >= self.row_count and (
            self.newest_loaded_at is None or (newest is not None and newest >= self.newest_loaded_at)
        )


def column_types(client: SqlJobClientBase) -> dict[str, str]:
    """dlt data type -> the destination's, of the columns of our own tables."""
    kinds = sorted({kind for columns in TABLES.values() for _, kind in columns})
    return {kind: _destination_type(client.type_mapper, kind) for kind in kinds}


def _destination_type(mapper: Any, data_type: str) -> str:
    column = {"name": "c", "data_type": data_type, "nullable": True}
    return str(mapper.to_destination_type(column, {"name": "t", "columns": {}}))


def create_tables(client: SqlClientBase[Any], types: Mapping[str, str]) -> None:
    """Create our tables where none of them is. Those of earlier releases are for migrations.py.

    Args:
        types: dlt data type -> the destination's; see `column_types`.
    """
    for table, columns in TABLES.items():
        defined = ", ".join(f"{client.escape_column_name(name)} {types[data_type]}" for name, data_type in columns)
        client.execute_sql(f"CREATE TABLE IF NOT EXISTS {client.make_qualified_table_name(table)} ({defined})")


def table_contents(client: SqlClientBase[Any]) -> dict[str, TableContent]:
    """Resource -> what its table held when its state was last written."""
    columns = ", ".join(client.escape_column_name(name) for name, _ in TABLES_COLUMNS)
    rows = client.execute_sql(f"SELECT {columns} FROM {client.make_qualified_table_name(TABLES_TABLE)}")
    return {str(row[0]): TableContent(int(row[1]), row[2], bool(row[3])) for row in rows or ()}


def write_table_contents(client: SqlClientBase[Any], contents: Mapping[str, TableContent]) -> None:
    """Replace what is recorded of some tables. Call inside a transaction."""
    target = client.make_qualified_table_name(TABLES_TABLE)
    for resource, content in contents.items():
        client.execute_sql(f"DELETE FROM {target} WHERE {client.escape_column_name('resource')} = %s", resource)
        client.execute_sql(
            f"INSERT INTO {target} ({', '.join(client.escape_column_name(name) for name, _ in TABLES_COLUMNS)})"
            " VALUES (%s, %s, %s, %s)",
            resource,
            content.row_count,
            content.newest_loaded_at,
            content.is_loading,
        )


def read(client: Queries, resources: Iterable[str]) -> dict[tuple[str, str], Progress]:
    """State of `resources`, by (resource, parent)."""
    names = list(resources)
    wanted = [name for name, _ in COLUMNS]
    columns = ", ".join(map(client.escape_column_name, wanted))
    marks = ", ".join(["%s"] * len(names))
    rows = client.execute_sql(
        f"SELECT {columns} FROM {client.make_qualified_table_name(TABLE)}"
        f" WHERE {client.escape_column_name('resource')} IN ({marks})",
        *names,
    )
    every = (_progress(wanted, row) for row in rows or ())
    return {(progress.resource, progress.parent): progress for progress in every}


@dataclass(frozen=True)
class Summary:
    """What is on record of all reads of a resource, of which there is one per parent.

    Attributes:
        reads: how many.
        skipped: how many of them the server refused.
        newest_cursor: newest cursor value of any.
        failed: parent -> reason, of those whose last attempt failed.
        unread_before: parent -> see `Progress.unread_before`, of those that have left something.
    """

    reads: int = 0
    skipped: int = 0
    newest_cursor: datetime | None = None
    failed: Mapping[str, str] = field(default_factory=dict)
    unread_before: Mapping[str, str] = field(default_factory=dict)


def summaries(client: Queries, existing: Collection[str]) -> dict[str, Summary]:
    """Resource -> summary of its state. The database counts, since there may be a million parents.

    Args:
        existing: columns of the table, which may be of an earlier version.
    """
    table = client.make_qualified_table_name(TABLE)
    left = "unread_before" if "unread_before" in existing else "NULL"
    noted: dict[str, tuple[dict[str, str], dict[str, str]]] = {}
    for resource, parent, status, error, unread in (
        client.execute_sql(
            f"SELECT resource, parent, status, error, {left} FROM {table}"
            f" WHERE status = '{Status.FAILED}' OR {left} IS NOT NULL ORDER BY resource, parent"
        )
        or ()
    ):
        failed, unread_before = noted.setdefault(resource, ({}, {}))
        if status == Status.FAILED:
            failed[parent] = error or ""
        if unread is not None:
            unread_before[parent] = unread
    counted = client.execute_sql(
        f"SELECT resource, count(*), sum(CASE WHEN status = '{Status.SKIPPED}' THEN 1 ELSE 0 END), max(cursor_value)"
        f" FROM {table} GROUP BY resource"
    )
    return {
        str(resource): Summary(int(reads), int(skipped), newest, *noted.get(resource, ()))
        for resource, reads, skipped, newest in counted or ()
    }


def read_some(
    client: SqlClientBase[Any], resource: str, parents: Collection[str], text_hash: str | None
) -> dict[str, Progress]:
    """State of some parents of a resource, by parent. What is on record of the others is never held in memory.

    Args:
        text_hash: see `Backend`.
    """
    names = [name for name, _ in COLUMNS]
    columns = ", ".join(map(client.escape_column_name, names))
    query = (
        f"SELECT {columns} FROM {client.make_qualified_table_name(TABLE)}"
        f" WHERE {client.escape_column_name('resource')} = %s"
    )
    found: dict[str, Progress] = {}
    if len(parents) > (_LOOKED_UP if text_hash is None else _LOOKED_UP_BY_INDEX):
        place = names.index("parent")
        with client.execute_query(query, resource) as cursor:
            for rows in cursor.iter_fetch(_FETCH):
                found.update((row[place], _progress(names, row)) for row in rows if row[place] in parents)
        return found
    wanted = list(parents)
    for start in range(0, len(wanted), _CHUNK):
        condition, values = is_one_of(client.escape_column_name("parent"), wanted[start : start + _CHUNK], text_hash)
        for row in client.execute_sql(f"{query} AND {condition}", resource, *values) or ():
            progress = _progress(names, row)
            found[progress.parent] = progress
    return found


def settled(client: SqlClientBase[Any], resource: str) -> Iterator[list[tuple[str, str | None, str | None]]]:
    """(parent, its version, its own key) of the parents whose last read was a success, in lists of up to 50,000."""
    names = ("parent", "parent_cursor", "parent_id", "resource", "status")
    parent, version, id, name, status = (client.escape_column_name(column) for column in names)
    with client.execute_query(
        f"SELECT {parent}, {version}, {id} FROM {client.make_qualified_table_name(TABLE)}"
        f" WHERE {name} = %s AND {status} = %s",
        resource,
        str(Status.OK),
    ) as cursor:
        yield from cursor.iter_fetch(_FETCH)


def _progress(names: Sequence[str], row: Sequence[Any]) -> Progress:
    values = dict(zip(names, row, strict=True))
    values["status"] = Status(values["status"])
    return Progress(**values)


def last_loads(client: Queries) -> dict[str, datetime]:
    """Resource -> when it, or any parent of it, was last loaded; Dagster and `dbt source freshness` count the same."""
    rows = client.execute_sql(
        f"SELECT resource, max(ended_at) FROM {client.make_qualified_table_name(LOG_TABLE)}"
        f" WHERE {LOADED} GROUP BY resource"
    )
    return {str(row[0]): row[1] for row in rows or ()}


def failed(client: SqlClientBase[Any], resource: str) -> list[tuple[str, str]]:
    """(parent, reason) of the parents of `resource` whose last attempt failed."""
    parent, error, status, name = (client.escape_column_name(c) for c in ("parent", "error", "status", "resource"))
    rows = client.execute_sql(
        f"SELECT {parent}, {error} FROM {client.make_qualified_table_name(TABLE)}"
        f" WHERE {name} = %s AND {status} = %s ORDER BY {parent}",
        resource,
        str(Status.FAILED),
    )
    return [(str(row[0]), str(row[1])) for row in rows or ()]


def read_before(
    client: SqlClientBase[Any], resource: str, moment: datetime, *, only_failed: bool = False
) -> list[tuple[str, datetime | None, Status]]:
    """(parent, last success, status) of the parents of `resource` that were not read to their end since `moment`.

    Args:
        only_failed: leave out the others, of which there may be millions.
    """
    names = ("parent", "succeeded_at", "status", "resource")
    parent, success, status, name = (client.escape_column_name(column) for column in names)
    condition = f" AND {status} = '{Status.FAILED}'" if only_failed else ""
    rows = client.execute_sql(
        f"SELECT {parent}, {success}, {status} FROM {client.make_qualified_table_name(TABLE)}"
        f" WHERE {name} = %s AND ({success} < %s OR {success} IS NULL){condition} ORDER BY {parent}",
        resource,
        moment,
    )
    return [(str(row[0]), row[1], Status(row[2])) for row in rows or ()]


def write(client: SqlClientBase[Any], attempts: Iterable[Progress], text_hash: str | None) -> None:
    """Merge attempts into the state. Call inside a transaction.

    The rows are read again here, not taken from memory: a concurrent run may have changed them.

    Args:
        text_hash: see `Backend`.
    """
    pending = list(attempts)
    if not pending:
        return
    table = client.make_qualified_table_name(TABLE)
    tried: dict[str, set[str]] = {}
    for attempt in pending:
        tried.setdefault(attempt.resource, set()).add(attempt.parent)
    before = {name: read_some(client, name, parents, text_hash) for name, parents in tried.items()}
    resource, parent = client.escape_column_name("resource"), client.escape_column_name("parent")
    for start in range(0, len(pending), _CHUNK):
        chunk = pending[start : start + _CHUNK]
        rows = [
            before[a.resource].get(a.parent, Progress(resource=a.resource, parent=a.parent)).after(a) for a in chunk
        ]
        for name in sorted({row.resource for row in rows}):
            keys = [row.parent for row in rows if row.resource == name]
            condition, values = is_one_of(parent, keys, text_hash)
            client.execute_sql(f"DELETE FROM {table} WHERE {resource} = %s AND {condition}", name, *values)
        _insert(client, TABLE, [name for name, _ in COLUMNS], rows)


def append(client: SqlClientBase[Any], entries: Sequence[LogEntry]) -> None:
    """Add entries to the log, which is never changed. Call inside a transaction."""
    _insert(client, LOG_TABLE, [name for name, _ in LOG_COLUMNS], entries)


def _insert(client: SqlClientBase[Any], table: str, names: Sequence[str], rows: Sequence[Any]) -> None:
    if not rows:
        return
    columns = ", ".join(client.escape_column_name(name) for name in names)
    marks = ", ".join(["(" + ", ".join(["%s"] * len(names)) + ")"] * len(rows))
    values = [_value(getattr(row, name)) for row in rows for name in names]
    client.execute_sql(f"INSERT INTO {client.make_qualified_table_name(table)} ({columns}) VALUES {marks}", *values)


def _value(value: Any) -> Any:
    return str(value) if isinstance(value, Status) else value

"""What was read, per resource and parent: cursors and standing failures, in the warehouse itself.

dlt's own state is one document per pipeline: of two runs at once the later would erase the earlier one's
cursors. One row per (resource, parent) has no such neighbour, and stays flat with 10^5 parents.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from dlt.destinations.sql_client import SqlClientBase

TABLE = "_sync_state"
_CHUNK = 500
COLUMNS = (
    ("resource", "text"),
    ("parent", "text"),
    ("partition_key", "text"),
    ("cursor_value", "timestamp"),
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


class Status(StrEnum):
    """How the last attempt at a resource or parent ended."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"
    """The parent answered 403, 404 or 410."""


@dataclass(frozen=True, kw_only=True)
class Progress:
    """State of one resource (`parent` empty) or of one parent of it."""

    resource: str
    parent: str = ""
    partition_key: str = ""
    cursor_value: datetime | None = None
    parent_cursor: str | None = None
    status: Status = Status.OK
    error: str | None = None
    rows_read: int = 0
    rows_loaded: int = 0
    attempted_at: datetime | None = None
    succeeded_at: datetime | None = None

    def after(self, attempt: "Progress") -> "Progress":
        """This state followed by `attempt`: a cursor never goes back, a failure keeps the last success."""
        if attempt.status is not Status.OK:
            return replace(
                self,
                partition_key=attempt.partition_key,
                # A parent that is skipped is asked again when it changes, a failed one at the next run.
                parent_cursor=attempt.parent_cursor if attempt.status is Status.SKIPPED else self.parent_cursor,
                status=attempt.status,
                error=attempt.error,
                attempted_at=attempt.attempted_at,
            )
        cursors = [cursor for cursor in (self.cursor_value, attempt.cursor_value) if cursor is not None]
        return replace(attempt, cursor_value=max(cursors, default=None))


@dataclass(frozen=True, kw_only=True)
class LogEntry:
    """One resource in one sync; `reads` counts its parents, 1 without any. The fields are the log's columns."""

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


def create_tables(client: SqlClientBase[Any], types: Mapping[str, str]) -> None:
    """Create the state and the log where they are missing. `types` maps dlt data types to the destination's."""
    for table, named in ((TABLE, COLUMNS), (LOG_TABLE, LOG_COLUMNS)):
        columns = ", ".join(f"{client.escape_column_name(name)} {types[data_type]}" for name, data_type in named)
        client.execute_sql(f"CREATE TABLE IF NOT EXISTS {client.make_qualified_table_name(table)} ({columns})")


def read(client: SqlClientBase[Any], resources: Iterable[str]) -> dict[tuple[str, str], Progress]:
    """State of `resources`, by (resource, parent)."""
    names = list(resources)
    columns = ", ".join(client.escape_column_name(name) for name, _ in COLUMNS)
    marks = ", ".join(["%s"] * len(names))
    rows = client.execute_sql(
        f"SELECT {columns} FROM {client.make_qualified_table_name(TABLE)}"
        f" WHERE {client.escape_column_name('resource')} IN ({marks})",
        *names,
    )
    found: dict[tuple[str, str], Progress] = {}
    for row in rows or ():
        values = dict(zip((name for name, _ in COLUMNS), row, strict=True))
        values["status"] = Status(values["status"])
        progress = Progress(**values)
        found[progress.resource, progress.parent] = progress
    return found


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
    client: SqlClientBase[Any], resource: str, moment: datetime
) -> list[tuple[str, datetime | None, Status]]:
    """(parent, last success, status) of what of `resource` was not read to its end since `moment`."""
    names = ("parent", "succeeded_at", "status", "resource")
    parent, success, status, name = (client.escape_column_name(column) for column in names)
    rows = client.execute_sql(
        f"SELECT {parent}, {success}, {status} FROM {client.make_qualified_table_name(TABLE)}"
        f" WHERE {name} = %s AND ({success} < %s OR {success} IS NULL) ORDER BY {parent}",
        resource,
        moment,
    )
    return [(str(row[0]), row[1], Status(row[2])) for row in rows or ()]


def write(client: SqlClientBase[Any], attempts: Iterable[Progress]) -> None:
    """Merge attempts into the state. Call inside a transaction.

    The rows are read again here, not taken from memory: a run beside this one may have moved them.
    """
    pending = list(attempts)
    if not pending:
        return
    table = client.make_qualified_table_name(TABLE)
    before = read(client, sorted({attempt.resource for attempt in pending}))
    resource, parent = client.escape_column_name("resource"), client.escape_column_name("parent")
    for start in range(0, len(pending), _CHUNK):
        chunk = pending[start : start + _CHUNK]
        rows = [
            before.get((a.resource, a.parent), Progress(resource=a.resource, parent=a.parent)).after(a) for a in chunk
        ]
        for name in sorted({row.resource for row in rows}):
            keys = [row.parent for row in rows if row.resource == name]
            marks = ", ".join(["%s"] * len(keys))
            client.execute_sql(f"DELETE FROM {table} WHERE {resource} = %s AND {parent} IN ({marks})", name, *keys)
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

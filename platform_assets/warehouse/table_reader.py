"""Queries of what a platform's tables hold. A table or column that does not exist yet counts as empty."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa
from dlt.common.schema import Schema
from dlt.destinations.exceptions import DatabaseUndefinedRelation
from dlt.destinations.sql_client import SqlClientBase

from platform_assets.arrow.conversion import convert
from platform_assets.declarations import Platform
from platform_assets.warehouse.backends import Backend
from platform_assets.warehouse.row_filter import RowFilter
from platform_assets.warehouse.state import TableContent
from platform_assets.warehouse.table_layout import DELETED_AT, LOADED_AT

# Values in one IN list.
_CHUNK = 500
# Rows fetched at once.
_FETCH = 50_000


class TableReader:
    """Reads one platform's tables through an open client, while the warehouse is held.

    Table and column names are the warehouse's spelling, not the API's.

    Attributes:
        schema: dlt's schema of the tables as the warehouse has it, None before the first load.
    """

    def __init__(self, platform: Platform, backend: Backend, client: SqlClientBase[Any], schema: Schema | None) -> None:
        self._platform = platform
        self._backend = backend
        self._client = client
        self.schema = schema

    @property
    def holds_nul(self) -> bool:
        """Whether texts may have U+0000; see `Backend.holds_nul`."""
        return self._backend.holds_nul

    @property
    def longest_name(self) -> int:
        """How long the name of a column may be in this warehouse."""
        limits = self._client.capabilities
        return min(limits.max_identifier_length, limits.max_column_identifier_length)

    @property
    def naming(self) -> Any:
        """dlt's naming convention in this warehouse."""
        naming = (self.schema or Schema(self._platform.name)).naming
        # As dlt will have it during the load; a schema alone does not know the destination's limit.
        return type(naming)(self.longest_name)

    def column_types(self, table: str) -> dict[str, str]:
        """Column -> dlt data type of a loaded table; empty before its first load."""
        if self.schema is None or table not in self.schema.tables:
            return {}
        columns = self.schema.get_table_columns(table)
        return {name: str(column["data_type"]) for name, column in columns.items() if "data_type" in column}

    def has_table(self, table: str) -> bool:
        """Whether the table exists in the warehouse, whatever the schema says."""
        return self._client.has_dataset() and self._rows(f"SELECT 1 FROM {self._name(table)} WHERE 1 = 0") is not None

    def is_empty(self, table: str) -> bool:
        """Whether the table is missing or has no row."""
        return not self._rows(f"SELECT 1 FROM {self._name(table)} LIMIT 1")

    def holds_rows(self) -> bool:
        """Whether any resource of the platform has a row."""
        return any(not self.is_empty(resource.name) for resource in self._platform.resources)

    def count(self, table: str) -> int:
        """All rows of a table, soft-deleted ones included."""
        rows = self._rows(f"SELECT count(*) FROM {self._name(table)}")
        return int(rows[0][0]) if rows else 0

    def content(self, table: str) -> TableContent:
        """How many rows the table holds now and when the newest was loaded. Raises if it does not exist.

        Not "empty" then: the error has ended the transaction in which this is asked.
        """
        loaded_at = self._client.escape_column_name(LOADED_AT)
        rows = self._client.execute_sql(f"SELECT count(*), max({loaded_at}) FROM {self._name(table)}")
        count, newest = (rows or [(0, None)])[0]
        return TableContent(int(count), newest)

    def current_values(
        self, table: str, columns: Sequence[str], part: RowFilter | None = None
    ) -> Iterator[list[tuple[Any, ...]]]:
        """Values of `columns` in the rows that are not soft-deleted, in lists of up to 50,000 rows.

        Args:
            part: keeps it to some of the rows.

        Nothing is yielded if the table or a column is missing.
        """
        names = ", ".join(self._client.escape_column_name(column) for column in columns)
        condition, arguments = self._where(table, part or RowFilter())
        try:
            with self._client.execute_query(f"SELECT {names} FROM {self._name(table)}{condition}", *arguments) as rows:
                yield from rows.iter_fetch(_FETCH)
        except DatabaseUndefinedRelation:
            return

    def row_batches(self, table: str, columns: Sequence[str], types: Mapping[str, str]) -> Iterator[pa.Table]:
        """All rows of a table as Arrow, soft-deleted ones too, in batches that fit in memory whatever the table's size.

        Args:
            columns: the columns to read; those that the table does not have are left out.
            types: column -> dlt data type, `text` if absent. JSON comes as text.
        """
        existing = self._existing_columns(table)
        wanted = {name: types.get(name, "text") for name in columns if name in existing}
        if wanted:
            yield from self._backend.read_batches(self._client, self._name(table), wanted)

    def held(self, table: str, column: str, values: Sequence[str]) -> set[str]:
        """Those of `values` that a row which is not soft-deleted has in `column`."""
        name = self._client.escape_column_name(column)
        condition, _ = self._where(table, RowFilter())
        where = f"{condition} AND" if condition else " WHERE"
        found: set[str] = set()
        for start in range(0, len(values), _CHUNK):
            chunk = values[start : start + _CHUNK]
            marks = ", ".join(["%s"] * len(chunk))
            rows = self._rows(f"SELECT {name} FROM {self._name(table)}{where} {name} IN ({marks})", *chunk)
            found.update(str(row[0]) for row in rows or ())
        return found

    def oldest(self, table: str, column: str, field: str, values: Sequence[str]) -> datetime | None:
        """Smallest moment in `column` of the rows whose `field` is one of `values`, None without any."""
        marks = ", ".join(["%s"] * len(values))
        return self._oldest(table, column, f" WHERE {self._client.escape_column_name(field)} IN ({marks})", values)

    def oldest_moment(self, table: str, column: str) -> datetime | None:
        """Smallest moment in a column, None without one."""
        return self._oldest(table, column, "", ())

    def _oldest(self, table: str, column: str, where: str, arguments: Sequence[str]) -> datetime | None:
        name, source = self._client.escape_column_name(column), f"{self._name(table)}{where}"
        if self._holds_moments(table, column):
            rows = self._rows(f"SELECT min({name}) FROM {source}", *arguments)
            return rows[0][0] if rows else None
        texts = [row[0] for row in self._rows(f"SELECT DISTINCT {name} FROM {source}", *arguments) or ()]
        moments, _ = convert(texts, "timestamp")
        return min((moment for moment in moments.to_pylist() if moment is not None), default=None)

    def largest_before(self, table: str, column: str, cursor: str, before: datetime) -> int | None:
        """Largest value of a numeric column in the rows whose cursor is not after `before`.

        None without any, and if the cursor's column holds no moments.
        """
        if not self._holds_moments(table, cursor):
            return None
        escape = self._client.escape_column_name
        rows = self._rows(f"SELECT max({escape(column)}) FROM {self._name(table)} WHERE {escape(cursor)} <= %s", before)
        return None if not rows or rows[0][0] is None else int(rows[0][0])

    def _holds_moments(self, table: str, column: str) -> bool:
        """Not if the column was loaded before it was declared as one of moments: a column keeps its type."""
        return self.column_types(table).get(column, "timestamp") == "timestamp"

    def key_faults(self, table: str, key: Sequence[str]) -> tuple[int, int]:
        """How many primary keys the table has more than once, and how many rows have a null in theirs."""
        names = [self._client.escape_column_name(column) for column in key]
        columns, has_null = ", ".join(names), " OR ".join(f"{name} IS NULL" for name in names)
        repeated = f"SELECT 1 AS one FROM {self._name(table)} GROUP BY {columns} HAVING count(*) > 1"
        duplicates = self._rows(f"SELECT count(*) FROM ({repeated}) AS repeated")
        nulls = self._rows(f"SELECT count(*) FROM {self._name(table)} WHERE {has_null}")
        return (int(duplicates[0][0]) if duplicates else 0, int(nulls[0][0]) if nulls else 0)

    def _where(self, table: str, part: RowFilter) -> tuple[str, list[Any]]:
        """The WHERE clause of the rows of `part` that are not soft-deleted, empty for all rows, and its arguments."""
        types = self.column_types(table)
        conditions, arguments = part.conditions(self._client.escape_column_name, types, self._backend.text_hash)
        if DELETED_AT in types:
            conditions.insert(0, f"{self._client.escape_column_name(DELETED_AT)} IS NULL")
        return (" WHERE " + " AND ".join(conditions) if conditions else ""), arguments

    def _existing_columns(self, table: str) -> set[str]:
        try:
            with self._client.execute_query(f"SELECT * FROM {self._name(table)} WHERE 1 = 0") as cursor:
                return {str(column[0]) for column in cursor.description or ()}
        except DatabaseUndefinedRelation:
            return set()

    def _name(self, table: str) -> str:
        return self._client.make_qualified_table_name(table)

    def _rows(self, query: str, *args: Any) -> list[tuple[Any, ...]] | None:
        """Rows of a query, None if its table or column does not exist."""
        try:
            with self._client.execute_query(query, *args) as cursor:
                return list(cursor.fetchall())
        except DatabaseUndefinedRelation:
            return None

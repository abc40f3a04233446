"""Reading one schema without dlt's pipeline: for `status`, `check` and the report, which never write.

`Reader` has the three methods of dlt's SQL client by which our own tables are read (state.py, source_account.py), so
that there is one way to read them.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Protocol

Row = tuple[Any, ...]


class Queries(Protocol):
    """What reading our own tables needs; dlt's SqlClientBase has it, and so has `Reader`."""

    def execute_sql(self, sql: Any, /, *args: Any) -> Sequence[Sequence[Any]] | None:
        """Rows of a statement, whose values are marked `%s`."""
        ...

    def escape_column_name(self, column_name: str, /) -> str: ...

    def make_qualified_table_name(self, table_name: str, /) -> str: ...


class Reader(ABC):
    """Runs queries in one schema at a time, which may not exist yet.

    Queries raise UndefinedTable for a table that does not exist, and WarehouseError for other faults.
    """

    def __init__(self, schema: str) -> None:
        self._tables: frozenset[str] | None = None
        self.use(schema)

    def use(self, schema: str) -> None:
        """Go on in another schema, through the same connection: opening a DuckDB file costs more than reading it."""
        self.schema = schema
        self._tables = None
        self._search(schema)

    @abstractmethod
    def _search(self, schema: str) -> None:
        """Make unqualified tables those of `schema`; "" is no schema."""

    @abstractmethod
    def run(self, sql: str, args: Sequence[Any]) -> tuple[list[str], list[Row]]:
        """Columns and rows of a query, whose values are marked `%s`; unqualified tables are those of the schema."""

    def escape_column_name(self, column_name: str, /) -> str:
        quoted = column_name.replace('"', '""')
        return f'"{quoted}"'

    def make_qualified_table_name(self, table_name: str, /) -> str:
        return f"{self.escape_column_name(self.schema)}.{self.escape_column_name(table_name)}"

    def execute_sql(self, sql: str, /, *args: Any) -> list[Row]:
        return self.run(sql, args)[1]

    def tables(self) -> frozenset[str]:
        """Names of the schema's tables, as they were when this was first asked for."""
        if self._tables is None:
            query = "SELECT table_name FROM information_schema.tables WHERE table_schema = %s"
            self._tables = frozenset(str(name) for (name,) in self.execute_sql(query, self.schema))
        return self._tables

    def columns(self, table: str) -> set[str]:
        """Names of a table's columns."""
        query = "SELECT column_name FROM information_schema.columns WHERE table_schema = %s AND table_name = %s"
        return {str(name) for (name,) in self.execute_sql(query, self.schema, table)}

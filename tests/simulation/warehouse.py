"""The tables of one history in its DuckDB file or Postgres database, and manual changes of them."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import duckdb

Row = dict[str, Any]


@dataclass
class Table:
    """All rows of a table. `exists` is False if there is no such table."""

    columns: tuple[str, ...] = ()
    rows: list[Row] = field(default_factory=list)
    exists: bool = False

    @property
    def live(self) -> list[Row]:
        """The rows that are not soft-deleted."""
        return [row for row in self.rows if row.get("_deleted_at") is None]


class Warehouse(Protocol):
    """One history's warehouse.

    Attributes:
        name: as `python -m tests.simulation --warehouse` takes it.
        folder: of this history alone.
        settings: the environment variables that point a sync at it.
        is_shared: whether two syncs may land at once.
        holds_nul: whether texts may have U+0000; otherwise they have U+FFFD in its place.
    """

    name: str
    folder: Path
    settings: Mapping[str, str]
    is_shared: bool
    holds_nul: bool

    def tables(self, platform: str, names: Iterable[str]) -> dict[str, Table]:
        """The current rows of the named tables; empty where the table is missing."""
        ...

    def execute(self, *statements: str) -> None: ...

    def back_up(self, platform: str, name: str) -> None:
        """Save a copy of a table's rows."""
        ...

    def restore(self, platform: str, name: str) -> bool:
        """Replace a table's rows by the saved copy. Returns whether there is one."""
        ...

    def rest(self) -> None:
        """Wait until nothing of a killed sync goes on."""
        ...

    def close(self) -> None:
        """Remove it."""
        ...


# Makes the warehouse of a history in its folder.
Make = Callable[[Path], Warehouse]


class DuckDBFile:
    """A file in the folder."""

    name = "duckdb"
    is_shared = False
    holds_nul = True

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "warehouse.duckdb"
        self.settings: Mapping[str, str] = {"DESTINATION__DUCKDB__CREDENTIALS": str(self.file)}

    def tables(self, platform: str, names: Iterable[str]) -> dict[str, Table]:
        if not self.file.exists():
            return {name: Table() for name in names}
        with duckdb.connect(str(self.file), read_only=True) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            return {name: self._table(connection, platform, name) for name in names}

    def _table(self, connection: duckdb.DuckDBPyConnection, platform: str, name: str) -> Table:
        try:
            cursor = connection.execute(f'SELECT * FROM "{platform}"."{name}"')
        except duckdb.CatalogException:
            return Table()
        return _table(cursor)

    def execute(self, *statements: str) -> None:
        with duckdb.connect(str(self.file)) as connection:
            for statement in statements:
                connection.execute(statement)

    def back_up(self, platform: str, name: str) -> None:
        self.execute(f"""COPY "{platform}"."{name}" TO '{self._copy(name)}' (FORMAT parquet)""")

    def restore(self, platform: str, name: str) -> bool:
        copy = self._copy(name)
        if copy.exists():
            self.execute(
                f'DELETE FROM "{platform}"."{name}"',
                f"""INSERT INTO "{platform}"."{name}" BY NAME SELECT * FROM '{copy}'""",
            )
        return copy.exists()

    def _copy(self, name: str) -> Path:
        return self.folder / f"{name}.parquet"

    def rest(self) -> None:
        """A killed process does nothing more."""

    def close(self) -> None:
        """The file goes with its folder."""


class PostgresDatabase:
    """A new database in a server; the copies of its tables are in its schema `copies`.

    Args:
        server: dlt's settings of the server.
    """

    name = "postgres"
    is_shared = True
    holds_nul = False

    def __init__(self, folder: Path, server: Mapping[str, str]) -> None:
        # Here, since not everyone who simulates has a driver of Postgres.
        from tests.servers.postgres import new_database

        self.folder = folder
        self._server = server
        self.settings: Mapping[str, str] = new_database(server)

    def tables(self, platform: str, names: Iterable[str]) -> dict[str, Table]:
        from psycopg2.errors import UndefinedTable
        from psycopg2.extras import register_default_json, register_default_jsonb

        from tests.servers.postgres import connection

        found: dict[str, Table] = {}
        with connection(self.settings) as opened, opened.cursor() as cursor:
            for register in (register_default_json, register_default_jsonb):
                register(opened, loads=lambda text: text)
            for name in names:
                try:
                    cursor.execute(f'SELECT * FROM "{platform}"."{name}"')
                    found[name] = _table(cursor)
                except UndefinedTable:
                    found[name] = Table()
        return found

    def execute(self, *statements: str) -> None:
        from tests.servers.postgres import query

        for statement in statements:
            query(self.settings, statement)

    def back_up(self, platform: str, name: str) -> None:
        self.execute(
            "CREATE SCHEMA IF NOT EXISTS copies",
            f'DROP TABLE IF EXISTS copies."{name}"',
            f'CREATE TABLE copies."{name}" AS SELECT * FROM "{platform}"."{name}"',
        )

    def restore(self, platform: str, name: str) -> bool:
        copy = self.tables("copies", [name])[name]
        if copy.exists:
            columns = ", ".join(f'"{column}"' for column in copy.columns)
            self.execute(
                f'DELETE FROM "{platform}"."{name}"',
                f'INSERT INTO "{platform}"."{name}" ({columns}) SELECT {columns} FROM copies."{name}"',
            )
        return copy.exists

    def rest(self) -> None:
        """The server ends the statement that a killed client has sent."""
        from tests.servers.postgres import query

        clients = "FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'"
        deadline = time.monotonic() + 30
        while query(self.settings, f"SELECT 1 {clients} AND pid <> pg_backend_pid()"):
            if time.monotonic() > deadline:
                raise TimeoutError("a connection of a killed sync is still open")
            time.sleep(0.01)

    def close(self) -> None:
        from tests.servers.postgres import CREDENTIALS, query

        database = self.settings[CREDENTIALS].rpartition("/")[2]
        query(self._server, f"DROP DATABASE {database} WITH (FORCE)")


def _table(cursor: Any) -> Table:
    columns = tuple(str(column[0]) for column in cursor.description or ())
    return Table(columns, [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()], True)

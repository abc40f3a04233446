"""The tables of a history's DuckDB file, and manual changes of them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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


def tables(file: Path, platform: str, names: Iterable[str]) -> dict[str, Table]:
    """The current rows of the named tables; empty if the file or the table is missing."""
    if not file.exists():
        return {name: Table() for name in names}
    with duckdb.connect(str(file), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return {name: _table(connection, platform, name) for name in names}


def _table(connection: duckdb.DuckDBPyConnection, platform: str, name: str) -> Table:
    try:
        cursor = connection.execute(f'SELECT * FROM "{platform}"."{name}"')
    except duckdb.CatalogException:
        return Table()
    columns = tuple(column[0] for column in cursor.description or ())
    return Table(columns, [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()], True)


def state(file: Path, platform: str) -> list[tuple[Any, ...]]:
    """Rows of `_sync_state`: resource, parent, cursor."""
    with duckdb.connect(str(file), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return connection.execute(
            f'SELECT resource, parent, cursor_value FROM "{platform}"._sync_state ORDER BY ALL'
        ).fetchall()


def empty(file: Path, platform: str, name: str) -> None:
    _execute(file, f'DELETE FROM "{platform}"."{name}"')


def drop(file: Path, platform: str, name: str) -> None:
    _execute(file, f'DROP TABLE IF EXISTS "{platform}"."{name}"')


def back_up(file: Path, platform: str, name: str, copy: Path) -> None:
    """Save a copy of a table's rows."""
    _execute(file, f"""COPY "{platform}"."{name}" TO '{copy}' (FORMAT parquet)""")


def restore(file: Path, platform: str, name: str, copy: Path) -> None:
    """Replace a table's rows by the saved copy."""
    _execute(
        file,
        f'DELETE FROM "{platform}"."{name}"',
        f"""INSERT INTO "{platform}"."{name}" BY NAME SELECT * FROM '{copy}'""",
    )


def _execute(file: Path, *statements: str) -> None:
    with duckdb.connect(str(file)) as connection:
        for statement in statements:
            connection.execute(statement)

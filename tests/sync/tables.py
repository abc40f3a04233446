"""The ids that a table holds, and statements that change a table outside of a sync."""

from pathlib import Path
from typing import Any

import duckdb

from tests.warehouse_rows import query


def ids(path: Path, table: str, where: str = "true") -> list[Any]:
    return [row[0] for row in query(path, f"SELECT id FROM {table} WHERE {where} ORDER BY id")]


def there(path: Path, table: str) -> list[Any]:
    """Ids of the rows that are not soft-deleted."""
    return ids(path, table, "_deleted_at IS NULL")


def execute(path: Path, *statements: str) -> None:
    with duckdb.connect(str(path)) as connection:
        for statement in statements:
            connection.execute(statement)

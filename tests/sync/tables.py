"""The ids that a table holds."""

from pathlib import Path
from typing import Any

from tests.warehouse_rows import query


def ids(path: Path, table: str, where: str = "true") -> list[Any]:
    return [row[0] for row in query(path, f"SELECT id FROM {table} WHERE {where} ORDER BY id")]


def there(path: Path, table: str) -> list[Any]:
    """Ids of the rows that are not soft-deleted."""
    return ids(path, table, "_deleted_at IS NULL")

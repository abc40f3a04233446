"""The table `_sync_columns`: which column each undeclared field has, so that a field keeps its column.

Two fields may have the same name after normalisation (`fooBar` and `foo_bar`). Which of them gets the plain name
depends on the order in which they are first seen; from then on it is recorded here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dlt.destinations.sql_client import SqlClientBase

TABLE = "_sync_columns"
COLUMNS = (("resource", "text"), ("field", "text"), ("column_name", "text"))
_NAMES = tuple(name for name, _ in COLUMNS)
_CHUNK = 500
_UNSTORABLE = re.compile("[\\\\\0\ud800-\udfff]")
_ESCAPED = re.compile(r"\\u([0-9a-f]{4})")


def read(client: SqlClientBase[Any], resource: str) -> dict[str, str]:
    """Raw field name -> column name. Raises DatabaseUndefinedRelation before the table was made."""
    name, field, column = (client.escape_column_name(name) for name in _NAMES)
    table = client.make_qualified_table_name(TABLE)
    rows = client.execute_sql(f"SELECT {field}, {column} FROM {table} WHERE {name} = %s ORDER BY {column}", resource)
    return {_unescaped(str(row[0])): str(row[1]) for row in rows or ()}


def write(client: SqlClientBase[Any], resource: str, assigned: Mapping[str, str]) -> None:
    """Add fields that have no column in the table yet. Call inside a transaction, with the warehouse held."""
    known = read(client, resource)
    rows = [(resource, _escaped(field), column) for field, column in assigned.items() if field not in known]
    columns = ", ".join(client.escape_column_name(name) for name in _NAMES)
    for start in range(0, len(rows), _CHUNK):
        chunk = rows[start : start + _CHUNK]
        marks = ", ".join(["(%s, %s, %s)"] * len(chunk))
        client.execute_sql(
            f"INSERT INTO {client.make_qualified_table_name(TABLE)} ({columns}) VALUES {marks}",
            *(value for row in chunk for value in row),
        )


def _escaped(field: str) -> str:
    """A field name without U+0000 and lone surrogates, which warehouses do not store."""
    return _UNSTORABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", field)


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)

"""What the warehouse already holds of the rows that a sync will read, as sorted arrays of 64-bit hashes.

Keys tell which rows are missing from a read (removal); row hashes tell which rows are unchanged and need not be
loaded. Both are read while the warehouse is held, so that reading over HTTP needs no access to it. Hashes instead of
values keep ten million rows at 80 MB.
"""

from collections.abc import Sequence
from itertools import islice
from typing import Any

import numpy as np
import orjson

from platform_assets.arrow.columns import Columns
from platform_assets.arrow.hashes import as_numbers
from platform_assets.arrow.keys import hash_keys
from platform_assets.declarations import Platform, Resource
from platform_assets.http.selection import get_path
from platform_assets.warehouse.row_filter import RowFilter
from platform_assets.warehouse.session import WarehouseSession
from platform_assets.warehouse.table_layout import ROW_HASH

NO_HASHES = np.empty(0, np.uint64)


def key_columns(platform: Platform, resource: Resource, columns: Columns) -> list[str]:
    """The table's columns that hold the primary key."""
    return [columns.name_of(name) for name in platform.primary_key_of(resource)]


def all_keys(session: WarehouseSession, table: str, key: Sequence[str]) -> np.ndarray:
    """Sorted hashes of all keys in the table."""
    chunks = [hash_keys(rows) for rows in session.current_values(table, list(key))]
    return np.sort(np.concatenate(chunks)) if chunks else NO_HASHES


def row_hashes(session: WarehouseSession, table: str, rows_read: RowFilter) -> np.ndarray:
    """Sorted content hashes of the rows that the read can return again."""
    chunks = [
        as_numbers([row_hash for (row_hash,) in rows if row_hash])
        for rows in session.current_values(table, [ROW_HASH], rows_read)
    ]
    return np.sort(np.concatenate(chunks)) if chunks else NO_HASHES


def keys_by_parent(
    session: WarehouseSession,
    table: str,
    key: Sequence[str],
    rows_read: RowFilter,
    parent_names: Sequence[Sequence[tuple[object, ...]]],
) -> list[np.ndarray] | None:
    """Sorted hashes of the keys that the table has of each parent; None if it has no row of any.

    Args:
        rows_read: the columns that carry the parent's values, and the parents that are read.
        parent_names: per parent its path values, under every name that it has or had.
    """
    width = len(rows_read.columns)
    chunks = [
        (hash_keys(row[:width] for row in rows), hash_keys(row[width:] for row in rows))
        for rows in session.current_values(table, [*rows_read.columns, *key], rows_read)
    ]
    if not chunks:
        return None
    parents, keys = (np.concatenate(column) for column in zip(*chunks, strict=True))
    order = np.argsort(parents, kind="stable")
    parents, keys = parents[order], keys[order]
    wanted = hash_keys(name for names in parent_names for name in names)
    first, last = np.searchsorted(parents, wanted, "left"), np.searchsorted(parents, wanted, "right")
    spans = iter(zip(first, last, strict=True))
    return [
        np.sort(np.concatenate([keys[begin:end] for begin, end in islice(spans, len(names))])) for names in parent_names
    ]


def keys_with_other_values(
    session: WarehouseSession, table: str, key: Sequence[str], column: str, path: str, values: Sequence[str]
) -> np.ndarray:
    """Sorted hashes of the keys of rows whose value is none of `values`; a row without a value does not count.

    Args:
        column: the column with the value.
        path: where the value is in it, if it is a JSON column; else empty.
    """
    chunks = [
        hash_keys(row[1:] for row in rows if (value := _value(row[0], path)) is not None and str(value) not in values)
        for rows in session.current_values(table, [column, *key])
    ]
    return np.sort(np.concatenate(chunks)) if chunks else NO_HASHES


def _value(stored: Any, path: str) -> Any:
    if not path:
        return stored
    return get_path(orjson.loads(stored) if isinstance(stored, str) else stored, path)

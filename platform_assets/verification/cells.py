"""Rows whose hashes differ, compared cell by cell: JSON is equal if its values are, whatever the order of its keys."""

import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from platform_assets.verification.sql import quoted
from platform_assets.verification.table_shape import TableShape

# Types that may hold JSON: a text column keeps an object as its text.
_MAY_HOLD_JSON = ("json", "text")


def cell_columns(shape: TableShape) -> list[str]:
    """Select list that joins a served row `s` with a stored row `t`, for `changed_rows`.

    For the column at position 3: `d3`, whether its values differ, and, if they may be JSON, both values as `s3`, `t3`.
    """
    columns: list[str] = []
    for position, (name, kind) in enumerate(shape.types.items()):
        served, stored = f"s.{quoted(name)}", f"t.{quoted(name)}"
        differ = f"{served} IS DISTINCT FROM {stored}"
        columns.append(f"{differ} AS d{position}")
        if kind in _MAY_HOLD_JSON:
            columns += [
                f"CASE WHEN {differ} THEN {value} END AS {side}{position}"
                for side, value in (("s", served), ("t", stored))
            ]
    return columns


def changed_rows(shape: TableShape, batch: pa.RecordBatch, kept: Sequence[str]) -> pa.Table:
    """The rows that do differ, with the columns `kept` and the names of the differing columns as JSON.

    Args:
        batch: rows of `cell_columns`. If one of them is `is_listed`, a row for which it is true may have the values of
            another parent: several parents list it, and the table holds one of them.
    """
    differing: list[list[str]] = [[] for _ in range(batch.num_rows)]
    for position, (name, kind) in enumerate(shape.types.items()):
        flags = batch.column(f"d{position}").to_pylist()
        if not any(flags):
            continue
        served = stored = [None] * len(flags)
        if kind in _MAY_HOLD_JSON:
            served, stored = batch.column(f"s{position}").to_pylist(), batch.column(f"t{position}").to_pylist()
        for row, differs in enumerate(flags):
            if differs and not (kind in _MAY_HOLD_JSON and is_same_json(served[row], stored[row])):
                differing[row].append(name)
    if "is_listed" in batch.schema.names:
        parents = set(shape.parents)
        listed = batch.column("is_listed").to_pylist()
        differing = [
            [] if is_listed and set(names) <= parents else names
            for is_listed, names in zip(listed, differing, strict=True)
        ]
    found = pa.table({name: batch.column(name) for name in kept})
    found = found.append_column("columns", pa.array([json.dumps(names) for names in differing], pa.string()))
    return found.filter(pa.array([bool(names) for names in differing], pa.bool_()))


def is_same_json(served: str | None, stored: str | None) -> bool:
    """Whether two texts are the same JSON value. A text that is not JSON, or has a key twice, equals only itself."""
    if served is None or stored is None or not (served[:1] in "[{" and stored[:1] in "[{"):
        return served == stored
    try:
        return _canonical(served) == _canonical(stored)
    except (ValueError, RecursionError):
        return False


def _canonical(text: str) -> str:
    return json.dumps(json.loads(text, object_pairs_hook=_object), sort_keys=True)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object has a key twice")
    return found

"""Compare a warehouse's tables with records as an API served them, every field of every row."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import orjson
from dlt.common.schema import Schema

from platform_assets.declarations import Platform, Resource
from platform_assets.http.selection import drop_fields, fill_keys
from platform_assets.warehouse.dlt_source import table_columns
from tests.databases import fetch

Row = dict[str, Any]


def query(path: Path, sql: str) -> list[tuple[Any, ...]]:
    return fetch(path, sql)[1]


def rows(path: Path, table: str) -> list[Row]:
    """All rows of a table, as column -> value."""
    names, found = fetch(path, f"SELECT * FROM {table}")
    return [dict(zip(names, row, strict=True)) for row in found]


def differences(path: Path, platform: Platform, resource: Resource, records: Iterable[Mapping[str, Any]]) -> list[str]:
    """Differences between a table's rows that are not soft-deleted and `records`; empty if there are none."""
    columns = table_columns(platform, resource, Schema(platform.name).naming)
    key = [columns.name_of(name) for name in platform.primary_key_of(resource)]
    expected = [orjson.loads(orjson.dumps(record)) for record in records]
    drop_fields(expected, (*resource.exclude, *resource.endpoint.exclude))
    fill_keys(expected, dict(resource.key_fallback))
    wanted = {_key(record, platform.primary_key_of(resource)): record for record in expected}
    loaded = [row for row in rows(path, f"{platform.name}.{resource.name}") if row.get("_deleted_at") is None]
    found = {_key(row, key): row for row in loaded}
    problems = [f"missing {name}" for name in wanted.keys() - found.keys()]
    problems += [f"invented {name}" for name in found.keys() - wanted.keys()]
    problems += ["duplicate keys"] if len(found) != len(loaded) else []
    for name in wanted.keys() & found.keys():
        for field, value in wanted[name].items():
            column = columns.name_of(field)
            stored = found[name].get(column)
            if not equal(value, stored, found[name], column):
                problems.append(f"{name}.{field}: served {value!r}, stored {stored!r}")
    for column in columns.types:
        if loaded and column not in loaded[0]:
            problems.append(f"no column {column}")
    return problems


def _key(row: Mapping[str, Any], names: Iterable[str]) -> tuple[str, ...]:
    return tuple(str(row[name]) for name in names)


def equal(served: Any, stored: Any, row: Row, column: str) -> bool:
    """Whether a stored value (or its variant) is the served one."""
    if served is None:
        return stored is None
    if stored is None:
        variants = [value for name, value in row.items() if name.startswith(f"{column}__v_") and value is not None]
        return any(_same(served, value) for value in variants)
    return _same(served, stored)


def _same(served: Any, stored: Any) -> bool:
    if isinstance(stored, datetime):
        moment = datetime.fromisoformat(str(served).replace(" UTC", "Z"))
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
        return moment == (stored if stored.tzinfo else stored.replace(tzinfo=UTC))
    if isinstance(stored, date):
        return date.fromisoformat(served) == stored
    if isinstance(served, dict | list):
        return orjson.loads(stored) == served
    if isinstance(stored, str) and not isinstance(served, str):
        return orjson.loads(stored) == served
    if isinstance(stored, str) and stored != served:
        return stored == orjson.dumps(served).decode()
    return served == stored

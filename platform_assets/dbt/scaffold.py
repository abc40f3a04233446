"""Staging models of a platform, written once from its declaration and then its owner's: nothing writes them again.

    Platform -> _sources.yml (sources.py)
             -> _models.yml, with a description, a type and tests of every column
             -> stg_<platform>__<resource>.sql, one per resource

They are plain SQL, for any dbt project. One without the generic test `one_row_per` gets it, where a key has several
columns.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from platform_assets.dbt import sources
from platform_assets.declarations import Platform, Resource
from platform_assets.warehouse.column_descriptions import column_descriptions
from platform_assets.warehouse.dlt_source import default_naming, table_columns
from platform_assets.warehouse.table_layout import DELETED_AT, LOADED_AT, OWN_COLUMNS

# dlt data type -> the type that dbt's columns are described with; DuckDB and Postgres know all of them.
_TYPES = {
    "text": "varchar",
    "bigint": "bigint",
    "double": "double precision",
    "bool": "boolean",
    "timestamp": "timestamptz",
    "date": "date",
    "json": "json",
}
# What is no name without quotes in Postgres, although DuckDB takes it for one.
_POSTGRES_WORDS = frozenset(
    {"current_date", "current_time", "current_timestamp", "current_user", "session_user", "user"}
)
_PLAIN_NAME = re.compile(r"[a-z_][a-z0-9_]*")
_TEST = "one_row_per"


@dataclass(frozen=True)
class _Column:
    """A column of a staging model.

    Attributes:
        source: SQL of its value: a column of the table, or an expression.
        name: as the model calls it.
        of_parent: the parent and its field that the column has the value of, if it has one.
    """

    source: str
    name: str
    data_type: str
    description: str
    is_key: bool = False
    of_parent: tuple[str, str] | None = None

    @property
    def sql(self) -> str:
        name = quoted(self.name)
        return name if name == self.source else f"{self.source} as {name}"


def staging_files(platform: Platform) -> dict[str, str]:
    """File name -> text, of the folder `models/staging/<platform>` of a dbt project."""
    models = {resource.name: _columns(platform, resource) for resource in platform.resources}
    described = [_model(platform, resource, models) for resource in platform.resources]
    document = {"version": 2, "models": described}
    return {
        "_sources.yml": sources.render(platform),
        "_models.yml": yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110),
        **{f"{_name(platform, name)}.sql": _sql(platform, name, columns) for name, columns in models.items()},
    }


def missing_macro(files: Mapping[str, str], project: Path, ours: Path) -> tuple[Path, str] | None:
    """The file with the generic test, and its text, if `files` use it and the project has none; `ours` has it."""
    if not any(f"{_TEST}:" in text for text in files.values()):
        return None
    define = re.compile(rf"\{{%-?\s*test\s+{_TEST}\b")
    present = [path for folder in ("macros", "tests") for path in project.joinpath(folder).rglob("*.sql")]
    if any(define.search(path.read_text(encoding="utf-8", errors="replace")) for path in present):
        return None
    source = next(path for path in ours.joinpath("macros").rglob("*.sql") if define.search(path.read_text("utf-8")))
    return project / "macros" / source.name, source.read_text(encoding="utf-8")


def singular(name: str) -> str:
    """A table's name in the singular, e.g. `time_entry` of `time_entries`; as it is if it seems to be one."""
    if name.endswith("ies") and len(name) > 4:
        return f"{name[:-3]}y"
    if name.endswith(("sses", "shes", "ches", "xes", "zes")):
        return name[:-2]
    return name[:-1] if name.endswith("s") and not name.endswith(("ss", "us", "is")) else name


def quoted(name: str) -> str:
    """A column's name in SQL."""
    return name if _PLAIN_NAME.fullmatch(name) and name not in _reserved() else f'"{name}"'


@cache
def _reserved() -> frozenset[str]:
    """Words that are no column's name without quotes."""
    import duckdb

    query = "SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category IN ('reserved', 'type_function')"
    with duckdb.connect() as connection:
        return _POSTGRES_WORDS | {str(row[0]) for row in connection.execute(query).fetchall()}


def _name(platform: Platform, resource: str) -> str:
    return f"stg_{platform.name}__{resource}"


def _row(resource: Resource) -> str:
    """What a row is, e.g. `pipeline` in `organizations_pipelines`, whose parents are `organizations`."""
    return singular(resource.name.removeprefix(f"{resource.parent}_"))


def _columns(platform: Platform, resource: Resource) -> list[_Column]:
    naming = default_naming()
    table = table_columns(platform, resource, naming)
    described = column_descriptions(platform, resource, naming)
    key = [table.name_of(field) for field in platform.primary_key_of(resource)]
    parents = {
        naming.normalize_identifier(resolve.column): (resolve.resource, resolve.field)
        for endpoint in platform.every_endpoint(resource)
        for resolve in endpoint.parents.values()
    }
    kept = [name for name in described if name not in OWN_COLUMNS and name in table.types]
    # The key and the parents first, as people read them.
    kept.sort(key=lambda name: (name not in key, name not in parents))
    names = _names(resource, kept, key, parents)
    found = [
        _Column(quoted(name), names[name], _TYPES[table.types[name]], described[name], name in key, parents.get(name))
        for name in kept
    ]
    deleted = f"{DELETED_AT} is not null" if DELETED_AT in table.types else "false"
    return [
        *found,
        _Column(deleted, "is_deleted", "boolean", "Whether it is gone upstream."),
        _Column(LOADED_AT, "last_seen_at", "timestamptz", described[LOADED_AT]),
    ]


def _names(
    resource: Resource, columns: list[str], key: list[str], parents: Mapping[str, tuple[str, str]]
) -> dict[str, str]:
    """Column -> its name in the model; a better one than the table's only if no other column has it."""
    taken = {*columns, "is_deleted", "last_seen_at"}
    names: dict[str, str] = {}
    for column in columns:
        better = column
        if column in parents:
            parent, field = parents[column]
            better = f"{singular(parent)}_{default_naming().normalize_identifier(field)}"
        elif key == [column] == ["id"]:
            better = f"{_row(resource)}_id"
        names[column] = column if better in taken and better != column else better
        taken.add(names[column])
    return names


def _sql(platform: Platform, resource: str, columns: list[_Column]) -> str:
    selected = ",\n".join(f"    {column.sql}" for column in columns)
    return f"select\n{selected}\nfrom {{{{ source('{platform.name}', '{resource}') }}}}\n"


def _model(platform: Platform, resource: Resource, models: Mapping[str, list[_Column]]) -> dict[str, Any]:
    columns = models[resource.name]
    key = [quoted(column.name) for column in columns if column.is_key]
    model: dict[str, Any] = {
        "name": _name(platform, resource.name),
        "description": f"One row per {_row(resource).replace('_', ' ')}. {resource.description}",
    }
    if len(key) > 1:
        model["data_tests"] = [{_TEST: {"arguments": {"columns": key}}}]
    model["columns"] = [_described(platform, column, models, is_whole_key=len(key) == 1) for column in columns]
    return model


def _described(
    platform: Platform, column: _Column, models: Mapping[str, list[_Column]], *, is_whole_key: bool
) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": column.name,
        "data_type": column.data_type,
        "description": column.description,
    }
    if quoted(column.name) != column.name:
        found["quote"] = True
    if tests := list(_tests(platform, column, models, is_whole_key=is_whole_key)):
        found["data_tests"] = tests
    return found


def _tests(
    platform: Platform, column: _Column, models: Mapping[str, list[_Column]], *, is_whole_key: bool
) -> Iterator[str | dict[str, Any]]:
    if column.is_key:
        if is_whole_key:
            yield "unique"
        yield "not_null"
    parent, field = column.of_parent or ("", "")
    source = quoted(default_naming().normalize_identifier(field)) if field else ""
    there = next((quoted(one.name) for one in models.get(parent, ()) if one.source == source), None)
    if there is not None:
        # A parent may be removed, or not yet loaded, while its children are there.
        arguments = {"to": f"ref('{_name(platform, parent)}')", "field": there}
        yield {"relationships": {"arguments": arguments, "config": {"severity": "warn"}}}

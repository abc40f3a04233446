"""Declarations as dlt sources: `declared_source` without rows for Dagster, `buffered_resource` with rows for a load.

Both give a table the same columns, by `table_columns`, so that what Dagster shows is what is loaded.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import dlt
import pyarrow.parquet as pq
from dlt.common.normalizers.naming import NamingConvention
from dlt.common.schema import Schema
from dlt.common.schema.typing import TColumnSchema
from dlt.extract.resource import DltResource
from dlt.extract.source import DltSource

from platform_assets.arrow.batches import BufferedRows
from platform_assets.arrow.columns import Columns
from platform_assets.declarations import CONTENT_KEY, OnRemoval, Platform, Resource
from platform_assets.declarations.ancestry import type_of
from platform_assets.warehouse.table_layout import system_columns


@cache
def default_naming() -> NamingConvention:
    """dlt's naming convention, without any destination's limits."""
    return Schema("default").naming


def platform_source(platform: Platform, resources: Sequence[DltResource], loaded: Schema | None = None) -> DltSource:
    """A dlt source whose name, section and schema are the platform's.

    Args:
        loaded: the schema as the warehouse has it, None before the first load.
    """
    schema = loaded.clone() if loaded else Schema(platform.name)
    # Declared types decide; a text that happens to look like a time stays a text.
    schema.remove_type_detection("iso_timestamp")
    return DltSource(schema, platform.name, list(resources))


def declared_source(platform: Platform, names: Sequence[str]) -> DltSource:
    """The source as declared, without settings, secrets or rows: what `@dlt_assets` is given."""
    return platform_source(platform, [_declared_resource(platform, platform.resource(name)) for name in names])


def _declared_resource(platform: Platform, resource: Resource) -> DltResource:
    columns = table_columns(platform, resource, default_naming())
    return dlt_resource(platform, resource, columns, _no_rows)


def _no_rows() -> Iterator[Any]:
    yield dlt.mark.materialize_table_schema()


def buffered_resource(
    platform: Platform, resource: Resource, buffered: BufferedRows, *, merge: bool, parquet: bool
) -> DltResource:
    """A dlt resource that yields what was buffered; without rows it only brings its table up to date.

    Args:
        merge: replace rows with the same key; without it rows are appended.
        parquet: hand the files over as they are; else as Arrow, for destinations that do not load Parquet.
    """
    key = [buffered.columns.name_of(name) for name in platform.primary_key_of(resource)]

    def rows() -> Iterator[Any]:
        # Not by dlt's own mark for an empty table: see patches/empty_table_load_ids.py.
        for path in buffered.files or [buffered.empty_file(key)]:
            if parquet:
                yield dlt.mark.with_file_import(str(path), "parquet", pq.read_metadata(path).num_rows)
            else:
                yield from (batch for batch in pq.ParquetFile(path).iter_batches(batch_size=50_000))

    return dlt_resource(platform, resource, buffered.columns, rows, merge=merge)


def dlt_resource(
    platform: Platform,
    resource: Resource,
    columns: Columns,
    rows: Callable[[], Iterator[Any]],
    *,
    merge: bool = True,
) -> DltResource:
    """A dlt resource with our hints. Without `merge` rows are appended, which suits a first load."""
    key = [columns.name_of(name) for name in platform.primary_key_of(resource)]
    disposition: Any = "append"
    if merge:
        # Rows are unique by then, so dlt need not sort the staged rows to find that out again.
        disposition = {"disposition": "merge", "strategy": "delete-insert", "deduplicated": True}
    return dlt.resource(
        rows,
        name=resource.name,
        columns=column_hints(columns, key),
        primary_key=key,
        write_disposition=disposition,
        section=platform.name,
        schema_contract="evolve",
    )


def column_hints(columns: Columns, key: Sequence[str]) -> dict[str, TColumnSchema]:
    """dlt column schemas of every column that has a type."""
    hints: dict[str, TColumnSchema] = {}
    for name, data_type in columns.types.items():
        hint: TColumnSchema = {"name": name, "data_type": data_type, "nullable": name not in key}  # pyright: ignore[reportAssignmentType] -- our data types are a subset of dlt's
        if name in columns.variants:
            hint["variant"] = True
        hints[name] = hint
    return hints


def table_columns(
    platform: Platform,
    resource: Resource,
    naming: Any,
    known: Mapping[str, str] | None = None,
    assigned: Mapping[str, str] | None = None,
) -> Columns:
    """The table's columns: declared ones, ours, the parent's, and those that the warehouse has already.

    They are the same under every contract of the platform, so that models built on them run under each.

    Args:
        naming: dlt's naming convention of the destination.
        known: column -> dlt data type, as the warehouse has them.
        assigned: raw field name -> the column that earlier loads gave it.
    """
    parents: dict[str, str] = {}
    endpoints = platform.every_endpoint(resource)
    for resolve in (resolve for endpoint in endpoints for resolve in endpoint.parents.values()):
        parents[naming.normalize_identifier(resolve.column)] = type_of(platform, resolve)
    soft_deletes = any(resource.removal_policy_of(endpoint) is OnRemoval.SOFT_DELETE for endpoint in endpoints)
    system = system_columns(parents, soft_deletes=soft_deletes)
    declared = {CONTENT_KEY: "text"} if platform.primary_key_of(resource) == (CONTENT_KEY,) else {}
    return Columns({**declared, **resource.columns}, dict(known or {}), naming, system, assigned)

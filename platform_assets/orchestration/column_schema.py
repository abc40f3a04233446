"""Columns of a table as Dagster shows them, before the first load and after one, each with what it means."""

import dagster as dg
from dlt.common.schema import Schema

from platform_assets.declarations import Platform, Resource
from platform_assets.patches.table_schema import DltResourceWithTableSchema
from platform_assets.warehouse.column_descriptions import column_descriptions
from platform_assets.warehouse.dlt_source import default_naming, table_columns


def declared_schema(platform: Platform, resource: Resource) -> dg.TableSchema:
    """The columns that every load begins with."""
    columns = table_columns(platform, resource, default_naming())
    descriptions = column_descriptions(platform, resource, default_naming())
    key = {columns.name_of(name) for name in platform.primary_key_of(resource)}
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name,
                data_type,
                descriptions[name],
                constraints=dg.TableColumnConstraints(nullable=name not in key, unique=key == {name}),
            )
            for name, data_type in columns.types.items()
        ]
    )


def loaded_schema(
    dlt: DltResourceWithTableSchema, platform: Platform, resource: Resource, schema: Schema
) -> dg.TableSchema | None:
    """The columns that the warehouse has, undeclared ones included; None if dlt does not know the table."""
    if resource.name not in schema.tables:
        return None
    found = dlt.table_schema(resource.name, schema)
    types = {column.name: column.type for column in found.columns}
    descriptions = column_descriptions(platform, resource, schema.naming, types)
    return dg.TableSchema(
        columns=[
            dg.TableColumn(column.name, column.type, descriptions.get(column.name), column.constraints)
            for column in found.columns
        ],
        constraints=found.constraints,
    )

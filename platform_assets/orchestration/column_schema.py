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
                columns.types[name],
                description,
                constraints=dg.TableColumnConstraints(nullable=name not in key, unique=key == {name}),
            )
            for name, description in descriptions.items()
        ]
    )


def loaded_schema(
    dlt: DltResourceWithTableSchema, platform: Platform, resource: Resource, schema: Schema
) -> dg.TableSchema | None:
    """The columns that the warehouse has, undeclared ones included; None if dlt does not know the table."""
    if resource.name not in schema.tables:
        return None
    found = dlt.table_schema(resource.name, schema)
    columns = {column.name: column for column in found.columns}
    types = {name: column.type for name, column in columns.items()}
    descriptions = column_descriptions(platform, resource, schema.naming, types)
    return dg.TableSchema(
        columns=[
            dg.TableColumn(name, types[name], description, columns[name].constraints)
            for name, description in descriptions.items()
            if name in columns
        ],
        constraints=found.constraints,
    )

"""What each column of a table means, for people: the same words in Dagster and in dbt's sources."""

from collections.abc import Iterator, Mapping

from dlt.common.normalizers.naming import NamingConvention

from platform_assets.declarations import CONTENT_KEY, Platform, Resource
from platform_assets.warehouse.dlt_source import table_columns
from platform_assets.warehouse.table_layout import DELETED_AT, LOAD_ID, LOADED_AT, MORE_FIELDS, ROW_HASH

# Columns that the warehouse adds to what the API serves.
_OWN = {
    ROW_HASH: "Hash of the record's content.",
    LOADED_AT: "When the row was last new or changed (UTC).",
    DELETED_AT: "When the row was missing from the list (UTC); null while it is in it.",
    CONTENT_KEY: "Hash of the record's content and its parent: the key of records that have none.",
    MORE_FIELDS: "Fields for which the table has no room (an object).",
    LOAD_ID: "dlt's load that brought the row; null in rows that were loaded as files.",
}
# In the names of dlt's variant columns, between the column and the type of its misfits.
_VARIANT = "__v_"


def column_descriptions(
    platform: Platform, resource: Resource, naming: NamingConvention, loaded: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Column -> what it means, for every column of the resource's table, in the order in which people read them.

    The primary key is first, and what the warehouse adds is last.

    Args:
        naming: dlt's naming convention of the destination.
        loaded: column -> dlt data type, as the warehouse has them; None for the declared table.
    """
    columns = table_columns(platform, resource, naming, loaded)
    known = {**_OWN, **dict(_parents(platform, resource, naming))}
    for field in resource.columns:
        known[columns.name_of(field)] = platform.description_of(resource, field) or f"Field `{field}` of the API."
    key = {columns.name_of(name) for name in platform.primary_key_of(resource)}
    ordered = sorted(columns.types, key=lambda name: (name not in key, name.startswith("_")))
    return {name: known.get(name) or _undeclared(name) for name in ordered}


def _parents(platform: Platform, resource: Resource, naming: NamingConvention) -> Iterator[tuple[str, str]]:
    """The columns with the values of a row's parent, which stood in the request."""
    for endpoint in platform.every_endpoint(resource):
        for resolve in endpoint.parents.values():
            field = f"`{resolve.field}` in `{platform.name}.{resolve.resource}`"
            yield naming.normalize_identifier(resolve.column), f"Parent that the row was read for; {field}."


def _undeclared(column: str) -> str:
    field, variant, data_type = column.partition(_VARIANT)
    if variant:
        return f"Values of `{field}` that are not of its type, as {data_type}."
    return "Not declared: a field that the API sends as well."

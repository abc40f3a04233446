"""Schemas of records as columns.

A schema may say more than one type of a field, or another than the API has: such a field's column is found by its
values, and a value of another type than its column's goes to a column beside it, as dlt does.
"""

from collections.abc import Mapping
from typing import Any

from platform_assets.declarations import AddFields, RecordShape, RemoveFields
from platform_assets.importing.names import snake_case

_TYPES = {
    "string": "text",
    "integer": "bigint",
    "number": "double",
    "boolean": "bool",
    "object": "json",
    "array": "json",
}
_KEY_TYPES = ("bigint", "text")
_MAX_COLUMNS = 1000


def properties_of(component: Mapping[str, Any]) -> Mapping[str, Any]:
    """The fields of a stream's schema; empty if it has none that is written out."""
    loader = component.get("schema_loader")
    for one in loader if isinstance(loader, list) else [loader]:
        schema = one.get("schema") if isinstance(one, Mapping) else None
        properties = schema.get("properties") if isinstance(schema, Mapping) else None
        if isinstance(properties, Mapping):
            return properties
    return {}


def columns_of(properties: Mapping[str, Any], record: RecordShape | None) -> dict[str, str]:
    """Field -> data type, of the fields with one type that reach the table under a name of their own."""
    gone = _gone(record) if record else set[str]()
    found: dict[str, str] = {}
    taken: set[str] = set()
    for field, schema in properties.items():
        column, kind = snake_case(str(field)), type_of(schema)
        if kind is None or field in gone or "*" in gone or not column or column in taken:
            continue
        # Internal columns begin so, and a dotted name would be a path.
        if str(field).startswith("_") or "." in str(field) or len(found) >= _MAX_COLUMNS:
            continue
        taken.add(column)
        found[str(field)] = kind
    return found


def _gone(record: RecordShape) -> set[str]:
    """Fields that the shape drops at the end; `*` if it drops all objects."""
    found: set[str] = set()
    for step in record.steps:
        if isinstance(step, AddFields):
            found -= step.fields.keys()
        elif isinstance(step, RemoveFields) and step.condition is None:
            found |= set(step.fields)
    return found | set(record.removed) | {one.path for one in record.flattened if not one.kept}


def key_type(schema: Any) -> str | None:
    """`bigint` or `text` of a key's schema; None if it says neither, or both."""
    found = type_of(schema)
    return found if found in _KEY_TYPES else None


def type_of(schema: Any) -> str | None:
    """The one data type that a field's schema says, beside null."""
    given = schema.get("type") if isinstance(schema, Mapping) else None
    kinds = {str(one) for one in (given if isinstance(given, list) else [given])} - {"null"}
    return _TYPES.get(kinds.pop()) if len(kinds) == 1 else None

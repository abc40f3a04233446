"""The fields of a record, and where a body has its records, by their schemas."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from platform_assets.platform_files.openapi.specification import Object, Specification, Unresolved

# Schemas that one schema may be made of.
_MAX_PARTS = 200
_MAX_FIELDS = 1000

_TYPES = {"integer": "bigint", "number": "double", "boolean": "bool", "object": "json", "array": "json"}
_FORMATS = {"date-time": "timestamp", "date": "date"}
# Names for the list of records, where a body has several lists.
_RECORDS = ("data", "items", "results", "records", "values", "entries")
_IDENTIFIES = re.compile(r"(?:.*_)?(?:id|uuid|guid|key|slug|code|number|uri)")


@dataclass(frozen=True)
class Records:
    """Where a body has its records, and what a record is.

    Attributes:
        selector: dotted path; `""` is the body.
        assumed: what the specification leaves open, in words; None if nothing.
    """

    selector: str
    record: Object
    assumed: str | None = None


def properties_of(specification: Specification, schema: Object) -> dict[str, Object]:
    """The fields of an object's schema, with those of the schemas that it is made of."""
    if not schema:
        return {}  # No part of the file, so its identity may soon be another schema's.
    known = specification.fields_of.get(id(schema))
    if known is None:
        known = specification.fields_of[id(schema)] = _properties_of(specification, schema)
    return known


def _properties_of(specification: Specification, schema: Object) -> dict[str, Object]:
    found: dict[str, Object] = {}
    for part in _made_of(specification, schema, ("allOf", "oneOf", "anyOf")):
        own = part.get("properties")
        for name, value in own.items() if isinstance(own, dict) else ():
            if len(found) >= _MAX_FIELDS:
                return found
            try:
                found[str(name)] = specification.resolved(value)
            except Unresolved:
                continue
    return found


def required_in(specification: Specification, schema: Object) -> set[str]:
    """The fields that every object of a schema has. Of alternatives (`anyOf`) none counts."""
    required = [part.get("required") for part in _made_of(specification, schema, ("allOf",))]
    return {str(name) for names in required if isinstance(names, list) for name in names}


def records_in(specification: Specification, body: Object) -> Records | str:
    """Where a body has its records; else why it is no list, in words."""
    if _kind(body) == "array":
        record = _record(specification, body)
        return Records("", record) if record is not None else "its list does not hold objects"
    fields = properties_of(specification, body)
    if not fields:
        return "its answer is not described as a list"
    for prefix, inner in [("", fields), *_inner_objects(specification, fields)]:
        lists = {name: record for name, field in inner.items() if (record := _record(specification, field)) is not None}
        known = [name for name in _RECORDS if name in lists]
        if len(lists) == 1:
            ((name, record),) = lists.items()
            return Records(prefix + name, record)
        if lists and known:
            others = ", ".join(name for name in lists if name != known[0])
            return Records(prefix + known[0], lists[known[0]], f"records are in `{prefix}{known[0]}`, not in {others}")
        if lists:
            return f"its answer has several lists: {', '.join(lists)}"
    return "its answer is one object, no list"


def columns_of(specification: Specification, record: Object) -> dict[str, str]:
    """Field -> dlt data type, of the fields whose type is said."""
    fields = properties_of(specification, record)
    types = {name: data_type(specification, schema) for name, schema in fields.items()}
    return {name: found for name, found in types.items() if found is not None}


def data_type(specification: Specification, schema: Object) -> str | None:
    """dlt's data type for a field; None if the schema does not say what it is."""
    kind = _kind(schema)
    if kind == "string":
        return _FORMATS.get(str(schema.get("format")), "text")
    if kind in _TYPES:
        return _TYPES[kind]
    if "properties" in schema:
        return "json"
    parts = _made_of(specification, schema, ("allOf", "oneOf", "anyOf"))
    found = {data_type(specification, part) for part in parts if _kind(part) in (*_TYPES, "string")}
    return found.pop() if len(found) == 1 else None


def key_of(columns: dict[str, str], required: set[str], singular: str) -> str | None:
    """The field that identifies a record: `id`, `<singular>_id`, else the only required one that looks like it."""
    usable = {plain_name(name): name for name, kind in columns.items() if kind in ("text", "bigint")}
    for name in ("id", f"{singular}_id", "uuid", "guid"):
        if name in usable:
            return usable[name]
    likely = [name for plain, name in usable.items() if name in required and _IDENTIFIES.fullmatch(plain)]
    return likely[0] if len(likely) == 1 else None


def plain_name(name: str) -> str:
    """A name in snake_case: `updatedAt` is `updated_at`, `page[size]` is `page_size`."""
    split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return "_".join(re.findall(r"[a-z0-9]+", split.lower()))


def _made_of(specification: Specification, schema: Object, words: tuple[str, ...]) -> list[Object]:
    """The schemas that a schema is made of, each once, last itself. They may hold each other, and themselves."""
    found: dict[int, Object] = {}
    waiting = [schema]
    while waiting and len(found) < _MAX_PARTS:
        part = waiting.pop()
        if id(part) not in found:
            found[id(part)] = part
            waiting += [inner for word in words for inner in _listed(specification, part, word)]
    return list(found.values())[::-1]


def _listed(specification: Specification, schema: Object, word: str) -> Iterator[Object]:
    parts = schema.get(word)
    for part in parts[:_MAX_PARTS] if isinstance(parts, list) else ():
        try:
            yield specification.resolved(part)
        except Unresolved:
            continue


def _inner_objects(specification: Specification, fields: dict[str, Object]) -> Iterator[tuple[str, dict[str, Object]]]:
    """(path, fields) of each object inside a body."""
    for name, schema in fields.items():
        inner = properties_of(specification, schema)
        if inner:
            yield f"{name}.", inner


def _record(specification: Specification, schema: Object) -> Object | None:
    """The schema of a list's objects; None if it is no list of objects."""
    if _kind(schema) != "array":
        return None
    try:
        item = specification.resolved(schema.get("items"))
    except Unresolved:
        return None
    return item if properties_of(specification, item) else None


def _kind(schema: Object) -> Any:
    """A schema's type; of several, the first that is not null."""
    kind = schema.get("type")
    if isinstance(kind, list):
        return next((one for one in kind if one != "null"), None)
    return "array" if kind is None and "items" in schema else kind

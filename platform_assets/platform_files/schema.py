"""A JSON schema of the YAML form, made from the declarations, so that editors complete keys and show what they mean."""

import re
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from inspect import cleandoc
from typing import Any, Literal, get_args, get_origin

from platform_assets.declarations import Platform
from platform_assets.platform_files.shape import (
    TYPE,
    can_be_empty,
    classes_in,
    has_text,
    hints_of,
    is_required,
    keys_of,
    members,
    named_by_type,
    type_names,
)

# The version that editors know best.
_DRAFT = "http://json-schema.org/draft-07/schema#"
_DURATION = r"^-?(?=\d)(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+(\.\d{1,6})?s)?$"
_SCALARS: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    type(None): {"type": "null"},
    timedelta: {"type": "string", "pattern": _DURATION, "description": "A duration: `5m`, `26h`, `3d`."},
}


def json_schema() -> dict[str, Any]:
    """The schema of a platform's YAML file."""
    definitions: dict[str, Any] = {}
    _define(Platform, definitions)
    return {
        "$schema": _DRAFT,
        "title": "A platform of platform_assets",
        **_reference(Platform),
        "definitions": dict(sorted(definitions.items())),
    }


def _reference(cls: type[Any]) -> dict[str, Any]:
    return {"$ref": f"#/definitions/{cls.__name__}"}


def _define(cls: type[Any], definitions: dict[str, Any]) -> None:
    """Add a class, and all that its keys lead to, to the definitions."""
    if cls.__name__ in definitions:
        return
    hints, described = hints_of(cls), _arguments(cls)
    properties: dict[str, Any] = {TYPE: {"enum": list(type_names(cls))}}
    definition: dict[str, Any] = {
        "type": "object",
        "description": _summary(cls),
        "properties": properties,
        "required": [key.name for key in keys_of(cls) if is_required(key)],
        # A platform's name is no word for a class.
        "additionalProperties": False,
    }
    definitions[cls.__name__] = definition
    for name, hint in hints.items():
        schema = _schema(hint, definitions)
        # Beside `$ref` a description would not count.
        text = described.get(name)
        properties[name] = {"description": text, "allOf": [schema]} if text else schema
    if cls is Platform:
        del properties[TYPE]


def _schema(hint: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    """What a value with an annotation may be."""
    found: list[dict[str, Any]] = []
    classes = classes_in(hint)
    for member in members(hint):
        if member in classes:
            _define(member, definitions)
            found.append(_class(member, hint))
        else:
            found.append(_value(member, definitions))
    short = [name for cls in classes if can_be_empty(cls) for name in type_names(cls)]
    if short and not has_text(hint):
        found.append({"enum": short})
    return found[0] if len(found) == 1 else {"anyOf": found}


def _class(cls: type[Any], hint: Any) -> dict[str, Any]:
    if not named_by_type(hint) or len(classes_in(hint)) == 1:
        return _reference(cls)
    return {"allOf": [_reference(cls), {"required": [TYPE]}]}


def _value(hint: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Literal:
        return {"enum": list(parts)}
    if origin is tuple:
        return {"type": "array", "items": _schema(parts[0], definitions)}
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": _schema(parts[1], definitions)}
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return {"enum": [str(member) for member in hint]}
    return dict(_SCALARS.get(hint, {}))


def _summary(cls: type[Any]) -> str:
    """The docstring without its list of arguments."""
    return re.split(r"\n+Args:\n", cleandoc(cls.__doc__ or ""))[0]


def _arguments(cls: type[Any]) -> dict[str, str]:
    """Key -> its description, from the docstring's `Args:`; keys that are described together have the same one."""
    parts = re.split(r"\n+Args:\n", cleandoc(cls.__doc__ or ""))
    if len(parts) < 2:
        return {}
    described: dict[str, str] = {}
    for entry in re.split(r"\n(?=    \S)", parts[1]):
        names, _, text = entry.strip().partition(": ")
        for name in names.split(", "):
            described[name] = " ".join(text.split())
    return described

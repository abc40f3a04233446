"""What a type annotation of a declaration allows, and how the YAML form names it."""

import re
import types
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import timedelta
from enum import StrEnum
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from platform_assets.declarations import Endpoint

TYPE = "type"

# Between a lower-case letter or digit, or a run of capitals, and the next word; `OAuth2` is one word.
_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@cache
def hints_of(cls: type[Any]) -> dict[str, Any]:
    """Field -> annotation, of the fields that a file may have."""
    hints = get_type_hints(cls)
    return {key.name: hints[key.name] for key in keys_of(cls)}


def keys_of(cls: type[Any]) -> list[Field[Any]]:
    """The fields that a file may have, in their order; without those that are derived from others."""
    return [key for key in fields(cls) if not key.metadata.get("derived")]


def is_required(key: Field[Any]) -> bool:
    return key.default is MISSING and key.default_factory is MISSING


def default_of(key: Field[Any]) -> Any:
    """What a field is without a value; MISSING if it must have one."""
    return key.default if key.default_factory is MISSING else key.default_factory()


def members(hint: Any) -> tuple[Any, ...]:
    """The annotations that a union joins; the annotation itself if it is none."""
    if get_origin(hint) in (Union, types.UnionType):
        return tuple(member for part in get_args(hint) for member in members(part))
    return (hint,)


def classes_in(hint: Any) -> list[type[Any]]:
    """The declarations among a union's members."""
    return [member for member in members(hint) if isinstance(member, type) and is_dataclass(member)]


def mapping_in(hint: Any) -> Any:
    """The first mapping among a union's members, as its annotation; None without one."""
    return next((one for one in members(hint) if _origin_is(one, Mapping)), None)


def list_in(hint: Any) -> Any:
    """The first tuple among a union's members, as its annotation; None without one."""
    return next((one for one in members(hint) if _origin_is(one, tuple)), None)


def has_text(hint: Any) -> bool:
    """Whether any text is allowed, so that a text cannot stand for a class."""
    return str in members(hint) or Any in members(hint)


def named_by_type(hint: Any) -> bool:
    """Whether a class of the union is written with `type`: there are several, or values that are no class."""
    others = [one for one in members(hint) if one is not type(None) and not _origin_is(one, tuple)]
    return bool(classes_in(hint)) and len(others) > 1


@cache
def type_name(cls: type[Any]) -> str:
    """The word for a class in `type`: `PageNumber` is `page_number`."""
    return _WORDS.sub("_", cls.__name__.replace("OAuth", "Oauth")).lower()


@cache
def type_names(cls: type[Any]) -> tuple[str, ...]:
    """All words for a class: as in dlt, `_auth` may be left out."""
    name = type_name(cls)
    short = name.removesuffix("_auth")
    return (name,) if short in (name, "no") else (name, short)


def class_named(name: str, classes: Iterable[type[Any]]) -> type[Any] | None:
    """The class that a word in `type` stands for."""
    return next((cls for cls in classes if name in type_names(cls)), None)


@cache
def classes_anywhere() -> tuple[type[Any], ...]:
    """The declarations that may stand inside a free value, such as the JSON of a request's body: those of `params`."""
    return tuple(classes_in(get_args(mapping_in(hints_of(Endpoint)["params"]))[1]))


def class_like(value: Mapping[str, Any]) -> type[Any] | None:
    """The declaration that a mapping inside a free value is, by its `type` and all of its keys; None if it is none."""
    name = value.get(TYPE)
    cls = class_named(name, classes_anywhere()) if isinstance(name, str) else None
    if cls is None:
        return None
    given = value.keys() - {TYPE}
    needed = {key.name for key in keys_of(cls) if is_required(key)}
    return cls if needed <= given <= {key.name for key in keys_of(cls)} else None


def can_be_empty(cls: type[Any]) -> bool:
    """Whether a class needs no key, so that its name alone stands for it (`paginator: single_page`)."""
    return not any(is_required(key) for key in keys_of(cls))


_WORDS_FOR = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    type(None): "null",
    timedelta: "a duration as `5m`, `26h` or `3d`",
}


def in_words(hint: Any) -> str:
    """What an annotation allows, in words for who writes the file."""
    said: list[str] = []
    classes = classes_in(hint)
    for member in members(hint):
        if member in classes:
            continue
        origin, parts = get_origin(member), get_args(member)
        if origin is Literal:
            said.append(" or ".join(map(str, parts)))
        elif _origin_is(member, tuple):
            said.append(f"a list, each item {in_words(parts[0])}")
        elif _origin_is(member, Mapping):
            said.append(f"a mapping, each value {in_words(parts[1])}")
        elif isinstance(member, type) and issubclass(member, StrEnum):
            said.append(" or ".join(member))
        else:
            said.append(_WORDS_FOR.get(member, "a value"))
    if classes:
        names = " or ".join(f"`{type_name(cls)}`" for cls in classes)
        said.insert(0, f"a mapping with `type` {names}" if named_by_type(hint) else f"a mapping with keys of {names}")
    return " or ".join(said)


def _origin_is(hint: Any, kind: type[Any]) -> bool:
    origin = get_origin(hint)
    return isinstance(origin, type) and issubclass(origin, kind)

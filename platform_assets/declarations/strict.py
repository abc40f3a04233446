"""`@strict`: a dataclass that reports a wrong key or value by the file and line of the declaration.

A platform file is written by people who do not know this code. Python's own message for a misspelt key
(`Cursor.__init__() got an unexpected keyword argument 'maxium'`) names neither file nor line, and a value of a wrong
type raises nothing at all until something uses it. So every class of this package is

    @strict
    @dataclass(frozen=True, kw_only=True)
    class Cursor: ...

with an ordinary dataclass and a check around its `__init__`. Pydantic would check values too, but does not tell the
line, and it converts values ("10" to 10) unless every class is configured not to.
"""

import functools
import sys
import types
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, fields
from datetime import timedelta
from math import isfinite
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from platform_assets.declarations.errors import MisspeltError
from platform_assets.declarations.nearest import did_you_mean

T = TypeVar("T")

_LINE = "_declared_on_line"
# Modules whose frames are never where a declaration stands (`dataclasses.replace` calls `__init__`).
_SKIPPED_MODULES = (__name__, "dataclasses")
_MAX_SHOWN = 60


def strict(cls: type[T]) -> type[T]:
    """Make a frozen dataclass raise MisspeltError for keys and values that it does not have."""
    checked: Any = cls
    generated = checked.__init__
    keys: tuple[Field[Any], ...] = fields(checked)
    positional = [key.name for key in keys if not key.kw_only]

    @functools.wraps(generated)
    def __init__(self: Any, *values: Any, **given: Any) -> None:
        file, line = _calling_line()
        if len(values) > len(positional):
            raise MisspeltError(file, line, cls.__name__, None, "takes its values by name only: `key=value`")
        ordered = dict(zip(positional, values, strict=False))
        twice = next(((key, "is given twice") for key in ordered if key in given), None)
        given = {**ordered, **given}
        problem = twice or _first_problem(cls, keys, given)
        if problem is not None:
            raise MisspeltError(file, line, f"{cls.__name__}{_label(given)}", *problem)
        generated(self, **given)
        object.__setattr__(self, _LINE, line)

    checked.__init__ = __init__
    return cls


def declared_on(declared: object) -> int | None:
    """The line of its file on which a declaration stands; None for other objects."""
    return getattr(declared, _LINE, None)


def stand_on_line(declared: T, line: int) -> T:
    """Say on which line of its file a declaration stands that was made from another file than the caller's."""
    object.__setattr__(declared, _LINE, line)
    return declared


def _first_problem(cls: type[Any], keys: Iterable[Field[Any]], given: Mapping[str, Any]) -> tuple[str, str] | None:
    """The first wrong key or value, as (key, what is wrong)."""
    names = [key.name for key in keys]
    for name in given:
        if name not in names:
            return name, "there is no such key" + (did_you_mean(name, names) or f"; there are {', '.join(names)}")
    for key in keys:
        if key.name not in given and key.default is MISSING and key.default_factory is MISSING:
            return key.name, "is missing"
    hints = _type_hints(cls)
    for name, value in given.items():
        if not _is_of_type(value, hints[name]):
            return name, f"must be {_type_in_words(hints[name])}, not {_shown(value)}"
    return None


@functools.cache
def _type_hints(cls: type[Any]) -> dict[str, Any]:
    return get_type_hints(cls)


def _is_of_type(value: Any, hint: Any) -> bool:
    """Whether a value is of a declared type. A bool is not a number here, and a text is not a list of texts."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return any(_is_of_type(value, part) for part in parts)
    if origin is Literal:
        return value in parts
    if origin is tuple:
        return isinstance(value, tuple) and all(_is_of_type(item, parts[0]) for item in value)
    if origin is not None and issubclass(origin, Mapping):
        return isinstance(value, Mapping) and all(
            _is_of_type(key, parts[0]) and _is_of_type(item, parts[1]) for key, item in value.items()
        )
    if hint is Any:
        return True
    if origin is not None:
        return isinstance(value, origin)
    if isinstance(value, bool):
        return hint is bool
    if hint is float:
        return isinstance(value, int | float) and isfinite(value)
    return isinstance(value, hint)


_TYPE_NAMES = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "True or False",
    type(None): "None",
    timedelta: "a timedelta",
}


def _type_in_words(hint: Any) -> str:
    """E.g. `a text or None`, `a tuple `(…,)`, each item a text`."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return " or ".join(_type_in_words(part) for part in parts)
    if origin is Literal:
        return " or ".join(map(repr, parts))
    if origin is tuple:
        return f"a tuple `(…,)`, each item {_type_in_words(parts[0])}"
    if origin is not None and issubclass(origin, Mapping):
        return f"a mapping, each key {_type_in_words(parts[0])}, each value {_type_in_words(parts[1])}"
    return _TYPE_NAMES.get(hint) or f"{hint.__name__}(...)"


def _shown(value: Any) -> str:
    """A wrong value as it is quoted in a message, cut short."""
    if isinstance(value, type):
        return f"the class {value.__name__} itself"
    text = repr(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"


def _label(given: Mapping[str, Any]) -> str:
    label = given.get("name") or given.get("path")
    return f" {label!r}" if isinstance(label, str) else ""


def _calling_line() -> tuple[str, int]:
    """File and line of the innermost caller outside this module."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__") in _SKIPPED_MODULES:
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno

"""Strict frozen dataclasses: a key that does not exist, is missing or has a wrong type names the line it stands on."""

import functools
import sys
import types
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from datetime import timedelta
from math import isfinite
from typing import Any, Literal, TypeVar, Union, dataclass_transform, get_args, get_origin, get_type_hints, overload

from platform_assets.declarations.errors import MisspeltError
from platform_assets.declarations.nearest import did_you_mean

T = TypeVar("T")

_LINE = "_declared_on_line"
_HERE = (__name__, "dataclasses")
"""Modules whose frames are not where a declaration stands."""


@overload
def declaration(cls: type[T], /) -> type[T]: ...
@overload
def declaration(*, kw_only: bool) -> Callable[[type[T]], type[T]]: ...
@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
def declaration(cls: type[Any] | None = None, /, *, kw_only: bool = True) -> Any:
    """Make a class a frozen dataclass that raises MisspeltError for keys and values it does not have."""

    def decorate(decorated: type[Any]) -> type[Any]:
        made: Any = dataclass(frozen=True, kw_only=kw_only)(decorated)
        generated = made.__init__
        names = [item.name for item in fields(made)]
        required = [i.name for i in fields(made) if i.default is MISSING and i.default_factory is MISSING]

        @functools.wraps(generated)
        def __init__(self: Any, *values: Any, **given: Any) -> None:
            file, line = _place()
            positional = () if kw_only else tuple(names)
            if len(values) > len(positional):
                raise MisspeltError(file, line, made.__name__, None, "takes its values by name only: `key=value`")
            ordered = dict(zip(positional, values, strict=False))
            twice = next(((key, "is given twice") for key in ordered if key in given), None)
            given = {**ordered, **given}
            problem = twice or _first_problem(made, names, required, given)
            if problem is not None:
                raise MisspeltError(file, line, f"{made.__name__}{_label(given)}", *problem)
            generated(self, **given)
            object.__setattr__(self, _LINE, line)

        made.__init__ = __init__
        return made

    return decorate if cls is None else decorate(cls)


def declared_on(declared: object) -> int | None:
    """Line of its file on which a declaration stands, None for what is none."""
    return getattr(declared, _LINE, None)


def _first_problem(
    cls: type[Any], names: Iterable[str], required: Iterable[str], given: Mapping[str, Any]
) -> tuple[str, str] | None:
    """(key, what is wrong) of the first wrong key or value."""
    for key in given:
        if key not in names:
            return key, "there is no such key" + (did_you_mean(key, names) or f"; there are {', '.join(names)}")
    for key in required:
        if key not in given:
            return key, "is missing"
    hints = _hints(cls)
    for key, value in given.items():
        if not _fits(value, hints[key]):
            return key, f"must be {_said(hints[key])}, not {_shown(value)}"
    return None


@functools.cache
def _hints(cls: type[Any]) -> dict[str, Any]:
    return get_type_hints(cls)


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value is of a declared type; true and false are no numbers here, a text is no list of texts."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return any(_fits(value, part) for part in parts)
    if origin is Literal:
        return value in parts
    if origin is tuple:
        return isinstance(value, tuple) and all(_fits(item, parts[0]) for item in value)
    if origin is not None and issubclass(origin, Mapping):
        return isinstance(value, Mapping) and all(_fits(k, parts[0]) and _fits(v, parts[1]) for k, v in value.items())
    if hint is Any:
        return True
    if origin is not None:
        return isinstance(value, origin)
    if isinstance(value, bool):
        return hint is bool
    if hint is float:
        return isinstance(value, int | float) and isfinite(value)
    return isinstance(value, hint)


_WORDS = {str: "a text", int: "a whole number", float: "a number", bool: "True or False", type(None): "None"}
_WORDS[timedelta] = "a timedelta"


def _said(hint: Any) -> str:
    """A type in words, e.g. `a text or None`, `a tuple of texts: (...,)`."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return " or ".join(_said(part) for part in parts)
    if origin is Literal:
        return " or ".join(map(repr, parts))
    if origin is tuple:
        return f"a tuple `(…,)`, each item {_said(parts[0])}"
    if origin is not None and issubclass(origin, Mapping):
        return f"a mapping, each key {_said(parts[0])}, each value {_said(parts[1])}"
    return _WORDS.get(hint) or f"{hint.__name__}(...)"


def _shown(value: Any) -> str:
    """A wrong value, as short as it can be told from others."""
    if isinstance(value, type):
        return f"the class {value.__name__} itself"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"


def _label(given: Mapping[str, Any]) -> str:
    label = given.get("name") or given.get("path")
    return f" {label!r}" if isinstance(label, str) else ""


def _place() -> tuple[str, int]:
    """File and line of the innermost caller that is not this module."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__") in _HERE:
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno

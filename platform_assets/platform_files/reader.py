"""Reads a Platform from YAML, by the type annotations of the declarations.

An error has the form of one in a Python declaration: `platforms/shop.yaml:24: PageNumber: `maxium`: there is no such
key; did you mean `maximum`?`
"""

import re
from dataclasses import is_dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import yaml

from platform_assets.declarations import MisspeltError, Platform, validate
from platform_assets.declarations.nearest import did_you_mean
from platform_assets.declarations.strict import stand_on_line
from platform_assets.platform_files.document import List, Mapping, Node, Scalar, parse, read_text
from platform_assets.platform_files.durations import parse_duration
from platform_assets.platform_files.shape import (
    TYPE,
    can_be_empty,
    class_like,
    class_named,
    classes_in,
    has_text,
    hints_of,
    in_words,
    is_required,
    keys_of,
    list_in,
    mapping_in,
    members,
    type_name,
)

_WHOLE = re.compile(r"[-+]?(?:0|[1-9]\d{0,17})")
_NUMBER = re.compile(r"[-+]?(?:\d{1,30}(?:\.\d{0,30})?|\.\d{1,30})(?:[eE][-+]?\d{1,3})?")
_NULLS = ("", "~", "null", "Null", "NULL")
_TRUTHS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_MAX_SHOWN = 60
_MOMENT = "tag:yaml.org,2002:timestamp"
_TEXT = "tag:yaml.org,2002:str"


def read_platform(path: Path) -> Platform:
    """The platform of a YAML file, whole and valid.

    Raises MisspeltError for what cannot be read and DeclarationError for what cannot run; both have the line.
    """
    return parse_platform(read_text(path), str(path))


def parse_platform(text: str, file: str) -> Platform:
    """The platform of a YAML text, as `read_platform` has it.

    Args:
        file: path for messages.
    """
    document = parse(text, file)
    platform = _Reader(file).declaration(document, Platform, skip_type=False)
    validate([platform])
    return platform


class _Refused(Exception):
    """A value that none of the allowed types takes; the text says why, if more than the types can be said."""


class _Reader:
    def __init__(self, file: str) -> None:
        self._file = file

    def declaration(self, node: Mapping, cls: type[Any], *, skip_type: bool) -> Any:
        """The declaration of class `cls` that a mapping is.

        Args:
            skip_type: whether `type` names the class, and is no key of it.
        """
        hints = hints_of(cls)
        label = cls.__name__ + _label(node)
        given: dict[str, Any] = {}
        for name, (key, value) in node.entries.items():
            if skip_type and name == TYPE:
                continue
            if name not in hints:
                known = did_you_mean(name, hints) or f"; there are {', '.join(hints)}"
                raise MisspeltError(self._file, key.line, label, _short(name), f"there is no such key{known}")
            given[name] = self.value(value, hints[name], label, name)
        for key in keys_of(cls):
            if is_required(key) and key.name not in given:
                raise MisspeltError(self._file, node.line, label, key.name, "is missing")
        try:
            made = cls(**given)
        except MisspeltError as error:
            raise MisspeltError(self._file, node.line, label, error.key, _without(error)) from None
        return stand_on_line(made, node.line)

    def value(self, node: Node, hint: Any, label: str, key: str) -> Any:
        """What a node is by its annotation.

        Args:
            label, key: the declaration and the key of it that the value belongs to, for messages.
        """
        try:
            if isinstance(node, Scalar):
                return self._scalar(node, hint)
            if isinstance(node, List):
                return self._list(node, hint, label, key)
            return self._mapping(node, hint, label, key)
        except _Refused as refused:
            reason = str(refused) or f"must be {in_words(hint)}, not {_shown(node)}"
            raise MisspeltError(self._file, node.line, label, key, reason) from None

    def _list(self, node: List, hint: Any, label: str, key: str) -> Any:
        found = list_in(hint)
        if found is None and Any in members(hint):
            return [self.value(item, Any, label, key) for item in node.items]
        if found is None:
            raise _Refused
        return tuple(self.value(item, get_args(found)[0], label, key) for item in node.items)

    def _mapping(self, node: Mapping, hint: Any, label: str, key: str) -> Any:
        classes, mapping = classes_in(hint), mapping_in(hint)
        named = node.get(TYPE)
        if classes and isinstance(named, Scalar) and (mapping is None or class_named(named.text, classes)):
            alone = classes[0] if len(classes) == 1 and TYPE in hints_of(classes[0]) else None
            chosen = alone or class_named(named.text, classes)
            if chosen is None:
                names = [type_name(cls) for cls in classes]
                known = did_you_mean(named.text, names) or f"; there are {', '.join(names)}"
                raise MisspeltError(
                    self._file, named.line, label, key, f"there is no `type` {_short(named.text)!r}{known}"
                )
            return self.declaration(node, chosen, skip_type=alone is None)
        if mapping is not None:
            key_hint, value_hint = get_args(mapping)
            return {
                self._key(name, key_hint, label, key): self.value(value, value_hint, label, key)
                for name, value in node.entries.values()
            }
        if len(classes) == 1:
            return self.declaration(node, classes[0], skip_type=False)
        if classes:
            raise _Refused(f"needs a `type`: {', '.join(type_name(cls) for cls in classes)}")
        if Any in members(hint):
            texts = {name: value.text for name, (_, value) in node.entries.items() if isinstance(value, Scalar)}
            found = class_like({**dict.fromkeys(node.entries), **texts})
            if found is not None:
                return self.declaration(node, found, skip_type=True)
            return {
                self._key(name, str, label, key): self.value(value, Any, label, key)
                for name, value in node.entries.values()
            }
        raise _Refused

    def _key(self, node: Scalar, hint: Any, label: str, key: str) -> Any:
        try:
            return self._scalar(node, hint)
        except _Refused as refused:
            reason = str(refused) or f"must be {in_words(hint)}, not {_shown(node)}"
            raise MisspeltError(self._file, node.line, label, key, f"its key `{_short(node.text)}`: {reason}") from None

    def _scalar(self, node: Scalar, hint: Any) -> Any:
        allowed = members(hint)
        value = plain_value(node)
        if value is None and type(None) in allowed:
            return None
        if isinstance(value, bool | int | float) or value is None:
            return _number(value, node, allowed)
        for member in allowed:
            if get_origin(member) is Literal and node.text in get_args(member):
                return node.text
            if isinstance(member, type) and issubclass(member, StrEnum) and node.text in list(member):
                return member(node.text)
        if timedelta in allowed:
            try:
                return parse_duration(node.text)
            except ValueError:
                pass
        if has_text(hint):
            if _is_doubtful(node):
                raise _Refused(f"readers of YAML differ in what {_shown(node)} is: put it in quotes if it is a text")
            return node.text
        return self._named_class(node, hint)

    def _named_class(self, node: Scalar, hint: Any) -> Any:
        """`paginator: single_page`: a name stands for a class that needs no key."""
        cls = class_named(node.text, classes_in(hint))
        if cls is None or not is_dataclass(cls):
            raise _Refused
        if not can_be_empty(cls):
            needed = ", ".join(f"`{key.name}`" for key in keys_of(cls) if is_required(key))
            raise _Refused(f"`{node.text}` needs {needed}: write a mapping with `type: {node.text}` and these keys")
        return stand_on_line(cls(), node.line)


def _number(value: bool | int | float | None, node: Scalar, allowed: tuple[Any, ...]) -> Any:
    """A value that is no text: as one of the allowed types, or refused with a hint at quotes."""
    for member in allowed:
        if get_origin(member) is Literal and any(
            part == value and type(part) is type(value) for part in get_args(member)
        ):
            return value
    if Any in allowed:
        return value
    if isinstance(value, bool) and bool in allowed:
        return value
    if isinstance(value, int) and not isinstance(value, bool) and (int in allowed or float in allowed):
        return value
    if isinstance(value, float) and float in allowed:
        return value
    if str in allowed:
        raise _Refused(f"must be a text, and {_shown(node)} without quotes is none: put it in quotes")
    raise _Refused


def plain_value(node: Scalar) -> bool | int | float | str | None:
    """What a scalar is by itself: YAML's null, true and false, decimal numbers, else a text."""
    if not node.plain:
        return node.text
    if node.text in _NULLS:
        return None
    if node.text in _TRUTHS:
        return _TRUTHS[node.text]
    if _WHOLE.fullmatch(node.text):
        return int(node.text)
    if _NUMBER.fullmatch(node.text) and not _has_leading_zero(node.text) and float(node.text) < float("inf"):
        return float(node.text)
    return node.text


def _has_leading_zero(text: str) -> bool:
    return re.match(r"[-+]?0\d", text) is not None


def _is_doubtful(node: Scalar) -> bool:
    """Whether some reader of YAML takes an unquoted text for something else: `yes`, `012`, `1:30`, `.inf`."""
    return node.plain and is_doubtful(node.text)


def is_doubtful(text: str) -> bool:
    """Whether some reader of YAML would take this text, without quotes, for something that is no text.

    A date or time is none of these: nothing here is one, so its text is what is meant.
    """
    if text in _NULLS or text in _TRUTHS or _NUMBER.fullmatch(text) or re.fullmatch(r"[-+]?0[xob][\da-fA-F_]+", text):
        return True
    return _resolved(text) not in (_TEXT, _MOMENT)


def _resolved(text: str) -> str:
    """The tag that YAML 1.1 gives an unquoted text."""
    return yaml.SafeLoader("").resolve(yaml.ScalarNode, text, (True, False))


def _label(node: Mapping) -> str:
    """The name or path of a declaration, for messages, as `strict` has it."""
    for key in ("name", "path"):
        value = node.get(key)
        if isinstance(value, Scalar) and value.text:
            return f" {_short(value.text)!r}"
    return ""


def _without(error: MisspeltError) -> str:
    """A problem without the declaration and key that it begins with."""
    return error.problem.split(": ", 2 if error.key else 1)[-1]


def _short(text: str) -> str:
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"


def _shown(node: Node) -> str:
    if isinstance(node, List):
        return "a list"
    if isinstance(node, Mapping):
        return "a mapping"
    return f"`{_short(node.text)}`" if node.text else "nothing"

"""YAML or JSON as plain data, within bounds: aliases and merge keys cannot multiply it, and nothing in it is built.

Aliases stay shared: what an anchor names is one object, wherever it is used. Keys are texts as they are written (`on`
too), dates and other values that only YAML 1.1 knows stay texts.
"""

import json
import math
import re
from typing import Any

import yaml

from platform_assets.importing.values import TooLarge

# Bounds of a manifest's file; connectors with 300 streams and all schemas inside have 60,000 values.
MAX_DEPTH = 100
MAX_VALUES = 400_000

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"
_MERGE = f"{_TAG}merge"
_WHOLE = re.compile(r"[-+]?(0|[1-9][0-9_]{0,300})")
_FLOAT = re.compile(r"[-+]?([0-9][0-9_]*)?\.?[0-9]*([eE][-+]?[0-9]+)?")
_LONGEST_NUMBER = 310


class NotData(Exception):
    """A text is neither YAML nor JSON; says where and why.

    Args:
        line: from 1.
    """

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"line {line}: {problem}")


def load_json(text: str) -> Any:
    """Raises NotData and TooLarge."""
    try:
        found = json.loads(text)
    except RecursionError:
        raise TooLarge(f"it is nested more than {MAX_DEPTH} deep") from None
    except ValueError as error:
        raise NotData(
            getattr(error, "lineno", 1), f"not JSON: {getattr(error, 'msg', 'a number is too long')}"
        ) from None
    _check(found)
    return found


def load_yaml(text: str) -> Any:
    """Raises NotData and TooLarge."""
    try:
        _check_events(text)
        root = yaml.compose(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "it cannot be read"
        raise NotData(mark.line + 1 if mark else 1, f"not YAML: {problem}") from None
    except (ValueError, RecursionError) as error:
        raise NotData(1, f"not YAML that can be read: {type(error).__name__}") from None
    return None if root is None else _Builder().value(root)


def _check(value: Any) -> None:
    left, count = [(value, 0)], 0
    while left:
        one, depth = left.pop()
        count += 1
        _check_size(depth, count)
        if isinstance(one, dict):
            left += [(part, depth + 1) for part in one.values()]
        elif isinstance(one, list):
            left += [(part, depth + 1) for part in one]


def _check_events(text: str) -> None:
    """Raise TooLarge before a tree is built, which a deep one could not survive."""
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=_LOADER)):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        _check_size(depth, count // 2)


def _check_size(depth: int, count: int) -> None:
    if depth > MAX_DEPTH:
        raise TooLarge(f"it is nested more than {MAX_DEPTH} deep")
    if count > MAX_VALUES:
        raise TooLarge(f"it has more than {MAX_VALUES:,} values")


class _Builder:
    """Makes data of YAML's nodes: one value for each node, with its size (aliases written out) and height."""

    def __init__(self) -> None:
        self._made: dict[int, tuple[Any, int, int]] = {}
        self._open: set[int] = set()
        self._merged = 0

    def value(self, node: Any) -> Any:
        return self._measured(node)[0]

    def _measured(self, node: Any) -> tuple[Any, int, int]:
        """The value, how many values are in it, and how deep it is."""
        if isinstance(node, yaml.ScalarNode):
            return _scalar(node), 1, 0
        found = self._made.get(id(node))
        if found is None:
            if id(node) in self._open:
                raise NotData(node.start_mark.line + 1, "an alias is inside of what it stands for")
            if node.tag not in (f"{_TAG}seq", f"{_TAG}map"):
                raise NotData(node.start_mark.line + 1, f"the tag {node.tag} is no plain data")
            self._open.add(id(node))
            found = self._list(node) if isinstance(node, yaml.SequenceNode) else self._object(node)
            self._open.remove(id(node))
            _check_size(found[2], found[1])
            self._made[id(node)] = found
        return found

    def _list(self, node: Any) -> tuple[list[Any], int, int]:
        values, size, height = [], 1, 0
        for one in node.value:
            value, inner, depth = self._measured(one)
            values.append(value)
            size, height = size + inner, max(height, depth + 1)
        return values, size, height

    def _object(self, node: Any) -> tuple[dict[str, Any], int, int]:
        values: dict[str, Any] = {}
        own: dict[str, Any] = {}
        size, height = 1, 0
        for key, one in node.value:
            value, inner, depth = self._measured(one)
            size, height = size + inner, max(height, depth + 1)
            if isinstance(key, yaml.ScalarNode) and key.tag == _MERGE:
                self._merge(values, value, key)
            else:
                own[_key(key)] = value
        # As YAML has it: a key of the object's own wins, wherever the merge key stands.
        return values | own, size, height

    def _merge(self, values: dict[str, Any], merged: Any, key: Any) -> None:
        for one in merged if isinstance(merged, list) else [merged]:
            if not isinstance(one, dict):
                raise NotData(key.start_mark.line + 1, "`<<` takes an object, or a list of objects")
            self._merged += len(one)
            _check_size(0, self._merged)
            for name, value in one.items():
                # Of several merged objects the first one wins.
                values.setdefault(name, value)


def _key(node: Any) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise NotData(node.start_mark.line + 1, "a key is a list or an object; a template needs quotes")
    return node.value


def _scalar(node: Any) -> Any:
    text, kind = node.value, node.tag.removeprefix(_TAG)
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() in ("yes", "true", "on")
    if kind == "int":
        return _whole(text)
    if kind == "float":
        return _number(text)
    if kind in ("str", "timestamp", "value", "merge"):
        return text
    raise NotData(node.start_mark.line + 1, f"the tag {node.tag} is no plain data")


def _whole(text: str) -> int | str:
    """Decimal, or with a prefix as YAML 1.1 has them; what looks like minutes or hours (`12:30`) stays a text."""
    if _WHOLE.fullmatch(text):
        return int(text.replace("_", ""))
    digits = text.replace("_", "").lower().lstrip("+-")
    if not digits.isalnum() or len(digits) > _LONGEST_NUMBER:
        return text
    base = 2 if digits.startswith("0b") else 16 if digits.startswith("0x") else 8
    try:
        found = int(digits.removeprefix("0b").removeprefix("0x"), base)
    except ValueError:
        return text
    return -found if text.startswith("-") else found


def _number(text: str) -> float | str:
    """A float; what JSON has not (`.inf`, `.nan`) and times stay texts."""
    if len(text) > _LONGEST_NUMBER or not _FLOAT.fullmatch(text):
        return text
    try:
        found = float(text.replace("_", ""))
    except ValueError:
        return text
    return found if math.isfinite(found) else text

"""Objects that are made of others: equal ones are one object, and what a tree of them has is known and bounded.

What a manifest refers to stands in many places. Written out it is a tree that may have billions of values; as objects
that are shared it is as large as the file.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from platform_assets.importing.values import TooLarge

# What a component's templates may name is no part of it.
PARAMETERS = "$parameters"

# Of one stream with everything that it refers to, its parents too.
MAX_STREAM_VALUES = 500_000
MAX_STREAM_DEPTH = 150


class ComponentTooLarge(TooLarge):
    """One component, with everything that it refers to, is too large; others may be fine."""


class Shared:
    """Makes objects and lists, each once. What it returns must not be changed."""

    def __init__(self) -> None:
        self._made: dict[Any, Any] = {}
        # id of what was made -> number of values in it, depth. `_made` keeps the objects, so no id is used twice.
        self._measures: dict[int, tuple[int, int]] = {}

    def mapping(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """An object with these values. Raises ComponentTooLarge if everything in it is too much."""
        key = ("mapping", tuple((name, self._identity(value)) for name, value in values.items()))
        return self._one(key, dict(values), [part for name, part in values.items() if name != PARAMETERS])

    def list(self, values: Iterable[Any]) -> list[Any]:
        """A list of these values. Raises ComponentTooLarge if everything in it is too much."""
        found = list(values)
        return self._one(("list", tuple(map(self._identity, found))), found, found)

    def all_of(self, value: Any) -> Any:
        """Plain data, with everything in it shared. Recurses: only for data whose depth is bounded."""
        if id(value) in self._measures:
            return value
        if isinstance(value, dict):
            return self.mapping({name: self.all_of(part) for name, part in value.items()})
        if isinstance(value, list):
            return self.list([self.all_of(part) for part in value])
        return value

    def size(self, value: Any) -> int:
        """Of how many values something is, each counted as often as it stands there."""
        return self._measure(value)[0]

    def _one(self, key: Any, made: Any, parts: Iterable[Any]) -> Any:
        known = self._made.get(key)
        if known is not None:
            return known
        size, depth = 1, 0
        for part in parts:
            inner, below = self._measure(part)
            size, depth = size + inner, max(depth, below + 1)
        if size > MAX_STREAM_VALUES:
            raise ComponentTooLarge(f"with all that it refers to it has more than {MAX_STREAM_VALUES:,} values")
        if depth > MAX_STREAM_DEPTH:
            raise ComponentTooLarge(f"with all that it refers to it is nested more than {MAX_STREAM_DEPTH} deep")
        self._made[key] = made
        self._measures[id(made)] = (size, depth)
        return made

    def _measure(self, value: Any) -> tuple[int, int]:
        return self._measures.get(id(value), (1, 0)) if isinstance(value, dict | list) else (1, 0)

    def _identity(self, value: Any) -> Any:
        if isinstance(value, dict | list):
            if id(value) not in self._measures:
                raise TypeError("an object was not made here")
            return id(value)
        # 1, 1.0 and True are equal, and not the same.
        return type(value).__name__, value

"""Looks up what a manifest refers to: `$ref`, texts such as `#/definitions/base`, and `*ref(definitions.base)`.

CDK: a `$ref` brings an object's keys, and keys beside it win; a text that begins with `#/` is a reference wherever it
stands. Each reference is looked up once, when something needs it: one that no stream uses may be broken.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from platform_assets.importing.manifest.measured import MAX_STREAM_DEPTH, Shared
from platform_assets.importing.values import TooLarge

REF = "$ref"
# CDK: values of a user's settings, in which nothing is a reference.
_SETTINGS_VALUES = "config_overrides"
_OLD = re.compile(r"\*ref\(\s*([^()]+?)\s*\)")
_INDEX = re.compile(r"\[(\d+)\]")
_OLD_PARAMETERS = {"$options": "$parameters"}

# Values that are made while references are looked up, in all of a manifest.
MAX_LOOKED_UP = 2_000_000


class UnknownReference(Exception):
    """A reference leads nowhere, in a circle, or out of what may be read; the text says which and why."""


class References:
    """What a manifest's values are once everything that they refer to is in its place.

    Args:
        manifest: plain data; aliases may be shared objects, but no circle.
        shared: makes what is returned.
        read_file: what is in a file of the manifest's folder, for a `$ref` to one. Raises UnknownReference.
    """

    def __init__(
        self, manifest: Mapping[str, Any], shared: Shared, read_file: Callable[[str], Any] | None = None
    ) -> None:
        self._manifest = manifest
        self._shared = shared
        self._read_file = read_file
        # With what was resolved, so that its id stays its own.
        self._values: dict[int, tuple[Any, Any]] = {}
        self._targets: dict[str, Any] = {}
        self._open: list[str] = []
        self._count = 0

    def resolved(self, value: Any) -> Any:
        """The value with nothing left to look up. Raises UnknownReference and TooLarge."""
        opened = list(self._open)
        try:
            return self._resolved(value, 0)
        finally:
            self._open = opened

    def _resolved(self, value: Any, depth: int) -> Any:
        if isinstance(value, str):
            path = _referred(value)
            return value if path is None else self._target(path, value, depth)
        if not isinstance(value, dict | list):
            return value
        known = self._values.get(id(value))
        if known is not None:
            return known[1]
        if depth > MAX_STREAM_DEPTH:
            raise TooLarge(f"its references lead more than {MAX_STREAM_DEPTH} deep")
        self._count += 1 + len(value)
        if self._count > MAX_LOOKED_UP:
            raise TooLarge(f"its references lead to more than {MAX_LOOKED_UP:,} values")
        if isinstance(value, list):
            found = self._shared.list([self._resolved(part, depth + 1) for part in value])
        else:
            found = self._object(value, depth)
        self._values[id(value)] = value, found
        return found

    def _object(self, value: Mapping[str, Any], depth: int) -> Any:
        own: dict[str, Any] = {}
        for key, part in value.items():
            if key == _SETTINGS_VALUES:
                own[key] = self._shared.all_of(part)
            elif key != REF:
                own[_OLD_PARAMETERS.get(key, key)] = self._resolved(part, depth + 1)
        if REF not in value:
            return self._shared.mapping(own)
        target = self._referred_object(value[REF], depth)
        return self._shared.mapping(target | own) if isinstance(target, dict) else target

    def _referred_object(self, reference: Any, depth: int) -> Any:
        if isinstance(reference, str) and _referred(reference) is None:
            if self._read_file is None:
                raise UnknownReference(f"`$ref: {_short(reference)}` is not in the manifest")
            return self._shared.all_of(self._read_file(reference))
        return self._resolved(reference, depth + 1)

    def _target(self, path: str, reference: str, depth: int) -> Any:
        if path in self._targets:
            return self._targets[path]
        if path in self._open:
            circle = " -> ".join([*self._open[self._open.index(path) :], path])
            raise UnknownReference(f"`{_short(circle)}` refers to itself")
        self._open.append(path)
        found = self._resolved(_at(self._manifest, path, reference), depth + 1)
        self._open.pop()
        self._targets[path] = found
        return found


def _referred(text: str) -> str | None:
    """The path that a reference names, with `/` between its parts; None for any other text."""
    if text.startswith("#/"):
        return text[2:]
    old = _OLD.fullmatch(text) if text.startswith("*ref(") and len(text) < 1000 else None
    return _INDEX.sub(r".\1", old[1]).replace(".", "/") if old else None


def _at(manifest: Any, path: str, reference: str) -> Any:
    """CDK: the longest key that is there is taken first, as a key may have a `/` in it."""
    found, left = manifest, path
    while left:
        if isinstance(found, dict) and left in found:
            return found[left]
        head, _, left = left.partition("/")
        if isinstance(found, dict) and head in found:
            found = found[head]
        elif (
            isinstance(found, list) and head.isascii() and head.isdigit() and len(head) < 10 and int(head) < len(found)
        ):
            found = found[int(head)]
        else:
            raise UnknownReference(f"`{_short(reference)}` is not in the manifest")
    return found


def _short(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:200]}…"

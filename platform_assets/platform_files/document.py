"""A YAML file as nodes that know their lines, within bounds of size, depth and number.

PyYAML's own `compose` has no bounds: a few lines of aliases become billions of nodes, and deep nesting ends the
process. So nodes are made here, from PyYAML's events. Scalars stay texts: whoever reads them decides on their types.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from platform_assets.declarations import MisspeltError


@dataclass(frozen=True)
class Bounds:
    """How large a file may be: bytes, levels of nesting, and nodes with aliases expanded."""

    size: int = 1_000_000
    depth: int = 40
    nodes: int = 100_000


PLATFORM_FILE = Bounds()

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MERGE = "<<"


@dataclass(frozen=True)
class Scalar:
    """A single value; `plain` if it stands without quotes."""

    line: int
    text: str
    plain: bool
    size: int = 1


@dataclass(frozen=True)
class List:
    """A sequence of nodes; `size` counts the nodes in it, aliases expanded."""

    line: int
    items: list[Node] = field(default_factory=list)
    size: int = 1


@dataclass(frozen=True)
class Mapping:
    """Keys and values in the file's order; no key is there twice."""

    line: int
    entries: dict[str, tuple[Scalar, Node]] = field(default_factory=dict)
    size: int = 1

    def get(self, key: str) -> Node | None:
        found = self.entries.get(key)
        return None if found is None else found[1]


Node = Scalar | List | Mapping


def read_text(path: Path, bounds: Bounds = PLATFORM_FILE) -> str:
    """A file's text. Raises MisspeltError if it cannot be read, or is too large."""
    try:
        if not path.is_file():
            raise _refused(str(path), 1, "there is no such file" if not path.exists() else "is no file")
        with path.open("rb") as file:
            content = file.read(bounds.size + 1)
    except OSError as error:
        raise _refused(str(path), 1, f"cannot be read: {error.strerror}") from None
    if len(content) > bounds.size:
        raise _refused(str(path), 1, f"the file is larger than {bounds.size // 1000} kB")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _refused(str(path), 1, "the file is not UTF-8") from None


def parse(text: str, file: str, bounds: Bounds = PLATFORM_FILE) -> Mapping:
    """The mapping that a text is in YAML. Raises MisspeltError, with the line, for what cannot be read.

    Args:
        file: path for messages.
    """
    try:
        return _Composer(file, iter(yaml.parse(text, Loader=_LOADER)), bounds).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = error.problem or error.context or "cannot be read"
        raise _refused(file, mark.line + 1 if mark else 1, problem) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise _refused(file, line, f"character {error.character!r} is not allowed") from None


def _refused(file: str, line: int, problem: str) -> MisspeltError:
    return MisspeltError(file, line, "YAML", None, problem)


class _Composer:
    """Makes nodes of one document's events."""

    def __init__(self, file: str, events: Iterator[Any], bounds: Bounds) -> None:
        self._bounds = bounds
        self._file = file
        self._events = events
        self._anchors: dict[str, Node | None] = {}
        self._nodes = 0

    def document(self) -> Mapping:
        first = self._next(yaml.StreamStartEvent, yaml.DocumentStartEvent)
        if isinstance(first, yaml.StreamEndEvent):
            raise _refused(self._file, 1, "the file is empty")
        node = self._node(first, 0)
        following = self._next(yaml.DocumentEndEvent)
        if not isinstance(following, yaml.StreamEndEvent):
            raise self._refused(following, "a file holds one document: there is a second one")
        if not isinstance(node, Mapping):
            raise _refused(self._file, node.line, "the file must be a mapping, `key: value`")
        return node

    def _next(self, *skipped: type[Any]) -> Any:
        return next(event for event in self._events if not isinstance(event, skipped))

    def _refused(self, event: Any, problem: str) -> MisspeltError:
        return _refused(self._file, event.start_mark.line + 1, problem)

    def _node(self, event: Any, depth: int) -> Node:
        if isinstance(event, yaml.AliasEvent):
            node = self._anchors.get(event.anchor)
            if node is None:
                raise self._refused(event, f"`*{event.anchor[:60]}` refers to itself, or to nothing before it")
            # Whoever reads the nodes walks an alias as if it stood there.
            self._count(event, node.size)
            return node
        if event.tag is not None and not _is_implied(event):
            raise self._refused(event, f"tags such as {event.tag[:60]!r} are not read: write the plain value")
        if depth > self._bounds.depth:
            raise self._refused(event, f"is nested more than {self._bounds.depth} levels deep")
        self._count(event, 1)
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        node = self._new_node(event, depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _count(self, event: Any, nodes: int) -> None:
        self._nodes += nodes
        if self._nodes > self._bounds.nodes:
            raise self._refused(event, f"has more than {self._bounds.nodes} values, those that aliases repeat included")

    def _new_node(self, event: Any, depth: int) -> Node:
        line = event.start_mark.line + 1
        if isinstance(event, yaml.ScalarEvent):
            return Scalar(line, event.value, plain=not event.style)
        before = self._nodes
        if isinstance(event, yaml.SequenceStartEvent):
            items: list[Node] = []
            while not isinstance(inner := next(self._events), yaml.SequenceEndEvent):
                items.append(self._node(inner, depth + 1))
            return List(line, items, size=1 + self._nodes - before)
        entries = self._entries(depth)
        return Mapping(line, entries, size=1 + self._nodes - before)

    def _entries(self, depth: int) -> dict[str, tuple[Scalar, Node]]:
        entries: dict[str, tuple[Scalar, Node]] = {}
        merged: dict[str, tuple[Scalar, Node]] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._node(event, depth + 1)
            if not isinstance(key, Scalar):
                raise self._refused(event, "a key must be a text")
            value_event = next(self._events)
            value = self._node(value_event, depth + 1)
            if key.text == _MERGE and key.plain:
                for name, entry in self._merged(value_event, value).items():
                    merged.setdefault(name, entry)
            elif key.text in entries:
                first = entries[key.text][0].line
                raise _refused(self._file, key.line, f"the key `{key.text[:60]}` is there twice, first in line {first}")
            else:
                entries[key.text] = (key, value)
        return {**{name: entry for name, entry in merged.items() if name not in entries}, **entries}

    def _merged(self, event: Any, value: Node) -> dict[str, tuple[Scalar, Node]]:
        """The entries that `<<` takes from one mapping, or from several of which the first counts."""
        parts = value.items if isinstance(value, List) else [value]
        entries: dict[str, tuple[Scalar, Node]] = {}
        for part in parts:
            if not isinstance(part, Mapping):
                raise self._refused(event, "`<<` takes a mapping, or a list of them")
            entries = {**part.entries, **entries}
        return entries


def _is_implied(event: Any) -> bool:
    implicit = event.implicit
    return any(implicit) if isinstance(implicit, tuple) else bool(implicit)

"""Finds what a file declares: a dlt `rest_api` configuration, or a declarative connector's manifest.

A configuration is Python, JSON, YAML, or a Markdown document with one of them in it; a manifest is YAML or JSON, or in
such a document. The manifest is only found here; importing/manifest reads it.

Nothing in a file is ever run. A file that is too large, nested too deep, or no configuration ends in
`UnreadableDocument`, within bounded time and memory.
"""

import json
import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from platform_assets.importing.findings import UnreadableDocument
from platform_assets.importing.python_source import read_python
from platform_assets.importing.values import MAX_DEPTH, MAX_NODES, Setting, TooLarge, check_bounds

MAX_BYTES = 5_000_000

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})[ \t]*([\w+-]*)[^\n]*$")
_PYTHON_WORDS = ("python", "py", "python3")
_YAML_WORDS = ("yaml", "yml")
_JSON_WORDS = ("json", "jsonc", "json5")
_STREAMS_KEY = re.compile(
    r"""^[ \t]*["']?(?:dynamic_)?streams["']?[ \t]*:|[{,][ \t]*"(?:dynamic_)?streams"[ \t]*:""", re.M
)
_MANIFEST_WORDS = ("DeclarativeSource", "retriever")
_REFERENCE = re.compile(r"dlt\.(secrets|config)\[[\"']([\w.]+)[\"']\]|\$\{(?:env:)?(\w+)\}")


@dataclass(frozen=True)
class Document:
    """A configuration as a file has it.

    Attributes:
        file: the file's name.
        config: as written, with `client` and `resources`; may hold `Setting`, `Joined`, `Unreadable` and `Called`.
        line: where it stands in the file, from 1.
        name: the name that its source was given, if any.
        others: lines of further configurations in the file, which were not read.
        fields: resource's name as written in headings -> field -> type, from lists of fields in the prose around it.
    """

    file: str
    config: Mapping[str, Any]
    line: int = 1
    name: str | None = None
    others: tuple[int, ...] = ()
    fields: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class ManifestDocument:
    """A declarative connector's manifest as a file has it.

    Attributes:
        file: where it is from.
        text: YAML or JSON, not parsed yet.
        line: where it stands in the file, from 1.
        others: lines of further manifests or configurations in the file, which were not read.
    """

    file: Path
    text: str
    line: int = 1
    others: tuple[int, ...] = ()


@dataclass(frozen=True)
class _Found:
    config: Mapping[str, Any] | None
    line: int
    name: str | None = None
    # Of a manifest, which has no `config`.
    text: str = ""


def read_document(path: Path) -> Document | ManifestDocument:
    """The first configuration or manifest in a file. Raises UnreadableDocument."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UnreadableDocument(f"{path}: {error.strerror or error}") from None
    if len(content) > MAX_BYTES:
        raise UnreadableDocument(f"{path}: is larger than {MAX_BYTES:,} bytes: no configuration is")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableDocument(f"{path}: is not UTF-8 text (byte {error.start})") from None
    return parse_document(text, path.name, path)


def parse_document(text: str, name: str, path: Path | None = None) -> Document | ManifestDocument:
    """The first configuration or manifest in a text; `name` is its file's, whose ending says what it is."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    kind = name.rpartition(".")[2].lower()
    try:
        if kind in _PYTHON_WORDS:
            found = _from_python(text, 1)
        elif kind in _JSON_WORDS:
            found = _from_json(text, 1)
        elif kind in _YAML_WORDS:
            found = _from_yaml(text, 1)
        else:
            found = _from_markdown(text)
    except TooLarge as error:
        raise UnreadableDocument(f"{name}: {error}: no configuration is") from None
    except _Broken as error:
        raise UnreadableDocument(f"{name}: {error}") from None
    if not found:
        raise UnreadableDocument(
            f"{name}: no dlt `rest_api` configuration found: looked for `rest_api_source({{...}})`,"
            " `rest_api_resources(...)` or an object with `client` and `resources`; and no manifest of a declarative"
            " connector, which has `streams` with `retriever`s"
        )
    first, *others = found
    if first.config is None:
        return ManifestDocument(path or Path(name), first.text, first.line, tuple(other.line for other in others))
    fields = _fields_in_prose(text) if kind in ("md", "markdown", "txt") else {}
    return Document(name, first.config, first.line, first.name, tuple(other.line for other in others), fields)


class _Broken(Exception):
    """What should be Python, JSON or YAML is not."""


def _from_markdown(text: str) -> list[_Found]:
    """The configurations in a document's code blocks; without any block, of the whole text."""
    found: list[_Found] = []
    broken: _Broken | None = None
    blocks = list(_blocks(text))
    for word, block, line in blocks or [("", text, 1)]:
        try:
            found += _from_block(word, block, line)
        except _Broken as error:
            broken = broken or error
    if not found and broken is not None:
        raise broken
    return found


def _blocks(text: str) -> Iterator[tuple[str, str, int]]:
    """Fenced code blocks: word after the fence, content, line of its first line."""
    fence, word, first, lines = "", "", 0, list[str]()
    for number, line in enumerate(text.split("\n"), 1):
        found = _FENCE.match(line)
        if not fence and found:
            fence, word, first, lines = found[1], found[2].lower(), number + 1, []
        elif fence and found and not found[2] and found[1].startswith(fence):
            yield word, "\n".join(lines), first
            fence = ""
        elif fence:
            lines.append(line)
    if fence:
        yield word, "\n".join(lines), first


def _from_block(word: str, block: str, line: int) -> list[_Found]:
    if word in _PYTHON_WORDS:
        return _from_python(block, line)
    if word in _JSON_WORDS:
        return _from_json(block, line)
    if word in _YAML_WORDS:
        return _from_yaml(block, line)
    if word:
        return []
    if "resources" not in block and not looks_like_manifest(block):
        return []
    for reader in (_from_json, _from_python, _from_yaml):
        try:
            found = reader(block, line)
        except _Broken:
            continue
        if found:
            return found
    return []


def _from_python(source: str, first_line: int) -> list[_Found]:
    try:
        configurations = read_python("\n" * (first_line - 1) + textwrap.dedent(source))
    except SyntaxError as error:
        raise _Broken(f"line {error.lineno or first_line}: not Python: {error.msg}") from None
    return [_Found(one.value, one.line, one.name) for one in configurations]


def _from_json(text: str, first_line: int) -> list[_Found]:
    if looks_like_manifest(text):
        return [_Found(None, first_line, text=text)]
    try:
        value = json.loads(text)
    except RecursionError:
        raise TooLarge("it is nested too deep") from None
    except ValueError as error:
        line = first_line + getattr(error, "lineno", 1) - 1
        raise _Broken(f"line {line}: not JSON: {getattr(error, 'msg', 'a number is too long')}") from None
    return _from_data(value, first_line)


def looks_like_manifest(text: str) -> bool:
    """Whether a text is a manifest by the words in it: cheap, as the whole of it is parsed only once."""
    return bool(_STREAMS_KEY.search(text)) and any(word in text for word in _MANIFEST_WORDS)


def _from_yaml(text: str, first_line: int) -> list[_Found]:
    if looks_like_manifest(text):
        return [_Found(None, first_line, text=text)]
    try:
        _check_events(text, _BASE)
        value = yaml.load(text, Loader=_Loader)  # noqa: S506 -- a safe loader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = first_line + (mark.line if mark else 0)
        raise _Broken(f"line {line}: not YAML: {getattr(error, 'problem', None) or 'it cannot be read'}") from None
    except (ValueError, TypeError, RecursionError) as error:
        raise _Broken(f"line {first_line}: not YAML that can be read: {type(error).__name__}") from None
    return _from_data(value, first_line)


# The quicker one if there is one.
_BASE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# Mappings that one mapping merges, and keys that all of them have after that.
_MAX_MERGED = 100


class _Loader(_BASE):
    """A safe loader whose merge keys (`<<`) cannot multiply without end."""

    merged = 0

    def flatten_mapping(self, node: Any) -> None:
        if any(
            isinstance(value, yaml.SequenceNode) and len(value.value) > _MAX_MERGED and key.value == "<<"
            for key, value in node.value
        ):
            raise TooLarge(f"it merges more than {_MAX_MERGED} objects into one")
        super().flatten_mapping(node)
        self.merged += len(node.value)
        if self.merged > MAX_NODES:
            raise TooLarge(f"it has more than {MAX_NODES:,} values")


def _check_events(text: str, loader: Any) -> None:
    """Raise TooLarge before a tree is built, which a deep one could not survive."""
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=loader)):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise TooLarge(f"it is nested more than {MAX_DEPTH} deep")
        if count > 2 * MAX_NODES:
            raise TooLarge(f"it has more than {MAX_NODES:,} values")


def _from_data(value: Any, line: int) -> list[_Found]:
    """The configuration in parsed data: the object itself, or the one below a single key or two."""
    check_bounds(value)
    for _ in range(3):
        if isinstance(value, dict) and "resources" in value and ("client" in value or "base_url" in value):
            return [_Found(_with_settings(value), line)]
        inner = [part for part in value.values() if isinstance(part, dict)] if isinstance(value, dict) else []
        if len(inner) != 1:
            break
        value = inner[0]
    return []


def _with_settings(value: Any) -> Any:
    """Data with `Setting`s for texts that name one; keys that are no texts become texts."""
    if isinstance(value, dict):
        return {str(key): _with_settings(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_with_settings(part) for part in value]
    if isinstance(value, str):
        found = _REFERENCE.fullmatch(value)
        if found:
            name = found[2].split(".")[-1] if found[2] else found[3].split("__")[-1].lower()
            return Setting(name, secret=found[1] != "config")
        return value
    # YAML has times, which a configuration means as texts.
    return value if value is None or isinstance(value, bool | int | float) else _time_as_text(value)


def _time_as_text(value: Any) -> str:
    text = value.isoformat() if hasattr(value, "isoformat") else str(value)
    return text.replace("+00:00", "Z")


# Of headings and list items that are looked at.
_LONGEST_LINE = 300

_HEADING = re.compile(r"#{1,6}\s+(.+?)\s*#*")
_FIELD = re.compile(r"\s*[-*]\s+`([^`\s]+)`\s*:\s*(\w+)\s*\.?")
# Types as documents name them -> our data types.
_TYPES = {
    "string": "text",
    "text": "text",
    "integer": "bigint",
    "int": "bigint",
    "bigint": "bigint",
    "number": "double",
    "float": "double",
    "double": "double",
    "boolean": "bool",
    "bool": "bool",
    "array": "json",
    "object": "json",
    "json": "json",
    "timestamp": "timestamp",
    "datetime": "timestamp",
    "date": "date",
}


def _fields_in_prose(text: str) -> dict[str, dict[str, str]]:
    """Heading -> field -> type, from lists such as "- `id`: integer" below it."""
    found: dict[str, dict[str, str]] = {}
    heading = ""
    for line in text.split("\n"):
        if len(line) > _LONGEST_LINE:
            continue
        if title := _HEADING.fullmatch(line):
            heading = title[1]
        elif (item := _FIELD.fullmatch(line)) and item[2].lower() in _TYPES:
            found.setdefault(heading, {})[item[1]] = _TYPES[item[2].lower()]
    return found

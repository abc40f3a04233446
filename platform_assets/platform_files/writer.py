"""Writes a Platform as YAML, or as the source of a Python platform file. Both have only what differs from the defaults.

Both read back as an equal Platform. A platform to which a contract was applied is written as it was declared.
"""

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, is_dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, get_args

import yaml

from platform_assets.declarations import Platform, PlatformAssetsError
from platform_assets.platform_files.durations import format_duration
from platform_assets.platform_files.reader import is_doubtful
from platform_assets.platform_files.shape import (
    TYPE,
    class_like,
    default_of,
    has_text,
    hints_of,
    keys_of,
    list_in,
    mapping_in,
    named_by_type,
    type_name,
)

_WIDTH = 120
_INDENT = "    "
# Lists of scalars up to this length stand in one line of YAML.
_SHORT_LIST = 80


def as_yaml(platform: Platform) -> str:
    """The platform as a YAML file's text, which `read_platform` reads as an equal platform.

    Raises PlatformAssetsError for a free value, such as a body, that has the form of a declaration.
    """
    document = _document(platform.reference or platform, Platform)
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH)


def as_python(platform: Platform) -> str:
    """The platform as the source of a platform file, with its imports and `PLATFORM = ...`."""
    declared = platform.reference or platform
    used: set[str] = set()
    body = _python(declared, 0, len("PLATFORM = "), used)
    imports = []
    if "timedelta" in used:
        imports = ["from datetime import timedelta", ""]
    names = sorted(used - {"timedelta"}, key=lambda name: (name.isupper(), name))
    line = f"from platform_assets.declarations import {', '.join(names)}"
    if len(line) > _WIDTH:
        line = "\n".join(["from platform_assets.declarations import (", *(f"{_INDENT}{name}," for name in names), ")"])
    return "\n".join([_docstring(declared), "", *imports, line, "", f"PLATFORM = {body}", ""])


def changed_fields(declared: Any) -> Iterator[tuple[str, Any]]:
    """Name and value of each field that is not what it is by default, in the order of the class."""
    for key in keys_of(type(declared)):
        value, default = getattr(declared, key.name), default_of(key)
        if default is MISSING or value != default:
            yield key.name, value


def _document(value: Any, hint: Any) -> Any:
    """A value as YAML's mappings, lists and scalars.

    Args:
        hint: the annotation of where it stands, which decides whether `type` has to be there.
    """
    if is_dataclass(value):
        cls = type(value)
        hints = hints_of(cls)
        fields = {name: _document(item, hints[name]) for name, item in changed_fields(value)}
        if not named_by_type(hint) and hint is not Any:
            return fields
        if not fields and not has_text(hint):
            return type_name(cls)
        return {TYPE: type_name(cls), **fields}
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, StrEnum):
        return str(value)
    if isinstance(value, Mapping):
        found = mapping_in(hint)
        item_hint = get_args(found)[1] if found is not None else Any
        if item_hint is Any and class_like(value):
            raise PlatformAssetsError(f"{dict(value)!r} cannot be written as YAML: it would be read as a declaration")
        return {key: _document(item, item_hint) for key, item in value.items()}
    if isinstance(value, tuple | list):
        found = list_in(hint)
        item_hint = get_args(found)[0] if found is not None else Any
        return [_document(item, item_hint) for item in value]
    return value


class _Dumper(yaml.SafeDumper):
    """Block style, indented lists, and quotes wherever some reader of YAML would see no text."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = '"' if is_doubtful(text) else "|" if _is_block(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _is_block(text: str) -> bool:
    """Whether a text of several lines can stand as such, so that it can be read."""
    lines = text.splitlines()
    return "\n" in text and text.isprintable() is False and all(line.isprintable() for line in lines)


def _represent_list(dumper: yaml.SafeDumper, items: list[Any]) -> yaml.SequenceNode:
    plain = all(isinstance(item, str | int | float) or item is None for item in items)
    short = plain and sum(len(str(item)) + 2 for item in items) <= _SHORT_LIST
    return dumper.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=short)


_Dumper.add_representer(str, _represent_text)
_Dumper.add_representer(list, _represent_list)


def _docstring(platform: Platform) -> str:
    text = platform.description.strip() or platform.title
    plain = text.isprintable() and '"' not in text and "\\" not in text
    return f'"""{text}"""' if plain and text else '"""A platform."""'


def _python(value: Any, depth: int, before: int, used: set[str]) -> str:
    """A value as Python source, in one line if it fits.

    Args:
        depth: levels of indentation of the line that it stands in.
        before: characters before it in its line, and the comma after it.
        used: names that the file has to import are added here.
    """
    if is_dataclass(value) and not isinstance(value, type):
        name = type(value).__name__
        used.add(name)
        parts = [(f"{key}=", item) for key, item in changed_fields(value)]
        return _bracketed(f"{name}(", parts, ")", depth, before, used)
    if isinstance(value, Mapping):
        parts = [(f"{_python(key, depth, 0, used)}: ", item) for key, item in value.items()]
        return _bracketed("{", parts, "}", depth, before, used)
    if isinstance(value, tuple):
        if not value:
            return "()"
        alone = len(value) == 1
        return _bracketed("(", [("", item) for item in value], ",)" if alone else ")", depth, before, used)
    if isinstance(value, list):
        return _bracketed("[", [("", item) for item in value], "]", depth, before, used)
    if isinstance(value, StrEnum):
        used.add(type(value).__name__)
        return f"{type(value).__name__}.{value.name}"
    if isinstance(value, timedelta):
        used.add("timedelta")
        return _python_duration(value)
    if isinstance(value, str):
        return _python_text(value)
    return repr(value)


def _bracketed(
    opening: str, parts: list[tuple[str, Any]], closing: str, depth: int, before: int, used: set[str]
) -> str:
    one_line = opening + ", ".join(label + _python(item, 0, -10_000, used) for label, item in parts) + closing
    if "\n" not in one_line and before + len(one_line) <= _WIDTH:
        return one_line
    inner = _INDENT * (depth + 1)
    lines = [f"{inner}{label}{_python(item, depth + 1, len(inner) + len(label) + 1, used)}," for label, item in parts]
    return "\n".join([opening, *lines, f"{_INDENT * depth}{closing.lstrip(',')}"])


def _python_duration(value: timedelta) -> str:
    seconds = value.days * 86400 + value.seconds
    if value.microseconds:
        return f"timedelta(seconds={seconds}, microseconds={value.microseconds})"
    for size, unit in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds and seconds % size == 0:
            return f"timedelta({unit}={seconds // size})"
    return f"timedelta(seconds={seconds})" if seconds else "timedelta(0)"


def _python_text(text: str) -> str:
    """As ruff formats it: in double quotes, unless that needs more escapes."""
    literal = repr(text)
    if literal.startswith("'") and '"' not in text:
        return '"' + literal[1:-1].replace("\\'", "'") + '"'
    return literal

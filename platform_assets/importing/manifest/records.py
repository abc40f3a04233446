"""What becomes of a stream's records: where they are, which are kept, which fields they get and lose."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from platform_assets.declarations import Flatten, RecordShape, Template
from platform_assets.declarations.template_problems import CLOCKS, CONTEXT, FUNCTIONS
from platform_assets.importing.findings import Findings
from platform_assets.importing.manifest.texts import STATE, NotCarried, Texts, is_template, single_expression

_CASTS = {"string": " | string", "integer": " | int", "number": " | float", "boolean": ""}
_FIELD = re.compile(r"\brecord(?:\.(\w+)|\[\s*['\"]([^'\"]+)['\"]\s*\]|\.get\(\s*['\"]([^'\"]+)['\"])")


def convert_selector(selector: Any) -> str:
    """The dotted path of an extractor. Raises NotCarried."""
    extractor = selector.get("extractor") if isinstance(selector, Mapping) else None
    extractor = extractor if isinstance(extractor, Mapping) else {}
    if extractor.get("type") != "DpathExtractor":
        name = extractor.get("class_name") or extractor.get("type")
        why = "is Python, which is never run" if extractor.get("class_name") else "is not in our vocabulary"
        raise NotCarried(f"the extractor `{name}` {why}")
    if extractor.get("record_expander"):
        raise NotCarried("`record_expander` is not in our vocabulary")
    path = extractor.get("field_path")
    path = [path] if isinstance(path, str) else path
    if not isinstance(path, list) or not all(isinstance(part, str | int) for part in path):
        raise NotCarried("`field_path` is no path")
    parts = [str(part) for part in path if str(part) != ""]
    if any(is_template(part) or "." in part or part == "**" for part in parts):
        raise NotCarried(f"`field_path` {parts!r} is no path of plain names")
    return ".".join(parts)


def convert_filter(selector: Any, texts: Texts, findings: Findings, name: str) -> Template | None:
    """The condition of a record filter; None without one. What cannot be carried lets more rows through."""
    given = selector.get("record_filter") if isinstance(selector, Mapping) else None
    if not isinstance(given, Mapping):
        return None
    if given.get("class_name"):
        findings.not_carried(name, "record_filter", f"`{given['class_name']}` is Python, which is never run")
        return None
    condition = given.get("condition")
    if not isinstance(condition, str) or not condition.strip():
        return None
    if STATE in condition:
        findings.assumed(name, "record_filter", "compares with the state of the last sync: every record is taken")
        return None
    text = condition if is_template(condition) else "{{ " + condition + " }}"
    try:
        return texts.template(texts.rewritten(text), CONTEXT | FUNCTIONS | CLOCKS, "record_filter")
    except NotCarried as error:
        findings.not_carried(name, "record_filter", str(error))
        return None


@dataclass
class _Shape:
    """A record's shape while transformations are added in their order."""

    added: dict[str, Template | str | int | float | bool] = field(default_factory=dict)
    flattened: list[Flatten] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)


def convert_transformations(given: Any, texts: Texts, findings: Findings, name: str) -> RecordShape | None:
    """Transformations that add, flatten and remove, in this order; each that cannot be carried is a finding."""
    shape = _Shape()
    for one in given if isinstance(given, list) else ():
        kind = one.get("type") if isinstance(one, Mapping) else None
        try:
            if kind == "AddFields":
                _add(one, shape, texts)
            elif kind == "RemoveFields":
                _remove(one, shape)
            elif kind == "FlattenFields":
                if one.get("flatten_lists") is not False and "flatten_lists" in one:
                    findings.suspected(name, "FlattenFields", "lists stay lists: they are JSON columns")
                shape.flattened.append(Flatten())
            elif kind == "DpathFlattenFields":
                _flatten(one, shape)
            elif kind in ("KeysToSnakeCase", "KeysToLower"):
                findings.mended(name, kind, "columns are in snake case anyway, as dlt names them")
            else:
                label = one.get("class_name") if isinstance(one, Mapping) else None
                why = f"`{label}` is Python, which is never run" if label else "is not in our vocabulary"
                raise NotCarried(why)
        except NotCarried as error:
            findings.not_carried(name, f"transformations.{kind}", str(error))
    if not (shape.added or shape.flattened or shape.removed):
        return None
    return RecordShape(added=shape.added, flattened=tuple(shape.flattened), removed=tuple(shape.removed))


def _add(one: Mapping[str, Any], shape: _Shape, texts: Texts) -> None:
    condition = one.get("condition")
    for entry in one.get("fields") or ():
        path = entry.get("path") if isinstance(entry, Mapping) else None
        if not isinstance(path, Sequence) or isinstance(path, str) or any(is_template(part) for part in path):
            raise NotCarried("a field's path is computed")
        keys = [str(part) for part in path]
        if not keys or any("." in key for key in keys):
            raise NotCarried(f"the path {keys!r} has a key with a dot")
        value = _added(entry, condition, keys, shape, texts)
        if shape.flattened:
            raise NotCarried(f"`{'.'.join(keys)}` is added after records were flattened: the order is another one here")
        shape.added[".".join(keys)] = value
        # A removal that comes before is of the field that was there.
        shape.removed = [gone for gone in shape.removed if gone.split(".")[0] != keys[0]]


def _added(
    entry: Mapping[str, Any], condition: Any, keys: list[str], shape: _Shape, texts: Texts
) -> Template | str | int | float | bool:
    value = entry.get("value")
    if not isinstance(value, str):
        if value is None or isinstance(value, Mapping | list):
            raise NotCarried("a field's value is no text or number")
        if not condition:
            return value
    text = value if isinstance(value, str) else "{{ " + repr(value) + " }}"
    if not is_template(text) and not condition:
        return text
    inner = single_expression(text)
    if condition or entry.get("value_type") in _CASTS:
        if inner is None:
            if is_template(text):
                raise NotCarried("a condition or a type of a text with templates in it is not in our vocabulary")
            inner = repr(text)
        inner = f"({inner}){_CASTS.get(str(entry.get('value_type')), '')}"
        if condition:
            wanted = single_expression(str(condition)) or str(condition)
            inner = f"{inner} if ({wanted}) else record{''.join(f'[{key!r}]' for key in keys)}"
        text = "{{ " + inner + " }}"
    text = texts.rewritten(text)
    used = {next(filter(None, found)) for found in _FIELD.findall(text)}
    if any(gone.split(".")[0] in used or gone.split(".")[0] in ("*", "**") for gone in shape.removed):
        raise NotCarried(f"`{'.'.join(keys)}` uses a field that was removed before it: the order is another one here")
    return texts.template(text, CONTEXT | FUNCTIONS, f"the added field {'.'.join(keys)}")


def _remove(one: Mapping[str, Any], shape: _Shape) -> None:
    if one.get("condition"):
        raise NotCarried("a condition of a removal is not in our vocabulary")
    for pointer in one.get("field_pointers") or ():
        keys = [str(part) for part in pointer] if isinstance(pointer, list) else [str(pointer)]
        if not keys or any("." in key or is_template(key) for key in keys):
            raise NotCarried(f"the path {keys!r} is computed, or has a key with a dot")
        shape.removed.append(".".join(keys))


def _flatten(one: Mapping[str, Any], shape: _Shape) -> None:
    path = one.get("field_path")
    if one.get("replace_record") or one.get("key_transformation"):
        raise NotCarried("`replace_record` and `key_transformation` are not in our vocabulary")
    if not isinstance(path, list) or any("." in str(part) or is_template(part) or part == "**" for part in path):
        raise NotCarried("`field_path` is no path of plain names")
    kept = one.get("delete_origin_value") is not True
    shape.flattened.append(Flatten(path=".".join(map(str, path)), separator=None, deep=False, kept=kept))

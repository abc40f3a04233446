"""A stream's transformations as changes of its records, in the written order."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from platform_assets.declarations import AddFields, Flatten, FlattenAll, RecordShape, RemoveFields, RenameKeys, Template
from platform_assets.declarations.clock_use import has_clock, is_of_the_clock
from platform_assets.declarations.record_shape import RecordStep
from platform_assets.declarations.template_problems import CLOCKS, CONTEXT, FUNCTIONS, SETTINGS
from platform_assets.importing.findings import Findings
from platform_assets.importing.manifest.texts import NotCarried, Texts, is_template, single_expression

_Added = Template | str | int | float | bool

_CASTS = {"string": "string", "integer": "int", "number": "float"}
_WHOLE = re.compile(r"[-+]?(?:0|[1-9]\d{0,17})")
_NUMBER = re.compile(r"[-+]?\d{1,15}\.\d{0,15}")
_MAGIC = re.compile(r"[*?\[]")


class _OfTheClock(NotCarried):
    """A field that another read would give another value."""


class _Reader:
    """Reads the transformations of one stream.

    Attributes:
        left_out: dotted paths of fields that would be added and are not.
    """

    def __init__(self, texts: Texts, findings: Findings, name: str) -> None:
        self._texts = texts
        self._findings = findings
        self._name = name
        self.left_out: set[str] = set()
        self._known: Mapping[str, Callable[[Mapping[str, Any]], RecordStep | None]] = {
            "AddFields": self._add,
            "RemoveFields": self._remove,
            "FlattenFields": lambda one: FlattenAll(lists=one.get("flatten_lists") is not False),
            "DpathFlattenFields": _flatten,
            "KeysReplace": _replace,
            "KeysToLower": lambda one: RenameKeys(case="lower"),
            "KeysToSnakeCase": lambda one: RenameKeys(case="snake"),
        }

    def steps(self, given: Any) -> Iterator[RecordStep]:
        for one in given if isinstance(given, list) else ():
            kind = str(one.get("type")) if isinstance(one, Mapping) else "None"
            try:
                if kind not in self._known:
                    label = one.get("class_name") if isinstance(one, Mapping) else None
                    raise NotCarried(
                        f"`{label}` is Python, which is never run" if label else "is not in our vocabulary"
                    )
                step = self._known[kind](one)
            except NotCarried as error:
                self._say(kind, error)
                continue
            if step is not None:
                yield step

    def _say(self, kind: str, error: NotCarried) -> None:
        self._findings.not_carried(self._name, f"transformations.{kind}", str(error))

    def _condition(self, one: Mapping[str, Any], names: frozenset[str]) -> Template | None:
        given = one.get("condition")
        if given is None or (isinstance(given, str) and not given.strip()):
            return None
        text = str(given) if is_template(given) else "{{ " + str(given) + " }}"
        return self._texts.template(self._texts.rewritten(text), names, "condition")

    def _add(self, one: Mapping[str, Any]) -> AddFields | None:
        condition = self._condition(one, CONTEXT | FUNCTIONS | CLOCKS | {"value"})
        fields: dict[str, _Added] = {}
        for entry in one.get("fields") or ():
            path = None
            try:
                path = _dotted(entry.get("path") if isinstance(entry, Mapping) else None)
                if any(part.isdecimal() for part in path.split(".")):
                    raise NotCarried(f"`{path}` is a place in a list")
                fields[path] = self._added(entry, path)
            except _OfTheClock as error:
                self._findings.mended(self._name, "transformations.AddFields", str(error))
                self.left_out.add(str(path))
            except NotCarried as error:
                self._say("AddFields", error)
                self.left_out.add(str(path))
        return AddFields(fields=fields, condition=condition) if fields else None

    def _added(self, entry: Mapping[str, Any], path: str) -> _Added:
        value, kind = entry.get("value"), entry.get("value_type")
        if not isinstance(value, str):
            if value is None or isinstance(value, Mapping | list):
                raise NotCarried("a field's value is no text or number")
            return value
        if not is_template(value):
            return value if kind == "string" else _literal(value)
        inner = single_expression(value)
        if inner is None and kind not in (None, "string"):
            raise NotCarried("a type of a text with templates in it is not in our vocabulary")
        if inner is not None and kind in _CASTS:
            value = f"({inner}) | {_CASTS[kind]}"
            value = "{{ " + (value if kind == "string" else f"{value} if ({inner}) is not none else none") + " }}"
        names = CONTEXT | FUNCTIONS | CLOCKS
        found = self._texts.template(self._texts.rewritten(value), names, f"the added field {path}")
        if is_of_the_clock(found.text):
            raise _OfTheClock(
                f"`{path}` is left out: it is the time of the read, which would change every row in every sync; the"
                " column `_loaded_at` has when a row was loaded"
            )
        if has_clock(found.text):
            why = (
                f"`{path}` is the time of the read where a record lacks another field: such a row changes in every sync"
            )
            self._findings.suspected(self._name, "AddFields", why)
        return found

    def _remove(self, one: Mapping[str, Any]) -> RemoveFields | None:
        given = one.get("field_pointers") or ()
        pointers = [_dotted(pointer if isinstance(pointer, list) else [pointer]) for pointer in given]
        if not pointers:
            return None
        for pointer in pointers:
            if pointer.split(".").count("**") > 1:
                raise NotCarried(f"`{pointer}` has `**` more than once")
        condition = self._condition(one, SETTINGS | FUNCTIONS | CLOCKS | {"property"})
        if condition is None:
            return RemoveFields(fields=tuple(dict.fromkeys(pointers)))
        if pointers != ["**"]:
            self._findings.suspected(
                self._name,
                "RemoveFields",
                "a condition is asked of every value of a record, wherever it is: as the CDK does",
            )
        return RemoveFields(fields=("**",), condition=condition)


@dataclass(frozen=True)
class Reshaped:
    """What transformations make of a stream's records.

    Attributes:
        record: None if they stay as they are.
        left_out: dotted paths of fields that records lack here, because adding them cannot be carried.
    """

    record: RecordShape | None
    left_out: frozenset[str]


def convert_transformations(given: Any, texts: Texts, findings: Findings, name: str) -> Reshaped:
    """What transformations make of a stream's records; each that cannot be carried is a finding."""
    reader = _Reader(texts, findings, name)
    steps = tuple(reader.steps(given))
    record = (_plain_shape(steps) or RecordShape(steps=steps)) if steps else None
    return Reshaped(record, frozenset(reader.left_out))


def _plain_shape(steps: Sequence[RecordStep]) -> RecordShape | None:
    """The shape of fields that are added, then of fields that are removed; None if the steps are others."""
    added: dict[str, _Added] = {}
    removed: list[str] = []
    for step in steps:
        if (
            isinstance(step, AddFields)
            and step.condition is None
            and not removed
            and added.keys().isdisjoint(step.fields)
        ):
            added |= step.fields
        elif isinstance(step, RemoveFields) and step.condition is None and all(map(_is_plain, step.fields)):
            removed += step.fields
        else:
            return None
    return RecordShape(added=added, removed=tuple(dict.fromkeys(removed)))


def _is_plain(path: str) -> bool:
    return not _MAGIC.search(path) and not any(part.isdecimal() for part in path.split("."))


def _dotted(path: Any) -> str:
    if not isinstance(path, Sequence) or isinstance(path, str) or any(is_template(part) for part in path):
        raise NotCarried("a field's path is computed")
    keys = [str(part) for part in path]
    if not keys or any(not key or "." in key or key.startswith("-") for key in keys):
        raise NotCarried(f"the path {keys!r} has a key with a dot, or counts from a list's end")
    return ".".join(keys)


def _literal(text: str) -> str | int | float | bool:
    """A text without templates as the CDK has it: one that is a number or a bool is no text."""
    if text in ("True", "False"):
        return text == "True"
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else text


def _flatten(one: Mapping[str, Any]) -> Flatten:
    path = _dotted(one.get("field_path"))
    if _MAGIC.search(path):
        raise NotCarried("`field_path` with `*`: which of several objects is the first one is chance")
    keys = one.get("key_transformation")
    keys = keys if isinstance(keys, Mapping) else {}
    prefix, suffix = (keys.get(name) or "" for name in ("prefix", "suffix"))
    if any(not isinstance(text, str) or is_template(text) for text in (prefix, suffix)):
        raise NotCarried("`key_transformation` is computed")
    return Flatten(
        path=path,
        separator=None,
        deep=False,
        kept=one.get("delete_origin_value") is not True,
        replaces=one.get("replace_record") is True,
        prefix=prefix,
        suffix=suffix,
        clash="leave",
    )


def _replace(one: Mapping[str, Any]) -> RenameKeys | None:
    old, new = one.get("old"), one.get("new", "")
    if not isinstance(old, str) or not isinstance(new, str) or is_template(old) or is_template(new):
        raise NotCarried("what is replaced in keys is computed")
    return RenameKeys(old=old, new=new) if old else None

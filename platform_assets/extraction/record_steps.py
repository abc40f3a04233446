"""Changes of records one after the other: what `RecordShape.steps` declares, made ready for one walk of a list."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from platform_assets.declarations import AddFields, Flatten, FlattenAll, RemoveFields, RenameKeys, Template
from platform_assets.declarations.record_shape import RecordStep
from platform_assets.extraction.field_globs import delete
from platform_assets.extraction.reshaping import flatten
from platform_assets.http.errors import AnswerError
from platform_assets.http.selection import Record

_Change = Callable[[Record], None]

# Fields that may come of one record that is taken apart.
_MOST_FIELDS = 2000
_WORDS = re.compile(r"[A-Z]+[a-z]*|[a-z]+|\d+|[^\W\d_A-Za-z]+|(?P<gap>[\W_]+)")


def record_steps(steps: Iterable[RecordStep], values: Mapping[str, object]) -> Callable[[Iterable[Record]], None]:
    """A function that applies steps to records, in place.

    Args:
        values: what templates see beside the record (template_values.py).

    The function raises AnswerError for a record that a step cannot be applied to; so does this one for a template that
    cannot be compiled.
    """
    changes = [_change(step, values) for step in steps]

    def apply(records: Iterable[Record]) -> None:
        for record in records:
            for change in changes:
                change(record)

    return apply


def put(record: Record, path: Sequence[str], value: object) -> None:
    """Set a field, or a key inside objects, which are made where there is none."""
    holder: Any = record
    for key in path[:-1]:
        inner = holder.get(key)
        if not isinstance(inner, dict):
            inner = holder[key] = {}
        holder = inner
    holder[path[-1]] = value


def _change(step: RecordStep, values: Mapping[str, object]) -> _Change:
    match step:
        case AddFields():
            return _adding(step, values)
        case RemoveFields():
            return _removing(step, values)
        case Flatten():
            return lambda record: flatten([record], step)
        case FlattenAll():
            return lambda record: _replace(record, _flat(record, lists=step.lists))
        case RenameKeys():
            return _renaming(step)


def _adding(step: AddFields, values: Mapping[str, object]) -> _Change:
    from platform_assets.declarations.template_problems import CLOCKS, CONTEXT, FUNCTIONS
    from platform_assets.http.templates import Rendered

    names = CONTEXT | FUNCTIONS | CLOCKS
    fields = {
        name: Rendered(value, names, f"`add_fields` field `{name}`") if isinstance(value, Template) else value
        for name, value in step.fields.items()
    }
    condition = step.condition and Rendered(step.condition, names | {"value"}, "`add_fields` condition")

    def add(record: Record) -> None:
        context = {**values, "record": record}
        for name, given in fields.items():
            value = given.value(context) if isinstance(given, Rendered) else given
            if condition is None or condition.holds({**context, "value": value}):
                put(record, name.split("."), value)

    return add


def _removing(step: RemoveFields, values: Mapping[str, object]) -> _Change:
    patterns = [path.split(".") for path in step.fields]
    is_wanted = None if step.condition is None else _condition(step.condition, values)

    def remove(record: Record) -> None:
        for pattern in patterns:
            delete(record, pattern, is_wanted)

    return remove


def _condition(template: Template, values: Mapping[str, object]) -> Callable[[Any], bool]:
    """Whether a value is to go."""
    from platform_assets.declarations.template_problems import CLOCKS, FUNCTIONS, SETTINGS
    from platform_assets.http.templates import Rendered

    condition = Rendered(template, SETTINGS | FUNCTIONS | CLOCKS | {"property"}, "`remove_fields` condition")
    return lambda value: condition.holds({**values, "property": value})


def _flat(record: Record, *, lists: bool) -> Record:
    """The record taken apart, with the names that declarative connectors give."""
    found: Record = {}
    waiting: list[tuple[str, Any]] = [("_", record)]
    has_list = False
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, dict):
            waiting += [(f"{name}.{key}" if has_list or key in found else key, inner) for key, inner in value.items()]
        elif isinstance(value, list) and lists:
            has_list = has_list or bool(value)
            waiting += [(f"{name}.{place}", item) for place, item in enumerate(value)]
        else:
            found[name] = value
        if len(found) + len(waiting) > _MOST_FIELDS:
            raise AnswerError(f"more than {_MOST_FIELDS} fields come of one record that is made flat")
    return found


def _renaming(step: RenameKeys) -> _Change:
    def rename(record: Record) -> None:
        if step.old:
            _replace(record, _renamed(record, lambda name: name.replace(step.old, step.new), deep=True))
        if step.case is not None:
            new_name = str.lower if step.case == "lower" else snake_name
            _replace(record, _renamed(record, new_name, deep=step.case == "snake"))

    return rename


def _renamed(record: Mapping[str, Any], new_name: Callable[[str], str], *, deep: bool) -> Record:
    found: Record = {}
    for name, value in record.items():
        other = new_name(name)
        if other in found:
            raise AnswerError(f"two fields of a record would be called `{other}`, one of them `{name}` before")
        found[other] = _renamed(value, new_name, deep=deep) if deep and isinstance(value, dict) else value
    return found


def snake_name(name: str) -> str:
    """A name as `first_name`: words begin with capitals, numbers, and behind what is neither letter nor number.

    Letters lose their accents; those of other scripts stay.
    """
    plain = "".join(one for one in unicodedata.normalize("NFKD", name) if not unicodedata.combining(one))
    words = ["" if found["gap"] else found[0].lower() for found in _WORDS.finditer(plain)]
    if len(words) > 2:
        words = [words[0], *filter(None, words[1:-1]), words[-1]]
    return "_".join(["", *words] if words and words[0].isdigit() else words)


def _replace(record: Record, found: Record) -> None:
    record.clear()
    record.update(found)

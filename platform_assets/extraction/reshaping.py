"""Records made flat, and fields dropped by patterns: what `RecordShape.flattened` and `removed` declare."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from platform_assets.declarations import Flatten
from platform_assets.extraction.field_globs import Path, delete_at, value_at
from platform_assets.http.errors import AnswerError
from platform_assets.http.selection import Record

# Objects inside each other that are flattened; deeper ones stay objects.
_DEEPEST = 32


def flatten(records: Iterable[Record], declared: Flatten) -> None:
    """Make the fields of an object the record's own, in place.

    Raises AnswerError if a record has a field under each name that one of them could have.
    """
    for record in records:
        if declared.path == "*":
            for name in [name for name, value in record.items() if isinstance(value, dict)]:
                _flatten_one(record, (name,), record[name], declared)
        else:
            found = value_at(record, declared.path.split("."))
            if found is not None and isinstance(found[1], dict):
                _flatten_one(record, *found, declared)


def _flatten_one(record: Record, path: Path, inner: dict[str, Any], declared: Flatten) -> None:
    outer, leaves = tuple(map(str, path)), list(_leaves(inner, (), declared.deep))
    if declared.replaces and leaves:
        record.clear()
    elif declared.clash == "leave" and any(_name(declared, outer, names) in record for names, _ in leaves):
        return
    elif not declared.kept:
        delete_at(record, path)
    for names, value in leaves:
        record[_free_name(record, outer, names, declared)] = value


def _leaves(value: Mapping[str, Any], names: tuple[str, ...], deep: bool) -> Iterable[tuple[tuple[str, ...], Any]]:
    """Each inner field's path and value. An empty object is a value: nothing is lost."""
    for name, item in value.items():
        path = (*names, name)
        if deep and isinstance(item, dict) and item and len(path) < _DEEPEST:
            yield from _leaves(item, path, deep)
        else:
            yield path, item


def _name(declared: Flatten, outer: Sequence[str], inner: Sequence[str]) -> str:
    name = inner[-1] if declared.separator is None else declared.separator.join((*outer, *inner))
    return f"{declared.prefix}{name}{declared.suffix}"


def _free_name(record: Record, outer: Sequence[str], inner: Sequence[str], declared: Flatten) -> str:
    wanted = _name(declared, outer, inner)
    if wanted not in record:
        return wanted
    name = "_".join((*outer, *inner))
    if declared.separator is not None or name in record:
        raise AnswerError(f"flattening `{'.'.join(outer)}` would overwrite the record's field `{wanted}`")
    return name


def remove(records: Iterable[Record], paths: Iterable[str]) -> None:
    """Drop the fields at dotted paths in place: `*` is any key or place in a list, `**` any depth, also none."""
    for path in paths:
        segments = path.split(".")
        for record in records:
            _remove(record, segments)


def _remove(holder: Any, segments: Sequence[str]) -> None:
    first, rest = segments[0], segments[1:]
    if first == "**":
        if not rest:
            _clear(holder)
            return
        _remove(holder, rest)
        for inner in _inner(holder):
            _remove(inner, segments)
    elif not rest:
        if first == "*":
            _clear(holder)
        elif isinstance(holder, dict):
            holder.pop(first, None)
    elif first == "*":
        for inner in _inner(holder):
            _remove(inner, rest)
    elif isinstance(holder, dict):
        _remove(holder.get(first), rest)


def _inner(holder: Any) -> list[Any]:
    if isinstance(holder, dict):
        return list(holder.values())
    return holder if isinstance(holder, list) else []


def _clear(holder: Any) -> None:
    if isinstance(holder, dict | list):
        holder.clear()

"""Records made flat, and fields dropped by patterns: what `RecordShape.flattened` and `removed` declare."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from platform_assets.declarations import Flatten
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
                _flatten_one(record, record, name, name, declared)
        else:
            *outer, last = declared.path.split(".")
            holder: Any = record
            for key in outer:
                holder = holder.get(key) if isinstance(holder, dict) else None
            if isinstance(holder, dict) and isinstance(holder.get(last), dict):
                _flatten_one(record, holder, last, declared.path, declared)


def _flatten_one(record: Record, holder: dict[str, Any], key: str, path: str, declared: Flatten) -> None:
    inner = holder[key]
    if not declared.kept:
        del holder[key]
    for names, value in list(_leaves(inner, (), declared.deep)):
        record[_free_name(record, path.split("."), names, declared.separator)] = value


def _leaves(value: Mapping[str, Any], names: tuple[str, ...], deep: bool) -> Iterable[tuple[tuple[str, ...], Any]]:
    """Each inner field's path and value. An empty object is a value: nothing is lost."""
    for name, item in value.items():
        path = (*names, name)
        if deep and isinstance(item, dict) and item and len(path) < _DEEPEST:
            yield from _leaves(item, path, deep)
        else:
            yield path, item


def _free_name(record: Record, outer: Sequence[str], inner: Sequence[str], separator: str | None) -> str:
    wanted = inner[-1] if separator is None else separator.join((*outer, *inner))
    if wanted not in record:
        return wanted
    name = "_".join((*outer, *inner))
    if separator is not None or name in record:
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

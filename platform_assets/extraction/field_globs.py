"""Fields of a record by patterns of paths, as the package dpath finds and drops them, which declarative connectors use.

`*`, `?` and `[ab]` in a part are those of names of files, and match places in lists too; `**` is any number of parts,
also none.
"""

from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any

from platform_assets.http.selection import Record

Path = tuple[str | int, ...]

_ANY_DEPTH = "**"
_MAGIC = frozenset("*?[")


def delete(record: Record, pattern: Sequence[str], is_wanted: Callable[[Any], bool] | None = None) -> None:
    """Drop what a pattern matches, in place.

    Args:
        is_wanted: asked of each matching value that is no object and no list; then nothing else is dropped.
    """
    for path, value in list(_matching(record, tuple(pattern))):
        if is_wanted is None or not (isinstance(value, dict | list) or not is_wanted(value)):
            delete_at(record, path)


def delete_at(record: Record, path: Path) -> None:
    """Drop a field, or an item of a list: the last one goes, and null takes the place of another one."""
    holder: Any = record
    for key in path[:-1]:
        holder = _child(holder, key)
    last = path[-1]
    if isinstance(holder, dict):
        holder.pop(last, None)
    elif isinstance(holder, list) and isinstance(last, int) and last < len(holder):
        if last == len(holder) - 1:
            del holder[last]
        else:
            holder[last] = None


def value_at(record: Record, pattern: Sequence[str]) -> tuple[Path, Any] | None:
    """Path and value of the field at a path without wildcards; a number is a place in a list. None without one."""
    return next(_by_parts(record, (), tuple(pattern)), None)


def is_glob(part: str) -> bool:
    """Whether a part of a path stands for more than one name."""
    return not _MAGIC.isdisjoint(part)


def _matching(record: Record, pattern: tuple[str, ...]) -> Iterator[tuple[Path, Any]]:
    if _ANY_DEPTH not in pattern:
        yield from _by_parts(record, (), pattern)
        return
    place = pattern.index(_ANY_DEPTH)
    head, tail = pattern[:place], pattern[place + 1 :]
    for path, value in _everything(record, ()):
        is_long_enough = len(path) >= len(head) + len(tail)
        if is_long_enough and _all_match(path, head) and _all_match(path[len(path) - len(tail) :], tail):
            yield path, value


def _by_parts(value: Any, path: Path, pattern: tuple[str, ...]) -> Iterator[tuple[Path, Any]]:
    first, rest = pattern[0], pattern[1:]
    if isinstance(value, dict) and not is_glob(first):
        found = [(first, value[first])] if first in value else []
    else:
        found = [(key, item) for key, item in _items(value) if _matches(key, first)]
    for key, item in found:
        if rest:
            yield from _by_parts(item, (*path, key), rest)
        else:
            yield (*path, key), item


def _everything(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """Every field and item below a value, an object's own before those inside of them."""
    items = _items(value)
    for key, item in items:
        yield (*path, key), item
    for key, item in items:
        yield from _everything(item, (*path, key))


def _items(value: Any) -> list[tuple[str | int, Any]]:
    if isinstance(value, dict):
        return list(value.items())
    return list(enumerate(value)) if isinstance(value, list) else []


def _child(holder: Any, key: str | int) -> Any:
    if isinstance(holder, dict):
        return holder.get(key)
    if isinstance(holder, list) and isinstance(key, int) and key < len(holder):
        return holder[key]
    return None


def _all_match(path: Path, parts: tuple[str, ...]) -> bool:
    return all(_matches(key, part) for key, part in zip(path, parts, strict=False))


def _matches(key: str | int, part: str) -> bool:
    if isinstance(key, int) and part.isdecimal():
        return key == int(part)
    return fnmatchcase(str(key), part)

"""Which items of a list are the same, and which of them were seen before in a read."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from platform_assets.declarations import Envelope
from platform_assets.lossless_json import as_json

Identify = Callable[[list[Any]], list[int]]
"""From a page's items to one hash each; equal hashes are the same item."""

_RECENT = 1 << 16


class Seen:
    """Item hashes, 8 bytes each but for the newest, so that a million rows take 8 MB."""

    def __init__(self) -> None:
        self._recent: set[int] = set()
        self._older: list[np.ndarray] = []

    def __contains__(self, key: int) -> bool:
        return key in self._recent or any(_holds(keys, key) for keys in self._older)

    def add(self, keys: Iterable[int]) -> None:
        self._recent.update(keys)
        if len(self._recent) < _RECENT:
            return
        self._older.append(np.sort(np.fromiter(self._recent, np.int64, len(self._recent))))
        self._recent = set()
        while len(self._older) > 1 and len(self._older[-2]) <= len(self._older[-1]):
            self._older.append(np.sort(np.concatenate([self._older.pop(), self._older.pop()])))


def _holds(keys: np.ndarray, key: int) -> bool:
    at = int(np.searchsorted(keys, key))
    return at < len(keys) and int(keys[at]) == key


def by_content(items: list[Any]) -> list[int]:
    """Items are the same where all of them is."""
    return [hash(as_json(item, "a record", sort_keys=True)) for item in items]


def by_key(primary_key: tuple[str, ...], stand_ins: Mapping[str, str], envelope: Envelope | None) -> Identify:
    """Items are the same where their primary keys are; an item without one is known by its content.

    An envelope is known by the records inside, and an empty one by its kind and its own key.
    """

    def key_of(record: Any) -> str | None:
        if not isinstance(record, dict):
            return None
        values = [record.get(name) for name in primary_key]
        if None in values:
            values = [
                record.get(stand_ins.get(name, name)) if value is None else value
                for name, value in zip(primary_key, values, strict=True)
            ]
        return None if None in values else "\x1f".join(map(str, values))

    def plain(items: list[Any]) -> list[int]:
        if len(primary_key) == 1:
            found = [item.get(primary_key[0]) for item in items]
            if None not in found:
                return [hash(str(value)) for value in found]
        return [_hash(key_of(item), item) for item in items]

    def enveloped(items: list[Any]) -> list[int]:
        return [_hash(_envelope_key(item), item) for item in items]

    def _envelope_key(item: dict[str, Any]) -> str | None:
        assert envelope is not None
        inner = item.get(envelope.data_field)
        kind = str(item.get(envelope.kind_field))
        if inner is None:
            own = key_of(item)
            return None if own is None else f"{kind}\x1e{own}"
        keys = [key_of(record) for record in (inner if isinstance(inner, list) else [inner])]
        return None if None in keys or not keys else "\x1e".join([kind, *map(str, keys)])

    return plain if envelope is None else enveloped


def _hash(key: str | None, item: Any) -> int:
    return hash(as_json(item, "a record", sort_keys=True)) if key is None else hash(key)

"""Primary keys of records: settled to the one value that is stored and compared, then hashed.

A record whose key is not exactly a value of its columns has no identity, so it is an error and not a row.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from platform_assets.arrow.exactness import key_values
from platform_assets.http.errors import AnswerError
from platform_assets.http.selection import Record

# Characters of a refused key that are shown.
_SHOWN = 40


def settle_keys(records: list[Record], key_types: Mapping[str, str], *, holds_nul: bool = True) -> None:
    """Replace key values in place by the one value that each is stored and compared as.

    Args:
        key_types: raw field name -> dlt data type of the primary key's fields.
        holds_nul: whether the warehouse tells texts with U+0000 from others.

    Raises AnswerError for a record without a key, or with one that is not exactly a value of its column.
    """
    for name, data_type in key_types.items():
        values = [record.get(name) for record in records]
        if None in values:
            raise AnswerError(f"a record has no `{'`, `'.join(key_types)}`, which is its primary key")
        settled = key_values(values, data_type, holds_nul=holds_nul)
        if settled is values:
            continue
        for record, value, key in zip(records, values, settled, strict=True):
            if key is None:
                shown = f"{value!r:.{_SHOWN}}{'…' if len(repr(value)) > _SHOWN else ''}"
                raise AnswerError(f"`{name}` is {shown}, which is not a {data_type}: a record has no primary key")
            record[name] = key


def key_hashes(records: list[Record], primary_key: tuple[str, ...]) -> np.ndarray:
    """uint64 hash of each record's settled primary key; the same as `hash_keys` of the key's values."""
    return _hashes_by_column([[record[name] for record in records] for name in primary_key], len(records))


def hash_keys(values: Iterable[Any]) -> np.ndarray:
    """uint64 hashes of key values, equal for what a read has settled and for what the warehouse gives back.

    A composite key is a tuple; a tuple of one value counts as the value. Python salts its hashes, so they are the
    same within one process only.
    """
    rows = list(values)
    composite = bool(rows) and isinstance(rows[0], tuple)
    return _hashes_by_column(list(zip(*rows, strict=True)) if composite else [rows], len(rows))


def _hashes_by_column(columns: Sequence[Sequence[Any]], count: int) -> np.ndarray:
    texts = [_key_texts(column) for column in columns]
    rows = texts[0] if len(texts) == 1 else zip(*texts, strict=True) if texts else [()] * count
    return np.fromiter(map(hash, rows), np.int64, count).view(np.uint64)


def _key_texts(values: Sequence[Any]) -> Iterable[str]:
    """7 in JSON and 7 in the warehouse are the same key; a moment is the same in every time zone."""
    if any(isinstance(value, datetime) for value in values[:1]):
        return [str(value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)) for value in values]
    return map(str, values)

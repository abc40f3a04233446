"""Hashes of what records contain, by which rows that the warehouse has already are recognised.

A row's hash is `content_hashes` XOR `parent_hash`, stored as 16 hexadecimal digits. A hash lookup instead of dlt's
merge keeps unchanged rows out of the load altogether.
"""

from collections.abc import Mapping, Sequence
from hashlib import blake2b

import numpy as np
import pyarrow as pa

from platform_assets.http.selection import Record, as_json

_HEX_DIGITS = 16
# BLAKE2b takes keys of up to so many bytes.
_MOST_SALT = 64


def parent_hash(parent: Mapping[str, pa.Scalar], salt: bytes) -> np.uint64:
    """uint64 hash of a parent's columns, 0 without any."""
    if not parent:
        return np.uint64(0)
    what = repr(sorted((name, value.as_py()) for name, value in parent.items()))
    return np.uint64(int.from_bytes(blake2b(what.encode(), digest_size=8, key=salt[:_MOST_SALT]).digest(), "big"))


def content_hashes(records: list[Record], salt: bytes) -> np.ndarray:
    """uint64 hash of each record's content; the order of its fields does not matter."""
    start = blake2b(b"[]", digest_size=8, key=salt[:_MOST_SALT])
    digests: list[bytes] = []
    for record in records:
        content = start.copy()
        content.update(as_json(record, "a record", sort_keys=True))
        digests.append(content.digest())
    return np.frombuffer(b"".join(digests), dtype=">u8").astype(np.uint64)


def as_texts(ids: np.ndarray) -> list[str]:
    """uint64 as 16 hexadecimal digits."""
    digits = ids.astype(">u8").tobytes().hex()
    return [digits[start : start + _HEX_DIGITS] for start in range(0, len(digits), _HEX_DIGITS)]


def as_numbers(hashes: Sequence[str]) -> np.ndarray:
    """Hashes of 16 hexadecimal digits as uint64."""
    if not hashes:
        return np.empty(0, np.uint64)
    return np.frombuffer(bytes.fromhex("".join(hashes)), dtype=">u8").astype(np.uint64)


def is_member(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Boolean mask: which of `values` are in the sorted array `known`."""
    if not len(known):
        return np.zeros(len(values), bool)
    positions = np.searchsorted(known, values)
    return known[np.minimum(positions, len(known) - 1)] == values

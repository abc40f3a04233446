"""How a child resource is split into Dagster partitions.

A partition is what is observed and retried by itself; a run loads a batch of them. A run per partition would be
simpler, but loading 2,000 parents would take 20 minutes instead of 12 seconds.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from platform_assets.declarations.strict import strict

# Dagster does not accept these in a key (dagster/_core/definitions/partitions/utils).
_NOT_IN_KEYS = ("...", "\a", "\b", "\f", "\n", "\r", "\t", "\v", "\0")


@strict
@dataclass(frozen=True, kw_only=True)
class DynamicPartitions:
    """One partition per parent, for few parents (up to some thousands).

    Args:
        name: of Dagster's dynamic partitions; resources with the same parents may share it.
        batch_size: how many partitions one run loads.
    """

    name: str
    batch_size: int = 200


@strict
@dataclass(frozen=True, kw_only=True)
class Buckets:
    """A fixed number of partitions over many parents (10^4..10^6), each read only when it has changed.

    A parent's bucket is `crc32(utf-8 of its key) % count`: stable across machines and versions.
    Changing `count` moves parents between buckets but loses none, since progress is kept per parent.
    """

    count: int

    @property
    def keys(self) -> list[str]:
        return [self._key(index) for index in range(self.count)]

    def key_of(self, parent: str) -> str:
        """The bucket of one parent key, e.g. `"17"` -> `"bucket_03"`."""
        return self._key(zlib.crc32(parent.encode()) % self.count)

    def _key(self, index: int) -> str:
        return f"bucket_{index:0{len(str(self.count - 1))}d}"


def partition_key(values: Sequence[object]) -> str:
    """Join a parent's path values to one key: `("acme", "web")` -> `acme/web`.

    `/` inside a value of a composite key, and what Dagster does not accept in a key, is percent-encoded, so that two
    different parents never share a key.
    """
    parts = [str(value) for value in values]
    if len(parts) > 1:
        parts = [part.replace("%", "%25").replace("/", "%2F") for part in parts]
    key = "/".join(parts)
    for refused in _NOT_IN_KEYS:
        if refused in key:
            key = key.replace(refused, "".join(f"%{ord(char):02X}" for char in refused))
    return key


def path_values(key: str, count: int) -> tuple[str, ...]:
    """The `count` path values that `partition_key` joined, as texts."""
    parts = key.split("/") if count > 1 else [key]
    return tuple(unquote(part) for part in parts)

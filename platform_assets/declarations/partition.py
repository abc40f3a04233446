"""How a child resource is split: a partition is the unit of observation, a run is a batch of them."""

import zlib
from collections.abc import Sequence
from urllib.parse import unquote

from platform_assets.declarations.declaration import declaration

# Dagster refuses keys that hold these (dagster/_core/definitions/partitions/utils).
_REFUSED = ("...", "\a", "\b", "\f", "\n", "\r", "\t", "\v", "\0")


@declaration
class DynamicPartitions:
    """One partition per parent, for few parents. `name` is Dagster's dynamic partitions name."""

    name: str
    batch_size: int = 200


@declaration
class Buckets:
    """A fixed number of partitions over many parents (10^4..10^6).

    A parent's bucket is `crc32(utf-8 of its key) % count`: stable across machines and versions.
    Changing `count` moves parents between buckets but loses none, since progress is kept per parent.
    """

    count: int

    @property
    def keys(self) -> list[str]:
        width = len(str(self.count - 1))
        return [f"bucket_{index:0{width}d}" for index in range(self.count)]

    def key_of(self, parent: str) -> str:
        """The bucket of one parent key, e.g. `"17"` -> `"bucket_03"`."""
        return self.keys[zlib.crc32(parent.encode()) % self.count]


def partition_key(values: Sequence[object]) -> str:
    """Join a parent's path values to one key: `("acme", "web")` -> `acme/web`.

    `/` inside a value of a composite key, and whatever Dagster refuses in a key, is percent-encoded, so
    that two different parents never share a key.
    """
    parts = [str(value) for value in values]
    if len(parts) > 1:
        parts = [part.replace("%", "%25").replace("/", "%2F") for part in parts]
    key = "/".join(parts)
    for refused in _REFUSED:
        key = key.replace(refused, "".join(f"%{ord(char):02X}" for char in refused))
    return key


def path_values(key: str, count: int) -> tuple[str, ...]:
    """The path values that `partition_key` joined, of which there were `count`, as texts."""
    parts = key.split("/") if count > 1 else [key]
    return tuple(unquote(part) for part in parts)

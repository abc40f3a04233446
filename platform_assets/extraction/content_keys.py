"""Keys for records that have none: a hash of what they say, and of the parent that lists them.

The hash is part of the warehouse: it must be the same in every process and release. It is BLAKE2b of 16 bytes over the
record as compact JSON with sorted keys, after the parent's path values as a JSON list if it has one parent.
"""

from collections.abc import Iterable, Sequence
from hashlib import blake2b

from platform_assets.declarations import CONTENT_KEY
from platform_assets.extraction.queries import NO_PARENT, Parent
from platform_assets.http.lossless_json import as_json
from platform_assets.http.selection import Record


def fill_content_keys(records: Iterable[Record], parents: Sequence[Parent]) -> None:
    """Set each record's content key, in place.

    Args:
        records: as they are to be loaded, without what is never loaded.
        parents: whose records they are. Of several, the records themselves say whose they are.

    Raises AnswerError for a record that cannot be written as JSON.
    """
    start = blake2b(digest_size=16)
    if len(parents) == 1 and parents[0] is not NO_PARENT:
        start.update(as_json([str(value) for value in parents[0].values.values()], "a parent"))
    for record in records:
        record.pop(CONTENT_KEY, None)
        key = start.copy()
        key.update(as_json(record, "a record", sort_keys=True))
        record[CONTENT_KEY] = key.hexdigest()

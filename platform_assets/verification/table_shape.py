"""What of a table is compared, and how far the API's side of it was read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class TableShape:
    """The columns of a table, by what they are compared for.

    Attributes:
        types: column -> dlt data type, without the columns that we add (hashes, load times).
        key: the columns of the primary key.
        parents: the columns that carry the parent's values, in the path's order.
        cursor: the column that tells how new a row is.
        deleted_at, loaded_at: columns that we add; None or absent from the files if the table lacks them.
        keeps_absent: whether stored rows that are not served are right, so that they are not extra.
        not_before: stored rows with an older cursor are not compared.
    """

    types: Mapping[str, str]
    key: Sequence[str]
    parents: Sequence[str] = ()
    cursor: str | None = None
    deleted_at: str | None = None
    loaded_at: str | None = None
    keeps_absent: bool = False
    not_before: datetime | None = None


@dataclass(frozen=True)
class ReadExtent:
    """How far one parent's list, or the whole list, was read: by the verification and by earlier syncs.

    Attributes:
        parent_values: values of the parent's columns, in the order of `TableShape.parents`.
        is_complete: whether the verification read it to its end, so that a row that did not come is not served.
        was_synced: whether any sync read it successfully.
        synced_until: newest cursor value that a sync has seen.
    """

    parent_values: tuple[Any, ...]
    is_complete: bool
    was_synced: bool
    synced_until: datetime | None

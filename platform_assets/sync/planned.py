"""What a sync plans to read, and what came of it: `Plan` of one resource, `Read` of one parent or of the whole list."""

from collections import Counter
from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import pyarrow as pa

from platform_assets.arrow.buffer import Batch, ParquetBuffer
from platform_assets.declarations import Resource
from platform_assets.extraction.queries import Bounds, Parent
from platform_assets.extraction.rest import Rest
from platform_assets.sync.known_rows import NO_HASHES
from platform_assets.sync.outcome import ResourceOutcome
from platform_assets.warehouse import Progress, Status


@dataclass
class Read:
    """One read: of a resource, or of one parent of it. Planned first, then filled with what came of it.

    Attributes, as planned:
        parent_version: text that changes when the parent's row changes.
        parent_id: the parent's own key; its name in the path may be another parent's tomorrow.
        parent_names: the parent's path values, now and before it was renamed.
        last: the recorded progress that counts for this read; None if it was made for other rows or another parent.
        recorded: `succeeded_at` and `unread_before` on record, to notice another run that lands meanwhile.
        replaces_parent: whether the progress on record is that of another parent with the same name.
        bounds: between which cursors its lists are read.
        known_keys: sorted hashes of the keys that the table has of this parent; None if removal is not looked for.

    Attributes, as read:
        batch: the rows; None if the read failed.
        row_count: how many different rows it returned.
        missing_keys: those of `known_keys` that two complete reads did not return.
        withheld: how many rows are missing but stay, because too many are missing at once.
        rest: what it has left to another round; None if it is complete.
        ignored: whether a response was ignored as declared: what was read lands, and nothing is concluded.
        deferred: whether it has not begun, since the round had taken long enough.
    """

    parent: Parent
    partition: str = ""
    parent_version: str | None = None
    parent_id: str | None = None
    parent_names: list[tuple[object, ...]] = field(default_factory=list)
    last: Progress | None = None
    recorded: tuple[datetime | None, str | None] = (None, None)
    replaces_parent: bool = False
    bounds: Bounds = field(default_factory=Bounds)
    known_keys: np.ndarray | None = None

    batch: Batch | None = None
    row_count: int = 0
    missing_keys: np.ndarray = field(default_factory=lambda: NO_HASHES)
    withheld: int = 0
    status: Status = Status.OK
    error: str | None = None
    permanent: bool = False
    rest: Rest | None = None
    ignored: bool = False
    deferred: bool = False

    @property
    def is_first(self) -> bool:
        """Whether no recorded read of it succeeded, as far as the state still counts."""
        return self.last is None or self.last.succeeded_at is None


@dataclass
class Plan:
    """One resource's part of a sync.

    Attributes:
        existed: whether the table was there.
        starts_anew: whether the table is not as its state left it, so that the state does not count.
        parent_types: the columns that carry the parent's values, in the path's order.
        postponed: keys of the parents that are left to another round, since there are too many for one.
        known_parents: keys of all parents in the warehouse, due or not.
        other_parents_ok: whether a parent that is not read now was read successfully before.
        counts: of requests, retries, milliseconds waited, pages.
    """

    resource: Resource
    buffer: ParquetBuffer
    reads: list[Read]
    existed: bool
    starts_anew: bool
    parent_types: dict[str, pa.DataType]
    postponed: Sequence[str]
    known_parents: Container[str]
    other_parents_ok: bool
    outcome: ResourceOutcome
    counts: Counter[str] = field(default_factory=Counter)

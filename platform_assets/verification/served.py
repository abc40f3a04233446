"""The API's side: one resource read from its beginning, as the rows that a sync would load, in Parquet files.

It reads with `read_records` and makes rows with `ParquetBuffer`, as a sync does, so that they are, value by value, what
a sync would write. No other module of this package uses the extraction.
"""

import logging
import traceback
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import Lock

import numpy as np
import pyarrow as pa
from dlt.common.normalizers.naming import NamingConvention

from platform_assets.arrow.batches import Batch, BufferedRows
from platform_assets.arrow.buffer import ParquetBuffer
from platform_assets.arrow.columns import Columns
from platform_assets.arrow.conversion import ARROW_TYPES
from platform_assets.configuration.platform_settings import Settings
from platform_assets.declarations import PlatformAssetsError, Resource
from platform_assets.extraction.reading import Bounds, ListRead, Parent, read_records
from platform_assets.http.client import ApiClient
from platform_assets.http.selection import Record
from platform_assets.sync.plan import fingerprint
from platform_assets.sync.window import start_of_read
from platform_assets.warehouse.load_errors import reason

log = logging.getLogger(__name__)


@dataclass
class Budget:
    """Requests that may still be made. One read may exceed it by two, which are in flight when it is used up."""

    requests: int

    @property
    def is_exhausted(self) -> bool:
        return self.requests <= 0


@dataclass
class Served:
    """What was read.

    Attributes:
        content: the rows, in files.
        listed: key and parent columns of every record; None unless a record came more than once.
        complete: the parents that were read to their end.
        partial: the parents whose reading ended with the budget.
        failed: parent key -> why it could not be read.
        counts: of requests and pages.
    """

    content: BufferedRows
    listed: pa.Table | None
    complete: list[Parent] = field(default_factory=list)
    partial: list[Parent] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)


class ServedReader:
    """Reads one resource.

    Args:
        columns: the table's columns as the warehouse knows them; new fields are added to them.
        parent_types: the columns that carry the parent's values, in the path's order.
        folder: for the Parquet files.
        now: when the reading began, in UTC.
        holds_nul: as in `ParquetBuffer`.
    """

    def __init__(
        self,
        client: ApiClient,
        resource: Resource,
        columns: Columns,
        parent_types: dict[str, pa.DataType],
        folder: Path,
        now: datetime,
        holds_nul: bool,
    ) -> None:
        self._client = client
        self._resource = resource
        self._columns = columns
        self._parent_types = parent_types
        self._key = client.platform.primary_key_of(resource)
        start_date = client.settings.start_date
        starts = (start_of_read(one.incremental, None, None, start_date) for one in resource.endpoint.lists)
        self._bounds = Bounds(tuple(starts), now)
        self.not_before = not_before(resource, client.settings)
        incremental = resource.endpoint.incremental
        self._buffer = ParquetBuffer(
            folder,
            columns,
            self._key,
            incremental.cursor_path if incremental else None,
            np.empty(0, np.uint64),
            fingerprint(resource, client.settings),
            now,
            self.not_before,
            holds_nul=holds_nul,
        )
        self._listed: list[pa.Table] = []
        self._lock = Lock()

    def read(self, parents: Sequence[Parent], budget: Budget | None) -> Served:
        """Read every parent concurrently; with a budget one after the other, until it is spent."""
        found: list[_ParentResult] = []
        if budget is None:
            with ThreadPoolExecutor(self._client.platform.client.max_concurrency, thread_name_prefix="verify") as pool:
                found = list(pool.map(lambda parent: self._read_parent(parent, None), parents))
        else:
            for parent in parents:
                if budget.is_exhausted:
                    break
                found.append(self._read_parent(parent, budget.requests))
                budget.requests -= found[-1].counts["requests"]
        content = self._buffer.finish()
        repeats = bool(content.repeats and self._listed)
        served = Served(content, pa.concat_tables(self._listed) if repeats else None)
        for result in found:
            served.counts.update(result.counts)
            if result.error is not None:
                served.failed[result.parent.key] = result.error
            else:
                (served.complete if result.is_complete else served.partial).append(result.parent)
        return served

    def _read_parent(self, parent: Parent, requests: int | None) -> "_ParentResult":
        """Read one parent with at most about this many requests."""
        counts: Counter[str] = Counter()
        try:
            return _ParentResult(parent, counts, is_complete=self._read_pages(parent, requests, counts))
        except PlatformAssetsError as error:
            return _ParentResult(parent, counts, error=self._client.redact(str(error)))
        except Exception as error:
            # A bug in one resource must not end the verification of the others.
            log.debug("unexpected fault: %s", self._client.redact(traceback.format_exc()))
            return _ParentResult(parent, counts, error=self._client.redact(reason(error)))

    def _read_pages(self, parent: Parent, requests: int | None, counts: Counter[str]) -> bool:
        """Whether the parent was read to its end."""
        names = self._parent_types.items()
        values = parent.values.values()
        parent_columns = {name: pa.scalar(value, kind) for (name, kind), value in zip(names, values, strict=True)}
        batch, is_complete = Batch(parent=parent.key), True
        reading = ListRead(self._client, self._resource, (parent,), self._bounds, counts)
        with closing(read_records(reading)) as pages:  # pyright: ignore[reportArgumentType] -- a generator
            for records in pages:
                self._buffer.add(batch, records, parent_columns)
                self._note_parent(records, parent_columns)
                if requests is not None and counts["requests"] > requests:
                    is_complete = False
                    break
        counts["pages"] += batch.pages
        self._buffer.accept(batch)
        return is_complete

    def _note_parent(self, records: list[Record], parent_columns: dict[str, pa.Scalar]) -> None:
        """Keep which parents list a row: the table may name any of them."""
        if not parent_columns or not records:
            return
        # `ParquetBuffer.add` has replaced the keys by their stored values.
        table = self._columns.table([{name: record[name] for name in self._key} for record in records], parent_columns)
        with self._lock:
            self._listed.append(table.select([*map(self._columns.name_of, self._key), *parent_columns]))


@dataclass(frozen=True)
class _ParentResult:
    """How one parent's read ended."""

    parent: Parent
    counts: Counter[str]
    is_complete: bool = False
    error: str | None = None


def not_before(resource: Resource, settings: Settings) -> datetime | None:
    """Lower bound of the cursor of rows that are loaded at all, and so verified; None if there is none."""
    incremental = resource.endpoint.incremental
    return settings.start_date if incremental is not None and incremental.bounded else None


def parent_column_types(resource: Resource, columns: Columns, naming: NamingConvention) -> dict[str, pa.DataType]:
    """The columns that carry a child's parent, in the path's order."""
    names = [naming.normalize_identifier(resolve.column) for resolve in resource.endpoint.parents.values()]
    return {name: ARROW_TYPES[columns.types[name]] for name in names}

"""Reads one resource, of one parent or of none, from the first page to the last.

    query_params -> pages (http/pagination) -> unwrap, drop_fields, fill_keys (http/selection) -> ParquetBuffer

A list whose pages cannot overlap may lose a row that moves between two requests. Where the caller concludes anything
from what is missing, such a list is read again until a pass brings nothing new.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import product

import numpy as np
import pyarrow as pa

from platform_assets.arrow.batches import Batch
from platform_assets.arrow.buffer import ParquetBuffer
from platform_assets.arrow.hashes import is_member
from platform_assets.declarations import FanOut, Resolve, Resource
from platform_assets.http.answer import Answer
from platform_assets.http.client import ApiClient
from platform_assets.http.errors import AnswerError
from platform_assets.http.pagination.grids import Params
from platform_assets.http.pagination.identity import by_key
from platform_assets.http.pagination.pager import Pager, pager
from platform_assets.http.pagination.pages import pages
from platform_assets.http.pagination.positions import KEPT_CHANGING
from platform_assets.http.selection import Record, drop_fields, fill_keys, selector, unwrap
from platform_assets.http.urls import fill_path


@dataclass(frozen=True)
class Parent:
    """One parent of a child resource.

    Args:
        key: names the parent in partitions and state; empty for a resource without parents.
        values: placeholder of the path -> its value, in the path's order.
    """

    key: str
    values: Mapping[str, object] = field(default_factory=dict)


NO_PARENT = Parent(key="")


@dataclass(frozen=True)
class ListRead:
    """One read of one list of records: what is read, who asks for it, and what that has cost so far.

    Args:
        client: sends the requests; its platform has the contract applied.
        resource: the resource as that contract serves it.
        parent: the parent whose rows are read, or NO_PARENT.
        start: lower bound of the cursor, None to read from the beginning.
        counts: incremented by requests, waits, pages and left out records.
    """

    client: ApiClient
    resource: Resource
    parent: Parent = NO_PARENT
    start: datetime | None = None
    counts: Counter[str] = field(default_factory=Counter)

    def pagers(self) -> Iterator[tuple[Params, Pager]]:
        """Each query of the list, with a new pager that walks its pages."""
        paginator = self.client.platform.paginator_of(self.resource)
        for params in query_params(self.resource, self.start):
            yield params, pager(paginator, self.client.settings.page_size)


# How often a list is read again for rows that moved between two requests.
MAX_REREADS = 3


def read(
    wanted: ListRead,
    buffer: ParquetBuffer,
    parent_columns: dict[str, pa.Scalar],
    matters: Callable[[Batch], bool] = lambda batch: True,
) -> Batch:
    """Read every page into a batch of `buffer`. The caller accepts the batch.

    Args:
        wanted: the list.
        buffer: takes the records.
        parent_columns: column -> the parent's value, added to every row.
        matters: whether the caller concludes anything from what the batch does not hold: a cursor moves, or rows
            count as removed. Then an unproven end is confirmed by one more request, and a list whose pages cannot
            overlap is read again until it brings no row that was missed.

    Raises:
        AnswerError, RequestFailed: the text names the platform, and an AnswerError's also the resource and parent.
    """
    batch = Batch(parent=wanted.parent.key)
    blind = False
    with _named_errors(wanted):
        for params, walk in wanted.pagers():
            for records in _records(wanted, params, walk, lambda: matters(batch)):
                buffer.add(batch, records, parent_columns)
            blind = blind or walk.blind
            batch.ends_unproven = batch.ends_unproven or walk.unproven
        wanted.counts["pages"] += batch.pages
        if blind and matters(batch):
            reread_until_complete(wanted, buffer, parent_columns, batch)
    return batch


def reread_until_complete(
    wanted: ListRead, buffer: ParquetBuffer, parent_columns: dict[str, pa.Scalar], batch: Batch
) -> None:
    """Read the list again into `batch` until a pass brings no row that the passes before have missed.

    Args: as for `read`; `batch` is what it returned and is not accepted yet.

    Raises:
        AnswerError: if `MAX_REREADS` more passes are not enough.

    What `read` raises is raised too.
    """
    for _ in range(MAX_REREADS):
        if not reread(wanted, buffer, parent_columns, batch):
            return
    with _named_errors(wanted):
        raise AnswerError(f"{KEPT_CHANGING}: each of {MAX_REREADS + 1} passes brought rows that the others had missed")


def reread(wanted: ListRead, buffer: ParquetBuffer, parent_columns: dict[str, pa.Scalar], batch: Batch) -> bool:
    """Read the whole list once more into `batch`. Returns whether that brought a row that had been missed.

    A row newer than everything read before was not missed: it is new upstream. Arguments and errors as for `read`.
    """
    known = np.sort(np.concatenate(batch.keys)) if batch.keys else np.empty(0, np.uint64)
    newest, pages_before, missed = batch.cursor, batch.pages, False
    incremental = wanted.resource.endpoint.incremental
    with _named_errors(wanted):
        for params, walk in wanted.pagers():
            for records in _records(wanted, params, walk, lambda: True):
                buffer.add(batch, records, parent_columns)
                fresh = ~is_member(batch.keys[-1], known) if records else ()
                unseen = [record for record, is_fresh in zip(records, fresh, strict=True) if is_fresh]
                cursor_path = incremental.cursor_path if incremental else None
                missed = _any_was_missed(unseen, cursor_path, newest, buffer) or missed
    wanted.counts["pages"] += batch.pages - pages_before
    return missed


def _any_was_missed(
    unseen: list[Record], cursor_path: str | None, newest: datetime | None, buffer: ParquetBuffer
) -> bool:
    if not unseen or cursor_path is None or newest is None:
        return bool(unseen)
    moments = buffer.columns.moments(unseen, cursor_path).to_pylist()
    return any(moment is None or moment <= newest for moment in moments)


@contextmanager
def _named_errors(wanted: ListRead) -> Iterator[None]:
    """Add the resource and the parent to the text of an AnswerError, and redact the credential."""
    try:
        yield
    except AnswerError as error:
        platform, parent = wanted.client.platform.name, wanted.parent
        where = f"{platform}/{wanted.resource.name}" + (f" of {parent.key!r}" if parent is not NO_PARENT else "")
        text = wanted.client.redact(str(error))
        raise AnswerError(text if text.startswith(platform) else f"{where}: {text}") from None


def read_records(wanted: ListRead) -> Iterator[list[Record]]:
    """Yield each page's records: unwrapped, without excluded fields, with their keys filled in.

    An unproven end is always confirmed. Errors as for `read`.
    """
    for params, walk in wanted.pagers():
        yield from _records(wanted, params, walk, lambda: True)


def _records(wanted: ListRead, params: Params, walk: Pager, matters: Callable[[], bool]) -> Iterator[list[Record]]:
    """The records of one query, page by page."""
    client, resource, counts = wanted.client, wanted.resource, wanted.counts
    platform = client.platform
    select = selector(platform.client, platform.paginator_of(resource), platform.data_selector_of(resource))
    path = fill_path(resource.endpoint.path, wanted.parent.values)
    identify = by_key(platform.primary_key_of(resource), resource.key_fallback, resource.endpoint.envelope)

    def get(params: Mapping[str, str | int]) -> Answer:
        return client.get(path, params, counts)

    for items in pages(get, walk, params, select, identify, matters):
        records = unwrap(items, resource.endpoint.envelope, counts)
        drop_fields(records, resource.exclude)
        fill_keys(records, dict(resource.key_fallback))
        yield records


def query_params(resource: Resource, start: datetime | None) -> Iterator[Params]:
    """The queries that read a resource: one, or one per value if the endpoint fans out.

    Args:
        resource: the resource as the contract in use serves it.
        start: lower bound of the cursor; None sends the declared initial value, if any.
    """
    fixed: Params = {}
    fanned: dict[str, tuple[str, ...]] = {}
    for name, value in resource.endpoint.params.items():
        if isinstance(value, FanOut):
            fanned[name] = value.values
        elif not isinstance(value, Resolve):
            fixed[name] = value
    incremental = resource.endpoint.incremental
    if incremental is not None and incremental.start_param is not None:
        bound = start.strftime(incremental.format) if start is not None else incremental.initial_value
        if bound is not None:
            fixed[incremental.start_param] = bound
    for values in product(*fanned.values()):
        yield {**fixed, **dict(zip(fanned, values, strict=True))}

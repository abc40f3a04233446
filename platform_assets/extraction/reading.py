"""Reads one resource, of one parent, of several or of none, from the first page to the last.

    queries -> pages (http/pagination) -> unwrap -> filtered, shaped (record_changes.py) -> details
            -> drop_fields, fill_keys (http/selection) -> ParquetBuffer

A list whose pages cannot overlap may lose a row that moves between two requests. Where the caller concludes anything
from what is missing, such a list is read again until a pass brings nothing new.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import product

import numpy as np
import pyarrow as pa

from platform_assets.arrow.batches import Batch
from platform_assets.arrow.buffer import ParquetBuffer
from platform_assets.arrow.hashes import is_member
from platform_assets.declarations import CONTENT_KEY, Endpoint, Listed, Resource, partition_key
from platform_assets.declarations.ancestry import field_in, parents_of
from platform_assets.extraction.content_keys import fill_content_keys
from platform_assets.extraction.details import DetailReader
from platform_assets.extraction.portioned_pages import PortionedPages, values_of
from platform_assets.extraction.privacy import excluded_fields, hash_fields
from platform_assets.extraction.queries import FROM_THE_BEGINNING, NO_PARENT, Bounds, Parent, Query, queries
from platform_assets.extraction.record_changes import RecordChanges
from platform_assets.extraction.report_jobs import RowFinder
from platform_assets.extraction.rest import Rest
from platform_assets.extraction.walks import Part, list_walk, report_walk
from platform_assets.extraction.windows import rest_after
from platform_assets.http.client import ApiClient
from platform_assets.http.errors import AnswerError, RequestFailed, ResponseIgnored
from platform_assets.http.pagination.identity import by_key
from platform_assets.http.pagination.pager import Pager
from platform_assets.http.pagination.positions import KEPT_CHANGING
from platform_assets.http.selection import Record, drop_fields, fill_keys, get_path, selector, unwrap

__all__ = ["FROM_THE_BEGINNING", "NO_PARENT", "Bounds", "ListRead", "Parent", "read", "read_records"]

# How often a list is read again for rows that moved between two requests.
MAX_REREADS = 3


@dataclass(frozen=True)
class ListRead:
    """One read of a resource.

    Args:
        client: sends the requests; its platform has the contract applied.
        resource: the resource as that contract serves it.
        parents: the parent whose rows are read, or NO_PARENT; several if the endpoint takes them in one request.
        bounds: between which cursors.
        counts: incremented by requests, waits, pages and left out records.
        is_long_enough: asked after each page of a list in a known order; True leaves the rest to another part.
        ignored: filled with the texts of responses that the declaration says to ignore: the list ended there, and
            what it lacks proves nothing.
        details: whether the requests per row are sent that the settings ask for; not where only other fields are used.
    """

    client: ApiClient
    resource: Resource
    parents: tuple[Parent, ...] = (NO_PARENT,)
    bounds: Bounds = FROM_THE_BEGINNING
    counts: Counter[str] = field(default_factory=Counter)
    is_long_enough: Callable[[], bool] = lambda: False
    details: bool = True
    ignored: list[str] = field(default_factory=list)
    _listed: dict[Listed, Sequence[str]] = field(default_factory=dict)

    def queries(self) -> Iterator[Query]:
        configured = self.client.settings.configured
        return queries(self.resource, self.parents, self.bounds, configured, self.look_up)

    def look_up(self, listed: Listed) -> Sequence[str]:
        """The values of another list's field, read once."""
        if listed not in self._listed:
            records = all_records(self.client, self.client.platform.resource(listed.resource), self.counts)
            values = (record.get(listed.field) for record in records)
            self._listed[listed] = list(dict.fromkeys(str(value) for value in values if value is not None))
        return self._listed[listed]


@dataclass(frozen=True)
class Target:
    """Where the records of a read go, by the parent that they belong to.

    Args:
        buffer: takes the records.
        batches: parent's key -> its batch.
        parent_columns: parent's key -> column -> the parent's value, added to every row.
        parent_field: the records' field that tells the parent, if several are read at once.
        on_page: called with each page's number of records.
    """

    buffer: ParquetBuffer
    batches: Mapping[str, Batch]
    parent_columns: Mapping[str, dict[str, pa.Scalar]]
    parent_field: str | None = None
    on_page: Callable[[int], None] = lambda records: None

    def add(self, records: list[Record]) -> list[tuple[Batch, list[Record]]]:
        """Put a page's records into their batches. Returns each batch with what it was given.

        Raises AnswerError for a record of a parent that was not asked for.
        """
        self.on_page(len(records))
        added = [(self.batches[key], group) for key, group in self._by_parent(records).items()]
        for batch, group in added:
            self.buffer.add(batch, group, self.parent_columns[batch.parent])
        return added

    def _by_parent(self, records: list[Record]) -> dict[str, list[Record]]:
        if self.parent_field is None:
            return dict.fromkeys(self.batches, records)
        groups: dict[str, list[Record]] = {}
        for record in records:
            key = partition_key([record.get(self.parent_field)])
            if key not in self.batches:
                raise AnswerError(f"a record's `{self.parent_field}` is {key[:40]!r}, which was not asked for")
            groups.setdefault(key, []).append(record)
        return groups


def read(reading: ListRead, target: Target, matters: Callable[[], bool] = lambda: True) -> Rest | None:
    """Read every page into the batches of `target`. The caller accepts the batches.

    Returns what it left to another part; None if everything was read.

    Args:
        reading: what to read.
        target: where the records go.
        matters: whether the caller concludes anything from what the batches do not hold: a cursor moves, or rows count
            as removed. Then an unproven end is confirmed by one more request, and a list whose pages cannot overlap is
            read again until it brings no row that was missed.

    Raises:
        AnswerError, RequestFailed: the text names the platform, and an AnswerError's also the resource and parent.
    """
    walks: dict[int, Pager] = {}
    doubtful: list[Iterator[tuple[Pager, list[Record]]]] = []
    parts: list[Part] = []
    left: list[Endpoint] = []

    def concludes() -> bool:
        return bool(left) or matters()

    with _named_errors(reading):
        for query in reading.queries():
            if query.endpoint in left:
                continue
            parts.append(Part(reading.client, query, reading.is_long_enough))
            found = _records(reading, query, concludes, parts[-1])
            for walk, records in found:
                target.add(records)
                walks[id(walk)] = walk
                if walk.doubtful:
                    # Whether a doubtful end matters is known once the other queries have brought their rows.
                    doubtful.append(found)
                    break
            rest = rest_after(query.endpoint, query.window) if query.window and query.ends_window else None
            if rest is not None and any(part.is_long for part in parts) and not reading.ignored:
                left.append(query.endpoint)
                _confirm(doubtful, target, lambda: True)
                if reading.ignored or any(walk.unproven or walk.blind for walk in walks.values()):
                    left.remove(query.endpoint)
                else:
                    parts[-1].rest = rest
        _confirm(doubtful, target, lambda: not reading.ignored and concludes())
        for batch in target.batches.values():
            batch.ends_unproven = bool(reading.ignored) or any(walk.unproven for walk in walks.values())
        blind = any(walk.blind for walk in walks.values())
        reading.counts["pages"] += sum(batch.pages for batch in target.batches.values())
        if blind and not reading.ignored and matters():
            reread_until_complete(reading, target)
    return None if reading.ignored else _all_rests(part.rest for part in parts)


def _confirm(
    doubtful: list[Iterator[tuple[Pager, list[Record]]]], target: Target, is_needed: Callable[[], bool]
) -> None:
    """Read on where it is doubtful whether a list has ended, as long as that matters; empties `doubtful`."""
    while doubtful:
        found = doubtful.pop(0)
        for _, records in found if is_needed() else ():
            target.add(records)


def _all_rests(rests: Iterable[Rest | None]) -> Rest | None:
    """What all lists of a read have left: of lists that are read upwards the one that came least far counts."""
    left = [rest for rest in rests if rest is not None]
    return min(left, key=lambda rest: rest.cursor or datetime.max.replace(tzinfo=UTC), default=None)


def reread_until_complete(reading: ListRead, target: Target) -> None:
    """Read the list again into its batches until a pass brings no row that the passes before have missed.

    Args: as for `read`; nothing is accepted yet.

    Raises:
        AnswerError: if `MAX_REREADS` more passes are not enough.

    What `read` raises is raised too.
    """
    for _ in range(MAX_REREADS):
        if not reread(reading, target):
            return
    with _named_errors(reading):
        raise AnswerError(f"{KEPT_CHANGING}: each of {MAX_REREADS + 1} passes brought rows that the others had missed")


def reread(reading: ListRead, target: Target) -> bool:
    """Read the whole list once more. Returns whether that brought a row that had been missed.

    A row newer than everything read before was not missed: it is new upstream. Arguments and errors as for `read`.
    """
    batches = target.batches.values()
    known = {id(batch): np.sort(np.concatenate(batch.keys)) for batch in batches if batch.keys}
    newest = {id(batch): batch.cursor for batch in batches}
    pages_before, missed = sum(batch.pages for batch in batches), False
    incremental = reading.resource.endpoint.incremental
    cursor_path = incremental.cursor_path if incremental else None
    whole = replace(reading, is_long_enough=lambda: False)
    with _named_errors(reading):
        for query in reading.queries():
            for _, records in _records(whole, query, lambda: True):
                for batch, added in target.add(records):
                    before = known.get(id(batch), np.empty(0, np.uint64))
                    fresh = ~is_member(batch.keys[-1], before) if added else ()
                    unseen = [record for record, is_fresh in zip(added, fresh, strict=True) if is_fresh]
                    missed = _any_was_missed(unseen, cursor_path, newest[id(batch)], target.buffer) or missed
    reading.counts["pages"] += sum(batch.pages for batch in batches) - pages_before
    return missed


def _any_was_missed(
    unseen: list[Record], cursor_path: str | None, newest: datetime | None, buffer: ParquetBuffer
) -> bool:
    if not unseen or cursor_path is None or newest is None:
        return bool(unseen)
    found = buffer.columns.moments(unseen, cursor_path).to_pylist()
    return any(moment is None or moment <= newest for moment in found)


@contextmanager
def _named_errors(reading: ListRead) -> Iterator[None]:
    """Add the resource and the parent to the text of an AnswerError, and redact the credential."""
    try:
        yield
    except AnswerError as error:
        platform = reading.client.platform.name
        names = ", ".join(repr(parent.key) for parent in reading.parents[:3] if parent is not NO_PARENT)
        where = f"{platform}/{reading.resource.name}" + (f" of {names}" if names else "")
        text = reading.client.redact(str(error))
        raise AnswerError(text if text.startswith(platform) else f"{where}: {text}") from None


def read_records(reading: ListRead) -> Iterator[list[Record]]:
    """Yield each page's records: unwrapped, without excluded fields, with their keys filled in.

    An unproven end is always confirmed. Errors as for `read`, and AnswerError at the end if a response was ignored.
    """
    for query in reading.queries():
        for _, records in _records(reading, query, lambda: True):
            yield records
    if reading.ignored:
        raise AnswerError(f"the list is not complete: {reading.ignored[0]}")


def all_records(client: ApiClient, resource: Resource, counts: Counter[str]) -> list[Record]:
    """All records of a resource from the API, of every parent if it has some, with the parent's values as columns."""
    found: list[Record] = []
    columns = {place: resolve.column for place, resolve in resource.endpoint.parents.items()}
    for parent in _parents(client, resource, counts):
        own = {columns[place]: value for place, value in parent.values.items()}
        for records in read_records(ListRead(client, resource, (parent,), counts=counts, details=False)):
            found += [{**record, **own} for record in records]
    return found


def _parents(client: ApiClient, resource: Resource, counts: Counter[str]) -> Iterator[Parent]:
    """The parents of a resource from the API; of several resources every combination."""
    platform, places = client.platform, list(resource.endpoint.parents)
    if not places:
        yield NO_PARENT
        return
    sources: list[list[dict[str, object]]] = []
    for name in parents_of(platform, resource):
        fields = {
            place: field
            for place, resolve in resource.endpoint.parents.items()
            if (field := field_in(platform, name, resolve)) is not None
        }
        records = all_records(client, platform.resource(name), counts)
        sources.append([{place: get_path(record, field) for place, field in fields.items()} for record in records])
    for parts in product(*sources):
        found = {place: value for part in parts for place, value in part.items()}
        values = {place: found[place] for place in places}
        if None in values.values():
            continue
        yield Parent(key="/".join(map(str, values.values())), values=values)


def _records(
    reading: ListRead, query: Query, matters: Callable[[], bool], part: Part | None = None
) -> Iterator[tuple[Pager, list[Record]]]:
    """The records of one query, page by page, with the walk that they came by.

    If the server refuses pages that are too deep, the query goes on below the oldest cursor that has come.
    """
    part = part or Part(reading.client, query, reading.is_long_enough)
    while True:
        try:
            yield from _pages(reading, query, matters, part)
            return
        except ResponseIgnored as ignored:
            reading.ignored.append(str(ignored))
            reading.counts["ignored"] += 1
            return
        except RequestFailed as failure:
            below = part.edge.after_refusal(failure)
            if below is None:
                raise
            query = replace(query, params={**query.params, **below})


def _pages(
    reading: ListRead, query: Query, matters: Callable[[], bool], part: Part
) -> Iterator[tuple[Pager, list[Record]]]:
    client, resource, endpoint = reading.client, reading.resource, query.endpoint
    platform = client.platform
    paginator = platform.client.paginator_of(endpoint)
    data_selector = platform.client.data_selector_of(endpoint)
    select = selector(platform.client, paginator, data_selector)
    identify = by_key(platform.primary_key_of(resource), resource.key_fallback, endpoint.envelope)
    excluded = excluded_fields(platform, resource, client.settings.exclude_fields)
    never_loaded = (*resource.exclude, *endpoint.exclude, *excluded)
    configured = client.settings.configured

    def changes_of(counts: Counter[str]) -> Callable[[list[Record]], list[Record]]:
        return RecordChanges(platform, resource, query, configured, never_loaded, counts).of

    changed = changes_of(reading.counts)
    details = DetailReader(client, resource, endpoint, reading.counts) if reading.details else None
    rows = RowFinder(paginator, select, identify)
    if endpoint.job is not None:
        found = report_walk(client, query, rows, reading.counts, part)
    else:
        portioned = None
        if endpoint.portions is not None:
            # What is filtered is counted once.
            values = values_of(endpoint.portions, reading.look_up)
            makers = [changed, *(changes_of(Counter()) for _ in values[1:])]
            portioned = PortionedPages(endpoint.portions.merged_by, select, list(zip(values, makers, strict=True)))
        found = list_walk(client, query, rows, reading.counts, part, matters, portioned)
    for walk, items in found:
        is_made = endpoint.portions is not None
        records = items if is_made else changed(unwrap(items, endpoint.envelope, reading.counts))
        if details is not None:
            details.fill(records)
        drop_fields(records, never_loaded)
        if client.settings.personal_salt is not None:
            hash_fields(records, resource.personal, client.settings.personal_salt)
        fill_keys(records, dict(resource.key_fallback))
        if platform.primary_key_of(resource) == (CONTENT_KEY,):
            fill_content_keys(records, reading.parents)
        yield walk, records
    if details is not None:
        details.end()

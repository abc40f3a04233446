"""Reads one resource, for one parent or for none, from the first page to the last."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import product

import pyarrow as pa

from platform_assets.extraction.client import Answer, ApiClient, fill_path
from platform_assets.extraction.errors import AnswerError
from platform_assets.extraction.paging import Params, pager, pages
from platform_assets.extraction.records import Record, drop_fields, fill_keys, selector, unwrap
from platform_assets.extraction.spool import Batch, Spool
from platform_assets.vocabulary import FanOut, Incremental, Resolve, Resource


@dataclass(frozen=True)
class Parent:
    """One parent's path values, in the path's order, and the key that names it in partitions and state."""

    key: str
    values: Mapping[str, object] = field(default_factory=dict)


NO_PARENT = Parent(key="")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""No read starts earlier; some servers say year 1 where they mean never, from which nothing can be subtracted."""


def read(
    client: ApiClient,
    resource: Resource,
    parent: Parent,
    start: datetime | None,
    spool: Spool,
    parent_columns: dict[str, pa.Scalar],
    counts: Counter[str],
) -> Batch:
    """Read every page into a batch of `spool`. The batch is not accepted yet.

    Raises AnswerError and RequestFailed; their text names platform and resource.
    """
    batch = Batch(parent=parent.key)
    try:
        for records in read_records(client, resource, parent, start, counts):
            spool.add(batch, records, parent_columns)
    except AnswerError as error:
        where = f"{client.platform.name}/{resource.name}" + (f" of {parent.key!r}" if parent is not NO_PARENT else "")
        text = client.redact(str(error))
        raise AnswerError(text if text.startswith(client.platform.name) else f"{where}: {text}") from None
    counts["pages"] += batch.pages
    return batch


def read_records(
    client: ApiClient, resource: Resource, parent: Parent, start: datetime | None, counts: Counter[str]
) -> Iterator[list[Record]]:
    """Yield each page's records: unwrapped, without excluded fields, with their keys filled in."""
    platform = client.platform
    paginator = platform.paginator_of(resource)
    select = selector(platform.client, paginator, platform.data_selector_of(resource))
    path = fill_path(resource.endpoint.path, parent.values)

    def get(params: Mapping[str, str | int]) -> Answer:
        return client.get(path, params, counts)

    for params in query_params(resource, start):
        for items in pages(get, pager(paginator, client.settings.page_size), params, select):
            records = unwrap(items, resource.endpoint.envelope, counts)
            drop_fields(records, resource.exclude)
            fill_keys(records, dict(resource.key_fallback))
            yield records


def query_params(resource: Resource, start: datetime | None) -> Iterator[Params]:
    """The query of each read: one, or one per value where the endpoint fans out."""
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


def start_of(
    incremental: Incremental | None,
    cursor: datetime | None,
    start_date: datetime | None,
    oldest_open: datetime | None,
    now: datetime | None = None,
) -> datetime | None:
    """Lower bound of the next read, None to read from the beginning.

    The last cursor less the look-back; further back to the oldest unfinished row; never after `now`,
    since one record dated in the future would otherwise hide everything that arrives until then.
    """
    if incremental is None or not incremental.server_side:
        return None
    if cursor is None:
        return start_date
    bound = max(min(cursor, now or datetime.now(UTC)), _EPOCH)
    start = _before(bound, incremental.lag)
    if oldest_open is not None:
        start = min(start, max(oldest_open, _before(bound, incremental.reopen_limit)))
    # The parameters have whole seconds; rounding down keeps the bound inclusive.
    start -= timedelta(microseconds=start.microsecond)
    return max(start, start_date) if start_date is not None else start


def _before(moment: datetime, lag: timedelta) -> datetime:
    """`lag` before a moment from 1970 on, 1970 at the earliest."""
    return moment - min(lag, moment - _EPOCH)

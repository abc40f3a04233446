"""Reads one resource, for one parent or for none, from the first page to the last."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import product

import pyarrow as pa

from platform_assets.extraction.client import Answer, ApiClient, fill_path
from platform_assets.extraction.errors import AnswerError
from platform_assets.extraction.paging import Params, pager, pages
from platform_assets.extraction.records import Record, drop_fields, fill_keys, selector, unwrap
from platform_assets.extraction.spool import Batch, Spool
from platform_assets.vocabulary import FanOut, Resolve, Resource


@dataclass(frozen=True)
class Parent:
    """One parent's path values, in the path's order, and the key that names it in partitions and state."""

    key: str
    values: Mapping[str, object] = field(default_factory=dict)


NO_PARENT = Parent(key="")


def read(
    client: ApiClient,
    resource: Resource,
    parent: Parent,
    start: datetime | None,
    spool: Spool,
    parent_columns: dict[str, pa.Scalar],
    counts: Counter[str],
    matters: Callable[[Batch], bool] = lambda batch: True,
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


def look_again(
    client: ApiClient,
    resource: Resource,
    parent: Parent,
    start: datetime | None,
    spool: Spool,
    batch: Batch,
    parent_columns: dict[str, pa.Scalar],
    counts: Counter[str],
) -> None:
    for records in read_records(client, resource, parent, start, counts):
        spool.add(batch, records, parent_columns)


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

"""Finds out in one request whether an API has anything newer than the last record that was read.

The freshness sensor probes before it requests a run, so that a tick without news costs one request and no run.
"""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

from platform_assets.arrow.conversion import convert
from platform_assets.declarations import Configured, FanOut, Listed, Resource
from platform_assets.extraction.queries import NO_PARENT, Bounds, queries
from platform_assets.http.client import ApiClient
from platform_assets.http.pagination.pager import pager
from platform_assets.http.selection import selector, unwrap

# Records to request; the last record comes back too, and some of the others may have no usable cursor.
_RECORDS = 10


def can_probe(resource: Resource) -> bool:
    """Whether one request is enough: the server filters by the cursor, and the resource is a single list.

    Not if a filter leaves out records: one of them would be newer than everything that is ever loaded. Not if the list
    is read in windows: what is new may be beyond the first one. Not for a report: one request only creates a job.
    """
    incremental = resource.endpoint.incremental
    if resource.endpoint.job is not None:
        return False
    fans_out = any(isinstance(value, FanOut | Listed | Configured) for value in resource.endpoint.values.values())
    is_one_list = not resource.endpoint.parents and not fans_out and resource.endpoint.record_filter is None
    return incremental is not None and incremental.server_side and incremental.step is None and is_one_list


def has_newer(client: ApiClient, resource: Resource, cursor: datetime) -> bool:
    """Whether the API has a record newer than `cursor`, by one request for a few records from `cursor` on.

    The bound is inclusive, so the last record itself comes back; a page full of such records is inconclusive and
    counts as newer. A record dated in the future is ignored, or it would count as newer indefinitely.

    Args:
        client: sends the request; its platform has the contract applied.
        resource: the resource as that contract serves it.
        cursor: the newest cursor that was read, with a time zone.

    Raises:
        ValueError: if the resource cannot be probed.
        AnswerError, RequestFailed: if there is no usable answer.
    """
    incremental = resource.endpoint.incremental
    if incremental is None or not can_probe(resource):
        raise ValueError(f"{resource.name} cannot be probed")
    platform = client.platform
    paginator = platform.paginator_of(resource)
    now = datetime.now(UTC)
    known = min(cursor, now)
    configured = client.settings.configured
    # Of several lists the first is the one that new records appear in.
    query = next(
        queries(resource, (NO_PARENT,), Bounds((known.replace(microsecond=0),), now), configured, lambda _: ())
    )
    first = pager(paginator, _RECORDS).first()
    answer = client.send(query.request(first), endpoint=resource.endpoint)
    items = selector(platform.client, paginator, platform.data_selector_of(resource))(answer.body)
    values: list[Any] = [
        record.get(incremental.cursor_path) for record in unwrap(items, resource.endpoint.envelope, Counter())
    ]
    moments = [moment for moment in convert(values, "timestamp")[0].to_pylist() if moment is not None]
    dated_ahead = sum(moment > now for moment in moments)
    newest = max((moment for moment in moments if moment <= now), default=None)
    is_full = len(items) >= _RECORDS and dated_ahead < len(items)
    return (newest is not None and newest > known) or is_full

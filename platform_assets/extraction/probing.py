"""Asks an API in one request whether it has anything newer than what was read last."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

from platform_assets.arrow.conversion import convert
from platform_assets.declarations import FanOut, Resource
from platform_assets.extraction.reading import query_params
from platform_assets.http.client import ApiClient
from platform_assets.http.pagination.pages import pager
from platform_assets.http.selection import selector, unwrap

_RECORDS = 10


def can_probe(resource: Resource) -> bool:
    """Whether one request tells: the server filters by the cursor, and there is one list to ask."""
    incremental = resource.endpoint.incremental
    fans_out = any(isinstance(value, FanOut) for value in resource.endpoint.params.values())
    return incremental is not None and incremental.server_side and not resource.endpoint.parents and not fans_out


def has_newer(client: ApiClient, resource: Resource, cursor: datetime) -> bool:
    """Whether a record newer than `cursor` is there, by one request for a few records from `cursor` on.

    The bound is inclusive, so the last record itself comes back; a page full of such records cannot tell and
    counts as newer. A record dated in the future tells nothing, or it would be newer for ever.
    Raises AnswerError and RequestFailed.
    """
    incremental = resource.endpoint.incremental
    if incremental is None or not can_probe(resource):
        raise ValueError(f"{resource.name} cannot be probed")
    platform = client.platform
    paginator = platform.paginator_of(resource)
    now = datetime.now(UTC)
    known = min(cursor, now)
    (params,) = query_params(resource, known.replace(microsecond=0))
    answer = client.get(resource.endpoint.path, {**params, **pager(paginator, _RECORDS).first()})
    items = selector(platform.client, paginator, platform.data_selector_of(resource))(answer.body)
    values: list[Any] = [
        record.get(incremental.cursor_path) for record in unwrap(items, resource.endpoint.envelope, Counter())
    ]
    moments = [moment for moment in convert(values, "timestamp")[0].to_pylist() if moment is not None]
    dated_ahead = sum(moment > now for moment in moments)
    newest = max((moment for moment in moments if moment <= now), default=None)
    is_full = len(items) >= _RECORDS and dated_ahead < len(items)
    return (newest is not None and newest > known) or is_full

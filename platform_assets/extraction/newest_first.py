"""Where the read of a list ends that begins with the newest record and that the server does not filter."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from platform_assets.declarations import Endpoint, Paginator, RecordCursor
from platform_assets.extraction.edge import moments
from platform_assets.extraction.queries import Query

# Tells from a page's items whether nothing of the rest of the list is wanted.
StopRule = Callable[[Sequence[Any]], bool]

# Known records in a row and in order, after which nothing more is new.
ENOUGH_KNOWN = 20


def stop_rule(query: Query, paginator: Paginator, *, epoch_times: bool) -> StopRule | None:
    """When the read of a list ends; None reads it to its end."""
    incremental = query.endpoint.incremental
    if incremental is None or not incremental.newest_first or query.start is None:
        return None
    if not isinstance(paginator, RecordCursor):
        return _InOrder(query.start, query.endpoint, epoch_times)
    # Times follow ids only roughly (a device reports late), so without a known id the list is read to its end.
    known, name = query.largest_known, paginator.field
    return None if known is None else lambda items: bool(items) and any(int(item[name]) <= known for item in items)


class _InOrder:
    """Ends with a page of known records, or one that ends with enough of them.

    Only as long as the list does come in that order: a server that ignores how it should sort is read to the end.
    """

    def __init__(self, start: datetime, endpoint: Endpoint, epoch_times: bool) -> None:
        self._start = start
        self._cursor = endpoint.incremental.cursor_path if endpoint.incremental else ""
        self._epoch_times = epoch_times
        self._oldest: datetime | None = None
        self._in_order = True

    def __call__(self, items: Sequence[Any]) -> bool:
        found = [one for one in moments(items, self._cursor, epoch_times=self._epoch_times) if one is not None]
        for moment in found:
            self._in_order = self._in_order and (self._oldest is None or moment <= self._oldest)
            self._oldest = moment
        known = sum(moment < self._start for moment in found)
        is_enough = known > 0 and known >= min(len(items), ENOUGH_KNOWN)
        return is_enough and self._in_order and len(found) == len(items)

"""How far a read of a long list has come, so that another request, part or sync can go on from there.

    row_order="desc"   2026 ... 2024 | unread     -> goes on below the oldest cursor: `end_param`
    row_order="asc"    2019 ... 2021 | unread     -> goes on from the newest cursor: `start_param`
    RecordCursor       id 900 ... 500 | unread    -> goes on below the smallest id: `cursor_param`

The order is checked, not believed. Cursors may be out of order by as much as the look-back of the list (`lag`), which
is then read again; in a list that comes in another order nothing can be told about what is unread.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from platform_assets.arrow.conversion import convert
from platform_assets.declarations import Endpoint, Incremental, Paginator, RecordCursor
from platform_assets.declarations.time_format import format_moment, resolution, rounded_up
from platform_assets.extraction.rest import Rest
from platform_assets.extraction.shaping import time_from_epoch
from platform_assets.http.errors import RequestFailed
from platform_assets.http.selection import get_path


def upper_bound_param(endpoint: Endpoint, paginator: Paginator) -> str | None:
    """The query parameter by which an older part of a list is read; None if a part cannot be asked for."""
    incremental = endpoint.incremental
    if incremental is None:
        return None
    if isinstance(paginator, RecordCursor):
        return paginator.position_key if paginator.newest_first and incremental.newest_first else None
    return incremental.end_param if incremental.row_order == "desc" else None


def in_order(endpoint: Endpoint, paginator: Paginator) -> bool:
    """Whether a read of the list can be left at a page's edge and continued."""
    ascending = endpoint.incremental is not None and endpoint.incremental.row_order == "asc"
    return ascending or upper_bound_param(endpoint, paginator) is not None


class Edge:
    """The edge of what was read of one list.

    Args:
        endpoint: the list.
        paginator: how it is paged through.
        epoch_times: whether the contract has times as numbers of seconds since 1970.
        query: the parameters that the read began with.
        start: the lower bound among them, None for the beginning.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        paginator: Paginator,
        *,
        epoch_times: bool,
        query: Mapping[str, object],
        start: datetime | None,
    ) -> None:
        self._endpoint = endpoint
        self._paginator = paginator
        self._epoch_times = epoch_times
        self._query = query
        self._start = start
        self._in_order = True
        self._last: datetime | None = None
        self._disorder = timedelta(0)
        self._smallest: int | None = None
        self._resumed_at: str | None = None

    def note(self, items: Sequence[Any]) -> None:
        """Move the edge behind a page's items. They have cursors, and ids for a `RecordCursor`."""
        incremental = self._endpoint.incremental
        if incremental is None or not items or not in_order(self._endpoint, self._paginator):
            return
        if isinstance(self._paginator, RecordCursor):
            ids = [int(item[self._paginator.field]) for item in items]
            self._smallest = min(ids) if self._smallest is None else min(self._smallest, *ids)
            return
        for moment in moments(items, incremental.cursor_path, epoch_times=self._epoch_times):
            self._note_moment(moment, incremental)

    def _note_moment(self, moment: datetime | None, incremental: Incremental) -> None:
        if moment is None:
            self._in_order = False
            return
        if self._last is None:
            self._last = moment
        ahead = moment - self._last if incremental.row_order == "asc" else self._last - moment
        if ahead >= timedelta(0):
            self._last = moment
            return
        self._disorder = max(self._disorder, -ahead)
        self._in_order = self._in_order and self._disorder <= incremental.lag

    @property
    def rest(self) -> Rest | None:
        """What is unread; None if that cannot be told, or if it is no less than when the read began."""
        rest = self._rest()
        return None if rest is None or rest.params.items() <= self._query.items() else rest

    def _rest(self) -> Rest | None:
        incremental = self._endpoint.incremental
        if incremental is None or not self._in_order:
            return None
        param = upper_bound_param(self._endpoint, self._paginator)
        if self._smallest is not None and param is not None:
            return Rest({param: str(self._smallest)}, unread_before=str(self._smallest))
        if self._last is None:
            return None
        if param is not None:
            bound = _below(self._last + self._disorder, incremental)
            return Rest({param: bound}, unread_before=bound)
        if incremental.start_param is None:
            return None
        # The next part looks back as every read does.
        start = self._last.replace(microsecond=0) - incremental.lag
        if self._start is not None and start <= self._start:
            return None
        return Rest({incremental.start_param: format_moment(start, incremental.format)}, cursor=self._last)

    def after_refusal(self, failure: RequestFailed) -> Mapping[str, str] | None:
        """The parameters that go on below pages that the server refuses as too deep; None for another failure."""
        incremental = self._endpoint.incremental
        declared = incremental.too_deep if incremental else None
        if declared is None or failure.status != declared.status:
            return None
        if declared.text.lower() not in str(failure).lower():
            return None
        rest = self.rest
        if rest is None or rest.unread_before is None or rest.unread_before == self._resumed_at:
            return None
        self._resumed_at = rest.unread_before
        return rest.params


def _below(oldest: datetime, incremental: Incremental) -> str:
    """The exclusive upper bound that has everything older, and that second again: it may have more records.

    Of a format that shows only days, that day again.
    """
    step = max(resolution(incremental.format), timedelta(seconds=1))
    return format_moment(rounded_up(oldest + timedelta(microseconds=1), step), incremental.format)


def moments(items: Sequence[Any], path: str, *, epoch_times: bool) -> list[datetime | None]:
    """The moments at a path of each item; None where there is none."""
    values: list[Any] = [get_path(item, path) for item in items]
    if epoch_times:
        values = [time_from_epoch(value) for value in values]
    return convert(values, "timestamp")[0].to_pylist()

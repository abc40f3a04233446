"""How far one query has come, and what it leaves to another part of a long read."""

from collections.abc import Callable, Sequence
from typing import Any

from platform_assets.declarations import Platform
from platform_assets.extraction.edge import Edge
from platform_assets.extraction.queries import Query
from platform_assets.extraction.rest import Rest
from platform_assets.http.pagination.pager import Pager


class Part:
    """One query's part of a read.

    Attributes:
        edge: how far it has come.
        rest: what it has left to another part, so far.
        is_long: whether the read has taken long enough, so that it may be left after a window.
    """

    def __init__(self, platform: Platform, query: Query, is_long_enough: Callable[[], bool]) -> None:
        paginator = query.endpoint.paginator or platform.client.paginator
        epoch_times = platform.client.has_epoch_times(query.endpoint)
        self.edge = Edge(query.endpoint, paginator, epoch_times=epoch_times, query=query.params, start=query.start)
        self.rest: Rest | None = None
        self.is_long = False
        self._in_windows = query.window is not None
        self._is_long_enough = is_long_enough if query.in_parts or self._in_windows else lambda: False

    def ends(self, items: Sequence[Any], walk: Pager) -> bool:
        """Whether the query ends with these items, so that they can land.

        Not if rows may have been passed over: that is found out by reading the list again, as a whole.
        """
        if self._in_windows:
            self.is_long = self._is_long_enough()
            return False
        self.edge.note(items)
        can_end = bool(items) and walk.adjoins and not walk.blind and self._is_long_enough()
        self.rest = self.edge.rest if can_end else None
        return self.rest is not None

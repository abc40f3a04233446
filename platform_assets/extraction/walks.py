"""One query's way through its list or report: which items come, and whether the rest may be left to another part."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from platform_assets.extraction.edge import Edge
from platform_assets.extraction.newest_first import stop_rule
from platform_assets.extraction.portioned_pages import PortionedPages
from platform_assets.extraction.queries import Query
from platform_assets.extraction.report_jobs import RowFinder, report_rows
from platform_assets.extraction.rest import Rest
from platform_assets.http.answer import Answer
from platform_assets.http.client import ApiClient
from platform_assets.http.outgoing import outgoing
from platform_assets.http.pagination.pager import Pager, pager
from platform_assets.http.pagination.pages import pages


class Part:
    """One query's part of a read.

    Args:
        client: its platform has the contract applied.
        query: what is read.
        is_long_enough: whether the read has taken so long that the rest may be left to another part.

    Attributes:
        edge: how far it has come.
        rest: what it has left to another part, so far.
        is_long: whether the read has taken long enough, so that it may be left after a window.
    """

    def __init__(self, client: ApiClient, query: Query, is_long_enough: Callable[[], bool]) -> None:
        declared = client.platform.client
        paginator, epoch_times = declared.paginator_of(query.endpoint), declared.has_epoch_times(query.endpoint)
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


def list_walk(
    client: ApiClient,
    query: Query,
    rows: RowFinder,
    counts: Counter[str],
    part: Part,
    matters: Callable[[], bool],
    portioned: PortionedPages | None,
) -> Iterator[tuple[Pager, list[Any]]]:
    """The items of a list, page by page, with the walk that they came by.

    Args:
        portioned: what a page is made of, if it has several requests.
    """
    endpoint = query.endpoint
    walk = pager(rows.paginator, client.settings.page_size, client.total_proof(endpoint))
    is_known = stop_rule(query, rows.paginator, epoch_times=client.platform.client.has_epoch_times(endpoint))

    def is_enough(items: Sequence[Any]) -> bool:
        return part.ends(items, walk) or (is_known is not None and is_known(items))

    def get(params: Mapping[str, Any]) -> Answer:
        return client.send(outgoing(endpoint, query.path, params), counts, endpoint)

    getter = get if portioned is None else portioned.getter(get)
    for items in pages(getter, walk, query.params, rows.select, rows.identify, matters, is_enough):
        yield walk, items


def report_walk(
    client: ApiClient, query: Query, rows: RowFinder, counts: Counter[str], part: Part
) -> Iterator[tuple[Pager, list[Any]]]:
    """The items of a report, a part of a file at a time. It is there as a whole: only whole windows can be left."""
    for walk, items in report_rows(client, query, rows, counts):
        if query.window is not None:
            part.ends(items, walk)
        yield walk, items

"""The pager of a declared paginator: what turns each answer into the parameters of the next request."""

from typing import Protocol

from platform_assets.declarations import (
    ComputedCursor,
    Cursor,
    HeaderCursor,
    HeaderLink,
    JsonLink,
    Offset,
    PageNumber,
    Paginator,
    RecordCursor,
    UnsizedPages,
)
from platform_assets.http.answer import Answer
from platform_assets.http.pagination.counted_cursor import CountedCursorWalk
from platform_assets.http.pagination.grids import Offsets, Pages, Params
from platform_assets.http.pagination.links import LinkPager
from platform_assets.http.pagination.opaque_cursors import (
    BodyCursorPager,
    HeaderCursorPager,
    RecordCursorPager,
    SinglePagePager,
)
from platform_assets.http.pagination.positions import Walk
from platform_assets.http.pagination.stated_ends import LinkHeaderWalk, NextLinkWalk, TotalProof, TotalWalk
from platform_assets.http.pagination.unsized import UnsizedPager


class Pager(Protocol):
    """A state machine: from each answer, the paging parameters of the next request. Holds no I/O."""

    @property
    def doubtful(self) -> bool:
        """After the end: whether the last page was short and what follows has not been requested yet."""
        ...

    @property
    def blind(self) -> bool:
        """Whether pages adjoined without a row in common: a row that moved between two requests was not noticed."""
        ...

    @property
    def unproven(self) -> bool:
        """Whether the end is only implied: nothing in the answers states that there are no more rows."""
        ...

    @property
    def overlap(self) -> int | None:
        """How many rows at the end of the last page the next one repeats; None: the row before the last page."""
        ...

    @property
    def adjoins(self) -> bool:
        """Whether the last page is known to follow what was read before: False while rows have to be looked for."""
        ...

    def first(self) -> Params:
        """Parameters of the first request."""
        ...

    def take(self, answer: Answer, keys: list[int]) -> Params | None:
        """Parameters of the next request, None at the end. `keys` are the hashes of the page's items."""
        ...

    def confirm(self) -> Params:
        """After a doubtful end: parameters of the request for what follows."""
        ...

    def reread(self) -> Params | None:
        """After the end: parameters to read again for rows that were passed over, None if there are none."""
        ...


def pager(paginator: Paginator, page_size: int | None, total_proof: TotalProof | None = None) -> Pager:
    """A new pager for one read of a list.

    Args:
        paginator: the declared way of paging.
        page_size: replaces the declared page size, but never exceeds the declared maximum; None keeps it.
        total_proof: what earlier walks through the same endpoint have shown about its totals; None knows nothing.
    """
    if isinstance(paginator, HeaderCursor):
        return HeaderCursorPager(declared=paginator, limit=_limit(paginator.limit, None, page_size))
    if isinstance(paginator, JsonLink | HeaderLink):
        return LinkPager(declared=paginator, limit=_limit(paginator.limit, None, page_size))
    if isinstance(paginator, UnsizedPages):
        return UnsizedPager(declared=paginator)
    if isinstance(paginator, ComputedCursor):
        # Jinja2 is imported where there is a template.
        from platform_assets.http.pagination.computed import ComputedPager

        return ComputedPager(declared=paginator, limit=_limit(paginator.limit, None, page_size))
    if isinstance(paginator, RecordCursor):
        limit = _limit(paginator.limit, paginator.maximum, page_size)
        return RecordCursorPager(declared=paginator, limit=limit or paginator.limit)
    if isinstance(paginator, PageNumber | Offset):
        return _walk(paginator, page_size, total_proof)
    if isinstance(paginator, Cursor):
        if paginator.counts_records:
            return _walk(paginator, page_size, None)
        return BodyCursorPager(declared=paginator, limit=_limit(paginator.limit, paginator.maximum, page_size))
    return SinglePagePager()


def _limit(declared: int | None, maximum: int | None, page_size: int | None) -> int | None:
    wanted = page_size or declared
    if wanted is None or maximum is None:
        return wanted
    return min(wanted, maximum)


def _walk(paginator: PageNumber | Offset | Cursor, page_size: int | None, total_proof: TotalProof | None) -> Walk:
    """The pager of a paginator whose positions count records."""
    declared = paginator.limit or 0
    size = page_size or declared
    if paginator.maximum is not None:
        size = min(size, paginator.maximum)
    most = paginator.maximum or max(size, declared)
    if isinstance(paginator, PageNumber):
        pages = Pages(paginator.position_key, paginator.limit_key, paginator.base_page)
        if paginator.link_header:
            return LinkHeaderWalk(pages, size, most, paginator.maximum, paginator.only_grows)
        if paginator.total_path is not None:
            return TotalWalk(
                pages,
                size,
                most,
                paginator.maximum,
                paginator.only_grows,
                total_path=paginator.total_path,
                proof=total_proof or TotalProof(),
            )
        return Walk(pages, size, most, paginator.maximum, paginator.only_grows)
    if isinstance(paginator, Offset):
        offsets = Offsets(paginator.position_key, paginator.limit_key)
        if paginator.next_link_path is not None:
            return NextLinkWalk(offsets, size, most, paginator.maximum, declared=paginator)
        return Walk(offsets, size, most, paginator.maximum)
    limit_key = paginator.limit_key if size else None
    grid = Offsets(paginator.position_key, limit_key, paginator.base or 0, silent_start=paginator.base is None)
    return CountedCursorWalk(grid, size, most, paginator.maximum, declared=paginator)

"""How each way of paging asks for rows by position: offsets, page numbers, or pages of a size that the server fixes.

A grid turns "rows from before position 100 to beyond it" into query parameters. It knows nothing of what was read:
positions.py decides what to ask for.
"""

from dataclasses import dataclass
from typing import Protocol

from platform_assets.http.urls import ParamValue

# Query parameters of one request.
Params = dict[str, ParamValue]


@dataclass(frozen=True)
class PageRequest:
    """A request for up to `size` rows after the first `offset` rows. `size` is 0 if the server chooses it."""

    offset: int
    size: int
    params: Params


class Grid(Protocol):
    """Requests for rows by position; `end` is the number of rows before the next page."""

    def overlapping(self, end: int, size: int, most: int) -> PageRequest | None:
        """Rows from before `end` to beyond it, None if no request of at most `most` rows does that."""
        ...

    def closing(self, end: int, most: int) -> PageRequest | None:
        """The largest request that begins with the row before `end`, or with as few rows before it as possible."""
        ...

    def adjoining(self, end: int, size: int) -> PageRequest:
        """Rows from `end` on."""
        ...

    def covering(self, offset: int, size: int) -> PageRequest:
        """Rows from `offset` or from a little before it."""
        ...


@dataclass(frozen=True)
class Offsets:
    """Any position and any size can be requested.

    Args:
        param: query parameter of the position.
        limit_param: query parameter of the size, None if the server chooses the size.
        base: position of the first row.
        silent_start: whether the first request goes without a position.
    """

    param: str
    limit_param: str | None
    base: int = 0
    silent_start: bool = False

    def overlapping(self, end: int, size: int, most: int) -> PageRequest | None:
        if self.limit_param is None:
            return self.covering(end - 1, 0)
        return self.covering(end - 1, min(size + 1, most)) if min(size + 1, most) > 1 else None

    def closing(self, end: int, most: int) -> PageRequest | None:
        return self.overlapping(end, most, most)

    def adjoining(self, end: int, size: int) -> PageRequest:
        return self.covering(end, size)

    def covering(self, offset: int, size: int) -> PageRequest:
        start: Params = {} if self.silent_start and not offset else {self.param: self.base + offset}
        limit: Params = {} if self.limit_param is None else {self.limit_param: max(size, 1)}
        return PageRequest(offset, 0 if self.limit_param is None else max(size, 1), {**start, **limit})


@dataclass(frozen=True)
class Pages:
    """Only multiples of the page size can be requested, so that the size must change from page to page to overlap.

    Args:
        param: query parameter of the page number.
        limit_param: query parameter of the page size.
        base: number of the first page.
    """

    param: str
    limit_param: str
    base: int

    def overlapping(self, end: int, size: int, most: int) -> PageRequest | None:
        """The page that reaches furthest beyond `end`: after 100 rows, page 2 of 99 begins with row 99."""
        best, gain = 0, 0
        for candidate in range(min(most, size + size // 8 + 1), 1, -1):
            if candidate - 1 <= gain:
                break
            reach = -(-end // candidate) * candidate - end
            if reach > gain:
                best, gain = candidate, reach
        return self._page((end - 1) // best, best) if gain else None

    def closing(self, end: int, most: int) -> PageRequest | None:
        before = ((end - 1) % size for size in range(most, 1, -1))
        fewest, size = min(
            ((rows, size) for rows, size in zip(before, range(most, 1, -1), strict=True) if rows < size - 1),
            key=lambda candidate: candidate[0],
            default=(0, 0),
        )
        return self._page((end - 1 - fewest) // size, size) if size else None

    def adjoining(self, end: int, size: int) -> PageRequest:
        fitting = next(candidate for candidate in range(max(size, 1), 0, -1) if end % candidate == 0)
        return self._page(end // fitting, fitting)

    def covering(self, offset: int, size: int) -> PageRequest:
        return self._page(offset // max(size, 1), max(size, 1))

    def _page(self, index: int, size: int) -> PageRequest:
        return PageRequest(index * size, size, {self.param: self.base + index, self.limit_param: size})


@dataclass(frozen=True)
class FixedPages:
    """The server gives `granted` rows a page whatever `size` is requested, so that pages cannot overlap."""

    pages: Pages
    granted: int
    size: int

    def overlapping(self, end: int, size: int, most: int) -> PageRequest | None:
        return None

    def closing(self, end: int, most: int) -> PageRequest | None:
        return None

    def adjoining(self, end: int, size: int) -> PageRequest:
        return self.covering(-(-end // self.granted) * self.granted, size)

    def covering(self, offset: int, size: int) -> PageRequest:
        index = offset // self.granted
        params: Params = {self.pages.param: self.pages.base + index, self.pages.limit_param: self.size}
        return PageRequest(index * self.granted, self.granted, params)

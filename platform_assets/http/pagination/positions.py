"""Reads a list by positions that count its rows, while rows come, go and move between two requests.

Every request begins with the last row of the page before. If that row is no longer at its place, rows have moved
over the page's edge, and what was passed over is read again. A short page is the end only if the server was asked for
more and had nothing, or if it is known to grant more than it gave.

    page -> Walk.take -> is the last row at its place? -> _accept (go on) | _step_back (rows moved up) | reread

With pages of a few rows, page numbers cannot always span an edge: the row before it is then requested on its own, and
what comes and goes between the two requests is not noticed. A server that lowers its cap while it is read can leave
no end that proves itself. Such a walk is `blind`: the whole list is read again (see extraction/reading.py).

The alternative, trusting that pages adjoin, loses one row for every row that is deleted while the list is read.
"""

import math
from dataclasses import dataclass, field, replace

from platform_assets.http.answer import Answer
from platform_assets.http.errors import AnswerError
from platform_assets.http.pagination.grids import FixedPages, Grid, PageRequest, Pages, Params
from platform_assets.http.pagination.identity import Seen

MAX_PAGES = 200_000

# Steps back at one page's edge, each twice as far as the last; then the list is read again from its beginning.
MAX_STEPS_BACK = 5
MAX_RESTARTS = 3

# Pages of so few rows bring one new row each: what comes and goes around it cannot be told apart.
TOO_FEW_ROWS = 2

# Rows a page; no server is known to grant fewer.
SMALLEST_CAP = 8

# Short pages in a row that bring no new row and are not the end either; then the list has to be read again.
MAX_SHORT_PAGES = 3

# Full pages in a row without a new row: rows that move can make one, only a circle makes three.
MAX_PAGES_WITHOUT_NEW_ROWS = 3

# Pages in a row that lead no further: without a new row, and not of a part that is read again. Rows that are filtered
# out after paging leave empty pages, each with a next one; a hundred of them is none of that.
MAX_IDLE_PAGES = 100

KEPT_CHANGING = "the list kept changing while it was read"


@dataclass
class Walk:
    """The state machine of one list read by positions. Holds no I/O; the `Pager` of these ways of paging.

    Args:
        grid: turns positions into requests.
        size: rows a page to request; shrinks to what the server grants.
        most: rows a page that the server is believed to grant at most; shrinks like `size`.
        known_maximum: the declared maximum, None if it is not known.
        only_grows: whether pages need not overlap, since rows move only away from what was read.
    """

    grid: Grid
    size: int
    most: int
    known_maximum: int | None
    only_grows: bool = False
    doubtful: bool = False
    blind: bool = False
    unproven: bool = False
    overlap: int | None = 0
    adjoins: bool = True

    _current: PageRequest = field(init=False)
    _requests: int = 0
    _seen: Seen = field(default_factory=Seen)

    # Rows before the next page, and the last of them; None if the next page has no row to begin with.
    _end: int = 0
    _last: int | None = None
    _furthest_end: int = 0
    _largest_page: int = 0

    # A page that adjoins the one before, kept until the row before it has been requested again.
    _unjoined: tuple[PageRequest, Answer, list[int]] | None = None

    # Steps back from a row that was no longer at its place; that row, and the position after it.
    _stepping_back: bool = False
    _steps_back: int = 0
    _stepped_back_from: tuple[int, int] | None = None

    _restarts: int = 0
    _pages_without_new_rows: int = 0
    _idle_pages: int = 0
    _short_pages: int = 0

    # Pages in a row that end with the last row known, but could be so short because of a lowered cap.
    _ends_as_if_capped: int = 0
    _has_moved: bool = False

    # Rows that came in before those already read, by how far the others moved: not necessarily new, perhaps moved.
    _rows_missed: float = 0

    # While the list is read again for them: how many are still to be found.
    _rows_sought: float | None = None
    _rereads: int = 0

    def first(self) -> Params:
        """Parameters of the first request."""
        return self._make_current(self.grid.covering(0, self.size))

    def take(self, answer: Answer, keys: list[int]) -> Params | None:
        """Parameters of the next request, None at the end.

        Args:
            answer: the answer to the current request.
            keys: the hashes of its items, in order.

        Raises:
            AnswerError: if paging goes in a circle, or the list changes faster than it can be read.
        """
        self.overlap, self.doubtful, self.adjoins = 0, False, False
        request = self._current
        self._check(request, answer)
        if (
            self._unjoined is None
            and self._last is not None
            and request.offset == self._end
            and not self._stepping_back
        ):
            self._unjoined, self.overlap, self.blind = (request, answer, keys), None, True
            return self._make_current(self.grid.covering(self._end - 1, 1))
        if self._unjoined is not None:
            (request, answer, page), self._unjoined = self._unjoined, None
            if page and page[0] in self._seen and len(page) < min(request.size, self.most):
                self._shrink(len(page))
                return self._next_page()
            request = replace(request, offset=request.offset - 1, size=request.size + 1)
            keys = [*keys[:1], *page] if keys else []
        if self._is_fixed(request, keys):
            return self._accept_fixed(answer, request, keys)
        if self._last is None or (self._stepping_back and request.offset == 0):
            return self._accept(answer, request, keys, None)
        if self._stepping_back:
            return self._accept(answer, request, keys, None) if keys and keys[0] in self._seen else self._step_back()
        if self._last in keys:
            return self._accept(answer, request, keys, keys.index(self._last))
        if request.offset == 0:
            return self._accept(answer, request, keys, None)
        if not keys or keys[0] not in self._seen:
            return self._step_back()
        if self._may_be_capped(request, keys):
            self._shrink(len(keys))
            return self._next_page()
        # The row was removed and others came in before it, or more came than a page holds: read the list again.
        self._rows_missed = math.inf
        return self._accept(answer, request, keys, None)

    def confirm(self) -> Params:
        """Parameters of the request for what follows a doubtful end."""
        if self._last is None or isinstance(self.grid, FixedPages):
            return self._next_page()
        request = self.grid.closing(self._end, self.most) if self._ends_as_if_capped < 2 else None
        request = request or self.grid.adjoining(self._end, self.size)
        self.overlap = max(1, self._end - request.offset)
        return self._make_current(request)

    def reread(self) -> Params | None:
        """After the end: parameters to read the list again, None unless rows moved in before those already read."""
        if not self._rows_missed:
            return None
        self._rereads += 1
        if self._rereads > MAX_RESTARTS:
            raise AnswerError(KEPT_CHANGING)
        self._rows_sought, self._rows_missed = self._rows_missed, 0
        return self._restart()

    # What an answer states about itself; counted_cursor.py and stated_ends.py override these

    def _check(self, request: PageRequest, answer: Answer) -> None:
        """Raise AnswerError if the answer belongs to another request."""

    def _stated_end(self, answer: Answer) -> int | None:
        """Position at which the answer says that the next page begins, None if it does not say."""
        return None

    def _says_it_is_last(self, answer: Answer) -> bool:
        return False

    def _says_there_is_more(self, answer: Answer) -> bool:
        """Whether the answer says that more follows, without saying where: a short page is then not the last."""
        return False

    # Pages that continue the ones before

    def _accept(self, answer: Answer, request: PageRequest, keys: list[int], at: int | None) -> Params | None:
        """Go on after a page.

        Args:
            at: index in `keys` of the last row of the page before, None if it is not there.
        """
        count, before = len(keys), self._end
        self._stepping_back = False
        has_new = any(key not in self._seen for key in reversed(keys))
        moved = 0 if at is None else at - (before - 1 - request.offset)
        end = request.offset + count
        self._has_moved = self._has_moved or moved != 0
        capped = at is not None and moved > 0 and self._starts_as_if_capped(request, count, at)
        if at is not None and capped:
            end = before - 1 - at + count
        elif at is not None and moved > 0:
            self._rows_missed += max(0, moved - sum(key not in self._seen for key in keys[:at]))
        self._find_row_stepped_back_from(request, keys, end)
        if self._rows_sought is not None:
            self._rows_sought -= sum(key not in self._seen for key in keys)
        self._check_for_circle(request, count, has_new, end, moved)
        self._seen.add(keys)
        self.adjoins = not math.isinf(self._rows_missed)
        self._end, self._last = end, keys[-1] if keys else None
        if has_new:
            self._steps_back = self._ends_as_if_capped = 0
        self._furthest_end = max(self._furthest_end, end)
        if self._rows_sought is not None and self._rows_sought <= 0 and not has_new and not moved:
            return None
        stated = self._stated_end(answer)
        if self._says_it_is_last(answer):
            return None
        if stated is not None:
            return self._after_stated_end(stated, request, count, has_new, before)
        if 0 < request.size <= count:
            self._largest_page = max(self._largest_page, count)
            return self._next_page()
        if capped or (count and self._says_there_is_more(answer)):
            self._shrink(count)
            return self._next_page()
        return self._after_short_page(request, count, at, moved, has_new)

    def _find_row_stepped_back_from(self, request: PageRequest, keys: list[int], end: int) -> None:
        """See whether the row has moved up. If not, rows came in before those already read: read the list again."""
        if self._stepped_back_from is None:
            return
        row, behind = self._stepped_back_from
        is_here = row in keys
        if is_here or end >= behind:
            self._stepped_back_from = None
            if not is_here or request.offset + keys.index(row) >= behind - 1:
                self._rows_missed = math.inf

    def _after_short_page(
        self, request: PageRequest, count: int, at: int | None, moved: int, has_new: bool
    ) -> Params | None:
        """Go on after a page with fewer rows than were requested: the end, a doubtful end, or a lowered cap."""
        requested_beyond = at is not None and not moved and at == count - 1
        trusted = self._largest_page > count or (self.known_maximum is not None and request.size <= self.known_maximum)
        self._largest_page = max(self._largest_page, count)
        if not count or (requested_beyond and (count == 1 or not self._may_be_all_that_is_granted(request, count))):
            return None
        if requested_beyond and self._ends_as_if_capped <= MAX_SHORT_PAGES:
            self._ends_as_if_capped += 1
            self.doubtful = True
            return None
        self._short_pages = 0 if has_new else self._short_pages + 1
        if self._short_pages > MAX_SHORT_PAGES:
            self.blind = True
            return None
        if trusted:
            self.doubtful = self._rows_sought is None
            return None
        self._shrink(count)
        return self._next_page()

    def _after_stated_end(self, stated: int, request: PageRequest, count: int, has_new: bool, before: int) -> Params:
        """Go on at the position that the server states for the next page."""
        if stated <= request.offset:
            raise AnswerError(
                f"paging goes in a circle: after position {request.offset} the next page begins at {stated}"
            )
        if stated != request.offset + count:
            # Positions count rows that the page leaves out: which row stands where is not known.
            self._end, self._last, self.blind = stated, None, True
        elif self._end <= before and not has_new and count < request.size:
            self._shrink(count)
        return self._next_page()

    def _check_for_circle(self, request: PageRequest, count: int, has_new: bool, end: int, moved: int) -> None:
        if has_new:
            self._pages_without_new_rows = self._idle_pages = 0
            return
        if not count or not self._end < end <= self._furthest_end:
            self._idle_pages += 1
        if self._idle_pages >= MAX_IDLE_PAGES:
            raise AnswerError(f"paging does not end: {MAX_IDLE_PAGES} pages in a row without a row unseen before")
        if count and count >= request.size and (end > self._furthest_end or moved > 0):
            self._pages_without_new_rows += 1
            if self._pages_without_new_rows >= MAX_PAGES_WITHOUT_NEW_ROWS:
                raise AnswerError(
                    f"paging goes in a circle: {MAX_PAGES_WITHOUT_NEW_ROWS} full pages without a row unseen before"
                )

    # Servers that give fewer rows than they were asked for

    def _starts_as_if_capped(self, request: PageRequest, count: int, at: int) -> bool:
        """Whether a short page begins where it does because the server computes with a page size of its own."""
        if (
            not isinstance(self.grid, Pages)
            or not 0 < count < min(request.size, self.most)
            or request.offset % request.size
        ):
            return False
        return self._end - 1 - at == request.offset // request.size * count

    def _may_be_all_that_is_granted(self, request: PageRequest, count: int) -> bool:
        """Whether a server that grants no more than `count` rows would have answered the same, whatever follows.

        After the first page such an answer would begin elsewhere, unless rows have moved.
        """
        return not request.offset or self._has_moved or count > SMALLEST_CAP

    def _may_be_capped(self, request: PageRequest, keys: list[int]) -> bool:
        """The same for a page that lies completely before the row that it should begin with."""
        if (
            not isinstance(self.grid, Pages)
            or len(keys) >= min(request.size, self.size)
            or request.offset % request.size
        ):
            return False
        return all(key in self._seen for key in keys)

    def _shrink(self, count: int) -> None:
        self.size = self.most = max(1, count)

    def _is_fixed(self, request: PageRequest, keys: list[int]) -> bool:
        return isinstance(self.grid, Pages) and 0 < request.size < len(keys)

    def _accept_fixed(self, answer: Answer, request: PageRequest, keys: list[int]) -> Params | None:
        """Go on with a server that ignores the page size: from here on pages adjoin, and a shift is not noticed."""
        assert isinstance(self.grid, Pages)
        index = request.offset // request.size
        self.grid = FixedPages(self.grid, len(keys), self.size)
        self.blind, self._stepping_back = True, False
        request = self.grid.covering(index * len(keys), self.size)
        if request.offset > self._end:
            return self._restart()
        self._last = None
        return self._accept(answer, request, keys, None)

    # The next request

    def _next_page(self) -> Params:
        if self.only_grows:
            self._last, self.overlap = None, 0
            return self._make_current(self.grid.adjoining(self._end, self.size))
        self.blind = self.blind or self.most <= TOO_FEW_ROWS
        if self._last is None:
            return self._make_current(self.grid.adjoining(self._end, self.size))
        if isinstance(self.grid, FixedPages):
            self._last = None
            return self._next_page()
        request = self.grid.overlapping(self._end, self.size, self.most) or self.grid.adjoining(self._end, self.size)
        self.overlap = max(1, self._end - request.offset)
        return self._make_current(request)

    def _step_back(self) -> Params:
        """Go back to a row that was read, since rows have moved up over the page's edge."""
        if self._last is not None and not self._stepping_back:
            self._stepped_back_from = (self._last, self._end)
        self._steps_back += 1
        self._has_moved = True
        if self._steps_back > MAX_STEPS_BACK:
            return self._restart_counted()
        self._stepping_back = True
        size = max(1, self.size - 1)
        distance = size * 2 ** (self._steps_back - 1)
        return self._make_current(self.grid.covering(max(0, self._current.offset - distance), size))

    def _restart_counted(self) -> Params:
        self._restarts += 1
        if self._restarts > MAX_RESTARTS:
            raise AnswerError(KEPT_CHANGING)
        return self._restart()

    def _restart(self) -> Params:
        self._end, self._last, self._steps_back, self._stepped_back_from = 0, None, 0, None
        self._stepping_back = False
        return self.first()

    def _make_current(self, request: PageRequest) -> Params:
        self._requests += 1
        if self._requests > MAX_PAGES:
            raise AnswerError(f"more than {MAX_PAGES} pages")
        self._current = request
        return request.params

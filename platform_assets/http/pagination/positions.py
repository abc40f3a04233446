"""A list read by positions that count its records, while its rows may come, go and move between two requests.

Every request begins with the last row of the page before. Where that row is no longer at its place, rows have
moved over the page's edge: what was passed over is read again. A short page is the end only where the server
was asked for more and had nothing, or where it is known to grant more than it gave.

With pages of a few rows, page numbers cannot always span an edge: the row before it is then asked for in a request of
its own, and what comes and goes between the two passes unseen. A server that lowers its cap while it is read can leave
no end that proves itself. Such a walk is `blind`: the list is read again (see reading.py).
"""

import math
from dataclasses import dataclass, field, replace
from typing import Protocol

from platform_assets.declarations import Cursor, Offset, PageNumber
from platform_assets.http.answer import Answer
from platform_assets.http.errors import AnswerError
from platform_assets.http.pagination.identity import Seen
from platform_assets.http.selection import get_path

Params = dict[str, str | int]

MAX_PAGES = 200_000
MAX_STEPS_BACK = 5
"""At one page's edge, each twice as far as the last; then the list is read again from its beginning."""
MAX_RESTARTS = 3
FEW = 2
"""Pages of so many rows bring one new row each: what comes and goes around it cannot be told apart."""
SMALLEST_CAP = 8
"""No server is known to grant fewer rows a page."""
MAX_DOUBTS = 3
"""Short pages in a row that bring no new row and are not the end either; then the list has to be read again."""
MAX_KNOWN_PAGES = 3
"""Full pages in a row without a row unseen before: rows that move can make one, only a circle makes three."""
KEPT_CHANGING = "the list kept changing while it was read"


@dataclass(frozen=True)
class Ask:
    """A request for `size` rows after the first `offset`. `size` is 0 where the server chooses."""

    offset: int
    size: int
    params: Params


class Grid(Protocol):
    """How a way of paging asks for rows by position."""

    def overlapping(self, end: int, size: int, most: int) -> Ask | None:
        """Rows from before `end` to beyond it, None where no request of at most `most` rows does that."""
        ...

    def closing(self, end: int, most: int) -> Ask | None:
        """The largest request that begins with the row before `end`, or with as few before it as can be."""
        ...

    def adjoining(self, end: int, size: int) -> Ask:
        """Rows from `end` on."""
        ...

    def covering(self, offset: int, size: int) -> Ask:
        """Rows from `offset` or from a little before it."""
        ...


@dataclass(frozen=True)
class Offsets:
    """Any position and any size can be asked for."""

    param: str
    limit_param: str | None
    base: int = 0
    silent_start: bool = False
    """Whether the first request goes without a position."""

    def overlapping(self, end: int, size: int, most: int) -> Ask | None:
        if self.limit_param is None:
            return self.covering(end - 1, 0)
        return self.covering(end - 1, min(size + 1, most)) if min(size + 1, most) > 1 else None

    def closing(self, end: int, most: int) -> Ask | None:
        return self.overlapping(end, most, most)

    def adjoining(self, end: int, size: int) -> Ask:
        return self.covering(end, size)

    def covering(self, offset: int, size: int) -> Ask:
        start: Params = {} if self.silent_start and not offset else {self.param: self.base + offset}
        limit: Params = {} if self.limit_param is None else {self.limit_param: max(size, 1)}
        return Ask(offset, 0 if self.limit_param is None else max(size, 1), {**start, **limit})


@dataclass(frozen=True)
class Pages:
    """Only multiples of the page size can be asked for, so that the size must change from page to page."""

    param: str
    limit_param: str
    base: int

    def overlapping(self, end: int, size: int, most: int) -> Ask | None:
        """The page that reaches furthest beyond `end`: after 100 rows, page 2 of 99 begins with row 99."""
        best, gain = 0, 0
        for candidate in range(min(most, size + size // 8 + 1), 1, -1):
            if candidate - 1 <= gain:
                break
            reach = -(-end // candidate) * candidate - end
            if reach > gain:
                best, gain = candidate, reach
        return self._page((end - 1) // best, best) if gain else None

    def closing(self, end: int, most: int) -> Ask | None:
        before = ((end - 1) % size for size in range(most, 1, -1))
        fewest, size = min(
            ((rows, size) for rows, size in zip(before, range(most, 1, -1), strict=True) if rows < size - 1),
            key=lambda found: found[0],
            default=(0, 0),
        )
        return self._page((end - 1 - fewest) // size, size) if size else None

    def adjoining(self, end: int, size: int) -> Ask:
        fitting = next(candidate for candidate in range(max(size, 1), 0, -1) if end % candidate == 0)
        return self._page(end // fitting, fitting)

    def covering(self, offset: int, size: int) -> Ask:
        return self._page(offset // max(size, 1), max(size, 1))

    def _page(self, index: int, size: int) -> Ask:
        return Ask(index * size, size, {self.param: self.base + index, self.limit_param: size})


@dataclass(frozen=True)
class FixedPages:
    """The server gives `granted` rows a page whatever is asked for, so that pages cannot overlap."""

    pages: Pages
    granted: int
    size: int

    def overlapping(self, end: int, size: int, most: int) -> Ask | None:
        return None

    def closing(self, end: int, most: int) -> Ask | None:
        return None

    def adjoining(self, end: int, size: int) -> Ask:
        return self.covering(-(-end // self.granted) * self.granted, size)

    def covering(self, offset: int, size: int) -> Ask:
        index = offset // self.granted
        params: Params = {self.pages.param: self.pages.base + index, self.pages.limit_param: self.size}
        return Ask(index * self.granted, self.granted, params)


@dataclass
class Walk:
    """Which request comes next, from what the last ones brought. Holds no I/O.

    `doubtful` after the last page: it was short, and nobody asked yet for what follows (`confirm` does).
    `blind`: a row may have slipped through between two pages, so that the list is to be read again.
    `overlap`: how many rows at the end of this page the next one repeats; None: the row before this page.
    """

    grid: Grid
    size: int
    most: int
    told: int | None
    """The most that the server is known to grant a page."""
    doubtful: bool = False
    blind: bool = False
    unproven: bool = False
    overlap: int | None = 0

    _asked: Ask = field(init=False)
    _requests: int = 0
    _seen: Seen = field(default_factory=Seen)
    _end: int = 0
    _last: int | None = None
    """The row before `_end`; None where the next page has nothing to begin with."""
    _furthest: int = 0
    _largest: int = 0
    _beside: tuple[Ask, Answer, list[int]] | None = None
    """A page that adjoins the one before, until the row before it was asked for again."""
    _stepping: bool = False
    _steps_back: int = 0
    _stepped_from: tuple[int, int] | None = None
    """The row that was not at its place any more when the walk began to step back, and the position behind it."""
    _restarts: int = 0
    _known_pages: int = 0
    _doubts: int = 0
    _as_if_capped: int = 0
    """Pages in a row that end with the last row known, but could be so short because of a lowered cap."""
    _has_moved: bool = False
    _missing: float = 0
    """Rows that came in among those already read, by how far the others moved: perhaps not new, but moved."""
    _sought: float | None = None
    """While those are looked for: how many there are."""
    _looks: int = 0

    def first(self) -> Params:
        """Parameters of the first request."""
        return self._send(self.grid.covering(0, self.size))

    def take(self, answer: Answer, keys: list[int]) -> Params | None:
        """Parameters of the next request, None at the end. `keys` are the page's items.

        Raises AnswerError where paging goes in a circle or the list cannot be read in peace.
        """
        self.overlap, self.doubtful = 0, False
        ask = self._asked
        self._check(ask, answer)
        if self._beside is None and self._last is not None and ask.offset == self._end and not self._stepping:
            self._beside, self.overlap, self.blind = (ask, answer, keys), None, True
            return self._send(self.grid.covering(self._end - 1, 1))
        if self._beside is not None:
            (ask, answer, page), self._beside = self._beside, None
            if page and page[0] in self._seen and len(page) < min(ask.size, self.most):
                self._shrink(len(page))
                return self._onward()
            ask, keys = replace(ask, offset=ask.offset - 1, size=ask.size + 1), [*keys[:1], *page] if keys else []
        if self._is_fixed(ask, keys):
            return self._accept_fixed(answer, ask, keys)
        if self._last is None or (self._stepping and ask.offset == 0):
            return self._accept(answer, ask, keys, None)
        if self._stepping:
            return self._accept(answer, ask, keys, None) if keys and keys[0] in self._seen else self._step_back()
        if self._last in keys:
            return self._accept(answer, ask, keys, keys.index(self._last))
        if ask.offset == 0:
            return self._accept(answer, ask, keys, None)
        if not keys or keys[0] not in self._seen:
            return self._step_back()
        if self._may_be_capped(ask, keys):
            self._shrink(len(keys))
            return self._onward()
        # The row is gone and others came in before it, or more came than a page holds: read all of it once more.
        self._missing = math.inf
        return self._accept(answer, ask, keys, None)

    def confirm(self) -> Params:
        """Parameters of the request for what follows a doubtful end."""
        if self._last is None or isinstance(self.grid, FixedPages):
            return self._onward()
        ask = self.grid.closing(self._end, self.most) if self._as_if_capped < 2 else None
        ask = ask or self.grid.adjoining(self._end, self.size)
        self.overlap = max(1, self._end - ask.offset)
        return self._send(ask)

    def look_again(self) -> Params | None:
        """After the end: from the beginning for rows that moved in among those already read; None if there are none."""
        if not self._missing:
            return None
        self._looks += 1
        if self._looks > MAX_RESTARTS:
            raise AnswerError(KEPT_CHANGING)
        self._sought, self._missing = self._missing, 0
        return self._restart()

    # What an answer says of itself

    def _check(self, ask: Ask, answer: Answer) -> None:
        """Raise AnswerError where the answer is not to what was asked."""

    def _stated_end(self, answer: Answer) -> int | None:
        """Where the answer says that the next page begins; None where it does not say."""
        return None

    def _says_it_is_last(self, answer: Answer) -> bool:
        return False

    # Pages that continue the ones before

    def _accept(self, answer: Answer, ask: Ask, keys: list[int], at: int | None) -> Params | None:
        """Go on behind a page; `at` is the index of the last row of the page before, if it is there."""
        count, before = len(keys), self._end
        self._stepping = False
        brings = any(key not in self._seen for key in reversed(keys))
        moved = 0 if at is None else at - (before - 1 - ask.offset)
        end = ask.offset + count
        self._has_moved = self._has_moved or moved != 0
        capped = at is not None and moved > 0 and self._starts_as_if_capped(ask, count, at)
        if at is not None and capped:
            end = before - 1 - at + count
        elif at is not None and moved > 0:
            self._missing += max(0, moved - sum(key not in self._seen for key in keys[:at]))
        self._look_for_the_row_stepped_back_from(ask, keys, end)
        if self._sought is not None:
            self._sought -= sum(key not in self._seen for key in keys)
        self._guard_circle(ask, count, brings, end, moved)
        self._seen.add(keys)
        self._end, self._last = end, keys[-1] if keys else None
        if brings:
            self._steps_back = self._as_if_capped = 0
        self._furthest = max(self._furthest, end)
        if self._sought is not None and self._sought <= 0 and not brings and not moved:
            return None
        stated = self._stated_end(answer)
        if self._says_it_is_last(answer):
            return None
        if stated is not None:
            return self._follow(stated, ask, count, brings, before)
        if 0 < ask.size <= count:
            self._largest = max(self._largest, count)
            return self._onward()
        if capped:
            self._shrink(count)
            return self._onward()
        return self._short(ask, count, at, moved, brings)

    def _look_for_the_row_stepped_back_from(self, ask: Ask, keys: list[int], end: int) -> None:
        """It has moved up. Where it has not, rows came in meanwhile among those already read: read all once more."""
        if self._stepped_from is None:
            return
        row, behind = self._stepped_from
        is_here = row in keys
        if is_here or end >= behind:
            self._stepped_from = None
            if not is_here or ask.offset + keys.index(row) >= behind - 1:
                self._missing = math.inf

    def _short(self, ask: Ask, count: int, at: int | None, moved: int, brings: bool) -> Params | None:
        """A page with fewer rows than were asked for."""
        asked_beyond = at is not None and not moved and at == count - 1
        trusted = self._largest > count or not count or (self.told is not None and ask.size <= self.told)
        self._largest = max(self._largest, count)
        if not count or (asked_beyond and (count == 1 or not self._may_be_all_that_is_granted(ask, count))):
            return None
        if asked_beyond and self._as_if_capped <= MAX_DOUBTS:
            self._as_if_capped += 1
            self.doubtful = True
            return None
        self._doubts = 0 if brings else self._doubts + 1
        if self._doubts > MAX_DOUBTS:
            self.blind = True
            return None
        if trusted:
            self.doubtful = self._sought is None
            return None
        self._shrink(count)
        return self._onward()

    def _follow(self, stated: int, ask: Ask, count: int, brings: bool, before: int) -> Params:
        """Go on where the server says that the next page begins."""
        if stated <= ask.offset:
            raise AnswerError(f"paging goes in a circle: after position {ask.offset} the next page begins at {stated}")
        if stated != ask.offset + count:
            # Positions of rows that were left out: which row stands where is not known.
            self._end, self._last, self.blind = stated, None, True
        elif self._end <= before and not brings and count < ask.size:
            self._shrink(count)
        return self._onward()

    def _guard_circle(self, ask: Ask, count: int, brings: bool, end: int, moved: int) -> None:
        if brings:
            self._known_pages = 0
        elif count and count >= ask.size and (end > self._furthest or moved > 0):
            self._known_pages += 1
            if self._known_pages >= MAX_KNOWN_PAGES:
                raise AnswerError(f"paging goes in a circle: {MAX_KNOWN_PAGES} full pages without a row unseen before")

    # Servers that give fewer rows than they were asked for

    def _starts_as_if_capped(self, ask: Ask, count: int, at: int) -> bool:
        """Whether a short page begins where it does because the server reckons with a page size of its own."""
        if not isinstance(self.grid, Pages) or not 0 < count < min(ask.size, self.most) or ask.offset % ask.size:
            return False
        return self._end - 1 - at == ask.offset // ask.size * count

    def _may_be_all_that_is_granted(self, ask: Ask, count: int) -> bool:
        """Whether a server that grants no more than `count` rows would have answered the same, whatever follows.

        Behind the first page such an answer would begin elsewhere, unless rows have moved.
        """
        return not ask.offset or self._has_moved or count > SMALLEST_CAP

    def _may_be_capped(self, ask: Ask, keys: list[int]) -> bool:
        """As above, for a page that lies wholly before the row that it should begin with."""
        if not isinstance(self.grid, Pages) or len(keys) >= min(ask.size, self.size) or ask.offset % ask.size:
            return False
        return all(key in self._seen for key in keys)

    def _shrink(self, count: int) -> None:
        self.size = self.most = max(1, count)

    def _is_fixed(self, ask: Ask, keys: list[int]) -> bool:
        return isinstance(self.grid, Pages) and 0 < ask.size < len(keys)

    def _accept_fixed(self, answer: Answer, ask: Ask, keys: list[int]) -> Params | None:
        """The server obeys page numbers and no size: from here on pages adjoin, and a shift goes unseen."""
        assert isinstance(self.grid, Pages)
        index = ask.offset // ask.size
        self.grid = FixedPages(self.grid, len(keys), self.size)
        self.blind, self._stepping = True, False
        found = self.grid.covering(index * len(keys), self.size)
        if found.offset > self._end:
            return self._restart()
        self._last = None
        return self._accept(answer, found, keys, None)

    # The next request

    def _onward(self) -> Params:
        self.blind = self.blind or self.most <= FEW
        if self._last is None:
            return self._send(self.grid.adjoining(self._end, self.size))
        if isinstance(self.grid, FixedPages):
            self._last = None
            return self._onward()
        ask = self.grid.overlapping(self._end, self.size, self.most) or self.grid.adjoining(self._end, self.size)
        self.overlap = max(1, self._end - ask.offset)
        return self._send(ask)

    def _step_back(self) -> Params:
        """Rows have moved up over the page's edge: back to a row that was seen."""
        if self._last is not None and not self._stepping:
            self._stepped_from = (self._last, self._end)
        self._steps_back += 1
        self._has_moved = True
        if self._steps_back > MAX_STEPS_BACK:
            return self._restart_counted()
        self._stepping = True
        size = max(1, self.size - 1)
        distance = size * 2 ** (self._steps_back - 1)
        return self._send(self.grid.covering(max(0, self._asked.offset - distance), size))

    def _restart_counted(self) -> Params:
        self._restarts += 1
        if self._restarts > MAX_RESTARTS:
            raise AnswerError(KEPT_CHANGING)
        return self._restart()

    def _restart(self) -> Params:
        self._end, self._last, self._steps_back, self._stepped_from = 0, None, 0, None
        self._stepping = False
        return self.first()

    def _send(self, ask: Ask) -> Params:
        self._requests += 1
        if self._requests > MAX_PAGES:
            raise AnswerError(f"more than {MAX_PAGES} pages")
        self._asked = ask
        return ask.params


@dataclass
class CountedCursorWalk(Walk):
    """The body names the next position, and where it names none that is the end."""

    declared: Cursor = field(kw_only=True)

    def _check(self, ask: Ask, answer: Answer) -> None:
        expected = (self.declared.base or 0) + ask.offset
        start = _number(answer, self.declared.start_echo_path)
        if start is not None and start != expected:
            raise AnswerError(f"asked for the rows from position {expected}, the answer says that it begins at {start}")
        limit = _number(answer, self.declared.limit_echo_path)
        if limit is not None and 0 < ask.size < limit:
            raise AnswerError(f"asked for {ask.size} rows a page, the answer says that it has up to {limit}")

    def _stated_end(self, answer: Answer) -> int | None:
        stated = next_position(self.declared, answer)
        if stated is None:
            return None
        if isinstance(stated, str) and not stated.isdecimal():
            raise AnswerError(f"next page at `{self.declared.cursor_path}` is {stated[:40]!r}, not a position")
        return int(stated) - (self.declared.base or 0)

    def _says_it_is_last(self, answer: Answer) -> bool:
        return next_position(self.declared, answer) is None


def next_position(declared: Cursor, answer: Answer) -> str | int | None:
    """The next page's position from the body, None at the end.

    Raises AnswerError where it is no position, or absent although the body says that there is more.
    """
    cursor = get_path(answer.body, declared.cursor_path)
    if cursor is None:
        if declared.more_path is not None and get_path(answer.body, declared.more_path) is True:
            raise AnswerError(f"`{declared.more_path}` says that there is more, without `{declared.cursor_path}`")
        return None
    if not isinstance(cursor, str | int) or isinstance(cursor, bool):
        raise AnswerError(f"next page at `{declared.cursor_path}` is {cursor!r}, not a position")
    return cursor


def _number(answer: Answer, path: str | None) -> int | None:
    value = None if path is None else get_path(answer.body, path)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def walk(paginator: PageNumber | Offset | Cursor, page_size: int | None) -> Walk:
    """The walk of a paginator whose positions count records. `page_size` overrides its limit, never its maximum."""
    declared = paginator.limit or 0
    size = page_size or declared
    if paginator.maximum is not None:
        size = min(size, paginator.maximum)
    most = paginator.maximum or max(size, declared)
    if isinstance(paginator, PageNumber):
        pages = Pages(paginator.page_param, paginator.limit_param, paginator.base_page)
        return Walk(pages, size, most, paginator.maximum)
    if isinstance(paginator, Offset):
        return Walk(Offsets(paginator.offset_param, paginator.limit_param), size, most, paginator.maximum)
    limit_param = paginator.limit_param if size else None
    grid = Offsets(paginator.cursor_param, limit_param, paginator.base or 0, silent_start=paginator.base is None)
    return CountedCursorWalk(grid, size, most, paginator.maximum, declared=paginator)

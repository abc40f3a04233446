"""Pages whose positions only the server understands: cursors in the body or in a header, and single pages.

Such a cursor can only be sent back, so pages cannot overlap and a row that moves between two requests is not noticed:
these pagers are `blind` from the second page on. They guard against paging in a circle.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from platform_assets.declarations import Cursor, HeaderCursor, RecordCursor
from platform_assets.http.answer import Answer
from platform_assets.http.errors import AnswerError
from platform_assets.http.lossless_json import as_json
from platform_assets.http.outgoing import LINK
from platform_assets.http.pagination.counted_cursor import next_position
from platform_assets.http.pagination.grids import Params
from platform_assets.http.pagination.identity import Seen
from platform_assets.http.pagination.link_header import link_entries, link_header
from platform_assets.http.pagination.positions import MAX_PAGES, MAX_PAGES_WITHOUT_NEW_ROWS
from platform_assets.http.selection import get_path
from platform_assets.http.urls import ParamValue

# Pages in a row without a record, each with a next page.
MAX_EMPTY_PAGES = 100


def size_of(limit_key: str | None, limit: int | None) -> Params:
    """The page size of a request; empty if the list takes none."""
    return {} if limit_key is None or limit is None else {limit_key: limit}


class LoopGuard:
    """Refuses a position that was requested before, and more positions than any list has.

    Comparing with every earlier position, not only the last, also catches a server that alternates.
    """

    def __init__(self, max_pages: int = MAX_PAGES) -> None:
        self._max_pages = max_pages
        self._positions: set[bytes] = set()

    def check_position(self, params: Mapping[str, ParamValue]) -> None:
        known = len(self._positions)
        self._positions.add(blake2b(as_json(params, "a position", sort_keys=True), digest_size=8).digest())
        if len(self._positions) == known:
            raise AnswerError(f"paging goes in a circle: {_shown(params)} was asked for before")
        if len(self._positions) > self._max_pages:
            raise AnswerError(f"more than {self._max_pages} pages")


def _shown(params: Mapping[str, ParamValue]) -> str:
    # Of an address only the path: what is cut off in the middle of a credential would not be redacted.
    shown = {name: str(value).partition("?")[0] if name == LINK else str(value)[:40] for name, value in params.items()}
    return ", ".join(f"{name}={value}" for name, value in shown.items())


@dataclass
class OpaquePager:
    """Follows the positions that the server names."""

    doubtful: bool = False
    blind: bool = False
    unproven: bool = False
    overlap: int | None = 0
    adjoins: bool = True
    _guard: LoopGuard = field(default_factory=LoopGuard)
    _seen: Seen = field(default_factory=Seen)
    _pages_without_new_rows: int = 0
    _empty_pages: int = 0

    def first(self) -> Params:
        raise NotImplementedError

    def take(self, answer: Answer, keys: list[int]) -> Params | None:
        position = self._next(answer)
        self._check_for_circle(keys, position is None)
        if position is not None:
            self._guard.check_position(position)
            self.blind = not self._is_stable
        return position

    def confirm(self) -> Params:
        raise NotImplementedError

    def reread(self) -> Params | None:
        return None

    def _next(self, answer: Answer) -> Params | None:
        raise NotImplementedError

    @property
    def _is_stable(self) -> bool:
        """Whether no row can move over a page's edge."""
        return False

    def _check_for_circle(self, keys: list[int], is_last: bool) -> None:
        if any(key not in self._seen for key in reversed(keys)):
            self._pages_without_new_rows = self._empty_pages = 0
        elif keys:
            self._pages_without_new_rows += 1
        else:
            self._empty_pages += 1
        self._seen.add(keys)
        if is_last and self._pages_without_new_rows:
            raise AnswerError("the last page has only rows that the pages before it had: it is not what was asked for")
        if self._pages_without_new_rows >= MAX_PAGES_WITHOUT_NEW_ROWS and not is_last:
            raise AnswerError(
                f"paging goes in a circle: {MAX_PAGES_WITHOUT_NEW_ROWS} pages without a row unseen before"
            )
        if self._empty_pages >= MAX_EMPTY_PAGES:
            raise AnswerError(f"{MAX_EMPTY_PAGES} empty pages in a row, each with a next page")


@dataclass
class BodyCursorPager(OpaquePager):
    """The body or a header names the next position; an absent or null position is the end, and so is `more_path` false.

    Many servers name the position of the last record on the last page too (GraphQL's `endCursor`).
    """

    declared: Cursor = field(kw_only=True)
    limit: int | None = field(kw_only=True)

    def first(self) -> Params:
        start = {} if self.declared.base is None else {self.declared.position_key: self.declared.base}
        position = {**start, **size_of(self.declared.limit_key, self.limit)}
        self._guard.check_position(position)
        return position

    def _next(self, answer: Answer) -> Params | None:
        cursor = next_position(self.declared, answer)
        if self.declared.more_path is not None and get_path(answer.body, self.declared.more_path) is False:
            return None
        if cursor is None:
            return None
        return {self.declared.position_key: cursor, **size_of(self.declared.limit_key, self.limit)}

    @property
    def _is_stable(self) -> bool:
        return self.declared.stable


@dataclass
class RecordCursorPager(OpaquePager):
    """The next page begins after a record of this one; a page without records is the end.

    A short page may come in another order, by name for instance: then a page with nothing new after it is an end too.
    """

    declared: RecordCursor = field(kw_only=True)
    limit: int = field(kw_only=True)
    _position: int | None = None
    _is_in_order: bool = True

    def first(self) -> Params:
        return {self.declared.limit_key: self.limit}

    def take(self, answer: Answer, keys: list[int]) -> Params | None:
        if not self._is_in_order and all(key in self._seen for key in keys):
            return None
        return super().take(answer, keys)

    def _next(self, answer: Answer) -> Params | None:
        if not answer.items:
            return None
        values = [_number(item, self.declared.field) for item in answer.items]
        if not self.declared.newest_first and values != sorted(values):
            if len(values) >= self.limit:
                raise AnswerError(
                    f"a full page is not in the order of `{self.declared.field}`: what follows is unknown"
                )
            self._is_in_order = False
        before, last = self._position, min(values) if self.declared.newest_first else values[-1]
        if before is not None and (last >= before if self.declared.newest_first else last <= before):
            raise AnswerError(
                f"paging goes in a circle: after `{self.declared.field}` {before} a page leads on with {last}"
            )
        self._position = last
        return {self.declared.position_key: last, **self.first()}

    @property
    def _is_stable(self) -> bool:
        return True


def _number(item: Any, name: str) -> int:
    value = item.get(name)
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise AnswerError(f"a record's `{name}` is {str(value)[:40]!r}, not a number, so the next page is unknown")


@dataclass
class HeaderCursorPager(OpaquePager):
    """The `Link` header's `next` entry; `results="false"` is the end, and so is a first page without an entry."""

    declared: HeaderCursor = field(kw_only=True)
    limit: int | None = field(kw_only=True, default=None)
    had_entry: bool = False

    def first(self) -> Params:
        return size_of(self.declared.limit_key, self.limit)

    @property
    def _is_stable(self) -> bool:
        return self.declared.stable

    def _next(self, answer: Answer) -> Params | None:
        header = link_header(answer)
        entry = link_entries(header or "").get("next")
        if entry is None:
            if self.had_entry:
                missing = "Link header" if header is None else 'rel="next" in the Link header'
                raise AnswerError(f"a page has no {missing}, as the pages before it had: is it the last?")
            self.unproven = True
            return None
        self.had_entry = True
        results = entry.get("results", "").lower()
        if results not in ("true", "false"):
            raise AnswerError(f'the Link header\'s rel="next" has results="{results[:40]}", not "true" or "false"')
        if results == "false":
            return None
        if not entry.get("cursor"):
            raise AnswerError('the Link header announces a next page (results="true") without a cursor')
        return {self.declared.cursor_param: entry["cursor"], **self.first()}


class SinglePagePager(OpaquePager):
    """One request, which has everything."""

    def first(self) -> Params:
        return {}

    def take(self, answer: Answer, keys: list[int]) -> Params | None:
        return None

"""Page after page of one endpoint, each way of paging with its proven stop."""

import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Protocol

from platform_assets.extraction.client import Answer
from platform_assets.extraction.errors import AnswerError
from platform_assets.extraction.records import as_json
from platform_assets.vocabulary import (
    Cursor,
    HeaderCursor,
    Offset,
    PageNumber,
    Paginator,
)

Params = dict[str, str | int]
MAX_PAGES = 200_000


class Pager(Protocol):
    """Knows the next request's paging parameters from the last answer. Holds no I/O."""

    def first(self) -> Params:
        """Parameters of the first request."""
        ...

    def next(self, answer: Answer, record_count: int) -> Params | None:
        """Parameters of the next request, None at the contract's stop."""
        ...


@dataclass
class _ShortPage:
    """Page number and offset: a page with fewer records than asked for is the last."""

    param: str
    position: int
    step: int
    limit_param: str
    limit: int

    def first(self) -> Params:
        return {self.param: self.position, self.limit_param: self.limit}

    def next(self, answer: Answer, record_count: int) -> Params | None:
        if record_count < self.limit:
            return None
        self.position += self.step
        return self.first()


@dataclass
class _BodyCursor:
    """The body names the next position; absent or null is the end."""

    declared: Cursor
    limit: int | None

    def first(self) -> Params:
        start = {} if self.declared.base is None else {self.declared.cursor_param: self.declared.base}
        return {**start, **self._limit()}

    def next(self, answer: Answer, record_count: int) -> Params | None:
        cursor = dig(answer.body, self.declared.cursor_path)
        if cursor is None:
            return None
        if not isinstance(cursor, str | int) or isinstance(cursor, bool):
            raise AnswerError(f"next page at `{self.declared.cursor_path}` is {cursor!r}, not a position")
        return {self.declared.cursor_param: cursor, **self._limit()}

    def _limit(self) -> Params:
        if self.declared.limit_param is None or self.limit is None:
            return {}
        return {self.declared.limit_param: self.limit}


@dataclass
class _HeaderCursor:
    """The `Link` header's `next` entry; `results="false"` or no such entry is the end."""

    declared: HeaderCursor

    def first(self) -> Params:
        return {}

    def next(self, answer: Answer, record_count: int) -> Params | None:
        header = next((value for name, value in answer.headers.items() if name.lower() == "link"), None)
        entry = link_entries(header or "").get("next")
        if entry is None or entry.get("results", "").lower() != "true":
            return None
        if not entry.get("cursor"):
            raise AnswerError('the Link header announces a next page (results="true") without a cursor')
        return {self.declared.cursor_param: entry["cursor"]}


class _OnePage:
    def first(self) -> Params:
        return {}

    def next(self, answer: Answer, record_count: int) -> Params | None:
        return None


def pager(paginator: Paginator, page_size: int | None) -> Pager:
    """The state machine of a declared paginator. `page_size` overrides its limit, never its maximum."""
    if isinstance(paginator, HeaderCursor):
        return _HeaderCursor(paginator)
    if isinstance(paginator, Cursor):
        return _BodyCursor(paginator, _limit(paginator, page_size))
    if isinstance(paginator, PageNumber):
        limit = _limit(paginator, page_size) or paginator.limit
        return _ShortPage(paginator.page_param, paginator.base_page, 1, paginator.limit_param, limit)
    if isinstance(paginator, Offset):
        limit = _limit(paginator, page_size) or paginator.limit
        return _ShortPage(paginator.offset_param, 0, limit, paginator.limit_param, limit)
    return _OnePage()


def _limit(paginator: Cursor | PageNumber | Offset, page_size: int | None) -> int | None:
    wanted = page_size or paginator.limit
    if wanted is None or paginator.maximum is None:
        return wanted
    return min(wanted, paginator.maximum)


class LoopGuard:
    """Refuses what can only be a loop: a position asked for twice, a first record seen twice.

    Comparing with every earlier page, not only the last, also catches a server that alternates.
    """

    def __init__(self, max_pages: int = MAX_PAGES) -> None:
        self._max_pages = max_pages
        self._positions: set[bytes] = set()
        self._first_records: set[bytes] = set()

    def check_position(self, params: Mapping[str, str | int]) -> None:
        if not _is_new(params, self._positions):
            raise AnswerError(f"paging goes in a circle: {_shown(params)} was asked for before")
        if len(self._positions) > self._max_pages:
            raise AnswerError(f"more than {self._max_pages} pages")

    def check_records(self, records: list[Any]) -> None:
        if records and not _is_new(records[0], self._first_records):
            raise AnswerError(
                "paging goes in a circle: a page starts with the record that an earlier page started with"
            )


def _is_new(value: Any, seen: set[bytes]) -> bool:
    digest = blake2b(as_json(value, "a record", sort_keys=True), digest_size=8).digest()
    known = len(seen)
    seen.add(digest)
    return len(seen) > known


def _shown(params: Mapping[str, str | int]) -> str:
    return ", ".join(f"{name}={str(value)[:40]}" for name, value in params.items())


def dig(body: Any, path: str) -> Any:
    """Value at a dotted path in nested objects, None where the path ends early."""
    for key in path.split("."):
        if not isinstance(body, dict):
            return None
        body = body.get(key)
    return body


_LINK = re.compile(r"<([^<>]*)>((?:\s*;\s*[\w*-]+\s*=\s*(?:\"[^\"]*\"|[^\s\",;]+))*)")
_LINK_PARAM = re.compile(r";\s*([\w*-]+)\s*=\s*(?:\"([^\"]*)\"|([^\s\",;]+))")


def link_entries(header: str) -> dict[str, dict[str, str]]:
    """RFC 8288 `Link` entries by `rel`: `{"next": {"url": ..., "results": "true", "cursor": "0:100:0"}}`."""
    entries: dict[str, dict[str, str]] = {}
    for url, params in _LINK.findall(header):
        entry = {name.lower(): quoted or bare for name, quoted, bare in _LINK_PARAM.findall(params)}
        for relation in entry.get("rel", "").split():
            entries.setdefault(relation.lower(), {**entry, "url": url})
    return entries


def pages(get: "Getter", pager: Pager, params: Mapping[str, str | int], select: "Selector") -> Iterator[list[Any]]:
    """Yield the selected items of each page until the contract's stop.

    The next page is asked for while its predecessor is being used: one request ahead, never more, and only
    once the paginator knows that there is a next page. Raises AnswerError where paging goes in a circle, and
    whatever `get` and `select` raise.
    """
    guard = LoopGuard()
    first = pager.first()
    guard.check_position(first)
    answer = get({**params, **first})
    with ExitStack() as stack:
        ahead: ThreadPoolExecutor | None = None
        while True:
            items = select(answer.body)
            guard.check_records(items)
            position = pager.next(answer, len(items))
            if position is None:
                yield items
                return
            guard.check_position(position)
            ahead = ahead or stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="read-ahead"))
            following = ahead.submit(get, {**params, **position})
            yield items
            answer = following.result()


class Getter(Protocol):
    def __call__(self, params: Mapping[str, str | int], /) -> Answer: ...


class Selector(Protocol):
    def __call__(self, body: Any, /) -> list[Any]: ...

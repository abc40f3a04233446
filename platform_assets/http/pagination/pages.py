"""Page after page of one endpoint, each way of paging with its proven stop."""

import re
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Protocol

from platform_assets.declarations import (
    Cursor,
    HeaderCursor,
    Offset,
    PageNumber,
    Paginator,
)
from platform_assets.http.answer import Answer
from platform_assets.http.errors import AnswerError
from platform_assets.http.pagination.identity import Identify, Seen, by_content
from platform_assets.http.pagination.positions import MAX_KNOWN_PAGES, MAX_PAGES, Params, next_position, walk
from platform_assets.http.selection import get_path
from platform_assets.lossless_json import as_json

__all__ = ["LoopGuard", "Pager", "Params", "get_path", "link_entries", "pager", "pages"]

MAX_EMPTY_PAGES = 100
"""Pages in a row without a record, each with a next page."""
_LONGEST_OVERLAP = 64


class Pager(Protocol):
    """Knows the next request's paging parameters from the last answer. Holds no I/O."""

    @property
    def doubtful(self) -> bool:
        """After the end: whether the last page was short and nobody asked yet for what follows."""
        ...

    @property
    def blind(self) -> bool:
        """Whether pages met without a row in common: a row that moved between two requests went unnoticed."""
        ...

    @property
    def unproven(self) -> bool:
        """Whether the end is only implied: nothing in the answers says that there is no more."""
        ...

    @property
    def overlap(self) -> int | None:
        """How many rows at the end of the last page the next one repeats; None: the row before the last page."""
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

    def look_again(self) -> Params | None:
        """After the end: parameters of a request for rows that were passed over, None where there are none."""
        ...


@dataclass
class _Told:
    """The server tells the next page in words of its own, which only it understands."""

    doubtful: bool = False
    blind: bool = False
    unproven: bool = False
    overlap: int | None = 0
    _guard: "LoopGuard" = field(default_factory=lambda: LoopGuard())
    _seen: Seen = field(default_factory=Seen)
    _known_pages: int = 0
    _empty_pages: int = 0

    def first(self) -> Params:
        raise NotImplementedError

    def take(self, answer: Answer, keys: list[int]) -> Params | None:
        position = self._next(answer)
        self._guard_circle(keys, position is None)
        if position is not None:
            self._guard.check_position(position)
            self.blind = True
        return position

    def confirm(self) -> Params:
        raise NotImplementedError

    def look_again(self) -> Params | None:
        return None

    def _next(self, answer: Answer) -> Params | None:
        raise NotImplementedError

    def _guard_circle(self, keys: list[int], is_last: bool) -> None:
        if any(key not in self._seen for key in reversed(keys)):
            self._known_pages = self._empty_pages = 0
        elif keys:
            self._known_pages += 1
        else:
            self._empty_pages += 1
        self._seen.add(keys)
        if is_last and self._known_pages:
            raise AnswerError("the last page has only rows that the pages before it had: it is not what was asked for")
        if self._known_pages >= MAX_KNOWN_PAGES and not is_last:
            raise AnswerError(f"paging goes in a circle: {MAX_KNOWN_PAGES} pages without a row unseen before")
        if self._empty_pages >= MAX_EMPTY_PAGES:
            raise AnswerError(f"{MAX_EMPTY_PAGES} empty pages in a row, each with a next page")


@dataclass
class _BodyCursor(_Told):
    """The body names the next position; absent or null is the end."""

    declared: Cursor = field(kw_only=True)
    limit: int | None = field(kw_only=True)

    def first(self) -> Params:
        start = {} if self.declared.base is None else {self.declared.cursor_param: self.declared.base}
        position = {**start, **self._limit()}
        self._guard.check_position(position)
        return position

    def _next(self, answer: Answer) -> Params | None:
        cursor = next_position(self.declared, answer)
        return None if cursor is None else {self.declared.cursor_param: cursor, **self._limit()}

    def _limit(self) -> Params:
        if self.declared.limit_param is None or self.limit is None:
            return {}
        return {self.declared.limit_param: self.limit}


@dataclass
class _HeaderCursor(_Told):
    """The `Link` header's `next` entry; `results="false"` is the end, and so is a first page without an entry."""

    declared: HeaderCursor = field(kw_only=True)
    had_entry: bool = False

    def first(self) -> Params:
        return {}

    def _next(self, answer: Answer) -> Params | None:
        header = next((value for name, value in answer.headers.items() if name.lower() == "link"), None)
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
        return {self.declared.cursor_param: entry["cursor"]}


class _OnePage(_Told):
    def first(self) -> Params:
        return {}

    def take(self, answer: Answer, keys: list[int]) -> Params | None:
        return None


def pager(paginator: Paginator, page_size: int | None) -> Pager:
    """The state machine of a declared paginator. `page_size` overrides its limit, never its maximum."""
    if isinstance(paginator, HeaderCursor):
        return _HeaderCursor(declared=paginator)
    if isinstance(paginator, PageNumber | Offset):
        return walk(paginator, page_size)
    if isinstance(paginator, Cursor):
        if paginator.counts_records:
            return walk(paginator, page_size)
        return _BodyCursor(declared=paginator, limit=_limit(paginator, page_size))
    return _OnePage()


def _limit(paginator: Cursor, page_size: int | None) -> int | None:
    wanted = page_size or paginator.limit
    if wanted is None or paginator.maximum is None:
        return wanted
    return min(wanted, paginator.maximum)


class LoopGuard:
    """Refuses a position asked for twice, and more positions than any list has.

    Comparing with every earlier position, not only the last, also catches a server that alternates.
    """

    def __init__(self, max_pages: int = MAX_PAGES) -> None:
        self._max_pages = max_pages
        self._positions: set[bytes] = set()

    def check_position(self, params: Mapping[str, str | int]) -> None:
        known = len(self._positions)
        self._positions.add(blake2b(as_json(params, "a position", sort_keys=True), digest_size=8).digest())
        if len(self._positions) == known:
            raise AnswerError(f"paging goes in a circle: {_shown(params)} was asked for before")
        if len(self._positions) > self._max_pages:
            raise AnswerError(f"more than {self._max_pages} pages")


def _shown(params: Mapping[str, str | int]) -> str:
    return ", ".join(f"{name}={str(value)[:40]}" for name, value in params.items())


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


def _always() -> bool:
    return True


def pages(
    get: "Getter",
    pager: Pager,
    params: Mapping[str, str | int],
    select: "Selector",
    identify: Identify = by_content,
    matters: Callable[[], bool] = _always,
) -> Iterator[list[Any]]:
    """Yield the selected items of each page until the contract's stop.

    The next page is asked for while its predecessor is being used: one request ahead, never more, and only
    once the paginator knows that there is a next page. A row that a page repeats unchanged from the page before
    is yielded once; other repeats are yielded as they come, the last of them being the newest.

    `matters` is asked once the last page was used, where that page was short and nothing proves that it is the
    last: True asks the server for what follows. Raises AnswerError where paging goes in a circle or the list
    changes faster than it can be read, and whatever `get` and `select` raise.
    """
    answer = get({**params, **pager.first()})
    repeated: dict[int, bytes] = {}
    with ExitStack() as stack:
        ahead: ThreadPoolExecutor | None = None
        while True:
            items = select(answer.body)
            keys = identify(items)
            position = pager.take(answer, keys)
            fresh = _without(repeated, items, keys)
            overlap = _LONGEST_OVERLAP if pager.doubtful else pager.overlap
            repeated = repeated if overlap is None else _last(items, keys, overlap)
            if position is not None:
                ahead = ahead or stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="read-ahead"))
                following = ahead.submit(get, {**params, **position})
                yield fresh
                answer = following.result()
                continue
            yield fresh
            position = pager.confirm() if pager.doubtful and matters() else pager.look_again()
            if position is None:
                return
            answer = get({**params, **position})


def _last(items: list[Any], keys: list[int], count: int) -> dict[int, bytes]:
    """The contents of the last `count` items by their keys."""
    last = zip(keys[-count:], items[-count:], strict=True) if count else ()
    return {key: as_json(item, "a record", sort_keys=True) for key, item in last}


def _without(repeated: dict[int, bytes], items: list[Any], keys: list[int]) -> list[Any]:
    """The items without those at the beginning that are unchanged repeats."""
    if not repeated:
        return items
    start = zip(keys[: len(repeated)], items, strict=False)
    kept = [item for key, item in start if repeated.get(key) != as_json(item, "a record", sort_keys=True)]
    return kept + items[len(repeated) :]


class Getter(Protocol):
    def __call__(self, params: Mapping[str, str | int], /) -> Answer: ...


class Selector(Protocol):
    def __call__(self, body: Any, /) -> list[Any]: ...

"""Reads a list page by page, one request ahead of whoever uses the pages.

    pager.first -> get -> select -> identify -> pager.take -> get -> ... -> end
                                                                    end -> pager.confirm | pager.reread | stop

The pager (pager.py) decides what to request; this loop sends it, and drops the rows that overlapping pages repeat.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, Protocol

from platform_assets.declarations.places import POSITION
from platform_assets.http.answer import Answer
from platform_assets.http.errors import AnswerError
from platform_assets.http.lossless_json import as_json
from platform_assets.http.pagination.identity import Identify, by_content
from platform_assets.http.pagination.pager import Pager
from platform_assets.http.urls import ParamValue

# Rows that the request for a doubtful end can repeat.
_LONGEST_OVERLAP = 64


class Getter(Protocol):
    """Requests a page by its query parameters."""

    def __call__(self, params: Mapping[str, ParamValue], /) -> Answer: ...


class Selector(Protocol):
    """Finds the items in a body."""

    def __call__(self, body: Any, /) -> list[Any]: ...


def _always() -> bool:
    return True


def pages(
    get: Getter,
    pager: Pager,
    params: Mapping[str, ParamValue],
    select: Selector,
    identify: Identify = by_content,
    matters: Callable[[], bool] = _always,
    is_enough: Callable[[Sequence[Any]], bool] | None = None,
) -> Iterator[list[Any]]:
    """Yield the items of each page, to the list's proven end.

    The next page is requested while its predecessor is in use: one request ahead, never more, and only once the
    pager knows that there is a next page. A row that a page repeats unchanged from the page before is yielded once;
    other repeats are yielded as they come, and the last of them is the newest.

    Args:
        get: requests one page.
        pager: a new pager.
        params: the query besides the paging parameters.
        select: finds the items in a body.
        identify: hashes a page's items.
        matters: called after the last page was used, if that page was short and nothing proves that it is the last.
            True requests what follows.
        is_enough: called with each page's items before the next page is requested; True ends the walk there,
            unless rows may have been passed over before it.

    Raises:
        AnswerError: if paging goes in a circle, or the list changes faster than it can be read.

    Whatever `get` and `select` raise is raised too.
    """
    answer = get(at_position(params, pager.first()))
    repeated: dict[int, bytes] = {}
    with ExitStack() as stack:
        ahead: ThreadPoolExecutor | None = None
        while True:
            items = select(answer.body)
            keys = identify(items)
            position = pager.take(replace(answer, items=items), keys)
            stops = is_enough is not None and is_enough(items) and pager.adjoins
            fresh = _without(repeated, items, keys) if answer.merged is None else list(answer.merged)
            overlap = _LONGEST_OVERLAP if pager.doubtful else pager.overlap
            repeated = repeated if overlap is None else _last(items, keys, overlap)
            if stops:
                yield fresh
                return
            if position is not None:
                ahead = ahead or stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="read-ahead"))
                following = ahead.submit(get, at_position(params, position))
                yield fresh
                answer = following.result()
                continue
            yield fresh
            position = pager.confirm() if pager.doubtful and matters() else pager.reread()
            if position is None:
                return
            answer = get(at_position(params, position))


def at_position(params: Mapping[str, ParamValue], position: Mapping[str, ParamValue]) -> dict[str, ParamValue]:
    """All values of a request for the page at a position, which a pager has named.

    A text with `{}` that the list has at the position's place is what the position stands in (`UnsizedPages.sent_as`);
    any other value there was the first position. Raises AnswerError for a text with several `{}`: what a template is
    filled with may have one too.
    """
    found = {**params, **position}
    for place in position.keys() & params.keys():
        around = str(params[place])
        if around.count(POSITION) > 1:
            raise AnswerError(f"`{place}` has {around.count(POSITION)} times `{POSITION}`, where one position stands")
        if POSITION in around:
            found[place] = around.replace(POSITION, str(position[place]))
    return found


def _last(items: list[Any], keys: list[int], count: int) -> dict[int, bytes]:
    """The contents of the last `count` items by their keys."""
    last = zip(keys[-count:], items[-count:], strict=True) if count else ()
    return {key: as_json(item, "a record", sort_keys=True) for key, item in last}


def _without(repeated: dict[int, bytes], items: list[Any], keys: list[int]) -> list[Any]:
    """The items without the unchanged repeats at their beginning."""
    if not repeated:
        return items
    start = zip(keys[: len(repeated)], items, strict=False)
    kept = [item for key, item in start if repeated.get(key) != as_json(item, "a record", sort_keys=True)]
    return kept + items[len(repeated) :]

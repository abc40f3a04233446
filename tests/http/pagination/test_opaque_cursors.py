"""Cursors of records, in headers and in bodies: every record that stays comes, or a clear error, in few requests."""

import bisect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from platform_assets.declarations import Cursor, HeaderCursor, Paginator, RecordCursor
from platform_assets.extraction.reading import MAX_REREADS
from platform_assets.http.answer import Answer
from platform_assets.http.errors import AnswerError
from platform_assets.http.pagination.pager import pager
from platform_assets.http.pagination.pages import pages
from tests.tiers import only

ELSEWHERE = "https://evil.example.com/api/0/?cursor=stolen"
Op = tuple[str, float]


@dataclass
class SortedList:
    """A list sorted by id. `changes[n]` happen before its nth request; new rows have the largest ids, as everywhere.

    Args:
        cap: rows a page that it grants at most.
        way: "after" and "older" (NinjaOne), "header" (Sentry, with `hidden` rows that take up room in pages), "body"
            (Pipedrive v2: the cursor is the id of the next page's first row).
        as_text: whether ids are texts.
        silent: requests whose answer lacks the `Link` header.
    """

    rows: list[int]
    way: str
    changes: Mapping[int, list[Op]] = field(default_factory=dict)
    cap: int = 10**9
    hidden: frozenset[int] = frozenset()
    as_text: bool = False
    silent: frozenset[int] = frozenset()
    most_requests: int = 2000
    requests: list[dict[str, Any]] = field(default_factory=list)
    removed: set[int] = field(default_factory=set)

    def page(self, params: Mapping[str, Any]) -> Answer:
        number = len(self.requests)
        assert number < self.most_requests, "the read does not end"
        self.requests.append(dict(params))
        for kind, where in self.changes.get(number, []):
            if kind == "insert":
                self.rows.append(max(self.rows, default=0) + 1)
            elif self.rows:
                self.removed.add(self.rows.pop(int(where * len(self.rows))))
        size = min(int(params.get("limit", 10)), self.cap)
        if self.way == "after":
            start = bisect.bisect_right(self.rows, int(params.get("after", -1)))
            return Answer({"data": self._shown(self.rows[start : start + size])}, {})
        if self.way == "older":
            end = bisect.bisect_left(self.rows, int(params.get("after", 10**9)))
            return Answer({"data": self._shown(self.rows[max(0, end - size) : end][::-1])}, {})
        if self.way == "body":
            start = bisect.bisect_left(self.rows, int(params.get("after", 0)))
            following = self.rows[start + size : start + size + 1]
            more = {"next": str(following[0])} if following else {"next": None}
            return Answer({"data": self._shown(self.rows[start : start + size]), **more}, {})
        start = int(str(params.get("after", "0:0:0")).split(":")[1])
        end = min(start + size, len(self.rows))
        more = str(end < len(self.rows)).lower()
        link = f'<{ELSEWHERE}>; rel="previous"; results="{str(start > 0).lower()}"; cursor="0:0:1", '
        link += f'<{ELSEWHERE}>; rel="next"; results="{more}"; cursor="0:{end}:0"'
        shown = [row for row in self.rows[start:end] if row not in self.hidden]
        return Answer({"data": self._shown(shown)}, {} if number in self.silent else {"Link": link})

    def _shown(self, rows: list[int]) -> list[dict[str, Any]]:
        return [{"id": str(row) if self.as_text else row} for row in rows]


def paginator(way: str, limit: int) -> Paginator:
    if way in ("after", "older"):
        return RecordCursor(cursor_param="after", newest_first=way == "older", limit_param="limit", limit=limit)
    if way == "header":
        return HeaderCursor(cursor_param="after", limit_param="limit", limit=limit)
    return Cursor(cursor_path="next", cursor_param="after", limit_param="limit", limit=limit, stable=True)


def read(declared: Paginator, served: Any) -> set[int]:
    """The ids that are read, as the extraction does: what was read blindly is read again until nothing is new."""

    def one_pass() -> tuple[set[int], bool]:
        state = pager(declared, None)
        found = pages(
            served.page, state, {}, lambda body: body["data"], lambda items: [hash(str(r["id"])) for r in items]
        )
        return {int(record["id"]) for page in found for record in page}, state.blind

    found, again = one_pass()
    for _ in range(MAX_REREADS if again else 0):
        more, _ = one_pass()
        if more <= found:
            return found
        found |= more
    if again:
        raise AnswerError("the list kept changing")
    return found


WAYS = ("after", "older", "header", "body")
several = st.dictionaries(
    st.integers(1, 20),
    st.lists(st.tuples(st.sampled_from(["insert", "remove"]), st.floats(0, 0.999)), min_size=1, max_size=4),
    max_size=8,
)


@pytest.mark.parametrize("way", only(["after", "header"], WAYS, slow=WAYS))
@settings(max_examples=200, deadline=None)
@given(
    rows=st.sets(st.integers(1, 400), max_size=80),
    limit=st.integers(1, 30),
    cap=st.integers(1, 30),
    as_text=st.booleans(),
)
@example(rows=set(range(1, 61)), limit=30, cap=30, as_text=False)
@example(rows=set(range(98, 103)), limit=2, cap=2, as_text=True)
def test_every_record_comes_whatever_the_server_grants(
    way: str, rows: set[int], limit: int, cap: int, as_text: bool
) -> None:
    served = SortedList(sorted(rows), way, cap=cap, as_text=as_text)
    assert read(paginator(way, limit), served) == rows
    passes = 2 if way == "header" else 1
    assert len(served.requests) <= passes * (len(rows) // min(limit, cap) + 2)


@pytest.mark.parametrize("way", only(["older", "body"], WAYS, slow=WAYS))
@settings(max_examples=200, deadline=None)
@given(size=st.integers(0, 60), limit=st.integers(1, 20), cap=st.integers(1, 20), changes=several)
def test_no_record_that_stays_is_lost_while_others_come_and_go(
    way: str, size: int, limit: int, cap: int, changes: Mapping[int, list[Op]]
) -> None:
    served = SortedList([*range(1, size + 1)], way, changes, cap)
    try:
        found = read(paginator(way, limit), served)
    except AnswerError:
        return
    assert set(range(1, size + 1)) - served.removed <= found, served.requests


@settings(max_examples=200, deadline=None)
@given(
    size=st.integers(0, 80),
    limit=st.integers(1, 20),
    hidden=st.frozensets(st.integers(1, 80)),
    silent=st.frozensets(st.integers(1, 8), max_size=2),
)
@example(size=80, limit=5, hidden=frozenset(range(20, 70)), silent=frozenset())
def test_short_and_empty_pages_in_the_middle_are_no_end(
    size: int, limit: int, hidden: frozenset[int], silent: frozenset[int]
) -> None:
    """A page without a Link header is either announced as the last, or an error."""
    served = SortedList([*range(1, size + 1)], "header", hidden=hidden, silent=silent)
    try:
        found = read(paginator("header", limit), served)
    except AnswerError as error:
        assert silent and "no Link header" in str(error)
        return
    assert found == set(range(1, size + 1)) - hidden


def test_the_limit_goes_with_every_page_and_nothing_else_of_the_link_does() -> None:
    served = SortedList([*range(1, 31)], "header")
    assert read(HeaderCursor(cursor_param="after", limit_param="limit", limit=10), served) == set(range(1, 31))
    assert [params.get("limit") for params in served.requests] == [10] * 6
    assert {params.get("after") for params in served.requests} == {None, "0:10:0", "0:20:0"}


@dataclass
class Answering:
    """A server that answers as a function of the request's number says."""

    answer: Callable[[int, Mapping[str, Any]], Answer]
    asked: list[Mapping[str, Any]] = field(default_factory=list)

    def page(self, params: Mapping[str, Any]) -> Answer:
        assert len(self.asked) < 1000, "the read does not end"
        self.asked.append(params)
        return self.answer(len(self.asked), params)


def _announcing(data: list[dict[str, Any]], cursor: str) -> Answer:
    link = f'<{ELSEWHERE}>; rel="next"; results="true"; cursor="{cursor}"'
    return Answer({"data": data, "next": cursor}, {"Link": link})


@pytest.mark.parametrize("way", only(["older", "header"], WAYS, slow=WAYS))
@settings(max_examples=100, deadline=None)
@given(
    shown=st.lists(st.lists(st.integers(0, 30), max_size=6), min_size=1, max_size=12),
    cursors=st.lists(st.integers(0, 9), max_size=12),
)
def test_pages_of_a_few_rows_in_any_order_end(way: str, shown: list[list[int]], cursors: list[int]) -> None:
    def answer(number: int, params: Mapping[str, Any]) -> Answer:
        cursor = cursors[number % len(cursors)] if cursors else number
        return _announcing([{"id": row} for row in shown[number % len(shown)]], f"0:{cursor}:0")

    served = Answering(answer)
    try:
        read(paginator(way, 6), served)
    except AnswerError:
        return


@pytest.mark.parametrize("way", ["after", "older"])
@pytest.mark.parametrize("bad", [None, "seven", "", 1.5, True, "-3", ["a"]])
def test_an_id_that_is_no_number_is_a_clear_error(way: str, bad: Any) -> None:
    with pytest.raises(AnswerError, match=r"`id` is .*, not a number"):
        read(paginator(way, 3), Answering(lambda number, params: Answer({"data": [{"id": 8}, {"id": bad}]}, {})))


@pytest.mark.parametrize("way", ["after", "older"])
def test_a_page_that_does_not_lead_on_is_a_circle(way: str) -> None:
    """As if the server ignored the position, or gave equal ids beyond it."""
    served = Answering(lambda number, params: Answer({"data": [{"id": 5}, {"id": 5}]}, {}))
    with pytest.raises(AnswerError, match="circle"):
        read(paginator(way, 2), served)
    assert len(served.asked) == 2


@pytest.mark.parametrize("is_place", [True, False])
@settings(max_examples=100, deadline=None)
@given(ids=st.lists(st.integers(1, 60), unique=True, min_size=1, max_size=20), limit=st.integers(2, 25))
def test_a_list_in_another_order_is_whole_if_it_fits_into_a_page_and_refused_otherwise(
    is_place: bool, ids: list[int], limit: int
) -> None:
    """Whether `after` names a place in the list, or a bound of ids, is not documented."""

    def answer(number: int, params: Mapping[str, Any]) -> Answer:
        after = int(params.get("after", 0))
        beyond = ids[ids.index(after) + 1 if after else 0 :] if is_place else [one for one in ids if one > after]
        return Answer({"data": [{"id": one} for one in beyond[:limit]]}, {})

    served = Answering(answer)
    if ids != sorted(ids) and len(ids) >= limit:
        return
    assert read(paginator("after", limit), served) == set(ids)
    assert len(served.asked) <= len(ids) // limit + 3


def test_a_full_page_in_another_order_is_a_clear_error() -> None:
    served = Answering(lambda number, params: Answer({"data": [{"id": 5}, {"id": 9}, {"id": 7}]}, {}))
    with pytest.raises(AnswerError, match="not in the order of `id`"):
        read(paginator("after", 3), served)

"""Lists whose answers say whether more follows, by a link or a number: every row that stays comes, or a clear error."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from platform_assets.declarations import Cursor, Offset, PageNumber, Paginator
from platform_assets.http.answer import Answer
from platform_assets.http.errors import AnswerError
from platform_assets.http.pagination.stated_ends import TotalProof
from tests.http.pagination.moving_lists import MovingList, Op, complete_or_refused, one_each, read, several
from tests.tiers import only

ELSEWHERE = "https://evil.example.com/v2/builds?api_key=secret"


@dataclass
class Stated(MovingList):
    """A list that says in one of the vendors' ways whether more follows.

    Args:
        way: "link" (Buildkite), "total" or "page total" (k6, which may count the page only), "next link" (k6 v6),
            "start", "more" or "nothing" (Pipedrive: with a next position, without it, without any word).
        silent: requests whose answer lacks the `Link` header.
    """

    way: str = "link"
    silent: frozenset[int] = frozenset()

    def page(self, params: Mapping[str, Any]) -> Answer:
        number = len(self.requests)
        answer = super().page(params)
        rows, paging = answer.body["data"], answer.body["paging"]
        more, following = paging["more"], paging["start"] + paging["limit"]
        if self.way == "link":
            links = [f'<{ELSEWHERE}&page=1>; rel="first"']
            links += [f'<{ELSEWHERE}&page={params["page"] + 1}>; rel="next"'] if more else []
            is_only = not more and params["page"] == 1
            return Answer(answer.body, {} if is_only or number in self.silent else {"Link": ", ".join(links)})
        if self.way in ("total", "page total"):
            count = len(self.rows) if self.way == "total" else len(rows)
            return Answer({"data": rows, "meta": {"count": count}}, {})
        if self.way == "next link":
            link = {"@nextLink": f"https://elsewhere.example/v6?start={following}&limit={paging['limit']}"}
            return Answer({"data": rows, **(link if more else {})}, {})
        if self.way == "nothing":
            return Answer({"data": rows}, {})
        kept = {name: value for name, value in paging.items() if self.way == "start" or name != "next"}
        return Answer({"data": rows, "paging": kept}, {})


def paginator(way: str, limit: int, maximum: int | None = None) -> Paginator:
    """The paginator that reads such a list."""
    if way == "link":
        return PageNumber(limit=limit, maximum=maximum, link_header=True)
    if way in ("total", "page total"):
        return PageNumber(limit=limit, maximum=maximum, total_path="meta.count")
    if way == "next link":
        return Offset(offset_param="start", limit=limit, maximum=maximum, next_link_path="@nextLink")
    return Cursor(
        cursor_path="paging.next",
        cursor_param="start",
        base=0,
        limit_param="limit",
        limit=limit,
        maximum=maximum,
        counts_records=True,
        more_path="paging.more",
        start_echo_path="paging.start",
        limit_echo_path="paging.limit",
        implied=True,
    )


WAYS = ("link", "total", "page total", "next link", "start", "more", "nothing")


@pytest.mark.parametrize("way", only(["page total", "next link", "nothing"], WAYS, slow=WAYS))
@settings(max_examples=200, deadline=None)
@given(size=st.integers(0, 120), limit=st.integers(2, 40), cap=st.integers(2, 40))
@example(size=55, limit=100, cap=20)
@example(size=100, limit=100, cap=100)
@example(size=40, limit=40, cap=20)
def test_a_server_that_grants_less_than_was_asked_ends_no_list_early(way: str, size: int, limit: int, cap: int) -> None:
    served = Stated([*range(size)], caps={0: cap}, way=way)
    assert read(paginator(way, limit), served) == set(range(size))
    # Twice, if the end does not prove itself; pages of two or three rows cost up to twice as much.
    assert len(served.requests) <= 4 * (size // max(1, min(limit, cap) - 1) + 6)


@pytest.mark.parametrize("way", only(["link", "total", "start"], WAYS, slow=WAYS))
@settings(max_examples=200, deadline=None)
@given(size=st.integers(0, 70), limit=st.integers(8, 20), told=st.booleans(), changes=several | one_each)
def test_no_row_that_stays_is_lost_while_others_come_go_and_move(
    way: str, size: int, limit: int, told: bool, changes: Mapping[int, list[Op]]
) -> None:
    complete_or_refused(paginator(way, limit, limit if told else None), Stated([*range(size)], changes, way=way))


@settings(max_examples=200, deadline=None)
@given(
    size=st.integers(0, 70),
    limit=st.integers(4, 20),
    changes=several,
    silent=st.frozensets(st.integers(1, 12), max_size=4),
)
def test_a_link_header_that_is_missing_on_a_later_page_ends_no_list(
    size: int, limit: int, changes: Mapping[int, list[Op]], silent: frozenset[int]
) -> None:
    complete_or_refused(paginator("link", limit, limit), Stated([*range(size)], changes, way="link", silent=silent))


@settings(max_examples=200, deadline=None)
@given(sizes=st.lists(st.integers(0, 30), min_size=1, max_size=12), cap=st.integers(2, 40))
@example(sizes=[20, 20, 20], cap=20)
def test_short_lists_cost_one_request_each_once_an_answer_has_shown_that_totals_count_the_list(
    sizes: list[int], cap: int
) -> None:
    proof, requests = TotalProof(), 0
    for size in sizes:
        served = Stated([*range(size)], caps={0: cap}, way="total")
        is_known = proof.given
        assert read(paginator("total", 40), served, proof=proof) == set(range(size))
        requests += len(served.requests)
        if is_known and size <= cap:
            assert len(served.requests) == 1

    if max(sizes) <= cap:
        assert requests <= len(sizes) + 1, sizes


@settings(max_examples=200, deadline=None)
@given(
    sizes=st.lists(st.integers(0, 70), min_size=1, max_size=8),
    limit=st.integers(2, 40),
    cap=st.integers(2, 40),
    changes=several | one_each | st.just({}),
)
@example(sizes=[1, 100, 5, 40], limit=100, cap=20, changes={})
def test_a_total_that_counts_the_page_never_ends_one_of_many_lists_early(
    sizes: list[int], limit: int, cap: int, changes: Mapping[int, list[Op]]
) -> None:
    """With a lower limit than was asked for, such an answer looks as if it had the whole list."""
    proof = TotalProof()
    for size in sizes:
        served = Stated([*range(size)], changes, caps={0: cap}, way="page total")
        complete_or_refused(paginator("page total", limit), served, proof)
    assert not proof.given


@settings(max_examples=200, deadline=None)
@given(
    sizes=st.lists(st.integers(0, 70), min_size=2, max_size=6),
    limit=st.integers(8, 20),
    changes=several | one_each,
)
def test_no_row_that_stays_is_lost_once_totals_are_known_to_count_the_list(
    sizes: list[int], limit: int, changes: Mapping[int, list[Op]]
) -> None:
    proof = TotalProof()
    proof.note(2, 1)
    for size in sizes:
        complete_or_refused(paginator("total", limit), Stated([*range(size)], changes, way="total"), proof)


def test_an_address_in_a_link_is_never_used() -> None:
    """Only its being there counts: the parameters are ours, page numbers and a size."""
    for way in ("link", "next link"):
        served = Stated([*range(50)], way=way)
        assert read(paginator(way, 10, 10), served) == set(range(50))
        assert {name for params in served.requests for name in params} <= {"page", "per_page", "start", "limit"}


@pytest.mark.parametrize("back", [0, 5, 9])
def test_a_next_link_that_does_not_lead_on_is_a_circle(back: int) -> None:
    asked: list[Mapping[str, Any]] = []

    def get(params: Mapping[str, Any]) -> Answer:
        asked.append(params)
        start = int(params["start"])
        data = [{"id": number} for number in range(start, start + int(params["limit"]))]
        link = f"https://h/?start={start + len(data) if not start else start - back}"
        return Answer({"data": data, "@nextLink": link}, {})

    with pytest.raises(AnswerError, match="circle"):
        read(paginator("next link", 10, 10), Answering(get))
    assert len(asked) == 2


@pytest.mark.parametrize("link", ["https://h/", "https://h/?start=soon", "https://h/?start=-1", "https://h/?start="])
def test_a_next_link_without_a_position_is_a_clear_error(link: str) -> None:
    with pytest.raises(AnswerError, match="no position `start`"):
        read(paginator("next link", 10), Answering(lambda params: Answer({"data": [{"id": 1}], "@nextLink": link}, {})))


class Answering(MovingList):
    """A server that answers as a function says, with a bound on how often it can be asked."""

    def __init__(self, get: Any, most_requests: int = 500) -> None:
        super().__init__([], most_requests=most_requests)
        self._get = get

    def page(self, params: Mapping[str, Any]) -> Answer:
        assert len(self.requests) < self.most_requests, "the read does not end"
        self.requests.append(dict(params))
        return self._get(params)


def _endless(way: str, params: Mapping[str, Any], data: list[dict[str, int]]) -> Answer:
    """An answer that says that more follows, whatever was asked."""
    size = int(params.get("limit") or params.get("per_page") or 1)
    start = int(params.get("start") or 0)
    paging = {"more": True, **({"next": start + size} if way == "start" else {})}
    body = {"data": data, "meta": {"count": 10**6}, "@nextLink": f"https://h/?start={start + size}", "paging": paging}
    return Answer(body, {"Link": '<https://h/>; rel="next"'} if way == "link" else {})


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("rows", [0, 1, 3, 10])
def test_an_answer_that_never_changes_and_always_announces_more_ends(way: str, rows: int) -> None:
    """With an error, or with the rows that there are; a server that knows no other page is not asked for ever."""
    served = Answering(lambda params: _endless(way, params, [{"id": number} for number in range(rows)]), 450)
    try:
        assert read(paginator(way, 10, 10), served) == set(range(rows))
    except AnswerError:
        return


@pytest.mark.parametrize("way", only(["link", "next link", "more"], WAYS, slow=WAYS))
@settings(max_examples=100, deadline=None)
@given(pages=st.lists(st.lists(st.integers(0, 30), max_size=10), min_size=1, max_size=12))
def test_pages_of_a_few_rows_in_any_order_end(way: str, pages: list[list[int]]) -> None:
    served = Answering(None, 1000)

    def get(params: Mapping[str, Any]) -> Answer:
        found = pages[(len(served.requests) - 1) % len(pages)]
        return _endless(way, params, [{"id": number} for number in found])

    served._get = get
    try:
        read(paginator(way, 10, 10), served)
    except AnswerError:
        return

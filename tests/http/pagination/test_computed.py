"""Positions that templates make of answers, and pages whose size nobody says."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from platform_assets.declarations import ComputedCursor, Cursor, Paginator, Template, UnsizedPages
from platform_assets.http.answer import Answer
from platform_assets.http.errors import AnswerError
from platform_assets.http.outgoing import LINK
from platform_assets.http.pagination.pager import pager
from platform_assets.http.pagination.pages import pages

Serve = Callable[[Mapping[str, Any]], Answer]


def read(paginator: Paginator, serve: Serve) -> tuple[list[int], list[dict[str, Any]]]:
    """The ids of all records, and the paging parameters of each request."""
    asked: list[dict[str, Any]] = []

    def get(params: Mapping[str, Any]) -> Answer:
        assert len(asked) < 300, "the read does not end"
        asked.append(dict(params))
        return serve(params)

    found = pages(
        get, pager(paginator, None), {}, lambda body: body["items"], lambda items: [one["id"] for one in items]
    )
    return [one["id"] for page in found for one in page], asked


def body(rows: list[int], **more: Any) -> Answer:
    return Answer({"items": [{"id": row} for row in rows], **more}, {})


@given(count=st.integers(0, 40), size=st.integers(1, 12), base=st.integers(0, 2))
@settings(max_examples=30)
def test_pages_of_an_unknown_size_are_read_until_one_is_empty(count: int, size: int, base: int) -> None:
    rows = list(range(count))

    def serve(params: Mapping[str, Any]) -> Answer:
        start = (params["page"] - base) * size
        return body(rows[start : start + size])

    found, asked = read(UnsizedPages(base_page=base), serve)
    assert found == rows
    assert [one["page"] for one in asked] == [base + number for number in range(-(-count // size) + 1)]


@given(count=st.integers(0, 40), size=st.integers(1, 12))
@settings(max_examples=30)
def test_offsets_of_an_unknown_size_count_what_has_come(count: int, size: int) -> None:
    rows = list(range(count))
    declared = UnsizedPages(page_param="offset", base_page=0, base_is_sent=False, counts_records=True)
    found, _ = read(declared, lambda params: body(rows[params.get("offset", 0) :][:size]))
    assert found == rows


def test_the_first_page_may_be_asked_for_without_its_number() -> None:
    found, asked = read(
        UnsizedPages(base_is_sent=False, page_body_path="at.page"),
        lambda params: body([1, 2] if not params else [3] if params == {"body:at.page": 2} else []),
    )
    assert found == [1, 2, 3] and asked == [{}, {"body:at.page": 2}, {"body:at.page": 3}]


def test_a_position_may_be_a_part_of_a_value() -> None:
    declared = UnsizedPages(page_param="limit", base_page=0, counts_records=True, sent_as="{},2")

    def serve(params: Mapping[str, Any]) -> Answer:
        start, size = map(int, params["limit"].split(","))
        return body([1, 2, 3][start : start + size])

    found, asked = read(declared, serve)
    assert found == [1, 2, 3] and [one["limit"] for one in asked] == ["0,2", "2,2", "3,2"]


def test_a_position_may_stand_in_a_value_of_the_list() -> None:
    declared = UnsizedPages(page_param="q", counts_records=True, sent_as=None)
    walk = pager(declared, None)

    def serve(params: Mapping[str, Any]) -> Answer:
        start = int(params["q"].removeprefix("START ").removesuffix(" OF 9")) - 1
        return body([1, 2, 3][start : start + 2])

    found = pages(serve, walk, {"q": "START {} OF 9"}, lambda body: body["items"])
    assert [one["id"] for page in found for one in page] == [1, 2, 3]
    with pytest.raises(AnswerError, match="`q` has 2 times"):
        next(pages(serve, pager(declared, None), {"q": "START {} OF {}"}, lambda body: body["items"]))


def test_a_server_that_ignores_the_pages_number_does_not_end_in_rows_that_count_as_all() -> None:
    with pytest.raises(AnswerError, match=r"circle|only rows that the pages before"):
        read(UnsizedPages(), lambda params: body([1, 2]))


@given(count=st.integers(0, 40), size=st.integers(1, 12))
@settings(max_examples=30)
def test_a_computed_position_leads_to_the_last_row(count: int, size: int) -> None:
    rows = list(range(count))
    cursor = ComputedCursor(
        cursor=Template("{{ response.start + last_page_size }}"),
        stop=Template("{{ last_page_size < 7 and response.last }}"),
        cursor_param="start",
        limit_param="limit",
        limit=size,
    )

    def serve(params: Mapping[str, Any]) -> Answer:
        start = params.get("start", 0)
        page = rows[start : start + params["limit"]]
        return body(page, start=start, last=start + len(page) >= count and len(page) < 7)

    if size < 7:
        assert read(cursor, serve)[0] == rows


@pytest.mark.parametrize("end", [None, "", 0, False, [], {}])
def test_nothing_is_no_position(end: Any) -> None:
    cursor = ComputedCursor(cursor=Template("{{ response.next }}"), cursor_in_header="X-After")
    found, asked = read(cursor, lambda params: body([1], next="b") if not params else body([2], next=end))
    assert found == [1, 2] and asked == [{}, {"header:X-After": "b"}]


def test_links_of_the_header_and_records_can_be_computed() -> None:
    cursor = ComputedCursor(cursor=Template("{{ headers.link.next.url }}"), is_link=True)
    link = {"Link": '</next?at=2>; rel="next"'}
    found, asked = read(
        cursor,
        lambda params: (
            Answer({"items": [{"id": 2}]}, {}, url="https://api.example.com/list")
            if LINK in params
            else Answer({"items": [{"id": 1}]}, link, url="https://api.example.com/list")
        ),
    )
    assert found == [1, 2] and asked[1] == {LINK: "https://api.example.com/next?at=2"}
    last = ComputedCursor(cursor=Template("{{ last_record.id }}"), cursor_param="after")
    assert read(last, lambda params: body({0: [3, 5], 5: [9], 9: []}[params.get("after", 0)]))[0] == [3, 5, 9]


def test_a_short_page_is_no_end_where_the_server_grants_less() -> None:
    rows = list(range(25))
    cursor = ComputedCursor(
        cursor=Template("{{ last_record.id }}"), stop=Template("{{ last_page_size < 100 }}"), cursor_param="after"
    )
    found, asked = read(cursor, lambda params: body([row for row in rows if row > params.get("after", -1)][:10]))
    assert found == rows and [one.get("after") for one in asked] == [None, 9, 19, 24]


def test_the_server_says_that_there_is_no_more() -> None:
    cursor = ComputedCursor(
        cursor=Template("{{ last_record.id }}"), stop=Template("{{ response.last }}"), cursor_param="after"
    )
    found, asked = read(cursor, lambda params: body([1] if not params else [2], last=bool(params)))
    assert found == [1, 2] and len(asked) == 2


def test_an_empty_page_is_the_end_also_after_rows_that_have_moved() -> None:
    found, _ = read(UnsizedPages(), lambda params: body({1: [1, 2], 2: [2]}.get(params["page"], [])))
    assert set(found) == {1, 2}


def test_a_position_that_comes_again_is_a_circle() -> None:
    cursor = ComputedCursor(cursor=Template("{{ 'same' }}"), cursor_param="after")
    with pytest.raises(AnswerError, match="circle"):
        read(cursor, lambda params: body([len(params)]))


def test_a_position_of_another_type_is_an_error() -> None:
    cursor = ComputedCursor(cursor=Template("{{ response.next }}"), cursor_param="after")
    with pytest.raises(AnswerError, match="of type dict"):
        read(cursor, lambda params: body([1], next={"a": 1}))


@pytest.mark.parametrize(("more", "expected"), [(False, [1]), (True, [1, 2]), (None, [1, 2])])
def test_a_cursor_ends_where_the_body_says_that_there_is_no_more(more: bool | None, expected: list[int]) -> None:
    cursor = Cursor(cursor_path="end", cursor_param="after", more_path="more")
    found, _ = read(cursor, lambda params: body([1], end="x", more=more) if not params else body([2], more=False))
    assert found == expected

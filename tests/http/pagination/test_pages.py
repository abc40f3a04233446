"""Every paginator reads each record once and ends by the contract's rule; a loop is an error."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_assets.declarations import Cursor, HeaderCursor, Offset, PageNumber, Paginator, SinglePage
from platform_assets.http.answer import Answer
from platform_assets.http.errors import AnswerError
from platform_assets.http.pagination.link_header import link_entries
from platform_assets.http.pagination.opaque_cursors import LoopGuard
from platform_assets.http.pagination.pager import Pager, pager
from platform_assets.http.pagination.pages import pages
from platform_assets.http.selection import get_path

PAGE_NUMBER = PageNumber(limit=7, maximum=7)
OFFSET = Offset(offset_param="after", limit=5)
CURSOR = Cursor(cursor_path="extra.next_start", cursor_param="start", base=0, limit_param="limit", limit=4, maximum=9)
Params = Mapping[str, str | int]


def server(paginator: Paginator, records: list[dict[str, int]], requests: list[Params]) -> Any:
    """The responses of a server that follows the contract."""

    def get(params: Params) -> Answer:
        requests.append(params)
        if isinstance(paginator, PageNumber):
            size = int(params["per_page"])
            start = (int(params["page"]) - 1) * size
            return Answer({"data": records[start : start + size]}, {})
        if isinstance(paginator, Offset):
            start, size = int(params["after"]), int(params["limit"])
            return Answer({"data": records[start : start + size]}, {})
        if isinstance(paginator, Cursor):
            start, size = int(params["start"]), int(params["limit"])
            more = {"next_start": start + size} if start + size < len(records) else {}
            return Answer({"data": records[start : start + size], "extra": more}, {})
        if isinstance(paginator, HeaderCursor):
            start = int(str(params.get("cursor", "0:0:0")).split(":")[1])
            results = "true" if start + 6 < len(records) else "false"
            link = (
                f'<http://h/?cursor=0:0:1>; rel="previous"; results="false"; cursor="0:0:1", '
                f'<http://h/?cursor=0:{start + 6}:0>; rel="next"; results="{results}"; cursor="0:{start + 6}:0"'
            )
            return Answer({"data": records[start : start + 6]}, {"Link": link})
        return Answer({"data": records}, {})

    return get


def read(paginator: Paginator, get: Any, page_size: int | None = None) -> list[Any]:
    state: Pager = pager(paginator, page_size)
    return [record for page in pages(get, state, {}, lambda body: body["data"]) for record in page]


@pytest.mark.parametrize(
    "paginator", [PAGE_NUMBER, OFFSET, CURSOR, HeaderCursor(), SinglePage()], ids=lambda p: type(p).__name__
)
@given(size=st.integers(0, 40))
def test_reads_every_record_once(paginator: Paginator, size: int) -> None:
    records = [{"id": number} for number in range(size)]
    assert read(paginator, server(paginator, records, [])) == records


@pytest.mark.parametrize(
    ("paginator", "size", "expected"),
    [
        # After a short page one more is requested, and each page begins with the last row of the previous one.
        (PAGE_NUMBER, 14, 4),
        (PAGE_NUMBER, 6, 2),
        (OFFSET, 9, 3),
        (OFFSET, 7, 3),
        (CURSOR, 8, 2),
        (HeaderCursor(), 12, 2),
    ],
)
def test_pagination_ends_where_the_contract_says(paginator: Paginator, size: int, expected: int) -> None:
    requests: list[Params] = []
    read(paginator, server(paginator, [{"id": n} for n in range(size)], requests))
    assert len(requests) == expected


def test_page_size_never_exceeds_the_servers_maximum() -> None:
    requests: list[Params] = []
    records = [{"id": n} for n in range(20)]
    assert read(PAGE_NUMBER, server(PAGE_NUMBER, records, requests), page_size=500) == records
    assert max(int(params["per_page"]) for params in requests) == 7


def test_header_cursor_ends_without_a_link_header() -> None:
    assert read(HeaderCursor(), lambda params: Answer({"data": [{"id": 1}]}, {})) == [{"id": 1}]


def test_next_page_without_a_cursor_is_an_error() -> None:
    link = '<http://h/>; rel="next"; results="true"'
    with pytest.raises(AnswerError, match="without a cursor"):
        read(HeaderCursor(), lambda params: Answer({"data": [{"id": 1}]}, {"link": link}))


@pytest.mark.parametrize("paginator", [PageNumber(limit=2), Offset(offset_param="after", limit=2)])
def test_a_server_that_ignores_paging_is_an_error(paginator: Paginator) -> None:
    with pytest.raises(AnswerError, match="circle"):
        read(paginator, lambda params: Answer({"data": [{"id": 1}, {"id": 2}]}, {}))


def test_a_repeated_cursor_is_an_error() -> None:
    counter = iter(range(1000))
    with pytest.raises(AnswerError, match="circle"):
        read(CURSOR, lambda params: Answer({"data": [{"id": next(counter)}], "extra": {"next_start": 4}}, {}))


def test_alternating_cursors_are_an_error() -> None:
    counter = iter(range(1000))

    def get(params: Params) -> Answer:
        number = next(counter)
        return Answer({"data": [{"id": number}], "extra": {"next_start": 1 + number % 2}}, {})

    with pytest.raises(AnswerError, match="circle"):
        read(CURSOR, get)


def test_more_pages_than_the_bound_is_an_error() -> None:
    guard = LoopGuard(max_pages=3)
    with pytest.raises(AnswerError, match="more than 3 pages"):
        for page in range(9):
            guard.check_position({"page": page})


def test_an_invalid_cursor_is_an_error() -> None:
    with pytest.raises(AnswerError, match="not a position"):
        read(CURSOR, lambda params: Answer({"data": [], "extra": {"next_start": {"a": 1}}}, {}))


def linked(results: str | None) -> dict[str, str]:
    return {} if results is None else {"Link": f'<http://h/>; rel="next"; results="{results}"; cursor="0:1:0"'}


@pytest.mark.parametrize("second", [{}, {"Link": '<http://h/>; rel="previous"; results="true"; cursor="0:0:1"'}])
def test_a_missing_link_header_does_not_end_the_list(second: dict[str, str]) -> None:
    answers = iter([Answer({"data": [{"id": 1}]}, linked("true")), Answer({"data": [{"id": 2}]}, second)])
    with pytest.raises(AnswerError, match="the pages before it had"):
        read(HeaderCursor(), lambda params: next(answers))


def test_a_last_page_of_known_rows_does_not_end_the_list() -> None:
    """As from a server that lost the position: its first page again. A page with one new row may be the last one."""
    first = {"data": [{"id": 1}, {"id": 2}]}
    answers = iter([Answer(first, linked("true")), Answer(first, linked("false"))])
    with pytest.raises(AnswerError, match="not what was asked for"):
        read(HeaderCursor(), lambda params: next(answers))
    answers = iter([Answer(first, linked("true")), Answer({"data": [{"id": 2}, {"id": 3}]}, linked("false"))])
    assert {record["id"] for record in read(HeaderCursor(), lambda params: next(answers))} == {1, 2, 3}


def test_a_link_header_without_a_valid_results_flag_does_not_end_the_list() -> None:
    with pytest.raises(AnswerError, match="perhaps"):
        read(HeaderCursor(), lambda params: Answer({"data": [{"id": 1}]}, linked("perhaps")))


ECHOING = Cursor(
    cursor_path="next",
    cursor_param="start",
    base=0,
    limit_param="limit",
    limit=4,
    counts_records=True,
    more_path="more",
    start_echo_path="start",
    limit_echo_path="limit",
)


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"more": True}, "says that there is more"),
        ({"start": 4, "limit": 4}, "begins at 4"),
        ({"start": 0, "limit": 100}, "up to 100"),
    ],
)
@pytest.mark.parametrize("counts", [True, False])
def test_a_response_for_another_position_is_not_the_last_page(
    claims: dict[str, Any], expected: str, counts: bool
) -> None:
    cursor = replace(ECHOING, counts_records=counts)
    if "more" not in claims and not counts:
        return
    with pytest.raises(AnswerError, match=expected):
        read(cursor, lambda params: Answer({"data": [{"id": 1}], **claims}, {}))


def test_positions_follow_a_smaller_limit_of_the_server() -> None:
    records = [{"id": number} for number in range(9)]

    def get(params: Params) -> Answer:
        start = int(params["start"])
        more = {"next": start + 2} if start + 2 < len(records) else {}
        return Answer({"data": records[start : start + 2], "start": start, "limit": 2, **more}, {})

    assert read(ECHOING, get) == records


def test_endless_empty_pages_are_an_error() -> None:
    numbers = iter(range(10_000))

    def get(params: Params) -> Answer:
        link = f'<http://h/>; rel="next"; results="true"; cursor="0:{next(numbers)}:0"'
        return Answer({"data": []}, {"Link": link})

    with pytest.raises(AnswerError, match="empty pages"):
        read(HeaderCursor(), get)


@given(st.text())
def test_link_headers_never_crash(header: str) -> None:
    link_entries(header)


def test_link_header_in_sentrys_form() -> None:
    entries = link_entries(
        '<https://s/api/0/x/?&cursor=0:0:1>; rel="previous"; results="false"; cursor="0:0:1", '
        '<https://s/api/0/x/?&cursor=0:100:0>; rel="next"; results="true"; cursor="0:100:0"'
    )
    assert entries["next"] == {
        "url": "https://s/api/0/x/?&cursor=0:100:0",
        "rel": "next",
        "results": "true",
        "cursor": "0:100:0",
    }


@given(st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.dictionaries(st.text(), inner)), st.text())
def test_get_path_never_crashes(body: Any, path: str) -> None:
    get_path(body, path)

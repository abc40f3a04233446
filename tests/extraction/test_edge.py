"""A long list that is read in parts: whatever its cursors are and wherever a part ends, every row comes."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_assets.declarations import Cursor, Endpoint, Incremental, PageNumber, RecordCursor, TooDeep
from platform_assets.extraction.edge import Edge
from platform_assets.http.errors import RequestFailed

PAGES = PageNumber(page_param="page", limit_param="per_page", limit=100)
CURSOR = Cursor(cursor_path="next", cursor_param="cursor")
BY_ID = RecordCursor(cursor_param="olderThan", newest_first=True, limit_param="pageSize", limit=100)

TOO_DEEP = TooDeep(status=400, text="this deep")


def ordered(row_order: Literal["asc", "desc"], **more: Any) -> Endpoint:
    incremental = Incremental(
        cursor_path="at", start_param="since", end_param="until", row_order=row_order, too_deep=None, **more
    )
    return Endpoint(path="/builds", incremental=incremental)


DOWN, UP = ordered("desc"), ordered("asc")
LATEST = datetime(2026, 3, 1, 12, tzinfo=UTC)

# Milliseconds before LATEST; many share a second, some a moment.
ages = st.lists(st.integers(0, 20_000) | st.integers(0, 3_000), min_size=1, max_size=60)


def iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def rows(found: Sequence[int]) -> list[dict[str, Any]]:
    return [{"id": number, "at": iso(LATEST - timedelta(milliseconds=age))} for number, age in enumerate(found)]


def edge(endpoint: Endpoint, paginator: Any, query: dict[str, str], start: datetime | None = None) -> Edge:
    return Edge(endpoint, paginator, epoch_times=False, query=query, start=start)


def parsed(text: str) -> datetime:
    return datetime.fromisoformat(text)


@given(found=ages, size=st.integers(1, 9))
def test_parts_from_the_newest_to_the_oldest_have_every_row(found: list[int], size: int) -> None:
    stored = sorted(rows(found), key=lambda row: row["at"], reverse=True)
    query: dict[str, str] = {}
    seen: set[int] = set()
    for _ in range(200):
        left = [row for row in stored if "until" not in query or parsed(row["at"]) < parsed(query["until"])]
        at = edge(DOWN, PAGES, query)
        rest = None
        for first in range(0, len(left), size):
            page = left[first : first + size]
            at.note(page)
            seen.update(row["id"] for row in page)
            rest = at.rest
            if rest is not None:
                break
        if rest is None:
            break
        query = dict(rest.params)
    assert seen == {row["id"] for row in stored}


@given(found=ages, size=st.integers(1, 9), lag=st.integers(0, 3))
def test_parts_from_the_oldest_to_the_newest_have_every_row(found: list[int], size: int, lag: int) -> None:
    endpoint = ordered("asc", lag=timedelta(seconds=lag))
    stored = sorted(rows(found), key=lambda row: row["at"])
    start: datetime | None = None
    seen: set[int] = set()
    for _ in range(200):
        left = [row for row in stored if start is None or parsed(row["at"]) >= start]
        at = edge(endpoint, CURSOR, {"since": str(start)}, start)
        rest = None
        for first in range(0, len(left), size):
            page = left[first : first + size]
            at.note(page)
            seen.update(row["id"] for row in page)
            rest = at.rest
            if rest is not None:
                break
        if rest is None:
            break
        start = parsed(rest.params["since"])
    assert seen == {row["id"] for row in stored}


@given(ids=st.sets(st.integers(1, 10_000), min_size=1, max_size=50), size=st.integers(1, 9))
def test_parts_by_the_smallest_id_have_every_row(ids: set[int], size: int) -> None:
    endpoint = Endpoint(path="/activities", incremental=Incremental(cursor_path="at", newest_first=True))
    stored = sorted(ids, reverse=True)
    query: dict[str, str] = {}
    seen: list[int] = []
    while page := [one for one in stored if "olderThan" not in query or one < int(query["olderThan"])][:size]:
        at = edge(endpoint, BY_ID, query)
        at.note([{"id": one, "at": iso(LATEST)} for one in page])
        seen += page
        assert at.rest is not None and at.rest.unread_before == str(min(page))
        query = dict(at.rest.params)
    assert seen == stored


@given(found=ages, lag=st.integers(0, 20))
def test_cursors_a_little_out_of_order_are_read_again_and_others_end_no_part(found: list[int], lag: int) -> None:
    at = edge(ordered("desc", lag=timedelta(seconds=lag)), PAGES, {})
    at.note(rows(found))
    steps_back = max((before - after for n, before in enumerate(found) for after in found[n:]), default=0)
    if steps_back > lag * 1000:
        assert at.rest is None
    else:
        assert at.rest is not None
        until = parsed(at.rest.params["until"])
        # Everything that is newer than the bound would have come by now.
        assert until > LATEST - timedelta(milliseconds=max(found) - steps_back)


@pytest.mark.parametrize("endpoint", [DOWN, UP])
def test_a_record_without_a_cursor_ends_no_part(endpoint: Endpoint) -> None:
    at = edge(endpoint, PAGES, {})
    at.note([{"id": 1, "at": iso(LATEST)}, {"id": 2, "at": None}])
    assert at.rest is None


def test_a_list_in_no_known_order_ends_no_part() -> None:
    at = edge(Endpoint(path="/x", incremental=Incremental(cursor_path="at", start_param="since")), PAGES, {})
    at.note(rows([1, 2, 3]))
    assert at.rest is None


@pytest.mark.parametrize(
    ("status", "text", "goes_on"),
    [
        (400, "Listing builds this deep is not supported", True),
        (400, "page is invalid", False),
        (404, "this deep", False),
    ],
)
def test_only_the_declared_refusal_goes_on_below_what_was_read(status: int, text: str, goes_on: bool) -> None:
    incremental = Incremental(
        cursor_path="at", start_param="since", end_param="until", row_order="desc", too_deep=TOO_DEEP
    )
    at = edge(Endpoint(path="/builds", incremental=incremental), PAGES, {})
    at.note(rows([0, 1500]))
    params = at.after_refusal(RequestFailed(text, status=status))
    assert params == ({"until": "2026-03-01T11:59:59Z"} if goes_on else None)
    # The same place again would lead in a circle.
    assert at.after_refusal(RequestFailed(text, status=status)) is None

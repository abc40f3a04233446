"""Lists whose rows are added, removed and moved during a read: every row that stays is read, or the read fails."""

import math
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from platform_assets.declarations import Cursor, Offset, PageNumber, Paginator
from platform_assets.http.answer import Answer
from platform_assets.http.errors import AnswerError
from platform_assets.http.pagination.pager import pager
from platform_assets.http.pagination.pages import pages
from tests.http.pagination.moving_lists import (
    MovingList,
    Op,
    complete_or_refused,
    one_each,
    read,
    several,
)
from tests.tiers import only


def paginators(limit: int, maximum: int | None) -> dict[str, Paginator]:
    return {
        "offset": Offset(offset_param="start", limit=limit, maximum=maximum),
        "page number": PageNumber(limit=limit, maximum=maximum),
        "cursor": Cursor(
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
        ),
    }


KINDS = tuple(paginators(1, None))


@pytest.mark.parametrize("kind", only(["offset"], KINDS, slow=KINDS))
@settings(max_examples=300, deadline=None)
@given(size=st.integers(0, 70), limit=st.integers(8, 20), has_maximum=st.booleans(), changes=several | one_each)
@example(size=45, limit=8, has_maximum=False, changes={2: [("remove", 0.0)], 3: [("to the front", 0.5)]})
def test_no_stable_row_is_lost_while_others_are_added_removed_and_moved(
    kind: str, size: int, limit: int, has_maximum: bool, changes: Mapping[int, list[Op]]
) -> None:
    """Pages of two rows can lose one if seven rows are added or removed during one read: see positions.py."""
    complete_or_refused(paginators(limit, limit if has_maximum else None)[kind], MovingList([*range(size)], changes))


@pytest.mark.parametrize("kind", only(["page number"], KINDS, slow=KINDS))
@settings(max_examples=200, deadline=None)
@given(
    size=st.integers(0, 120),
    limit=st.integers(2, 40),
    first_cap=st.integers(2, 40),
    later=st.dictionaries(st.integers(1, 12), st.integers(2, 20), max_size=2),
)
@example(size=55, limit=100, first_cap=20, later={})
@example(size=260, limit=100, first_cap=100, later={1: 50})
@example(size=7, limit=3, first_cap=3, later={3: 2})
def test_a_smaller_or_lowered_page_limit_does_not_end_a_list_early(
    kind: str, size: int, limit: int, first_cap: int, later: dict[int, int]
) -> None:
    caps = {0: first_cap}
    for number, cap in sorted(later.items()):
        caps[number] = min(cap, *(known for earlier, known in caps.items() if earlier < number))
    served = MovingList([*range(size)], caps=caps)
    assert read(paginators(limit, None)[kind], served) == set(range(size))


@pytest.mark.parametrize("kind", only(["cursor"], KINDS, slow=KINDS))
@settings(max_examples=200, deadline=None)
@given(
    size=st.integers(0, 70),
    limit=st.integers(2, 20),
    caps=st.dictionaries(st.integers(0, 12), st.integers(2, 20), max_size=3),
    changes=several,
)
@example(size=39, limit=8, caps={7: 2}, changes={1: [("insert", 0.0)], 2: [("insert", 0.25)]})
@example(size=6, limit=3, caps={0: 3, 1: 2}, changes={1: [("remove", 0.0)]})
def test_page_limits_and_changes_together_lose_no_row(
    kind: str, size: int, limit: int, caps: dict[int, int], changes: Mapping[int, list[Op]]
) -> None:
    complete_or_refused(paginators(limit, None)[kind], MovingList([*range(size)], changes, caps))


@settings(max_examples=100, deadline=None)
@given(size=st.integers(0, 90), limit=st.integers(1, 40), granted=st.integers(1, 30))
@example(size=55, limit=100, granted=20)
def test_pages_of_a_fixed_size_are_all_read(size: int, limit: int, granted: int) -> None:
    served = MovingList([*range(size)], caps={0: granted}, obeys_size=False)
    assert read(paginators(limit, None)["page number"], served) == set(range(size))


@pytest.mark.parametrize("kind", only(["offset"], KINDS, slow=KINDS))
@settings(max_examples=100, deadline=None)
@given(size=st.integers(0, 60), page_size=st.integers(1, 12), maximum=st.integers(1, 12))
def test_any_page_size_makes_progress(kind: str, size: int, page_size: int, maximum: int) -> None:
    served = MovingList([*range(size)], caps={0: maximum})
    assert read(paginators(maximum, maximum)[kind], served, page_size) == set(range(size))
    assert {int(one.get("limit") or one["per_page"]) for one in served.requests} <= set(range(1, maximum + 1))


@pytest.mark.parametrize(
    ("kind", "limit", "rows", "share"),
    [
        ("offset", 20, 1000, 1.1),
        ("offset", 500, 100_000, 1.01),
        ("cursor", 500, 100_000, 1.01),
        ("page number", 32, 100, 1.1),
        ("page number", 100, 600, 1.1),
        ("page number", 100, 10_000, 1.15),
        ("page number", 32, 3200, 1.3),
    ],
)
def test_number_of_requests_for_an_unchanged_list(kind: str, limit: int, rows: int, share: float) -> None:
    served = MovingList([*range(rows)])
    assert read(paginators(limit, limit)[kind], served) == set(range(rows))
    assert len(served.requests) <= math.ceil((rows + 1) / limit) * share + 1


def test_a_page_limit_lowered_during_a_read_costs_two_requests() -> None:
    """A hundred rows in one page, the rest in fifties; the two extra requests detect the limit and the end."""
    served = MovingList([*range(260)], caps={0: 100, 1: 50})
    assert read(paginators(100, None)["page number"], served) == set(range(260))
    assert len(served.requests) <= 1 + math.ceil(160 / 50) + 2


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_that_moves_to_the_end_between_two_pages_hides_no_other_row(kind: str) -> None:
    served = MovingList([*range(30)], {1: [("to the end", 0.1)]})
    assert read(paginators(10, 10)[kind], served) == set(range(30))


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_that_moves_from_the_unread_part_to_the_front_is_found(kind: str) -> None:
    served = MovingList([*range(30)], {1: [("to the front", 0.9)]})
    assert read(paginators(10, 10)[kind], served) == set(range(30))


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_that_ignores_the_position_is_an_error_even_if_a_timestamp_changes(kind: str) -> None:
    asked: list[Mapping[str, Any]] = []

    def same(params: Mapping[str, Any]) -> Answer:
        asked.append(params)
        size = int(params.get("limit") or params["per_page"])
        data = [{"id": number, "clock": len(asked)} for number in range(size)]
        return Answer({"data": data, "paging": {"next": int(params.get("start", 0)) + size}}, {})

    paginator = paginators(10, 10)[kind]
    with pytest.raises(AnswerError, match="circle"):
        keys = pages(
            same, pager(paginator, None), {}, lambda body: body["data"], lambda items: [r["id"] for r in items]
        )
        assert len([*keys]) < 0
    assert len(asked) < 6

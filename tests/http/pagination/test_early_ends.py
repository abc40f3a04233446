"""A list that begins with the newest is read until its records are known: none that is newer is passed over."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from platform_assets.http.errors import AnswerError
from platform_assets.http.pagination.pager import pager
from platform_assets.http.pagination.pages import pages
from tests.http.pagination.test_positions import KINDS, MovingList, Op, paginators
from tests.tiers import only

changes_at = st.dictionaries(
    st.integers(1, 12),
    st.lists(st.tuples(st.sampled_from(["insert", "remove"]), st.floats(0, 0.999)), min_size=1, max_size=4),
    max_size=6,
)


class NewestFirst(MovingList):
    """Rows are their own times, the newest first; what is new comes in before all others."""

    def apply(self, kind: str, where: float) -> None:
        super().apply(kind, 0 if kind == "insert" else where)


def select(body: Any) -> list[Any]:
    return body["data"]


def identify(items: list[Any]) -> list[int]:
    return [hash(one["id"]) for one in items]


@pytest.mark.parametrize("kind", only(["page number"], KINDS, slow=KINDS))
@settings(max_examples=400, deadline=None)
@given(size=st.integers(0, 70), limit=st.integers(8, 20), known=st.integers(0, 70), changes=changes_at)
@example(size=40, limit=10, known=30, changes={1: [("remove", 0.0), ("remove", 0.0)]})
def test_rows_that_leave_the_list_meanwhile_hide_none_that_is_newer(
    kind: str, size: int, limit: int, known: int, changes: Mapping[int, list[Op]]
) -> None:
    served = NewestFirst([*range(size, 0, -1)], changes)

    def is_known(items: Sequence[Any]) -> bool:
        return bool(items) and max(item["id"] for item in items) < known

    walk = pager(paginators(limit, limit)[kind], None)
    found: set[int] = set()
    try:
        for page in pages(served.page, walk, {}, select, identify, is_enough=is_known):
            found |= {one["id"] for one in page}
    except AnswerError:
        return
    assert {row for row in range(known, size + 1) if row} - served.removed <= found or walk.blind, served.requests


def test_it_ends_with_the_first_page_of_known_rows() -> None:
    served = NewestFirst([*range(100, 0, -1)])
    walk = pager(paginators(10, 10)["cursor"], None)
    found = pages(served.page, walk, {}, select, identify, is_enough=lambda items: items[0]["id"] < 75)
    assert len([*found]) == len(served.requests) == 4

"""Arbitrary path values and page positions: a request to the right path, and no endless pagination."""

from urllib.parse import unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from platform_assets.http.answer import Answer
from platform_assets.http.errors import AnswerError
from platform_assets.http.pagination.opaque_cursors import LoopGuard
from platform_assets.http.pagination.pager import pager
from platform_assets.http.pagination.pages import pages
from platform_assets.http.urls import fill_path
from platform_assets.platforms import all_platforms
from tests.faults.fuzzing import QUICK


@QUICK
@given(
    positions=st.lists(
        st.dictionaries(st.text(max_size=4), st.text(max_size=6) | st.integers(), max_size=2), max_size=8
    )
)
def test_the_loop_guard_ends_every_loop_and_nothing_else(positions: list[dict[str, str | int]]) -> None:
    guard = LoopGuard(max_pages=5)
    seen: list[dict[str, str | int]] = []
    for position in positions:
        if position in seen or len(seen) == 5:
            with pytest.raises(AnswerError):
                guard.check_position(position)
            return
        guard.check_position(position)
        seen.append(position)


@QUICK
@given(value=st.text() | st.integers() | st.floats() | st.none())
@example("..")
@example("%2e%2e")
@example("a/b?c#d")
def test_any_path_value_stays_in_its_segment_unchanged(value: object) -> None:
    if str(value) in ("", ".", ".."):
        with pytest.raises(AnswerError):
            fill_path("/a/{key}/b", {"key": value})
        return
    path = fill_path("/a/{key}/b", {"key": value})
    assert path.startswith("/a/") and path.endswith("/b") and path.count("/") == 3
    assert not set(path) & set("?#\\ ")
    assert unquote(path.removeprefix("/a/").removesuffix("/b")) == str(value)


def test_pagination_of_every_resource_ends_on_an_empty_response() -> None:
    assert sum(len(platform.resources) for platform in all_platforms()) == 47
    for platform in all_platforms():
        for resource in platform.resources:
            found = [
                *pages(
                    lambda params: Answer({}, {}),
                    pager(platform.paginator_of(resource), None),
                    {},
                    lambda body: [],
                )
            ]
            assert found == [[]]

"""Arbitrary response headers: the right next page and retry delay, or one of our errors.

Each property also covers valid input, whose exact result the test knows: refusing everything would fail.
"""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_assets.http.pagination.link_header import link_entries
from platform_assets.http.retry_delay import retry_delay
from tests.faults.fixed_response import FixedResponse
from tests.faults.fuzzing import JSON, QUICK, SLOW, plain


@SLOW
@given(link=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=120), results=st.booleans())
def test_any_link_header_ends_the_list_or_is_refused(fixed: FixedResponse, link: str, results: bool) -> None:
    """Every page is the same and empty: the list ends if the header ends it, else it is a loop, which is refused."""
    fixed.body = b'{"data": []}'
    fixed.headers = {"link": f'{link}; rel="next"; results="{str(results).lower()}"'}
    try:
        assert fixed.read("error_tracking", "projects") in (None, [])
    finally:
        fixed.headers = {}
    link_entries(link)


LINK_PARAMS = st.permutations(['rel="{rel}"', 'results="{results}"', 'cursor="{cursor}"', 'title="a, b; c"'])


@pytest.mark.slow
@SLOW
@given(
    cursor=st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters='"'), min_size=1, max_size=40),
    orders=st.tuples(LINK_PARAMS, LINK_PARAMS),
    space=st.sampled_from(["", " ", "  "]),
    is_first=st.booleans(),
)
def test_a_link_header_leads_to_the_page_it_names(
    fixed: FixedResponse, cursor: str, orders: tuple[list[str], list[str]], space: str, is_first: bool
) -> None:
    def link(rel: str, results: str, order: list[str]) -> str:
        params = [one.format(rel=rel, results=results, cursor=cursor) for one in order]
        return f";{space}".join([f"<{fixed.proxy.url}/page>", *params])

    def header(results: str) -> dict[str, str]:
        links = [link("previous", "true", orders[0]), link("next", results, orders[1])]
        return {"link": f",{space}".join(links if is_first else links[::-1])}

    fixed.body, fixed.headers = b'{"data": [{"id": "1"}, {"id": "2"}]}', header("true")
    fixed.later = b'{"data": [{"id": "3"}]}', header("false")
    since = len(fixed.proxy.targets)
    try:
        rows = fixed.read("error_tracking", "projects")
    finally:
        fixed.headers, fixed.later = {}, None
    assert rows is not None and {row["id"] for row in rows} == {"1", "2", "3"}
    requested = [parse_qs(urlsplit(target).query).get("cursor") for target in fixed.proxy.targets[since:]]
    assert requested[:2] == [None, [cursor]] and {str(one) for one in requested} == {"None", str([cursor])}


@QUICK
@given(
    name=st.sampled_from(["Retry-After", "RateLimit-Reset", "x-ratelimit-reset", "X-Sentry-Rate-Limit-Reset"]),
    value=st.text(max_size=30) | st.floats().map(str) | st.integers().map(str) | st.datetimes().map(str),
    body=st.binary(max_size=60) | JSON.map(lambda one: orjson.dumps({"reset": plain(one)})),
    status=st.sampled_from([429, 503]),
)
def test_any_retry_after_is_a_number_of_seconds_or_none(name: str, value: str, body: bytes, status: int) -> None:
    found = retry_delay(status, {name: value}, body, datetime.now(UTC))
    assert found is None or 0 <= found < float("inf")


@QUICK
@given(
    name=st.sampled_from(["Retry-After", "RateLimit-Reset", "x-ratelimit-reset"]),
    seconds=st.integers(0, 900_000),
    now=st.datetimes(datetime(2020, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC)),
)
def test_a_valid_retry_after_is_used_exactly(name: str, seconds: int, now: datetime) -> None:
    now = now.replace(microsecond=0)
    until = now + timedelta(seconds=seconds)
    epoch = str(int(until.timestamp()))
    assert retry_delay(429, {name: str(seconds)}, b"", now) == seconds
    assert retry_delay(429, {"Retry-After": format_datetime(until, usegmt=True)}, b"", now) == seconds
    assert retry_delay(429, {"X-Sentry-Rate-Limit-Reset": epoch}, b"", now) == seconds
    assert retry_delay(429, {}, orjson.dumps({"reset": seconds}), now) == seconds
    assert retry_delay(503, {name: str(seconds)}, b"", now) == (seconds if name == "Retry-After" else None)

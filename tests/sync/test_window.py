"""From where a filtered list is read again, computed a second time in plain arithmetic."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from platform_assets.declarations import Incremental
from platform_assets.sync.window import start_of_read

NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
FILTERED = Incremental(
    cursor_path="t", start_param="since", lag=HOUR, reopen={"state": ("open",)}, reopen_limit=timedelta(days=30)
)
MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))


@pytest.mark.parametrize(
    ("cursor", "read_at", "oldest_open", "expected"),
    [
        (NOW, NOW + HOUR, None, NOW - HOUR),
        (datetime(2099, 1, 1, tzinfo=UTC), NOW, None, NOW - HOUR),
        (NOW, NOW, NOW - timedelta(days=7), NOW - timedelta(days=7)),
        (NOW, NOW, NOW - timedelta(days=90), NOW - timedelta(days=30)),
        (NOW, NOW, NOW + HOUR, NOW - HOUR),
        (NOW.replace(microsecond=7), NOW + HOUR, None, NOW - HOUR),
        (datetime(1, 1, 1, tzinfo=UTC), NOW, None, None),
        (datetime(1965, 1, 1, tzinfo=UTC), NOW, None, None),
    ],
    ids=["look-back", "future", "open", "open-too-long", "open-later", "whole-seconds", "year-1", "before-1970"],
)
def test_the_next_read_starts_at_the_last_complete_read_minus_the_look_back(
    cursor: datetime, read_at: datetime, oldest_open: datetime | None, expected: datetime | None
) -> None:
    assert start_of_read(FILTERED, cursor, read_at, None, oldest_open) == expected


@settings(max_examples=300, deadline=None)
@given(
    cursor=MOMENTS,
    read_at=MOMENTS,
    start_date=st.none() | MOMENTS,
    oldest_row=MOMENTS,
    lag=st.timedeltas(timedelta(0), timedelta(days=400)),
    changed=MOMENTS,
)
def test_changes_since_the_last_complete_read_are_always_requested(
    cursor: datetime,
    read_at: datetime,
    start_date: datetime | None,
    oldest_row: datetime,
    lag: timedelta,
    changed: datetime,
) -> None:
    """What changes after the last complete read began, or within the look-back before it, is requested."""
    incremental = Incremental(cursor_path="t", start_param="since", lag=lag)
    found = start_of_read(incremental, cursor, read_at, start_date, None, oldest_row)
    if changed >= min(cursor, read_at) - lag and changed >= oldest_row:
        assert found is None or found <= changed


def test_a_start_date_limits_the_first_read_and_the_look_back() -> None:
    start_date = NOW - timedelta(minutes=10)
    assert start_of_read(FILTERED, None, None, start_date) == start_date
    assert start_of_read(FILTERED, NOW, NOW, start_date, None, start_date) == start_date
    assert start_of_read(FILTERED, NOW, NOW, start_date, None, NOW - timedelta(days=9)) == NOW - HOUR


def test_a_list_that_the_server_does_not_filter_is_read_from_the_beginning() -> None:
    assert start_of_read(Incremental(cursor_path="t"), NOW, NOW, NOW) is None
    assert start_of_read(None, NOW, NOW, NOW) is None

"""The numbers of a load, for alerts and for people."""

from datetime import UTC, datetime, timedelta

import pytest

from platform_assets.orchestration.materialization import sync_metadata
from platform_assets.sync import ResourceOutcome


@pytest.mark.parametrize(
    ("lag", "seconds", "words"),
    [
        (timedelta(days=311, hours=5, minutes=15, seconds=45.186), 26889345, "311 days, 5:15:45"),
        (timedelta(minutes=3), 180, "0:03:00"),
        (timedelta(minutes=-3), -180, "0:03:00 ahead"),
    ],
)
def test_the_lag_of_a_cursor_is_whole_seconds_and_words(lag: timedelta, seconds: int, words: str) -> None:
    outcome = ResourceOutcome("deals", cursor_field="update_time", cursor=datetime.now(UTC) - lag)
    metadata = sync_metadata(outcome)
    assert isinstance(metadata["cursor_lag_seconds"], int) and abs(metadata["cursor_lag_seconds"] - seconds) <= 1
    assert metadata["cursor_lag"].split(":")[0] == words.split(":")[0] and ("ahead" in words) == (
        "ahead" in metadata["cursor_lag"]
    )

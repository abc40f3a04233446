"""Arbitrary values of settings: used exactly as given, or refused with the setting's name.

Each property also covers valid input, whose exact result the test knows: refusing everything would fail.
"""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_assets.configuration.platform_settings import Settings, read_settings
from platform_assets.declarations import (
    PlatformAssetsError,
)
from platform_assets.platforms import platform_named
from tests.faults.fuzzing import QUICK, clean

PAST = datetime(2026, 1, 1)
KEYS = ("BASE_URL", "CONTRACT", "START_DATE", "PAGE_SIZE", "BACKOFF_FACTOR")


def settings_with(key: str, value: str) -> Settings:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOURCES__CRM__BASE_URL", "https://api.example.com")
        patch.setenv("SOURCES__CRM__API_TOKEN", "t0ken")
        patch.setenv(f"SOURCES__CRM__{key}", value)
        return read_settings(platform_named("crm"))


@QUICK
@given(key=st.sampled_from(KEYS), value=st.text(max_size=40))
def test_any_setting_is_used_or_refused_by_name(key: str, value: str) -> None:
    try:
        found = settings_with(key, clean(value).replace("\0", ""))
    except PlatformAssetsError as error:
        assert key in str(error).upper()
    else:
        assert found.base_url.startswith("http") and (found.page_size is None or found.page_size > 0)


HOSTS = st.from_regex(r"[a-z][a-z0-9]{0,9}(\.[a-z][a-z0-9]{0,9}){1,3}", fullmatch=True)
SOUND_SETTINGS = st.one_of(
    st.tuples(HOSTS, st.sampled_from(["", "/", "/api", "/api/v1/"])).map(
        lambda parts: ("BASE_URL", f"https://{''.join(parts)}", f"https://{''.join(parts)}".rstrip("/"))
    ),
    st.just(("CONTRACT", "reference", "reference")),
    st.integers(1, 10**6).map(lambda size: ("PAGE_SIZE", str(size), size)),
    st.floats(0, 1e6).map(lambda seconds: ("BACKOFF_FACTOR", repr(seconds), seconds)),
    st.datetimes(max_value=PAST, timezones=st.just(UTC)).map(lambda moment: ("START_DATE", moment.isoformat(), moment)),
    st.dates(max_value=PAST.date()).map(
        lambda day: ("START_DATE", day.isoformat(), datetime(day.year, day.month, day.day, tzinfo=UTC))
    ),
)


@QUICK
@given(sound=SOUND_SETTINGS)
def test_a_valid_setting_is_used_unchanged(sound: tuple[str, str, object]) -> None:
    key, value, expected = sound
    assert getattr(settings_with(key, value), key.lower()) == expected

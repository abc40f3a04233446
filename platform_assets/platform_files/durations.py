"""Durations in files: `5m`, `26h`, `3d`, `1h30m`, `0.5s`."""

import re
from datetime import timedelta

_DURATION = re.compile(r"(-)?(?=\d)(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d{1,6})?)s)?")
_UNITS = ((86400, "d"), (3600, "h"), (60, "m"))
_MAX_LENGTH = 40


def parse_duration(text: str) -> timedelta:
    """The duration of a text such as `1h30m`. Raises ValueError for any other text."""
    found = _DURATION.fullmatch(text) if len(text) <= _MAX_LENGTH else None
    if found is None:
        raise ValueError(text)
    sign, weeks, days, hours, minutes, seconds = found.groups()
    try:
        total = timedelta(
            weeks=int(weeks or 0),
            days=int(days or 0),
            hours=int(hours or 0),
            minutes=int(minutes or 0),
            # Not as a float: 0.000001 must stay what it is.
            microseconds=_microseconds(seconds or "0"),
        )
    except OverflowError:
        raise ValueError(text) from None
    return -total if sign else total


def format_duration(duration: timedelta) -> str:
    """The shortest text for a duration: whole days, hours or minutes, else seconds."""
    sign = "-" if duration < timedelta(0) else ""
    whole = abs(duration)
    seconds = whole.days * 86400 + whole.seconds
    if whole.microseconds:
        return f"{sign}{seconds}.{whole.microseconds:06d}".rstrip("0") + "s"
    for size, unit in _UNITS:
        if seconds and seconds % size == 0:
            return f"{sign}{seconds // size}{unit}"
    return f"{sign}{seconds}s"


def _microseconds(seconds: str) -> int:
    whole, _, fraction = seconds.partition(".")
    return int(whole) * 1_000_000 + int(f"{fraction:0<6}")

"""Times as a person asks for them: how long ago."""

from datetime import UTC, datetime, timedelta

_UNITS = ((86400, "d"), (3600, "h"), (60, "min"))


def ago(moment: datetime, now: datetime) -> str:
    """`3 h ago`, `just now` below a minute, `in 2 d` for a moment to come; the largest unit, rounded down."""
    seconds = (now - moment).total_seconds()
    if abs(seconds) < 60:
        return "just now"
    return (
        f"{duration(timedelta(seconds=seconds))} ago" if seconds > 0 else f"in {duration(timedelta(seconds=-seconds))}"
    )


def duration(length: timedelta) -> str:
    """`3 h`; the largest unit, rounded down, and seconds below a minute."""
    seconds = length.total_seconds()
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds)} s"


def exact(moment: datetime) -> str:
    """`2026-01-31 23:59:59`, UTC."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"

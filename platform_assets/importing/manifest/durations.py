"""ISO 8601 durations of a manifest as spans of time: `P30D`, `PT1H`, `P1M`."""

from datetime import timedelta

from platform_assets.http.template_durations import CalendarDuration, duration


def iso_duration(text: object) -> timedelta | None:
    """The span that a text says; None for another text. A month has 31 days, a year 366: at least as long."""
    try:
        found = duration(text) if isinstance(text, str) else None
    except (ValueError, OverflowError):
        return None
    if isinstance(found, CalendarDuration):
        years, months = divmod(found.months, 12)
        found = timedelta(days=years * 366 + months * 31) + found.rest
    return found if found is not None and found >= timedelta(0) else None

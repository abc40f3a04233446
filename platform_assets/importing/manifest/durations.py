"""ISO 8601 durations: `P30D`, `PT1H`, `P1M`."""

import re
from datetime import timedelta

_DURATION = re.compile(
    r"P(?:(\d{1,4})Y)?(?:(\d{1,4})M)?(?:(\d{1,4})W)?(?:(\d{1,6})D)?"
    r"(?:T(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,9}(?:\.\d{1,6})?)S)?)?"
)


def iso_duration(text: object) -> timedelta | None:
    """The duration that a text says; None for another text. A month has 31 days, a year 366: at least as long."""
    found = _DURATION.fullmatch(text.strip()) if isinstance(text, str) and len(text) < 60 else None
    if found is None or not any(found.groups()):
        return None
    years, months, weeks, days, hours, minutes = (int(part or 0) for part in found.groups()[:6])
    return timedelta(
        days=years * 366 + months * 31 + weeks * 7 + days,
        hours=hours,
        minutes=minutes,
        seconds=float(found[7] or 0),
    )

"""What responses say about the end of an endpoint: the headers `Sunset`, `Deprecation`, and Sentry's own."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime


@dataclass(frozen=True)
class Notice:
    """The vendor's word on an endpoint.

    Attributes:
        sunset: the day from which it may not respond any more; None if none is named.
        replacement: what to use instead, in the vendor's words.
    """

    sunset: date | None = None
    replacement: str | None = None


def notice(headers: Mapping[str, str]) -> Notice | None:
    """The notice in a response's headers; None if there is none.

    `Sunset` (RFC 8594) has an HTTP date; `Deprecation` (RFC 9745) has `@` and Unix seconds, older drafts `true` or a
    date; `X-Sentry-Deprecation-Date` has an ISO 8601 time.
    """
    given = {name.lower(): value.strip() for name, value in headers.items()}
    sunset = _day(given.get("sunset")) or _day(given.get("x-sentry-deprecation-date"))
    is_deprecated = given.get("deprecation", "false").lower() not in ("", "false")
    if sunset is None and not is_deprecated:
        return None
    return Notice(sunset, given.get("x-sentry-replacement-endpoint"))


def _day(text: str | None) -> date | None:
    if not text:
        return None
    if re.fullmatch(r"@\d{1,11}", text):
        return datetime.fromtimestamp(int(text[1:]), UTC).date()
    try:
        return datetime.fromisoformat(text).date()
    except ValueError:
        pass
    try:
        return parsedate_to_datetime(text).date()
    except (ValueError, TypeError, OverflowError):
        return None

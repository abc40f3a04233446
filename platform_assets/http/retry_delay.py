"""The wait that a server asks for in a response: `Retry-After`, rate limit reset headers, or a field of the body."""

import math
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import orjson

from platform_assets.declarations import Backoff, HeaderBackoff, HeaderUntil

_RESET_HEADERS = ("RateLimit-Reset", "RateLimit-User-Reset", "x-ratelimit-reset", "X-Sentry-Rate-Limit-Reset")

# Vendors send resets as seconds to wait, as Unix time in seconds, or as Unix time in milliseconds. The size of the
# number tells which: up to 30 years of waiting, then seconds up to the year 5138, then milliseconds.
_UNIX_SECONDS_FROM = 1_000_000_000
_UNIX_MILLISECONDS_FROM = 100_000_000_000


# Of a header that a declared pattern is looked for in: what a pattern costs grows faster than the text.
_SEARCHED = 256


def declared_delay(declared: Iterable[Backoff], headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds that a header asks to wait by which the declaration says to wait; None if none of them says a number."""
    for backoff in declared:
        if not isinstance(backoff, HeaderBackoff | HeaderUntil):
            continue
        number = _number_in(headers.get(backoff.header), backoff.regex)
        if number is None:
            continue
        if isinstance(backoff, HeaderUntil):
            return max(backoff.min_wait, number - now.timestamp())
        return max(0.0, number)
    return None


def _number_in(value: str | None, pattern: str | None) -> float | None:
    if value is None:
        return None
    if pattern is not None:
        found = re.search(pattern, value[:_SEARCHED])
        value = (found[1] if found.re.groups else found[0]) if found else None
    try:
        number = float(value or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def retry_delay(status: int, headers: Mapping[str, str], content: bytes, now: datetime) -> float | None:
    """Seconds that the server asks to wait, None if it does not say; the longest if it says so in several ways.

    `Retry-After` counts for any status. The reset headers and the body's `reset` (Buildkite) count for 429 only,
    since servers send them with successful responses too.

    Args:
        status: the response's HTTP status.
        headers: its headers, matched without regard to case if the mapping does.
        content: its body.
        now: the current time, to which dates are compared.
    """
    delays = [_retry_after(headers.get("Retry-After"), now)]
    if status == 429:
        delays += [_until_reset(headers.get(name), now) for name in _RESET_HEADERS]
        if all(delay is None for delay in delays):
            delays.append(_until_reset_in_body(content, now))
    return max((delay for delay in delays if delay is not None), default=None)


def _retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds of a `Retry-After` header, which holds a number or an HTTP date."""
    if value is None:
        return None
    try:
        number = float(value)
        return max(0.0, number) if math.isfinite(number) else None
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(value)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
        return max(0.0, (moment - now).total_seconds())
    except (ValueError, OverflowError):
        return None


def _until_reset(value: object, now: datetime) -> float | None:
    try:
        number = float(str(value))
    except ValueError:
        return None
    if not math.isfinite(number):
        return None
    if number >= _UNIX_MILLISECONDS_FROM:
        number /= 1000
    return max(0.0, number - now.timestamp() if number >= _UNIX_SECONDS_FROM else number)


def _until_reset_in_body(content: bytes, now: datetime) -> float | None:
    try:
        body = orjson.loads(content)
    except orjson.JSONDecodeError:
        return None
    return _until_reset(body.get("reset"), now) if isinstance(body, dict) else None

"""Functions and filters of templates that Jinja2 has not, or has without a bound. Each pays for what it makes."""

import base64
import binascii
import hashlib
import json
import math
import re
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import quote_plus
from zoneinfo import ZoneInfo

from jinja2 import UndefinedError
from jinja2.runtime import Undefined

from platform_assets.declarations.patterns import longest_text, pattern_problem
from platform_assets.declarations.time_format import format_moment, format_problem, parse_moment
from platform_assets.http.template_budget import TURN, as_json_value, spend, weigh
from platform_assets.http.template_durations import duration

# Characters of a format of times.
MAX_FORMAT = 100
# As the CDK's `day_delta` has it: RFC 3339 with microseconds.
_DAY_DELTA = "%Y-%m-%dT%H:%M:%S.%f%z"
_ZONE = re.compile(r"[A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+){0,2}")


def check_replaced(text: str, old: str, new: str) -> None:
    spend((text.count(old) if old else len(text) + 1) * len(new))


def check_joined(separator: str, items: Any) -> None:
    if not isinstance(items, list | tuple | dict):
        raise TypeError("only a list can be joined")
    spend(len(separator) * len(items))


def text_of(value: Any) -> str:
    weigh(value)
    return "" if isinstance(value, Undefined) else str(value)


def _joined(values: Any, separator: str = "", attribute: str | None = None) -> str:
    if isinstance(values, str):
        # A setting with one value is a text.
        return values
    items = [_attribute(item, attribute) for item in _items(values)]
    texts = [text_of(item) for item in items]
    spend(len(separator) * len(texts))
    return separator.join(texts)


def _attribute(item: Any, attribute: str | None) -> Any:
    return item.get(attribute) if attribute is not None and isinstance(item, Mapping) else item


def _items(values: Any) -> list[Any]:
    if values is None or isinstance(values, Undefined):
        return []
    return list(values)


def _replaced(text: Any, old: str, new: str, count: int | None = None) -> str:
    text = text_of(text)
    check_replaced(text, str(old), str(new))
    return text.replace(str(old), str(new), -1 if count is None else count)


def _sum(values: Any, attribute: str | None = None) -> Any:
    return sum(_attribute(item, attribute) for item in _items(values))


def _tojson(value: Any) -> str:
    return json.dumps(as_json_value(value), ensure_ascii=False)


def _base64(text: Any) -> str:
    return base64.b64encode(text_of(text).encode("utf-8", "surrogatepass")).decode()


def _from_base64(text: Any) -> str:
    try:
        return base64.b64decode(text_of(text), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ValueError(f"not base64 of a text: {error}") from None


def _hash(text: Any, kind: str = "md5", salt: str | None = None) -> str:
    if kind not in ("md5", "sha1", "sha256", "sha512"):
        raise ValueError("`hash` has md5, sha1, sha256 and sha512")
    content = text_of(text) + text_of(salt or "")
    return hashlib.new(kind, content.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


def _range(*bounds: int) -> range:
    found = range(*bounds)
    spend(len(found) * TURN)
    return found


def _moment(value: Any, format: str | None = None) -> datetime:
    """The moment of a number of seconds since 1970, an ISO 8601 text or a time."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    if value is None or isinstance(value, Undefined):
        raise UndefinedError
    if format is not None:
        return parse_moment(str(value), str(format)[:MAX_FORMAT])
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    found = datetime.fromisoformat(str(value).strip())
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _timestamp(value: Any) -> int:
    """Whole seconds since 1970."""
    return int(value) if isinstance(value, int | float) else math.floor(_moment(value).timestamp())


def _format_datetime(value: Any, format: str, input_format: str | None = None) -> str:
    format = str(format)[:MAX_FORMAT]
    problem = format_problem(format)
    if problem is not None:
        raise ValueError(problem)
    return format_moment(_moment(value, input_format), format)


def _searched(text: Any, pattern: Any) -> str:
    """What a pattern finds in a text: its first group, or all of it; empty without a match."""
    found = re.search(_pattern(text, pattern), str(text)) if text is not None else None
    if found is None:
        return ""
    return (found[1] if found.re.groups else found[0]) or ""


def _replaced_by_pattern(text: Any, pattern: Any, new: Any) -> str:
    text, new = text_of(text), str(new)
    # Each place in the text may become `new`, and each reference to a group in it the whole text.
    spend((len(text) + 1) * len(new) + len(text) * new.count("\\"))
    try:
        return re.sub(_pattern(text, pattern), new, text)
    except re.error as error:
        raise ValueError(f"`{new[:40]}` cannot replace what the pattern finds: {error}") from None


def _pattern(text: Any, pattern: Any) -> str:
    """The pattern. Raises ValueError for one that may take too long, in a text of this length."""
    problem = pattern_problem(str(pattern))
    if problem is not None:
        raise ValueError(f"the pattern {problem}")
    most = longest_text(str(pattern))
    if len(str(text)) > most:
        raise ValueError(f"{str(pattern)[:40]!r} is not searched for in texts of more than {most} characters")
    return str(pattern)


def _snake_case(text: Any) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", text_of(text)).lower()


def _sanitized(text: Any) -> str:
    return quote_plus(text_of(text))


def formatted(moment: date, format: Any) -> str:
    """As `strftime`, whose `%s` the C library takes for the machine's own zone."""
    seconds = str(_timestamp(moment))
    return moment.strftime(re.sub(r"%(%|s)", lambda found: seconds if found[1] == "s" else found[0], str(format)))


def _now_utc() -> datetime:
    return datetime.now(UTC)


def _today_utc() -> date:
    return datetime.now(UTC).date()


def _today_with_timezone(zone: Any) -> date:
    if not _ZONE.fullmatch(str(zone)):
        raise ValueError(f"{str(zone)[:40]!r} is no time zone such as `Europe/Berlin`")
    return datetime.now(ZoneInfo(str(zone))).date()


def _day_delta(days: Any, format: str = _DAY_DELTA) -> str:
    """The moment so many days from now, as text."""
    format = str(format)[:MAX_FORMAT]
    problem = format_problem(format)
    if problem is not None:
        raise ValueError(problem)
    moment = datetime.now(UTC) + timedelta(days=float(days))
    return moment.strftime(format) if format == _DAY_DELTA else format_moment(moment, format)


def _generate_uuid() -> str:
    return str(uuid.uuid4())


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "timestamp": _timestamp,
    "str_to_datetime": _moment,
    "format_datetime": _format_datetime,
    "duration": duration,
    "max": max,
    "min": min,
    "range": _range,
    "sanitize_url": _sanitized,
    "camel_case_to_snake_case": _snake_case,
    "now_utc": _now_utc,
    "today_utc": _today_utc,
    "today_with_timezone": _today_with_timezone,
    "day_delta": _day_delta,
    "generate_uuid": _generate_uuid,
}
OWN_FILTERS: dict[str, Callable[..., Any]] = {
    "base64decode": _from_base64,
    "base64encode": _base64,
    "hash": _hash,
    "join": _joined,
    "regex_replace": _replaced_by_pattern,
    "regex_search": _searched,
    "replace": _replaced,
    "string": text_of,
    "sum": _sum,
    "tojson": _tojson,
}

"""Which JSON values are exactly a value of a column's type, and which value identifies a key.

A value that is not listed here is not converted: it goes to the variant column, as it came.

| column | takes exactly |
|---|---|
| text | a text; a number, as its JSON text; an object or list, as its JSON text |
| bigint | an integer of 64 bits; 5.0 up to 2^53; "5" and "-5" as an integer is written (not "05", "+5", " 5", "5.0") |
| double | a finite number, an integer where no digit is lost; "1.5" as that number is written (not "1.50", "1e5") |
| bool | true and false. Not 0 and 1: where a vendor sends those, the column is declared bigint |
| timestamp | ISO 8601 (`2026-01-02T03:04:05.678+01:00`, ` ` for `T`, `Z`, ` UTC`); no zone, or no time, is UTC |
| date | `YYYY-MM-DD` |
| json | everything |

A moment finer than a microsecond is in the column without its last digits, so that cursors and windows can use it, and
unchanged in the variant. Years are 1 to 9999, after the zone is applied. Epoch numbers are numbers, not moments.
A lone surrogate, which UTF-8 cannot encode, becomes U+FFFD.

Keys are stricter: a text key takes texts that are not empty, and whole numbers (1 and 1.0 are "1"); json is not a key.
"""

import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import orjson

from platform_assets.http.lossless_json import as_json

# Up to here every integer is a double, so that 5.0 can only have been 5.
EXACT_IN_DOUBLE = 2**53
_INT64 = range(-(2**63), 2**63)

_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,18}")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*)\.[0-9]+")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:[Tt ]([0-9]{2})(?::([0-9]{2})(?::([0-9]{2})(?:\.([0-9]+))?)?)?"
    r"(?:[Zz]| ?UTC| ?([+-])([0-9]{2})(?::?([0-9]{2}))?)?)?"
)
_SURROGATES = re.compile("[\ud800-\udfff]")


def exact(value: Any, data_type: str) -> Any:
    """The value as the column's type holds it, None if it is not exactly one. `value` is not None."""
    converted, whole = nearest(value, data_type)
    return converted if whole else None


def nearest(value: Any, data_type: str) -> tuple[Any, bool]:
    """As `exact`, and whether nothing was lost: False for a moment finer than a microsecond, which is cut off."""
    if data_type == "timestamp":
        return _moment(value)
    converted = _CONVERSIONS[data_type](value)
    return converted, converted is not None


def dump(value: Any) -> str:
    """A JSON value as compact text. Raises AnswerError if it is nested too deep."""
    text = as_json(value, "a nested value")
    try:
        return text.decode()
    except UnicodeDecodeError:
        return encodable(text.decode("utf-8", "surrogatepass"))


def encodable(text: str) -> str:
    """The text with U+FFFD for lone surrogates."""
    return _SURROGATES.sub("\ufffd", text)


def key_value(value: Any, data_type: str, *, holds_nul: bool = True) -> Any:
    """The one value that a key is stored, compared and deduplicated as; None if there is no such value.

    Args:
        data_type: of the key's column.
        holds_nul: whether the warehouse tells texts with U+0000 from others.
    """
    if data_type == "json":
        return None
    if data_type != "text":
        return exact(value, data_type)
    if isinstance(value, str):
        whole = value and not _SURROGATES.search(value) and (holds_nul or "\0" not in value)
        return value if whole else None
    number = value if isinstance(value, int) and not isinstance(value, bool) else _whole(value)
    return None if number is None else str(number)


def key_values(values: list[Any], data_type: str, *, holds_nul: bool = True) -> list[Any]:
    """`key_value` of each; the list itself if none of them has to change."""
    kinds = set(map(type, values))
    if data_type == "bigint" and kinds == {int} and min(values) in _INT64 and max(values) in _INT64:
        return values
    if data_type == "text" and kinds == {str} and "" not in values and _is_plain("".join(values), holds_nul):
        return values
    return [None if value is None else key_value(value, data_type, holds_nul=holds_nul) for value in values]


def _is_plain(text: str, holds_nul: bool) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return holds_nul or "\0" not in text


def _text(value: Any) -> str | None:
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        return orjson.dumps(value).decode() if math.isfinite(value) else None
    return dump(value)


def _bigint(value: Any) -> int | None:
    if isinstance(value, str):
        number = int(value) if _INTEGER.fullmatch(value) else None
    else:
        number = value if type(value) is int else _whole(value)
    return number if number is not None and number in _INT64 else None


def _whole(value: Any) -> int | None:
    if isinstance(value, float) and value.is_integer() and abs(value) <= EXACT_IN_DOUBLE:
        return int(value)
    return None


def _double(value: Any) -> float | None:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return _double_of(value)
    return _as_double(value) if type(value) is int else None


def _double_of(text: str) -> float | None:
    if _INTEGER.fullmatch(text):
        return _as_double(int(text))
    if _DECIMAL.fullmatch(text) and repr(float(text)) == text:
        return float(text)
    return None


def _as_double(number: int) -> float | None:
    try:
        converted = float(number)
    except OverflowError:
        return None
    return converted if int(converted) == number else None


def _moment(value: Any) -> tuple[datetime | None, bool]:
    found = _MOMENT.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return None, False
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    fraction, sign, zone_hours, zone_minutes = found.groups()[6:]
    digits = fraction or ""
    try:
        microsecond = int(digits[:6].ljust(6, "0"))
        local = datetime(year, month, day, hour, minute, second, microsecond, _zone(sign, zone_hours, zone_minutes))
        return local.astimezone(UTC), not digits[6:].strip("0")
    except (ValueError, OverflowError):
        return None, False


def _zone(sign: str | None, hours: str | None, minutes: str | None) -> timezone:
    """Without an offset it is UTC by contract (Pipedrive: `YYYY-MM-DD HH:MM:SS`). Raises ValueError for +24:00."""
    if not sign:
        return UTC
    if int(minutes or 0) > 59:
        raise ValueError(minutes)
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    return timezone(-offset if sign == "-" else offset)


def _date(value: Any) -> date | None:
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


_CONVERSIONS: dict[str, Callable[[Any], Any]] = {
    "text": _text,
    "bigint": _bigint,
    "double": _double,
    "bool": lambda value: value if isinstance(value, bool) else None,
    "date": _date,
    "json": dump,
}

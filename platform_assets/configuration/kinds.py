"""Kinds of values: what a setting must be, and how its text or TOML value is parsed."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

from platform_assets.declarations.freshness import LONGEST_LAG

T = TypeVar("T", covariant=True)


@dataclass(frozen=True)
class Kind(Generic[T]):
    """A kind of values. `words` completes "must be ..."; `parse` raises ValueError for anything else."""

    words: str
    parse: Callable[[Any], T]


def _text(value: Any) -> str:
    return str(value).strip()


def _whole(value: Any) -> int:
    number = int(_digits(value))
    if number < 1:
        raise ValueError(value)
    return number


def _number(value: Any) -> float:
    number = float(_digits(value))
    # Not true for "nan".
    if not 0 <= number <= LONGEST_LAG.total_seconds():
        raise ValueError(value)
    return number


def _positive(value: Any) -> float:
    number = _number(value)
    if number == 0:
        raise ValueError(value)
    return number


def _digits(value: Any) -> str:
    """The value as text. Raises ValueError for `1_000`, which Python accepts as a number and nobody means to write."""
    if "_" in str(value):
        raise ValueError(value)
    return str(value)


def _count(value: Any) -> int:
    number = _whole(value)
    if number > _MOST:
        raise ValueError(value)
    return number


_MOST = 256
"""So many threads no machine needs, and DuckDB would try to start any number."""
_TRUE, _FALSE = ("true", "1", "yes"), ("false", "0", "no")


def _boolean(value: Any) -> bool:
    text = _text(value).lower()
    if text not in (*_TRUE, *_FALSE):
        raise ValueError(value)
    return text in _TRUE


def _moment(value: Any) -> datetime:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(_text(value))
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _past_moment(value: Any) -> datetime:
    moment = _moment(value)
    if moment > datetime.now(UTC):
        raise ValueError(value)
    return moment


def _texts(value: Any) -> tuple[str, ...]:
    items = value if isinstance(value, list | tuple) else str(value).strip("[]").split(",")
    return tuple(text for item in items if (text := str(item).strip().strip("\"'")))


def _values(value: Any) -> tuple[str, ...]:
    text = str(value).strip()
    is_list = isinstance(value, list | tuple) or (text.startswith("[") and text.endswith("]"))
    return _texts(value) if is_list else (text,)


_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT])(i?)B", re.IGNORECASE)
_MIN_BYTES = 16_000_000


def _size(value: Any) -> str:
    """A size as DuckDB reads it, checked here because DuckDB itself fails only during a load if it is too small."""
    text = _text(value)
    found = _SIZE.fullmatch(text)
    if found is None:
        raise ValueError(value)
    base = 1024 if found[3] else 1000
    if float(found[1]) * base ** ("KMGT".index(found[2].upper()) + 1) < _MIN_BYTES:
        raise ValueError(value)
    return text


def _url(value: Any) -> str:
    text = _text(value)
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
        raise ValueError(value)
    return text


def _rate(value: Any) -> tuple[int, float]:
    requests, slash, seconds = _digits(value).partition("/")
    if not slash:
        raise ValueError(value)
    return _whole(requests.strip()), _positive(seconds.strip())


TEXT = Kind("a text", _text)
TEXTS = Kind("a text, or several separated by commas", _texts)
VALUES = Kind("a text, or several in brackets", _values)
WHOLE = Kind("a whole number from 1", _whole)
COUNT = Kind(f"a whole number from 1 to {_MOST}", _count)
NUMBER = Kind("a number from 0 (seconds, less than ten years)", _number)
POSITIVE = Kind("a number of seconds over 0 (less than ten years)", _positive)
BOOLEAN = Kind("true or false (or 1, 0, yes, no)", _boolean)
MOMENT = Kind("an ISO date or datetime, not in the future", _past_moment)
RATE = Kind("requests/seconds, e.g. 200/60", _rate)
SIZE = Kind("a size from 16MB, e.g. 2GB", _size)
URL = Kind("an http(s) URL with a host", _url)


def choice(*words: str) -> Kind[str]:
    """A kind that is one of some words."""

    def parse(value: Any) -> str:
        if _text(value) not in words:
            raise ValueError(value)
        return _text(value)

    return Kind(" or ".join(words), parse)

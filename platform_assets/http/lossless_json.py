"""JSON read and written without losing a value.

Parsers round or refuse what JSON allows: orjson reads integers beyond 64 bits as doubles, and neither reads nor writes
lone surrogates. Here the fast parser does the common case, and Python's `json` the rest: bodies go in through
`from_json`, and records, keys and positions are written, hashed and compared as the bytes of `as_json`.

Using `json` for everything would be correct too, but several times slower.
"""

from __future__ import annotations

import json
import math
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import orjson

from platform_assets.http.errors import AnswerError

if TYPE_CHECKING:
    import numpy as np

# Parts of orjson's messages for valid JSON that it does not write: integers beyond 64 bits, and lone surrogates.
_ORJSON_LIMITS = ("64-bit", "surrogates")

_BEYOND_64_BITS = re.compile(rb"[:,\[\s](?:-[0-9]{19,}|[0-9]{20,})[,}\]\s]")

# An integer with a larger exponent is refused, as Python refuses to read an integer of more than 4,300 digits.
_LARGEST_EXPONENT = 4000


def as_json(value: Any, what: str, *, sort_keys: bool = False) -> bytes:
    """`value` as compact JSON. Lone surrogates are encoded as if UTF-8 had them.

    Args:
        value: anything that `from_json` returns.
        what: names the value in the error, e.g. "a record".
        sort_keys: give equal values equal bytes, whatever the order of their keys.

    Raises:
        AnswerError: for nesting deeper than 254 levels.
    """
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS if sort_keys else None)
    except orjson.JSONEncodeError as error:
        if not any(limit in str(error) for limit in _ORJSON_LIMITS):
            raise AnswerError(f"{what} cannot be kept as JSON: {error}") from None
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=sort_keys)
    except (ValueError, TypeError, RecursionError) as error:
        raise AnswerError(f"{what} cannot be kept as JSON: {error}") from None
    return text.encode("utf-8", "surrogatepass")


def from_json(content: bytes) -> Any:
    """The value that `content` holds: integers of any size exactly, and texts with lone surrogates.

    Raises:
        ValueError: for content that is not JSON, and for numbers of thousands of digits.
    """
    try:
        body = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        try:
            return _from_json_exactly(content)
        except ValueError:
            raise error from None
    if may_have_long_number(content) and _BEYOND_64_BITS.search(content):
        return _from_json_exactly(content)
    return body


def may_have_long_number(content: bytes) -> bool:
    """Whether there are 19 digits in a row. The regular expression takes as long as parsing does."""
    import numpy as np

    digits = np.frombuffer(content, np.uint8) - np.uint8(ord("0")) < 10
    # Six neighbours among every third byte are in any such row, and in few bodies without one.
    if not has_run(digits[::3], 6):
        return False
    return has_run(digits, 19)


def has_run(flags: np.ndarray, length: int) -> bool:
    """Whether `length` neighbouring flags are set."""
    runs, covered = flags, 1
    while covered < length:
        step = min(covered, length - covered)
        runs = runs[step:] & runs[:-step]
        covered += step
    return bool(runs.any())


def lines_from_json(content: bytes, first: int = 1) -> list[Any]:
    """The values of lines of JSON, as `from_json` reads each; empty lines have none.

    Raises ValueError, with the line's number, counted from `first`.
    """
    found: list[Any] = []
    # Asked once for all lines: that costs a line more than to parse it.
    read = from_json if may_have_long_number(content) else _from_json_of_short_numbers
    for number, line in enumerate(content.split(b"\n"), start=first):
        if line and not line.isspace():
            try:
                found.append(read(line))
            except ValueError as error:
                raise ValueError(f"line {number} is not JSON: {error}") from None
    return found


def _from_json_of_short_numbers(content: bytes) -> Any:
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        return from_json(content)


def _from_json_exactly(content: bytes) -> Any:
    try:
        return json.loads(content.decode(), parse_float=_exact_number, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("nested too deep") from None


def _exact_number(text: str) -> float | int:
    number = float(text)
    if math.isfinite(number):
        return number
    exact = Decimal(text)
    if exact.adjusted() > _LARGEST_EXPONENT or exact != exact.to_integral_value():
        raise ValueError(f"a number too large to be read: {text[:40]}")
    return int(exact)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")

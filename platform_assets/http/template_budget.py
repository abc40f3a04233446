"""What a rendering may go through, and what each value costs of it: the bound of time and memory of templates."""

import math
import threading
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from jinja2.runtime import Undefined

# Characters, items and steps that one rendering may go through: about 50 milliseconds, and a few dozen megabytes.
BUDGET = 8_000_000
# What an item of a list costs, since it takes as long as so many characters.
_ITEM = 16
# What one turn of a loop costs for each part of its template.
TURN = 40
# Of integers, so that no power grows without an end.


class TooMuch(Exception):
    """A rendering has spent its budget."""


_spent = threading.local()


def begin() -> None:
    """Begin a rendering of this thread."""
    _spent.left = BUDGET


def spend(amount: int) -> None:
    left: int = getattr(_spent, "left", 0) - amount
    _spent.left = left
    if left < 0:
        raise TooMuch


def weigh(*values: Any) -> None:
    """Spend as much as the values have characters, items and bytes of numbers; raises TooMuch before it counts all."""
    pending = list(values)
    while pending:
        value = pending.pop()
        if isinstance(value, str):
            spend(1 + len(value))
        elif isinstance(value, Mapping):
            spend(1 + 2 * _ITEM * len(value))
            pending += value.keys()
            pending += value.values()
        elif isinstance(value, list | tuple):
            spend(1 + _ITEM * len(value))
            pending += value
        elif isinstance(value, int):
            spend(1 + value.bit_length() // 8)
        elif isinstance(value, range):
            spend(1 + len(value))
        else:
            spend(1)


def weighed(value: Any) -> Any:
    """The value, paid for; of a generator, its items."""
    if isinstance(value, Iterator):
        items = []
        for item in value:
            spend(TURN)
            items.append(item)
        value = items
    weigh(value)
    return value


def as_json_value(value: Any) -> Any:
    """A copy of a value in JSON's types. Raises ValueError for what has none."""
    if isinstance(value, str):
        return str(value) if type(value) is not str else value
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, Undefined):
        return None
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("the result is no number")
        return value
    if isinstance(value, Mapping):
        return {str(key): as_json_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple | range):
        return [as_json_value(item) for item in value]
    if isinstance(value, datetime | date):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, timedelta):
        return value.total_seconds()
    raise ValueError(f"the result is a {type(value).__name__}, not a value")

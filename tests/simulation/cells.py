"""Whether a column holds exactly the value that was served. The rules are independent of the product's."""

import json
import re
from datetime import UTC, date, datetime
from typing import Any

from tests.simulation.warehouse import Row

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def column_of(field: str) -> str:
    """snake_case of the field names that the simulation serves."""
    spaced = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", field)
    spaced = re.sub(r"([a-z\d])([A-Z])", r"\1_\2", spaced)
    return re.sub(r"[^0-9A-Za-z]+", "_", spaced).lower()


def holds(row: Row, column: str, served: Any) -> bool:
    """Whether a row has the served value in its column, or in that column's variant, and in no other."""
    variants = {name: value for name, value in row.items() if name.startswith(f"{column}__v_") and value is not None}
    stored = row.get(column)
    if served is None:
        return stored is None and not variants
    if stored is not None:
        return not variants and same(served, stored)
    return len(variants) == 1 and all(same(served, value) for value in variants.values())


def same(served: Any, stored: Any) -> bool:
    """Exactly the same value: 2 is not true, "007" is not 7, 2**53 + 1 is no double."""
    if isinstance(stored, bool) or isinstance(served, bool):
        # 1 and "true" are the only other spellings of a bool.
        return str(served).lower() in (str(stored).lower(), str(int(stored)) if isinstance(stored, bool) else None)
    if isinstance(stored, datetime):
        return isinstance(served, str) and _moment(served) == _utc(stored)
    if isinstance(stored, date):
        return isinstance(served, str) and _DAY.fullmatch(served) is not None and date.fromisoformat(served) == stored
    if isinstance(stored, str):
        return served == stored or _as_text(served, stored)
    if isinstance(stored, int | float) and isinstance(served, str):
        return str(stored) == served
    return isinstance(served, int | float) and served == stored


def without_nul(served: Any) -> Any:
    """What of a served value a warehouse holds that has no U+0000."""
    return served.replace("\0", "\N{REPLACEMENT CHARACTER}") if isinstance(served, str) else served


def _as_text(served: Any, stored: str) -> bool:
    """A value of another kind as text, or anything as JSON."""
    if str(served) == stored:
        return True
    try:
        return json.loads(stored) == served
    except ValueError:
        return False


def _moment(text: str) -> datetime | None:
    """The moment in UTC; None if there is none before the year 10000."""
    try:
        return _utc(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        return None


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def key_text(value: Any) -> str:
    """A key's identity: 7, 7.0 and "7" are one key."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)

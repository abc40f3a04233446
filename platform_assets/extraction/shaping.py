"""Turns a contract's records into the table's: renamed fields, constants, values of the path, numbers for times."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from platform_assets.declarations import RecordShape
from platform_assets.http.selection import Record, get_path

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECONDS = 1_000_000


def shape(records: Iterable[Record], declared: RecordShape, values: Mapping[str, object]) -> None:
    """Give records the table's fields, in place.

    Args:
        declared: how the records differ from the table's fields.
        values: path value or parameter -> what the request was filled with.
    """
    for record in records:
        for name, path in declared.renamed.items():
            record[name] = get_path(record, path)
        record.update(declared.constants)
        for name, parameter in declared.from_path.items():
            _put(record, name, values[parameter])
    for path in declared.renamed.values():
        if "." not in path and path not in declared.renamed:
            for record in records:
                record.pop(path, None)


def _put(record: Record, name: str, value: object) -> None:
    """Set a field, or a key inside an object that is there or is made."""
    first, _, rest = name.partition(".")
    if not rest:
        record[first] = value
    elif isinstance(record.get(first), dict):
        record[first].setdefault(rest, value)
    else:
        record[first] = {rest: value}


def times_from_epoch(records: Iterable[Record], fields: Iterable[str]) -> None:
    """Replace seconds since 1970 by ISO 8601 texts, in place and to the microsecond. Other values stay as they are."""
    for name in fields:
        for record in records:
            value = record.get(name)
            if value is not None:
                record[name] = time_from_epoch(value)


def time_from_epoch(value: Any) -> Any:
    """The ISO 8601 text of a number of seconds since 1970; anything else, or beyond the calendar, as it is."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return value
    try:
        # Through the number's shortest text: 1721903456.123 is meant to have three digits.
        microseconds = int((Decimal(str(value)) * _MICROSECONDS).to_integral_value())
        return (_EPOCH + timedelta(microseconds=microseconds)).isoformat().replace("+00:00", "Z")
    except (InvalidOperation, OverflowError, ValueError):
        return value

"""JSON values to Arrow arrays: a whole column at once if all its values are exactly of its type, else value by value.

`convert` gives the array, and by type the values that are not exactly in it (see exactness.py). Nothing is changed or
dropped: columns.py puts those into variant columns.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from platform_assets.arrow.exactness import dump, encodable, exact, nearest

TIMESTAMP = pa.timestamp("us", tz="UTC")

ARROW_TYPES: dict[str, pa.DataType] = {
    "text": pa.string(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "bool": pa.bool_(),
    "timestamp": TIMESTAMP,
    "date": pa.date32(),
    "json": pa.string(),
}
_PYTHON_TYPES: dict[type, str] = {
    str: "text",
    bool: "bool",
    int: "bigint",
    float: "double",
    dict: "json",
    list: "json",
}
_NULL = type(None)
# By data type the Python types of a column that is converted at once.
_CONVERTIBLE: dict[str, frozenset[type]] = {
    "text": frozenset({str, _NULL}),
    "bigint": frozenset({int, _NULL}),
    "double": frozenset({float, int, _NULL}),
    "bool": frozenset({bool, _NULL}),
    "timestamp": frozenset({str, _NULL}),
    "date": frozenset({str, _NULL}),
}

# 0001-01-01 UTC in microseconds since 1970.
_YEAR_ONE = -62_135_596_800_000_000
# 10000-01-01 UTC, which neither Python nor dlt has.
_YEAR_10000 = 253_402_300_800_000_000

# A column's values as JSON gives them.
Values = list[Any]


def infer(values: Values) -> str | None:
    """dlt data type for a new column: its values' own, `double` for mixed numbers, else `json`."""
    kinds = {_PYTHON_TYPES[kind] for kind in set(map(type, values)) - {_NULL}}
    if not kinds:
        return None
    if len(kinds) == 1:
        return kinds.pop()
    return "double" if kinds == {"bigint", "double"} else "json"


def convert(values: Values, data_type: str) -> tuple[pa.Array, dict[str, Values]]:
    """Values as an Arrow array, and by type those that are not exactly in it.

    Args:
        values: None, or what JSON parses to.
        data_type: dlt's.

    A column with one misfit is converted value by value, which is much slower.
    """
    if data_type == "json":
        return pa.array([None if value is None else dump(value) for value in values], pa.string()), {}
    if set(map(type, values)) <= _CONVERTIBLE[data_type]:
        try:
            return _CONVERSIONS[data_type](values), {}
        except (ValueError, OverflowError):
            pass
    return _one_by_one(values, data_type)


def _moments(values: Values) -> pa.Array:
    texts = pa.array(values, pa.string())
    try:
        moments = texts.cast(TIMESTAMP)
    except pa.ArrowInvalid:
        # Without an offset it is UTC by contract (Pipedrive: `YYYY-MM-DD HH:MM:SS`).
        moments = pc.assume_timezone(texts.cast(pa.timestamp("us")), "UTC")  # pyright: ignore[reportAttributeAccessIssue] -- generated at run time
    return _within_years(moments)


def _dates(values: Values) -> pa.Array:
    return _within_years(pa.array(values, pa.string()).cast(pa.date32()))


def _within_years(moments: pa.Array) -> pa.Array:
    """Raise ArrowInvalid for moments outside the years 1 to 9999, which neither dlt nor Python has."""
    ends = pc.min_max(moments)  # pyright: ignore[reportAttributeAccessIssue] -- generated at run time
    for end in (ends["min"], ends["max"]):
        moment = end.cast(pa.timestamp("us", "UTC")).value
        if moment is not None and not _YEAR_ONE <= moment < _YEAR_10000:
            raise pa.ArrowInvalid("a moment that is not in the years 1 to 9999")
    return moments


def _doubles(values: Values) -> pa.Array:
    # Arrow itself refuses integers that a double does not hold.
    doubles = pa.array(values, pa.float64())
    if not pc.all(pc.is_finite(doubles)).as_py() and doubles.null_count < len(doubles):  # pyright: ignore[reportAttributeAccessIssue] -- generated at run time
        raise pa.ArrowInvalid("NaN, or infinite")
    return doubles


_CONVERSIONS: dict[str, Callable[[Values], pa.Array]] = {
    "text": lambda values: pa.array(values, pa.string()),
    "bigint": lambda values: pa.array(values, pa.int64()),
    "double": _doubles,
    "bool": lambda values: pa.array(values, pa.bool_()),
    "timestamp": _moments,
    "date": _dates,
}


def _one_by_one(values: Values, data_type: str) -> tuple[pa.Array, dict[str, Values]]:
    converted: Values = []
    misfits: dict[str, Values] = {}
    for index, value in enumerate(values):
        nearest_value, is_exact = (None, True) if value is None else nearest(value, data_type)
        converted.append(nearest_value)
        if not is_exact:
            variant, kept = _variant_of(value, data_type)
            misfits.setdefault(variant, [None] * len(values))[index] = kept
    return pa.array(converted, ARROW_TYPES[data_type]), misfits


def _variant_of(value: Any, data_type: str) -> tuple[str, Any]:
    """The type of the variant column that a misfit goes to (its own if exact, or text), and the value there."""
    own = _PYTHON_TYPES[type(value)]
    if own != data_type and exact(value, own) is not None:
        return own, value
    return "text", encodable(str(value))


# U+0000 as JSON text escapes it, not a backslash before `u0000`.
_ESCAPED_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


def without_nul(table: pa.Table, types: Mapping[str, str]) -> pa.Table:
    """The table with U+FFFD for U+0000 in texts, and in the texts in JSON. `types`: column -> dlt data type."""
    for position, name in enumerate(table.column_names):
        column = table.column(position)
        if column.type != pa.string():
            continue
        is_json = types.get(name) == "json"
        has_nul = pc.any(pc.match_substring(column, "\\u0000" if is_json else "\0")).as_py()  # pyright: ignore[reportAttributeAccessIssue] -- generated at run time
        if has_nul:
            table = table.set_column(position, name, _replace_nul(column, is_json))
    return table


def _replace_nul(column: pa.ChunkedArray, is_json: bool) -> Any:
    if not is_json:
        return pc.replace_substring(column, "\0", "\ufffd")  # pyright: ignore[reportAttributeAccessIssue] -- generated at run time
    texts = column.to_pylist()
    return pa.array([text and _ESCAPED_NUL.sub("\\1\ufffd", text) for text in texts], pa.string())

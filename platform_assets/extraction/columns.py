"""Records to Arrow by column. What fits its column's type goes there fast; what does not is kept aside.

A value that cannot be coerced to its column's type (by dlt's own rules) lands in dlt's variant column,
`<column>__v_<type>`, so that no page fails and nothing is dropped because a vendor changed a type.
"""

import re
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from dlt.common.data_types import coerce_value
from dlt.common.normalizers.naming import NamingConvention

from platform_assets.extraction.records import Record, as_json

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
_FAST: dict[str, frozenset[type]] = {
    "text": frozenset({str, _NULL}),
    "bigint": frozenset({int, _NULL}),
    "double": frozenset({float, int, _NULL}),
    "bool": frozenset({bool, _NULL}),
    "timestamp": frozenset({str, _NULL}),
    "date": frozenset({str, _NULL}),
}

_YEAR_ONE = -62_135_596_800_000_000
"""0001-01-01 UTC in microseconds since 1970."""

Values = list[Any]

UNNAMED = "unnamed"
"""Column of a field whose name is blank."""


class Columns:
    """The columns of one table: declared, known from the warehouse, and found on the way.

    Args:
        declared: raw field name -> dlt data type.
        known: column name in the warehouse -> dlt data type, for columns that are not declared.
        naming: dlt's naming convention of the destination.
        system: column name -> dlt data type of columns that we add ourselves.

    Thread-safe: pages of several parents are converted at once and must agree on a new column's type.
    """

    def __init__(
        self,
        declared: Mapping[str, str],
        known: Mapping[str, str],
        naming: NamingConvention,
        system: Mapping[str, str],
    ) -> None:
        self._naming = naming
        self._lock = threading.Lock()
        self._names: dict[str, str] = {}
        self.types: dict[str, str] = {**known, **system}
        self._taken: set[str] = set(system)
        self.added: dict[str, str] = {}
        self.variants: set[str] = set()
        for raw, data_type in declared.items():
            self.types[self.name_of(raw)] = data_type

    def name_of(self, raw: str) -> str:
        """Column name of a raw field: dlt's snake_case; a second field of the same name gets a suffix."""
        name = self._names.get(raw)
        if name is not None:
            return name
        with self._lock:
            name = base = self._naming.normalize_identifier(raw) if raw.strip() else UNNAMED
            number = 2
            while name in self._taken:
                name, number = f"{base}_x{number}", number + 1
            self._taken.add(name)
            self._names[raw] = name
            return name

    def schema(self, key: Collection[str]) -> pa.Schema:
        """The Arrow schema of all columns that have a type by now; those of `key` are not nullable.

        In the order of dlt's table schema: dlt rewrites a Parquet file that differs from it.
        """
        with self._lock:
            types = dict(self.types)
        return pa.schema([pa.field(name, ARROW_TYPES[kind], name not in key) for name, kind in types.items()])

    def table(self, records: list[Record], constants: Mapping[str, pa.Scalar]) -> pa.Table:
        """An Arrow table of `records`, one row each in order, plus constant columns."""
        arrays: dict[str, pa.Array] = {}
        for raw in _fields(records):
            values = [record.get(raw) for record in records]
            name = self.name_of(raw)
            data_type = self._type_of(name, values)
            if data_type is not None:
                self._convert(name, data_type, values, arrays)
        for name, scalar in constants.items():
            arrays[name] = pa.repeat(scalar, len(records))
        return pa.table(arrays)

    def moments(self, records: list[Record], raw: str) -> pa.Array:
        """The timestamps of one field; null where there is none or where it cannot be read."""
        array, _ = convert([record.get(raw) for record in records], "timestamp")
        return array

    def _type_of(self, name: str, values: Values) -> str | None:
        """The column's type; a new column takes the type of its values, one without values waits."""
        known = self.types.get(name)
        if known is not None:
            return known
        inferred = infer(values)
        if inferred is None:
            return None
        with self._lock:
            if name not in self.types:
                self.types[name] = inferred
                self.added[name] = inferred
            return self.types[name]

    def _convert(self, name: str, data_type: str, values: Values, arrays: dict[str, pa.Array]) -> None:
        array, misfits = convert(values, data_type)
        arrays[name] = array
        for misfit_type, kept in misfits.items():
            variant = f"{name}__v_{misfit_type}"
            with self._lock:
                if variant not in self.types:
                    self.types[variant] = misfit_type
                    self.added[variant] = misfit_type
                self.variants.add(variant)
            arrays[variant] = convert(kept, misfit_type)[0]


def _fields(records: list[Record]) -> Iterable[str]:
    """All field names, in order of first appearance."""
    names: dict[str, None] = {}
    for record in records:
        names.update(dict.fromkeys(record))
    return names


def infer(values: Values) -> str | None:
    """dlt data type for a new column: its values' own, `double` for mixed numbers, else `json`."""
    kinds = {_PYTHON_TYPES[kind] for kind in set(map(type, values)) - {_NULL}}
    if not kinds:
        return None
    if len(kinds) == 1:
        return kinds.pop()
    return "double" if kinds == {"bigint", "double"} else "json"


def convert(values: Values, data_type: str) -> tuple[pa.Array, dict[str, Values]]:
    """Values as an Arrow array, and by type those that do not fit (null in the array).

    The fast way is by column; a column with one odd value goes value by value through dlt's coercion.
    """
    if data_type == "json":
        return pa.array([None if value is None else dump(value) for value in values], pa.string()), {}
    if set(map(type, values)) <= _FAST[data_type]:
        try:
            return _FAST_ARRAYS[data_type](values), {}
        except (pa.ArrowInvalid, OverflowError):
            pass
    return _one_by_one(values, data_type)


def dump(value: Any) -> str:
    """A JSON value as compact text."""
    return as_json(value, "a nested value").decode()


def _moments(values: Values) -> pa.Array:
    texts = pa.array(values, pa.string())
    try:
        moments = texts.cast(TIMESTAMP)
    except pa.ArrowInvalid:
        # Without an offset it is UTC by contract (Pipedrive: `YYYY-MM-DD HH:MM:SS`).
        moments = pc.assume_timezone(texts.cast(pa.timestamp("us")), "UTC")  # pyright: ignore[reportAttributeAccessIssue] -- generated at run time
    return _of_our_era(moments)


def _dates(values: Values) -> pa.Array:
    return _of_our_era(pa.array(values, pa.string()).cast(pa.date32()))


def _of_our_era(moments: pa.Array) -> pa.Array:
    """Raise ArrowInvalid for a year 0 (`0000-00-00` and its like): neither dlt nor Python has one."""
    first = pc.min(moments).cast(pa.timestamp("us", "UTC")).value  # pyright: ignore[reportAttributeAccessIssue] -- generated at run time
    if first is not None and first < _YEAR_ONE:
        raise pa.ArrowInvalid("a moment before year 1")
    return moments


_FAST_ARRAYS: dict[str, Callable[[Values], pa.Array]] = {
    "text": lambda values: pa.array(values, pa.string()),
    "bigint": lambda values: pa.array(values, pa.int64()),
    "double": lambda values: pa.array(values, pa.float64()),
    "bool": lambda values: pa.array(values, pa.bool_()),
    "timestamp": _moments,
    "date": _dates,
}


def _one_by_one(values: Values, data_type: str) -> tuple[pa.Array, dict[str, Values]]:
    arrow_type = ARROW_TYPES[data_type]
    fitting: Values = []
    misfits: dict[str, Values] = {}
    for index, value in enumerate(values):
        coerced = None if value is None else coerce(value, data_type)
        fitting.append(coerced)
        if value is not None and coerced is None:
            own, kept = _own_type(value, data_type)
            misfits.setdefault(own, [None] * len(values))[index] = kept
    return pa.array(fitting, arrow_type), misfits


def coerce(value: Any, data_type: str) -> Any:
    """The value in the column's type by dlt's rules, None where it does not fit."""
    if data_type == "json" or (data_type == "text" and isinstance(value, dict | list)):
        return dump(value)
    if data_type == "timestamp" and isinstance(value, str) and value.endswith(" UTC"):
        value = value.removesuffix(" UTC") + "Z"  # Buildkite: `2013-09-03 13:24:38 UTC`
    try:
        # dlt/common/data_types/type_helpers.py decides what is still the same value.
        coerced = coerce_value(data_type, _PYTHON_TYPES[type(value)], value)  # pyright: ignore[reportArgumentType] -- both are members of dlt's literal
        if isinstance(coerced, datetime | date):
            coerced = datetime.fromisoformat(coerced.isoformat()) if data_type == "timestamp" else coerced
        pa.scalar(coerced, ARROW_TYPES[data_type])
    except (ValueError, TypeError, OverflowError, ArithmeticError, OSError, pa.ArrowException):
        return None
    return coerced


def _own_type(value: Any, data_type: str) -> tuple[str, Any]:
    """Where a misfit goes: its own type's variant, or text where that type cannot hold it either."""
    own = _PYTHON_TYPES[type(value)]
    if own != data_type and coerce(value, own) is not None:
        return own, value
    return "text", str(value)


_ESCAPED_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")
"""U+0000 as JSON text escapes it, not a backslash before `u0000`."""


def without_nul(table: pa.Table, types: Mapping[str, str]) -> pa.Table:
    """`table` with U+FFFD where texts, or the texts in JSON, have U+0000."""
    for place, name in enumerate(table.column_names):
        column = table.column(place)
        if column.type != pa.string():
            continue
        is_json = types.get(name) == "json"
        found = pc.any(pc.match_substring(column, "\\u0000" if is_json else "\0")).as_py()  # pyright: ignore[reportAttributeAccessIssue] -- generated at run time
        if found:
            table = table.set_column(place, name, _nul_replaced(column, is_json))
    return table


def _nul_replaced(column: pa.ChunkedArray, is_json: bool) -> Any:
    if not is_json:
        return pc.replace_substring(column, "\0", "\ufffd")  # pyright: ignore[reportAttributeAccessIssue] -- generated at run time
    texts = column.to_pylist()
    return pa.array([text and _ESCAPED_NUL.sub("\\1\ufffd", text) for text in texts], pa.string())

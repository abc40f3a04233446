"""Records to Arrow by column. What is exactly a value of its column's type goes there fast; the rest is kept aside.

Anything else (see exactness.py) lands in dlt's variant column, `<column>__v_<type>`, so that no page fails and
nothing is changed or dropped because a vendor changed a type.
"""

import re
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from dlt.common.normalizers.naming import NamingConvention

from platform_assets.arrow.exactness import dump, encodable, exact, nearest
from platform_assets.http.selection import Record

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
_YEAR_10000 = 253_402_300_800_000_000
"""10000-01-01 UTC: neither Python nor dlt has it."""

Values = list[Any]

UNNAMED = "unnamed"
"""Column of a field whose name is blank."""
MAX_UNDECLARED = 500
"""Columns of undeclared fields that a table takes. dlt and the warehouse pay for each in every load of it."""


@dataclass(frozen=True)
class SystemColumns:
    """The columns that a table has besides the fields of its records, under the names that the warehouse gives them.

    Attributes:
        types: column -> dlt data type of those that every row has.
        row_hash: column of a row's hash.
        loaded_at: column of the moment at which a row was read.
        more_fields: JSON column of the fields for which the table has no room: field name -> value.
        reserved: names that no field may take, whether or not the table has these columns.
    """

    types: Mapping[str, str]
    row_hash: str
    loaded_at: str
    more_fields: str
    reserved: frozenset[str]


class Columns:
    """The columns of one table: declared, known from the warehouse, and found on the way.

    Args:
        declared: raw field name -> dlt data type.
        known: column name in the warehouse -> dlt data type, for columns that are not declared.
        naming: dlt's naming convention of the destination.
        system: the columns that no field of a record may take.
        assigned: raw field name -> column name, as earlier loads left them: a field keeps its column for ever.

    A column of the warehouse that no field was assigned to belongs to the first field that normalises to it.
    Thread-safe: pages of several parents are converted at once and must agree on a new column's type.
    """

    def __init__(
        self,
        declared: Mapping[str, str],
        known: Mapping[str, str],
        naming: NamingConvention,
        system: SystemColumns,
        assigned: Mapping[str, str] | None = None,
    ) -> None:
        self.system = system
        self._naming = naming
        self._lock = threading.Lock()
        self._names: dict[str, str] = {}
        self.types: dict[str, str] = {**known, **system.types}
        self._taken: set[str] = {*system.types, *system.reserved}
        self.added: dict[str, str] = {}
        self.variants: set[str] = set()
        self.assigned: dict[str, str] = {}
        """Raw field name -> column of every undeclared field that was given one since."""
        self.crowded = False
        """Whether a record had fields without a column, which are in the column `more_fields`."""
        for raw, data_type in declared.items():
            name = self._names[raw] = self._free_name(raw)
            self._taken.add(name)
            self.types[name] = data_type
        self._unclaimed = {name for name in known if name not in self._taken and "__v_" not in name}
        self._undeclared = len(self._unclaimed)
        for raw, name in (assigned or {}).items():
            if name not in self._taken:
                self._assign(raw, name)
        self.assigned.clear()

    def name_of(self, raw: str) -> str:
        """Column name of a field; one that has none is given one, however many there are."""
        if raw not in self._names:
            with self._lock:
                self._assign(raw, self._free_name(raw))
        return self._names[raw]

    def _free_name(self, raw: str) -> str:
        """A column that no field has: dlt's snake_case; a second field of the same name gets a suffix."""
        name = base = self._normalised(raw)
        number = 2
        while name in self._taken:
            name, number = self._fitted(base, f"_x{number}"), number + 1
        return name

    def _assign(self, raw: str, name: str) -> None:
        if raw in self._names:
            return
        self._taken.add(name)
        self._names[raw] = name
        self.assigned[raw] = name
        if name in self._unclaimed:
            self._unclaimed.remove(name)
        else:
            self._undeclared += 1

    def _normalised(self, raw: str) -> str:
        text = encodable(raw)
        return self._naming.normalize_identifier(text) if text.strip() else UNNAMED

    def _fitted(self, base: str, suffix: str) -> str:
        """`base` and `suffix` within the destination's limit; what is cut off is told apart by its hash."""
        limit = self._naming.max_length
        if not limit or len(base) + len(suffix) <= limit:
            return base + suffix
        tag = blake2b(base.encode(), digest_size=4).hexdigest()
        return base[: limit - len(suffix) - len(tag) - 1].rstrip("_") + "_" + tag + suffix

    def _may_have_column(self, raw: str) -> bool:
        """Whether there is room for a new field, or a column in the warehouse that waits for it."""
        return self._undeclared < MAX_UNDECLARED or (bool(self._unclaimed) and self._normalised(raw) in self._unclaimed)

    def _claimed(self, raw: str) -> str | None:
        """The column of a new field, None where there is no room."""
        with self._lock:
            if raw not in self._names and self._may_have_column(raw):
                self._assign(raw, self._free_name(raw))
            return self._names.get(raw)

    @property
    def drifted(self) -> frozenset[str]:
        """Columns that took what has no place in the declared ones."""
        return frozenset(self.variants | ({self.system.more_fields} if self.crowded else set()))

    def contradiction(self, assigned: Mapping[str, str], types: Mapping[str, str]) -> str | None:
        """A field or column that another run has settled otherwise since these columns were made, None without one.

        `assigned` and `types` are what the warehouse has now: raw field -> column, column -> dlt data type.
        """
        owners = {name: raw for raw, name in assigned.items()}
        for raw, name in self.assigned.items():
            if assigned.get(raw, name) != name or owners.get(name, raw) != raw:
                return raw
        return next((name for name, kind in self.added.items() if types.get(name, kind) != kind), None)

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
        without: list[str] = []
        for raw in _fields(records):
            name = self._names.get(raw)
            if name is None and not self._may_have_column(raw):
                without.append(raw)
                continue
            values = [record.get(raw) for record in records]
            if name is None and set(map(type, values)) == {_NULL}:
                continue
            name = name or self._claimed(raw)
            if name is None:
                without.append(raw)
                continue
            data_type = self._type_of(name, values)
            if data_type is not None:
                self._convert(name, data_type, values, arrays)
        if without:
            self._keep_together(records, frozenset(without), arrays)
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
            variant = self._fitted(name, f"__v_{misfit_type}")
            with self._lock:
                if variant not in self.types:
                    self.types[variant] = misfit_type
                    self.added[variant] = misfit_type
                self.variants.add(variant)
            arrays[variant] = convert(kept, misfit_type)[0]

    def _keep_together(self, records: list[Record], without: frozenset[str], arrays: dict[str, pa.Array]) -> None:
        """Put the values of fields that have no column into the column `more_fields`, one object a record."""
        kept: Values = []
        for record in records:
            fields = {raw: record[raw] for raw in without & record.keys() if record[raw] is not None}
            kept.append(fields or None)
        if not any(kept):
            return
        column = self.system.more_fields
        with self._lock:
            self.crowded = True
            if column not in self.types:
                self.types[column] = self.added[column] = "json"
        texts = [None if fields is None else dump({raw: fields[raw] for raw in sorted(fields)}) for fields in kept]
        arrays[column] = pa.array(texts, pa.string())


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
    """Values as an Arrow array, and by type those that are not exactly in it.

    The fast way is by column; a column with one odd value goes value by value.
    """
    if data_type == "json":
        return pa.array([None if value is None else dump(value) for value in values], pa.string()), {}
    if set(map(type, values)) <= _FAST[data_type]:
        try:
            return _FAST_ARRAYS[data_type](values), {}
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
    return _of_our_era(moments)


def _dates(values: Values) -> pa.Array:
    return _of_our_era(pa.array(values, pa.string()).cast(pa.date32()))


def _of_our_era(moments: pa.Array) -> pa.Array:
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


_FAST_ARRAYS: dict[str, Callable[[Values], pa.Array]] = {
    "text": lambda values: pa.array(values, pa.string()),
    "bigint": lambda values: pa.array(values, pa.int64()),
    "double": _doubles,
    "bool": lambda values: pa.array(values, pa.bool_()),
    "timestamp": _moments,
    "date": _dates,
}


def _one_by_one(values: Values, data_type: str) -> tuple[pa.Array, dict[str, Values]]:
    fitting: Values = []
    misfits: dict[str, Values] = {}
    for index, value in enumerate(values):
        converted, whole = (None, True) if value is None else nearest(value, data_type)
        fitting.append(converted)
        if not whole:
            own, kept = _own_type(value, data_type)
            misfits.setdefault(own, [None] * len(values))[index] = kept
    return pa.array(fitting, ARROW_TYPES[data_type]), misfits


def _own_type(value: Any, data_type: str) -> tuple[str, Any]:
    """Where a misfit goes: its own type's variant, or text where that type does not hold it exactly either."""
    own = _PYTHON_TYPES[type(value)]
    if own != data_type and exact(value, own) is not None:
        return own, value
    return "text", encodable(str(value))


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

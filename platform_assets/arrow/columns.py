"""The columns of one table, and records as Arrow tables of these columns.

A declared field has its declared column. An undeclared one gets a column when it first has a value, named by dlt's
naming convention and typed by its values; that column is its own from then on, in every later load. A value that is not
exactly of its column's type (see exactness.py) goes to dlt's variant column, `<column>__v_<type>`, so that no page
fails and nothing is changed or dropped because a vendor changed a type.
"""

import threading
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b

import pyarrow as pa
from dlt.common.normalizers.naming import NamingConvention

from platform_assets.arrow.conversion import ARROW_TYPES, Values, convert, infer
from platform_assets.arrow.exactness import dump, encodable
from platform_assets.http.selection import Record

# Column of a field whose name is blank.
UNNAMED = "unnamed"
# Columns of undeclared fields that a table takes. dlt and the warehouse pay for each in every load of it.
MAX_UNDECLARED = 500


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
    """The columns of one table: declared, known from the warehouse, and found in the records.

    Thread-safe: pages of several parents are converted at once and must agree on a new column's type. A column of the
    warehouse that no field was assigned to belongs to the first field that normalises to it.

    Args:
        declared: raw field name -> dlt data type.
        known: column name in the warehouse -> dlt data type, which stays although another one is declared since.
        naming: dlt's naming convention of the destination.
        system: the columns that no field of a record may take.
        assigned: raw field name -> column name, as earlier loads left them: a field keeps its column.

    Attributes:
        types: column -> dlt data type, of all columns that have a type by now.
        added: of these, the columns that the records brought.
        variants: variant columns that took a value.
        assigned: raw field name -> column, of every undeclared field that was given one since.
        crowded: whether a record had fields without a column; they are in the column `system.more_fields`.
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
        # A column keeps its type: the database would cast values of another one, or refuse them.
        self.types: dict[str, str] = {name: known.get(name, kind) for name, kind in {**known, **system.types}.items()}
        self._taken: set[str] = {*system.types, *system.reserved}
        self.added: dict[str, str] = {}
        self.variants: set[str] = set()
        self.assigned: dict[str, str] = {}
        self.crowded = False
        for raw, data_type in declared.items():
            name = self._names[raw] = self._free_name(raw)
            self._taken.add(name)
            self.types[name] = known.get(name, data_type)
        self._unclaimed = {name for name in known if name not in self._taken and "__v_" not in name}
        self._undeclared = len(self._unclaimed)
        for raw, name in (assigned or {}).items():
            if name not in self._taken:
                self._assign(raw, name)
        self.assigned.clear()

    def name_of(self, raw: str) -> str:
        """Column of a field. One without a column is given one, however many there are."""
        if raw not in self._names:
            with self._lock:
                self._assign(raw, self._free_name(raw))
        return self._names[raw]

    def _free_name(self, raw: str) -> str:
        """A column that no field has: the normalised name, with a suffix for a second field of that name."""
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
        """`base` and `suffix` within the destination's limit; a hash stands for what is cut off."""
        limit = self._naming.max_length
        if not limit or len(base) + len(suffix) <= limit:
            return base + suffix
        tag = blake2b(base.encode(), digest_size=4).hexdigest()
        return base[: limit - len(suffix) - len(tag) - 1].rstrip("_") + "_" + tag + suffix

    def _may_have_column(self, raw: str) -> bool:
        """Whether there is room for a new field, or an unclaimed column in the warehouse."""
        return self._undeclared < MAX_UNDECLARED or (bool(self._unclaimed) and self._normalised(raw) in self._unclaimed)

    def _new_column(self, raw: str) -> str | None:
        """The column of a new field, None if there is no room."""
        with self._lock:
            if raw not in self._names and self._may_have_column(raw):
                self._assign(raw, self._free_name(raw))
            return self._names.get(raw)

    @property
    def drifted(self) -> frozenset[str]:
        """Columns that took what does not fit the declared ones."""
        return frozenset(self.variants | ({self.system.more_fields} if self.crowded else set()))

    def contradiction(self, assigned: Mapping[str, str], types: Mapping[str, str]) -> str | None:
        """A field or column on which another run has decided otherwise since these columns were made, None without one.

        Args:
            assigned: raw field name -> column, as the warehouse has it now.
            types: column -> dlt data type, as the warehouse has it now.
        """
        owners = {name: raw for raw, name in assigned.items()}
        for raw, name in self.assigned.items():
            if assigned.get(raw, name) != name or owners.get(name, raw) != raw:
                return raw
        return next((name for name, kind in self.added.items() if types.get(name, kind) != kind), None)

    def schema(self, key: Collection[str]) -> pa.Schema:
        """The Arrow schema of all columns that have a type by now; those of `key` are not nullable.

        They are in the order of dlt's table schema: dlt rewrites a Parquet file that differs from it.
        """
        with self._lock:
            types = dict(self.types)
        return pa.schema([pa.field(name, ARROW_TYPES[kind], name not in key) for name, kind in types.items()])

    def table(self, records: list[Record], constants: Mapping[str, pa.Scalar]) -> pa.Table:
        """An Arrow table of the records, one row each in order.

        Args:
            constants: columns with the same value in every row.
        """
        arrays: dict[str, pa.Array] = {}
        without_column: list[str] = []
        for raw in _field_names(records):
            name = self._names.get(raw)
            if name is None and not self._may_have_column(raw):
                without_column.append(raw)
                continue
            values = [record.get(raw) for record in records]
            if name is None and all(value is None for value in values):
                continue
            name = name or self._new_column(raw)
            if name is None:
                without_column.append(raw)
                continue
            data_type = self._type_of(name, values)
            if data_type is not None:
                self._convert(name, data_type, values, arrays)
        if without_column:
            self._collect_more_fields(records, frozenset(without_column), arrays)
        for name, scalar in constants.items():
            arrays[name] = pa.repeat(scalar, len(records))
        return pa.table(arrays)

    def moments(self, records: list[Record], raw: str) -> pa.Array:
        """The timestamps of one field; null if it is absent or cannot be read."""
        array, _ = convert([record.get(raw) for record in records], "timestamp")
        return array

    def _type_of(self, name: str, values: Values) -> str | None:
        """The column's type; a new column takes the type of its values, and has none until it has a value."""
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

    def _collect_more_fields(self, records: list[Record], fields: frozenset[str], arrays: dict[str, pa.Array]) -> None:
        """Put the values of fields that have no column into the column `more_fields`, one object per record."""
        kept: Values = []
        for record in records:
            values = {raw: record[raw] for raw in fields & record.keys() if record[raw] is not None}
            kept.append(values or None)
        if not any(kept):
            return
        column = self.system.more_fields
        with self._lock:
            self.crowded = True
            if column not in self.types:
                self.types[column] = self.added[column] = "json"
        texts = [None if values is None else dump({raw: values[raw] for raw in sorted(values)}) for values in kept]
        arrays[column] = pa.array(texts, pa.string())


def _field_names(records: list[Record]) -> Iterable[str]:
    """All field names, in order of first appearance."""
    names: dict[str, None] = {}
    for record in records:
        names.update(dict.fromkeys(record))
    return names

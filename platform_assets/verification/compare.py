"""Two sides of one table, the API's and the warehouse's, compared by key and then cell by cell.

A DuckDB of this comparison's own, which spills to the working folder, hashes and joins. Only rows whose
hashes differ are looked at value by value: JSON is equal if its values are, whatever the order of its keys.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from platform_assets.arrow.conversion import ARROW_TYPES, TIMESTAMP
from platform_assets.verification.findings import Finding, Kind

MEMORY = "256MB"
"""Of DuckDB while it compares; what needs more goes to the working folder."""
REPEATED = "(the row is there more than once)"
_ROWS = 4096
_SQL_TYPES = {
    "text": "VARCHAR",
    "json": "VARCHAR",
    "bigint": "BIGINT",
    "double": "DOUBLE",
    "bool": "BOOLEAN",
    "timestamp": "TIMESTAMPTZ",
    "date": "DATE",
}
_WITH_JSON = ("json", "text")
"""Types that may hold JSON: a text column keeps an object as its text."""


@dataclass(frozen=True)
class Shape:
    """What of a table is compared.

    Attributes:
        types: column -> dlt data type, without our own columns.
        key, parents: the columns of the primary key, and those that carry the parent's values.
        cursor: the column that tells how new a row is.
        deleted_at, loaded_at: our own columns, where the table has them.
        keeps_absent: rows that are not served are not extra.
        not_before: stored rows with an older cursor are left alone.
    """

    types: Mapping[str, str]
    key: Sequence[str]
    parents: Sequence[str] = ()
    cursor: str | None = None
    deleted_at: str | None = None
    loaded_at: str | None = None
    keeps_absent: bool = False
    not_before: datetime | None = None


@dataclass(frozen=True)
class Unit:
    """One read, of a parent or of the whole list.

    Attributes:
        values: of the parent's columns.
        whole: whether it was read to its end, so that a row that did not come is not there.
        synced: whether any sync has read it; `until` is the newest cursor value that one has seen.
    """

    values: tuple[Any, ...]
    whole: bool
    synced: bool
    until: datetime | None


@dataclass
class Compared:
    """Counts and first findings; `late` ones are of rows newer than the last sync."""

    rows_served: int = 0
    rows_in_table: int = 0
    counts: dict[Kind, int] = field(default_factory=lambda: dict.fromkeys(Kind, 0))
    late: dict[Kind, int] = field(default_factory=lambda: dict.fromkeys(Kind, 0))
    examples: list[Finding] = field(default_factory=list)
    late_examples: list[Finding] = field(default_factory=list)


class Comparison:
    """Compares Parquet files of served rows with Parquet files of stored ones. Use it as a context manager.

    Args:
        units: what was read; with `shape.parents` one for each parent.
        listed: key and parent columns of every served record, where one key may have several parents.
        began, ended: rows that a sync wrote or marked in between count as late.
    """

    def __init__(
        self,
        shape: Shape,
        served: Sequence[Path],
        stored: Sequence[Path],
        units: Iterable[Unit],
        listed: pa.Table | None,
        began: datetime,
        ended: datetime,
        folder: Path,
    ) -> None:
        self._shape = shape
        self._served_files = served
        self._folder = folder
        self._database = duckdb.connect(
            ":memory:",
            config={
                "memory_limit": MEMORY,
                "temp_directory": str(folder / "spilled"),
                "preserve_insertion_order": False,
            },
        )
        self._database.execute("SET TimeZone = 'UTC'")
        self._keys = [f"k{place}" for place in range(len(shape.key))]
        self._row_views(served, stored)
        self._units_table(list(units))
        self._listed_table(listed)
        self._tables(began, ended)
        self._find()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._database.close()

    def result(self, examples: int) -> Compared:
        """What differs, with up to `examples` rows of each kind."""
        found = Compared(
            rows_served=self._number("SELECT count(*) FROM served"),
            rows_in_table=self._number("SELECT coalesce(sum(alive), 0) FROM stored"),
        )
        for kind, late, count in self._rows("SELECT kind, late, count(*) FROM findings GROUP BY ALL"):
            (found.late if late else found.counts)[Kind(kind)] = count
        for late, into in ((False, found.examples), (True, found.late_examples)):
            for kind in Kind:
                into += self._examples(kind, late, examples)
        return found

    def parents_of_extra(self) -> list[tuple[Any, ...]]:
        """Values of the parents' columns whose lists have rows too many."""
        if not self._shape.parents:
            return []
        names = ", ".join(f"t.{_quoted(name)}" for name in self._shape.parents)
        same = _same("f", self._keys, "t", self._shape.key)
        return self._rows(
            f"SELECT DISTINCT {names} FROM findings f JOIN stored_rows t ON {same}"
            f" WHERE f.kind = '{Kind.EXTRA}' AND t.\"#alive\""
        )

    def rows_to_write(self, target: Path) -> int:
        """Write the served rows that are missing or changed to `target`, as they were buffered; how many."""
        kinds = f"kind IN ('{Kind.MISSING}', '{Kind.CHANGED}')"
        same = " AND ".join(
            f"f.{key} IS NOT DISTINCT FROM CAST(s.{_quoted(name)} AS {self._kinds[name]})"
            for key, name in zip(self._keys, self._shape.key, strict=True)
        )
        rows = 0
        writer: pq.ParquetWriter | None = None
        for path in self._served_files:
            # A file at a time: what was buffered later may have more columns.
            schema = pq.read_schema(path)
            found = self._database.sql(
                f"SELECT s.* FROM read_parquet({_literal(path)}) s SEMI JOIN (FROM findings WHERE {kinds}) f ON {same}"
            ).to_arrow_reader(_ROWS)
            for batch in found:
                table = pa.Table.from_batches([batch]).cast(
                    pa.schema([column.with_nullable(True) for column in schema])
                )
                if writer is None:
                    writer = pq.ParquetWriter(target, self._widest())
                writer.write_table(_filled(table, writer.schema))
                rows += table.num_rows
        if writer is not None:
            writer.close()
        return rows

    def _widest(self) -> pa.Schema:
        """The schema of the last file: columns are only ever added."""
        return max((pq.read_schema(path) for path in self._served_files), key=len)

    def _row_views(self, served: Sequence[Path], stored: Sequence[Path]) -> None:
        """Both sides' rows with the same columns, of the same types."""
        shape = self._shape
        in_table = _schemas(stored)
        self._kinds: dict[str, str] = {}
        for name, kind in shape.types.items():
            arrow_type = in_table.get(name)
            # A column that somebody gave another type is compared by what its values look like.
            altered = arrow_type is not None and not _is_of(arrow_type, ARROW_TYPES[kind])
            self._kinds[name] = "VARCHAR" if altered else _SQL_TYPES[kind]
        self._view("served_rows", served, _schemas(served), {})
        ours = {
            "#alive": f"{_quoted(shape.deleted_at)} IS NULL" if shape.deleted_at in in_table else "TRUE",
            "#written": self._latest([name for name in (shape.loaded_at, shape.deleted_at) if name in in_table]),
        }
        self._view("stored_rows", stored, in_table, ours)

    def _latest(self, names: Sequence[str | None]) -> str:
        values = [f"CAST({_quoted(name)} AS TIMESTAMPTZ)" for name in names if name is not None]
        return f"greatest({', '.join(values)})" if values else "CAST(NULL AS TIMESTAMPTZ)"

    def _view(
        self, view: str, files: Sequence[Path], there: Mapping[str, pa.DataType], more: Mapping[str, str]
    ) -> None:
        columns = [
            f"CAST({_quoted(name) if name in there else 'NULL'} AS {kind}) AS {_quoted(name)}"
            for name, kind in self._kinds.items()
        ]
        if files:
            names = ", ".join(map(_literal, files))
            source = f"read_parquet([{names}], union_by_name = true)"
            columns += [f"{value} AS {_quoted(name)}" for name, value in more.items()]
        else:
            source = "(SELECT 1 WHERE FALSE)"
            kinds = {"#alive": "BOOLEAN", "#written": "TIMESTAMPTZ"}
            columns += [f"CAST(NULL AS {kinds[name]}) AS {_quoted(name)}" for name in more]
        self._database.execute(f"CREATE VIEW {view} AS SELECT {', '.join(columns)} FROM {source}")

    def _units_table(self, units: Sequence[Unit]) -> None:
        shape = self._shape
        columns: dict[str, pa.Array] = {
            f"p{place}": pa.array([unit.values[place] for unit in units], ARROW_TYPES[shape.types[name]])
            for place, name in enumerate(shape.parents)
        }
        columns["whole"] = pa.array([unit.whole for unit in units], pa.bool_())
        columns["synced"] = pa.array([unit.synced for unit in units], pa.bool_())
        columns["until"] = pa.array([unit.until for unit in units], TIMESTAMP)
        self._store("units", pa.table(columns))

    def _listed_table(self, listed: pa.Table | None) -> None:
        if listed is not None:
            self._store("listed", listed)
        self._has_listed = listed is not None

    def _store(self, name: str, table: pa.Table) -> None:
        self._database.register("given", table)
        self._database.execute(f"CREATE TABLE {name} AS FROM given")
        self._database.unregister("given")

    def _tables(self, began: datetime, ended: datetime) -> None:
        """A narrow row for each row of either side: its key, the hash of its content, and what it counts as."""
        shape = self._shape
        keys = [f"r.{_quoted(name)} AS {alias}" for name, alias in zip(shape.key, self._keys, strict=True)]
        content = f"hash({', '.join(f'r.{_quoted(name)}' for name in shape.types)}) AS content"
        units = f"LEFT JOIN units u ON {self._of_unit('r')}"
        self._database.execute(
            f"CREATE TABLE served AS SELECT {', '.join(keys)}, {content}, {self._is_newer()} AS late"
            f" FROM served_rows r {units}"
        )
        moving = 'coalesce(r."#written" BETWEEN ? AND ?, FALSE) AS moving'
        judged = "coalesce(u.whole, FALSE)" if not shape.keeps_absent else "FALSE"
        self._database.execute(
            f"CREATE TABLE stored AS SELECT {', '.join(self._keys)}, count(*) AS copies,"
            " CAST(count(*) FILTER (alive) AS BIGINT) AS alive, max(content) FILTER (alive) AS content,"
            " bool_or(moving) AS moving, bool_or(alive AND judged) AS judged"
            f' FROM (SELECT {", ".join(keys)}, {content}, r."#alive" AS alive, {moving}, {judged} AS judged'
            f" FROM stored_rows r {units} WHERE {self._in_reach()}) GROUP BY ALL",
            [began, ended],
        )

    def _of_unit(self, row: str) -> str:
        names = [f"p{place}" for place in range(len(self._shape.parents))]
        return _same("u", names, row, self._shape.parents) if names else "TRUE"

    def _is_newer(self) -> str:
        """Whether no sync can have seen a served row: it is newer than all that one has read."""
        if self._shape.cursor is None:
            return "coalesce(NOT u.synced, FALSE)"
        moment = f"TRY_CAST(r.{_quoted(self._shape.cursor)} AS TIMESTAMPTZ)"
        return f"coalesce(NOT u.synced OR ({moment} IS NOT NULL AND (u.until IS NULL OR {moment} > u.until)), FALSE)"

    def _in_reach(self) -> str:
        if self._shape.not_before is None or self._shape.cursor is None:
            return "TRUE"
        moment = f"TRY_CAST(r.{_quoted(self._shape.cursor)} AS TIMESTAMPTZ)"
        return f"coalesce({moment} >= CAST('{self._shape.not_before.isoformat()}' AS TIMESTAMPTZ), TRUE)"

    def _find(self) -> None:
        keys = ", ".join(f"coalesce(s.{key}, t.{key}) AS {key}" for key in self._keys)
        self._database.execute(
            f"""CREATE TABLE findings AS SELECT * FROM (
                SELECT {keys}, coalesce(s.late, FALSE) OR coalesce(t.moving, FALSE) AS late, '' AS columns, CASE
                    WHEN s.content IS NOT NULL AND coalesce(t.alive, 0) = 0 THEN '{Kind.MISSING}'
                    WHEN s.content IS NULL AND t.judged THEN '{Kind.EXTRA}'
                    WHEN s.content IS NOT NULL AND t.copies > 1 THEN 'repeated'
                    WHEN s.content <> t.content THEN 'differs'
                END AS kind
                FROM served s FULL JOIN stored t ON {_same("s", self._keys, "t", self._keys)}
            ) WHERE kind IS NOT NULL"""
        )
        self._database.execute(
            "UPDATE findings SET kind = ?, columns = ? WHERE kind = 'repeated'", [Kind.CHANGED, json.dumps([REPEATED])]
        )
        for confirmed in self._looked_at():
            self._store("confirmed", confirmed)
            self._database.execute(f"INSERT INTO findings BY NAME SELECT *, '{Kind.CHANGED}' AS kind FROM confirmed")
            self._database.execute("DROP TABLE confirmed")
        self._database.execute("DELETE FROM findings WHERE kind = 'differs'")

    def _looked_at(self) -> Iterator[pa.Table]:
        """Rows whose hashes differ, value by value; those that do differ, with the names of their columns."""
        if not self._number("SELECT count(*) FROM findings WHERE kind = 'differs'"):
            return
        shape = self._shape
        compared: list[str] = []
        for place, (name, kind) in enumerate(shape.types.items()):
            served, stored = f"s.{_quoted(name)}", f"t.{_quoted(name)}"
            differ = f"{served} IS DISTINCT FROM {stored}"
            compared.append(f"{differ} AS d{place}")
            if kind in _WITH_JSON:
                compared += [
                    f"CASE WHEN {differ} THEN {one} END AS {side}{place}"
                    for side, one in (("s", served), ("t", stored))
                ]
        if self._has_listed:
            names = [*shape.key, *shape.parents]
            listed = " AND ".join(f"l.{_quoted(n)} IS NOT DISTINCT FROM t.{_quoted(n)}" for n in names)
            compared.append(f"EXISTS (SELECT 1 FROM listed l WHERE {listed}) AS named")
        keys = [f"f.{key}" for key in self._keys]
        self._database.execute(
            f"CREATE TABLE looked AS SELECT {', '.join(keys)}, f.late, {', '.join(compared)}"
            " FROM (FROM findings WHERE kind = 'differs') f"
            f" JOIN served_rows s ON {_same('f', self._keys, 's', shape.key)}"
            f" JOIN stored_rows t ON {_same('f', self._keys, 't', shape.key)}"
        )
        for batch in self._database.cursor().sql("FROM looked").to_arrow_reader(_ROWS):
            yield self._confirmed(batch)
        self._database.execute("DROP TABLE looked")

    def _confirmed(self, batch: pa.RecordBatch) -> pa.Table:
        differing: list[list[str]] = [[] for _ in range(batch.num_rows)]
        for place, (name, kind) in enumerate(self._shape.types.items()):
            flags = batch.column(f"d{place}").to_pylist()
            if not any(flags):
                continue
            served = stored = [None] * len(flags)
            if kind in _WITH_JSON:
                served, stored = batch.column(f"s{place}").to_pylist(), batch.column(f"t{place}").to_pylist()
            for row, differs in enumerate(flags):
                if differs and not (kind in _WITH_JSON and is_same_json(served[row], stored[row])):
                    differing[row].append(name)
        if self._has_listed:
            parents = set(self._shape.parents)
            named = batch.column("named").to_pylist()
            differing = [[] if n and set(d) <= parents else d for n, d in zip(named, differing, strict=True)]
        found = pa.table({name: batch.column(name) for name in [*self._keys, "late"]})
        found = found.append_column("columns", pa.array([json.dumps(names) for names in differing], pa.string()))
        return found.filter(pa.array([bool(names) for names in differing], pa.bool_()))

    def _examples(self, kind: Kind, late: bool, count: int) -> list[Finding]:
        keys = ", ".join(self._keys)
        rows = self._rows(
            f"SELECT columns, {keys} FROM findings WHERE kind = ? AND late = ? ORDER BY {keys} LIMIT ?",
            [kind, late, count],
        )
        return [
            Finding(kind, dict(zip(self._shape.key, key, strict=True)), tuple(json.loads(columns or "[]")))
            for columns, *key in rows
        ]

    def _rows(self, query: str, arguments: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self._database.execute(query, list(arguments)).fetchall()

    def _number(self, query: str) -> int:
        return int(self._rows(query)[0][0])


def is_same_json(served: str | None, stored: str | None) -> bool:
    """Whether two texts are the same JSON value; one that is not JSON, or names a key twice, is only like itself."""
    if served is None or stored is None or not (served[:1] in "[{" and stored[:1] in "[{"):
        return served == stored
    try:
        return _canonical(served) == _canonical(stored)
    except (ValueError, RecursionError):
        return False


def _canonical(text: str) -> str:
    return json.dumps(json.loads(text, object_pairs_hook=_object), sort_keys=True)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is there twice")
    return found


def _same(left: str, names: Sequence[str], right: str, others: Sequence[str]) -> str:
    return " AND ".join(
        f"{left}.{_quoted(name)} IS NOT DISTINCT FROM {right}.{_quoted(other)}"
        for name, other in zip(names, others, strict=True)
    )


def _schemas(files: Sequence[Path]) -> dict[str, pa.DataType]:
    found: dict[str, pa.DataType] = {}
    for path in files:
        schema = pq.read_schema(path)
        found.update(zip(schema.names, schema.types, strict=True))
    return found


def _is_of(found: pa.DataType, expected: pa.DataType) -> bool:
    if pa.types.is_timestamp(expected):
        return pa.types.is_timestamp(found) and found.tz is not None
    if pa.types.is_string(expected):
        return pa.types.is_string(found) or pa.types.is_large_string(found)
    return found == expected


def _filled(table: pa.Table, schema: pa.Schema) -> pa.Table:
    columns = [
        table[column.name] if column.name in table.column_names else pa.nulls(table.num_rows, column.type)
        for column in schema
    ]
    return pa.table(columns, schema=schema)


def _quoted(name: str | None) -> str:
    return '"' + str(name).replace('"', '""') + '"'


def _literal(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"

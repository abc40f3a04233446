"""Two sides of one table, the API's and the warehouse's, compared by key and then cell by cell.

    served files + stored files -> views with the same columns -> one hash per row -> findings -> cells (`cells`)

The comparison has a DuckDB of its own, which spills to the run directory, so that its memory is bounded however large
the table is. Only rows whose hashes differ are compared value by value.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from platform_assets.arrow.columns import ARROW_TYPES
from platform_assets.arrow.conversion import TIMESTAMP
from platform_assets.verification.cells import cell_columns, changed_rows
from platform_assets.verification.findings import Finding, Kind
from platform_assets.verification.sql import is_same_type, literal, parquet_view, quoted, same_values, schema_of
from platform_assets.verification.table_shape import ReadExtent, TableShape

# DuckDB's memory while it compares; what does not fit goes to the run directory.
MEMORY = "256MB"
REPEATED = "(the row is there more than once)"
_BATCH_ROWS = 4096
_SQL_TYPES = {
    "text": "VARCHAR",
    "json": "VARCHAR",
    "bigint": "BIGINT",
    "double": "DOUBLE",
    "bool": "BOOLEAN",
    "timestamp": "TIMESTAMPTZ",
    "date": "DATE",
}


@dataclass
class ComparisonResult:
    """Counts and first findings; those `not_synced` are of rows newer than the last sync."""

    rows_served: int = 0
    rows_in_table: int = 0
    counts: dict[Kind, int] = field(default_factory=lambda: dict.fromkeys(Kind, 0))
    not_synced: dict[Kind, int] = field(default_factory=lambda: dict.fromkeys(Kind, 0))
    examples: list[Finding] = field(default_factory=list)
    not_synced_examples: list[Finding] = field(default_factory=list)


class Comparison:
    """Compares Parquet files of served rows with Parquet files of stored ones. Use it as a context manager.

    Args:
        served, stored: the files of each side; later files may have more columns than earlier ones.
        extents: what was read; one for each parent if the shape has parents.
        listed: key and parent columns of every served record, for tables where one key may have several parents.
        began, ended: rows that a sync wrote or marked in between count as not synced yet.
        folder: for spilled data.
    """

    def __init__(
        self,
        shape: TableShape,
        served: Sequence[Path],
        stored: Sequence[Path],
        extents: Iterable[ReadExtent],
        listed: pa.Table | None,
        began: datetime,
        ended: datetime,
        folder: Path,
    ) -> None:
        self._shape = shape
        self._served_files = served
        self._database = duckdb.connect(
            ":memory:",
            config={
                "memory_limit": MEMORY,
                "temp_directory": str(folder / "spilled"),
                "preserve_insertion_order": False,
            },
        )
        self._database.execute("SET TimeZone = 'UTC'")
        self._keys = [f"k{position}" for position in range(len(shape.key))]
        self._has_listed = listed is not None
        self._create_row_views(served, stored)
        self._create_extents(list(extents))
        if listed is not None:
            self._create_table("listed", listed)
        self._create_hashed_rows(began, ended)
        self._create_findings()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._database.close()

    def result(self, examples: int) -> ComparisonResult:
        """What differs, with up to `examples` rows of each kind."""
        found = ComparisonResult(
            rows_served=self._number("SELECT count(*) FROM served"),
            rows_in_table=self._number("SELECT coalesce(sum(alive), 0) FROM stored"),
        )
        for kind, not_synced, count in self._rows("SELECT kind, not_synced, count(*) FROM findings GROUP BY ALL"):
            (found.not_synced if not_synced else found.counts)[Kind(kind)] = count
        for kind in Kind:
            found.examples += self._examples(kind, False, examples)
            found.not_synced_examples += self._examples(kind, True, examples)
        return found

    def parents_of_extra(self) -> list[tuple[Any, ...]]:
        """Parent values whose lists have extra rows in the table; none for a table without parents."""
        if not self._shape.parents:
            return []
        names = ", ".join(f"t.{quoted(name)}" for name in self._shape.parents)
        same_key = same_values("f", self._keys, "t", self._shape.key)
        return self._rows(
            f"SELECT DISTINCT {names} FROM findings f JOIN stored_rows t ON {same_key}"
            f" WHERE f.kind = '{Kind.EXTRA}' AND t.\"#alive\""
        )

    def rows_to_write(self, target: Path) -> int:
        """Write the served rows that are missing or changed to `target`, as they were buffered. Returns how many."""
        to_write = f"kind IN ('{Kind.MISSING}', '{Kind.CHANGED}')"
        same_key = " AND ".join(
            f"f.{key} IS NOT DISTINCT FROM CAST(s.{quoted(name)} AS {self._sql_types[name]})"
            for key, name in zip(self._keys, self._shape.key, strict=True)
        )
        rows = 0
        writer: pq.ParquetWriter | None = None
        for path in self._served_files:
            # One file at a time: later files may have more columns.
            schema = pq.read_schema(path)
            found = self._database.sql(
                f"SELECT s.* FROM read_parquet({literal(path)}) s"
                f" SEMI JOIN (FROM findings WHERE {to_write}) f ON {same_key}"
            ).to_arrow_reader(_BATCH_ROWS)
            for batch in found:
                table = pa.Table.from_batches([batch]).cast(
                    pa.schema([column.with_nullable(True) for column in schema])
                )
                if writer is None:
                    writer = pq.ParquetWriter(target, self._widest_schema())
                writer.write_table(_with_all_columns(table, writer.schema))
                rows += table.num_rows
        if writer is not None:
            writer.close()
        return rows

    def _widest_schema(self) -> pa.Schema:
        """The schema with the most columns: columns are only ever added."""
        return max((pq.read_schema(path) for path in self._served_files), key=len)

    def _create_row_views(self, served: Sequence[Path], stored: Sequence[Path]) -> None:
        """`served_rows` and `stored_rows`: both sides with the same columns, of the same types."""
        shape = self._shape
        in_table = schema_of(stored)
        self._sql_types: dict[str, str] = {}
        for name, kind in shape.types.items():
            arrow_type = in_table.get(name)
            # If somebody changed a column's type, its values are compared as text.
            altered = arrow_type is not None and not is_same_type(arrow_type, ARROW_TYPES[kind])
            self._sql_types[name] = "VARCHAR" if altered else _SQL_TYPES[kind]
        alive = f"{quoted(shape.deleted_at)} IS NULL" if shape.deleted_at in in_table else "TRUE"
        written = _latest([name for name in (shape.loaded_at, shape.deleted_at) if name in in_table])
        added = {"#alive": (alive, "BOOLEAN"), "#written": (written, "TIMESTAMPTZ")}
        self._database.execute(parquet_view("served_rows", served, self._sql_types, {}))
        self._database.execute(parquet_view("stored_rows", stored, self._sql_types, added))

    def _create_extents(self, extents: Sequence[ReadExtent]) -> None:
        shape = self._shape
        columns: dict[str, pa.Array] = {
            f"p{position}": pa.array([one.parent_values[position] for one in extents], ARROW_TYPES[shape.types[name]])
            for position, name in enumerate(shape.parents)
        }
        columns["complete"] = pa.array([extent.is_complete for extent in extents], pa.bool_())
        columns["synced"] = pa.array([extent.was_synced for extent in extents], pa.bool_())
        columns["until"] = pa.array([extent.synced_until for extent in extents], TIMESTAMP)
        self._create_table("extents", pa.table(columns))

    def _create_table(self, name: str, table: pa.Table) -> None:
        self._database.register("given", table)
        self._database.execute(f"CREATE TABLE {name} AS FROM given")
        self._database.unregister("given")

    def _create_hashed_rows(self, began: datetime, ended: datetime) -> None:
        """`served` and `stored`: a narrow row per key of either side, with the hash of its content.

        `served.not_synced`: newer than what any sync has read. `stored.written_meanwhile`: written or marked while the
        verification ran. `stored.may_be_extra`: its list was read to its end, so that absence means not served.
        """
        shape = self._shape
        keys = [f"r.{quoted(name)} AS {alias}" for name, alias in zip(shape.key, self._keys, strict=True)]
        content = f"hash({', '.join(f'r.{quoted(name)}' for name in shape.types)}) AS content"
        extents = f"LEFT JOIN extents e ON {self._same_parent('r')}"
        self._database.execute(
            f"CREATE TABLE served AS SELECT {', '.join(keys)}, {content}, {self._is_newer()} AS not_synced"
            f" FROM served_rows r {extents}"
        )
        written_meanwhile = 'coalesce(r."#written" BETWEEN ? AND ?, FALSE) AS written_meanwhile'
        may_be_extra = "coalesce(e.complete, FALSE)" if not shape.keeps_absent else "FALSE"
        self._database.execute(
            f"CREATE TABLE stored AS SELECT {', '.join(self._keys)}, count(*) AS copies,"
            " CAST(count(*) FILTER (alive) AS BIGINT) AS alive, max(content) FILTER (alive) AS content,"
            " bool_or(written_meanwhile) AS written_meanwhile, bool_or(alive AND may_be_extra) AS may_be_extra"
            f' FROM (SELECT {", ".join(keys)}, {content}, r."#alive" AS alive, {written_meanwhile},'
            f" {may_be_extra} AS may_be_extra"
            f" FROM stored_rows r {extents} WHERE {self._is_compared()}) GROUP BY ALL",
            [began, ended],
        )

    def _same_parent(self, row: str) -> str:
        names = [f"p{position}" for position in range(len(self._shape.parents))]
        return same_values("e", names, row, self._shape.parents) if names else "TRUE"

    def _is_newer(self) -> str:
        """Whether a served row `r` is newer than everything that a sync has read."""
        if self._shape.cursor is None:
            return "coalesce(NOT e.synced, FALSE)"
        moment = f"TRY_CAST(r.{quoted(self._shape.cursor)} AS TIMESTAMPTZ)"
        return f"coalesce(NOT e.synced OR ({moment} IS NOT NULL AND (e.until IS NULL OR {moment} > e.until)), FALSE)"

    def _is_compared(self) -> str:
        """Whether a stored row `r` is not older than what is loaded at all."""
        if self._shape.not_before is None or self._shape.cursor is None:
            return "TRUE"
        moment = f"TRY_CAST(r.{quoted(self._shape.cursor)} AS TIMESTAMPTZ)"
        return f"coalesce({moment} >= CAST('{self._shape.not_before.isoformat()}' AS TIMESTAMPTZ), TRUE)"

    def _create_findings(self) -> None:
        """`findings`: key, kind, whether not synced yet, and of changed rows the differing columns as JSON."""
        keys = ", ".join(f"coalesce(s.{key}, t.{key}) AS {key}" for key in self._keys)
        self._database.execute(
            f"""CREATE TABLE findings AS SELECT * FROM (
                SELECT {keys}, coalesce(s.not_synced, FALSE) OR coalesce(t.written_meanwhile, FALSE) AS not_synced,
                '' AS columns, CASE
                    WHEN s.content IS NOT NULL AND coalesce(t.alive, 0) = 0 THEN '{Kind.MISSING}'
                    WHEN s.content IS NULL AND t.may_be_extra THEN '{Kind.EXTRA}'
                    WHEN s.content IS NOT NULL AND t.copies > 1 THEN 'repeated'
                    WHEN s.content <> t.content THEN 'differs'
                END AS kind
                FROM served s FULL JOIN stored t ON {same_values("s", self._keys, "t", self._keys)}
            ) WHERE kind IS NOT NULL"""
        )
        self._database.execute(
            "UPDATE findings SET kind = ?, columns = ? WHERE kind = 'repeated'", [Kind.CHANGED, json.dumps([REPEATED])]
        )
        if self._number("SELECT count(*) FROM findings WHERE kind = 'differs'"):
            self._confirm_changes()
        self._database.execute("DELETE FROM findings WHERE kind = 'differs'")

    def _confirm_changes(self) -> None:
        """Compare the rows whose hashes differ cell by cell, and add those that do differ as changed."""
        shape = self._shape
        compared = cell_columns(shape)
        if self._has_listed:
            names = [*shape.key, *shape.parents]
            compared.append(f"EXISTS (SELECT 1 FROM listed l WHERE {same_values('l', names, 't', names)}) AS is_listed")
        keys = [f"f.{key}" for key in self._keys]
        self._database.execute(
            f"CREATE TABLE differing AS SELECT {', '.join(keys)}, f.not_synced, {', '.join(compared)}"
            " FROM (FROM findings WHERE kind = 'differs') f"
            f" JOIN served_rows s ON {same_values('f', self._keys, 's', shape.key)}"
            f" JOIN stored_rows t ON {same_values('f', self._keys, 't', shape.key)}"
        )
        for batch in self._database.cursor().sql("FROM differing").to_arrow_reader(_BATCH_ROWS):
            self._create_table("confirmed", changed_rows(shape, batch, [*self._keys, "not_synced"]))
            self._database.execute(f"INSERT INTO findings BY NAME SELECT *, '{Kind.CHANGED}' AS kind FROM confirmed")
            self._database.execute("DROP TABLE confirmed")
        self._database.execute("DROP TABLE differing")

    def _examples(self, kind: Kind, not_synced: bool, count: int) -> list[Finding]:
        keys = ", ".join(self._keys)
        rows = self._rows(
            f"SELECT columns, {keys} FROM findings WHERE kind = ? AND not_synced = ? ORDER BY {keys} LIMIT ?",
            [kind, not_synced, count],
        )
        return [
            Finding(kind, dict(zip(self._shape.key, key, strict=True)), tuple(json.loads(columns or "[]")))
            for columns, *key in rows
        ]

    def _rows(self, query: str, arguments: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self._database.execute(query, list(arguments)).fetchall()

    def _number(self, query: str) -> int:
        return int(self._rows(query)[0][0])


def _latest(columns: Sequence[str | None]) -> str:
    """SQL for the latest moment of some columns, null without any."""
    values = [f"CAST({quoted(name)} AS TIMESTAMPTZ)" for name in columns]
    return f"greatest({', '.join(values)})" if values else "CAST(NULL AS TIMESTAMPTZ)"


def _with_all_columns(table: pa.Table, schema: pa.Schema) -> pa.Table:
    columns = [
        table[column.name] if column.name in table.column_names else pa.nulls(table.num_rows, column.type)
        for column in schema
    ]
    return pa.table(columns, schema=schema)

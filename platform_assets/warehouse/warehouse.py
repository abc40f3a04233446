"""One platform's schema in the warehouse, through dlt: what is there, and how rows get in."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import dlt
from dlt.common.schema import Schema
from dlt.destinations.exceptions import DatabaseUndefinedRelation
from dlt.destinations.job_client_impl import SqlJobClientBase
from dlt.destinations.sql_client import SqlClientBase
from dlt.extract.source import DltSource
from dlt.pipeline.pipeline import Pipeline

from platform_assets.extraction.source import DELETED_AT
from platform_assets.extraction.spool import ROW_HASH
from platform_assets.vocabulary import Platform
from platform_assets.warehouse import state
from platform_assets.warehouse.location import WarehouseError, destination, destination_name, duckdb_file, exclusive
from platform_assets.warehouse.working import working_folder

__all__ = ["Warehouse", "WarehouseError", "open_warehouse"]

_CHUNK = 500
_FETCH = 50_000


@dataclass(frozen=True)
class Part:
    """Which rows of a table a read can meet: recent ones, and those of some parents.

    Attributes:
        since: a column and the moment from which on its values count; nulls count too.
        columns: the parent's columns.
        among: their values in the parents that count; many parents are not told apart.
    """

    since: tuple[str, datetime] | None = None
    columns: tuple[str, ...] = ()
    among: tuple[tuple[Any, ...], ...] = ()


class Warehouse:
    """A platform's tables. Use it inside `session`, which holds the warehouse's lock.

    The dlt pipeline works in a folder of its own, so that runs never share pending files; what must
    outlive a run (schema, cursors) is in the warehouse.
    """

    def __init__(self, platform: Platform, folder: Path) -> None:
        self.platform = platform
        self.folder = folder
        self.pipeline: Pipeline = dlt.pipeline(
            pipeline_name=f"platform_assets_{platform.name}",
            destination=destination(),
            dataset_name=platform.name,
            pipelines_dir=str(folder / "pipelines"),
        )
        # dlt's own state is not used, so it is neither read nor written.
        self.pipeline.config.restore_from_destination = False
        # dlt would leave a load half done on a signal; we end before a load or after it.
        self.pipeline.runtime_config.intercept_signals = False
        self.schema: Schema | None = None
        """The platform's schema as last seen in the warehouse, None before the first load."""

    @contextmanager
    def session(
        self, *, refresh: bool = True, row_bytes: int = 0, wait: float | None = None
    ) -> Iterator["WarehouseSession"]:
        """Open the warehouse for this process alone.

        `refresh` reads the schema as it is there now; without it the last one read is used, which is enough
        where nothing is loaded. `row_bytes`: how wide the rows are that will be loaded. `wait`: seconds to
        wait for another process, where that is not the configured time.
        """
        with exclusive(self.platform.name, row_bytes=row_bytes, wait=wait), self._client as client:
            if refresh:
                self._read_schema(client)
            yield WarehouseSession(self, client)

    @cached_property
    def _client(self) -> SqlJobClientBase:
        return cast(Any, self.pipeline.destination_client())

    def _read_schema(self, client: SqlJobClientBase) -> None:
        """Read the newest schema that a load has left, unless it is the one last seen."""
        if not client.sql_client.has_dataset():
            return
        try:
            stored = client.get_stored_schema(self.platform.name)
        except DatabaseUndefinedRelation:
            stored = None
        if stored is None:
            self._refuse_others_tables(client)
        elif self.schema is None or self.schema.stored_version_hash != stored.version_hash:
            self.schema = Schema.from_dict(json.loads(stored.schema), validate_schema=False)

    def _refuse_others_tables(self, client: SqlJobClientBase) -> None:
        """Raise WarehouseError where a schema that no load of ours has made has tables of our names."""
        rows = client.sql_client.execute_sql(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = %s",
            self.platform.name,
        )
        columns: dict[str, set[str]] = {}
        for table, column in rows or ():
            columns.setdefault(str(table), set()).add(str(column))
        ours = {resource.name for resource in self.platform.resources}
        strangers = sorted(name for name in columns.keys() & ours if ROW_HASH not in columns[name])
        if strangers:
            raise WarehouseError(
                f"the schema {self.platform.name} in the warehouse has tables that this project did not make"
                f" ({', '.join(strangers[:5])}): nothing was written; choose another database"
            )

    @cached_property
    def file_format(self) -> str | None:
        """Parquet where the destination takes it, else what it prefers.

        Never CSV, which dlt would choose for Arrow tables into Postgres without an ADBC driver: its COPY has
        FORCE_NULL for every nullable column, so that empty texts become null (dlt 1.31).
        """
        found = self.pipeline.destination.capabilities()
        preferred, supported = found.preferred_loader_file_format, found.supported_loader_file_formats or ()
        if found.loader_file_format_selector is not None:
            # Postgres takes Parquet only where the ADBC driver is installed.
            preferred, supported = found.loader_file_format_selector(preferred, supported, table_schema={})
        return "parquet" if "parquet" in supported else preferred

    @cached_property
    def load_workers(self) -> int:
        """Tables to load at once: one into DuckDB, whose memory would be split among them."""
        return 1 if duckdb_file() else 20


class WarehouseSession:
    """Reads and writes while the warehouse is held."""

    def __init__(self, warehouse: Warehouse, client: SqlJobClientBase) -> None:
        self._warehouse = warehouse
        self._types = client.type_mapper
        self._client: SqlClientBase[Any] = client.sql_client

    @property
    def schema(self) -> Schema | None:
        """The platform's schema, None before the first load."""
        return self._warehouse.schema

    def file_format(self) -> str | None:
        """The loader file format, also into tables that were made when there was another one.

        Parquet goes into Postgres' json columns only; where dlt had no ADBC driver it made jsonb ones.
        """
        found = self._warehouse.file_format
        if found != "parquet" or destination_name() != "postgres":
            return found
        schemas = (self._client.dataset_name, self._client.staging_dataset_name)
        query = (
            "SELECT 1 FROM information_schema.columns WHERE table_schema IN (%s, %s) AND data_type = 'jsonb' LIMIT 1"
        )
        return "insert_values" if self._rows(query, *schemas) else found

    @property
    def holds_nul(self) -> bool:
        """Whether texts may have U+0000: one in any row would make Postgres refuse all that is loaded with it."""
        return destination_name() != "postgres"

    @property
    def naming(self) -> Any:
        """dlt's naming convention in this warehouse."""
        schema = self.schema or Schema(self._warehouse.platform.name)
        return schema.naming

    def column_types(self, table: str) -> dict[str, str]:
        """Column -> dlt data type of a loaded table; empty where there is none."""
        if self.schema is None or table not in self.schema.tables:
            return {}
        columns = self.schema.get_table_columns(table)
        return {name: str(column["data_type"]) for name, column in columns.items() if "data_type" in column}

    def has_table(self, table: str) -> bool:
        """Whether the table exists in the warehouse, whatever the schema says."""
        return self._client.has_dataset() and self._rows(f"SELECT 1 FROM {self._name(table)} WHERE 1 = 0") is not None

    def is_empty(self, table: str) -> bool:
        """Whether the table is missing or has no row."""
        return not self._rows(f"SELECT 1 FROM {self._name(table)} LIMIT 1")

    def count(self, table: str) -> int:
        rows = self._rows(f"SELECT count(*) FROM {self._name(table)}")
        return int(rows[0][0]) if rows else 0

    def current_values(
        self, table: str, columns: Sequence[str], part: "Part | None" = None
    ) -> Iterator[list[tuple[Any, ...]]]:
        """Column values of the rows that are not marked as removed, in lists of up to `_FETCH` rows.

        `part` keeps it to some of the rows. Nothing comes where the table or a column is missing.
        """
        names = ", ".join(self._client.escape_column_name(column) for column in columns)
        condition, arguments = self._condition(table, part or Part())
        try:
            with self._client.execute_query(f"SELECT {names} FROM {self._name(table)}{condition}", *arguments) as rows:
                yield from rows.iter_fetch(_FETCH)
        except DatabaseUndefinedRelation:
            return

    def _condition(self, table: str, part: "Part") -> tuple[str, list[Any]]:
        escape = self._client.escape_column_name
        conditions: list[str] = []
        arguments: list[Any] = []
        if DELETED_AT in self.column_types(table):
            conditions.append(f"{escape(DELETED_AT)} IS NULL")
        if part.since is not None:
            column = escape(part.since[0])
            conditions.append(f"({column} >= %s OR {column} IS NULL)")
            arguments.append(part.since[1])
        if part.columns and 0 < len(part.among) <= _CHUNK:
            one = "(" + " AND ".join(f"{escape(column)} = %s" for column in part.columns) + ")"
            conditions.append("(" + " OR ".join([one] * len(part.among)) + ")")
            arguments += [value for values in part.among for value in values]
        return (" WHERE " + " AND ".join(conditions) if conditions else ""), arguments

    def oldest(self, table: str, column: str, field: str, among: Sequence[str]) -> Any:
        """Smallest `column` of the rows whose `field` is one of `among`."""
        marks = ", ".join(["%s"] * len(among))
        escape = self._client.escape_column_name
        rows = self._rows(
            f"SELECT min({escape(column)}) FROM {self._name(table)} WHERE {escape(field)} IN ({marks})", *among
        )
        return rows[0][0] if rows else None

    def progress(self, resources: Iterable[str]) -> dict[tuple[str, str], state.Progress]:
        """Recorded state of `resources`, by (resource, parent)."""
        if not self._client.has_dataset():
            return {}
        try:
            return state.read(self._client, resources)
        except DatabaseUndefinedRelation:
            return {}

    def left_failed(self, resource: str) -> list[tuple[str, str]]:
        """(parent, reason) of the parents whose last attempt failed."""
        return state.failed(self._client, resource)

    def read_before(self, resource: str, moment: datetime) -> list[tuple[str, datetime | None, state.Status]]:
        """(parent, last success, status) of what was not read to its end since `moment`."""
        return state.read_before(self._client, resource, moment)

    def key_faults(self, table: str, key: Sequence[str]) -> tuple[int, int]:
        """How many keys the table has more than once, and how many rows have none."""
        names = [self._client.escape_column_name(column) for column in key]
        columns, null = ", ".join(names), " OR ".join(f"{name} IS NULL" for name in names)
        repeated = f"SELECT 1 AS one FROM {self._name(table)} GROUP BY {columns} HAVING count(*) > 1"
        twice = self._rows(f"SELECT count(*) FROM ({repeated}) AS repeated")
        without = self._rows(f"SELECT count(*) FROM {self._name(table)} WHERE {null}")
        return (int(twice[0][0]) if twice else 0, int(without[0][0]) if without else 0)

    def load(self, source: DltSource, file_format: str | None) -> None:
        """Load a source as one dlt package. Raises what dlt raises; nothing is pending afterwards."""
        pipeline = self._warehouse.pipeline
        pipeline.extract(source, loader_file_format=file_format)  # pyright: ignore[reportArgumentType] -- dlt's literal
        pipeline.normalize()
        pipeline.load(workers=self._warehouse.load_workers, raise_on_failed_jobs=True)
        self._warehouse.schema = pipeline.schemas[source.name]

    def commit(
        self,
        attempts: Sequence[state.Progress],
        entries: Sequence[state.LogEntry],
        marked: Mapping[str, tuple[tuple[str, ...], list[tuple[Any, ...]]]],
        deleted: Mapping[str, tuple[tuple[str, ...], list[tuple[Any, ...]]]],
    ) -> None:
        """Record progress, the sync's log, and rows that are gone, in one transaction after the rows have landed.

        `marked` and `deleted` map a table to its key columns and the keys of rows that are gone.
        """
        client = self._client
        if not client.has_dataset():
            client.create_dataset()
        types = {name: _sql_type(self._types, name) for name in ("text", "bigint", "double", "timestamp")}
        state.create_tables(client, types)
        with client.begin_transaction():
            for table, (columns, keys) in marked.items():
                set_clause = (
                    f"UPDATE {self._name(table)} SET {client.escape_column_name(DELETED_AT)} = CURRENT_TIMESTAMP"
                )
                self._each_chunk(set_clause, columns, keys)
            for table, (columns, keys) in deleted.items():
                self._each_chunk(f"DELETE FROM {self._name(table)}", columns, keys)
            state.write(client, attempts)
            state.append(client, entries)

    def _each_chunk(self, statement: str, columns: tuple[str, ...], keys: list[tuple[Any, ...]]) -> None:
        names = [self._client.escape_column_name(column) for column in columns]
        condition = "(" + " AND ".join(f"{name} = %s" for name in names) + ")"
        for start in range(0, len(keys), _CHUNK):
            chunk = keys[start : start + _CHUNK]
            where = " OR ".join([condition] * len(chunk))
            self._client.execute_sql(f"{statement} WHERE {where}", *(value for key in chunk for value in key))

    def _name(self, table: str) -> str:
        return self._client.make_qualified_table_name(table)

    def _rows(self, query: str, *args: Any) -> list[tuple[Any, ...]] | None:
        """Rows of a query, None where its table or column does not exist."""
        try:
            with self._client.execute_query(query, *args) as cursor:
                return list(cursor.fetchall())
        except DatabaseUndefinedRelation:
            return None


def _sql_type(mapper: Any, data_type: str) -> str:
    return str(
        mapper.to_destination_type(
            {"name": "c", "data_type": data_type, "nullable": True}, {"name": "t", "columns": {}}
        )
    )


@contextmanager
def open_warehouse(platform: Platform) -> Iterator[Warehouse]:
    """A warehouse with a working folder of its own, which is removed at the end."""
    with working_folder() as folder:
        yield Warehouse(platform, folder)

"""One platform's schema in the warehouse, through dlt: what is there, and how rows get in."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar, cast

import dlt
import pyarrow as pa
from dlt.common.schema import Schema
from dlt.destinations.exceptions import DatabaseUndefinedRelation
from dlt.destinations.job_client_impl import SqlJobClientBase
from dlt.destinations.sql_client import SqlClientBase
from dlt.extract.source import DltSource
from dlt.pipeline.pipeline import Pipeline

from platform_assets.arrow.buffer import LOADED_AT, ROW_HASH
from platform_assets.declarations import Platform
from platform_assets.warehouse import column_names, source_account, state
from platform_assets.warehouse.backends import Backend, configured_backend
from platform_assets.warehouse.dlt_source import DELETED_AT
from platform_assets.warehouse.location import WarehouseError, exclusive
from platform_assets.warehouse.run_directory import run_directory

__all__ = ["Warehouse", "WarehouseError", "open_warehouse"]

T = TypeVar("T")

_CHUNK = 500
_FETCH = 50_000
_LOAD_ID = "_dlt_load_id"


@dataclass(frozen=True)
class Keys:
    """Rows of one table by their key: `columns` name the key, `rows` are its values."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


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
        self.backend: Backend = configured_backend()
        self.pipeline: Pipeline = dlt.pipeline(
            pipeline_name=f"platform_assets_{platform.name}",
            destination=self.backend.destination(),
            dataset_name=platform.name,
            pipelines_dir=str(folder / "pipelines"),
        )
        # dlt's own state is not used, so it is neither read nor written.
        self.pipeline.config.restore_from_destination = False
        # dlt would leave a load half done on a signal; we end before a load or after it.
        self.pipeline.runtime_config.intercept_signals = False
        self.schema: Schema | None = None
        """The platform's schema as last seen in the warehouse, None before the first load."""
        self.is_prepared = False
        """Whether our own tables were made, or brought up to date."""

    @contextmanager
    def session(
        self, *, refresh: bool = True, row_bytes: int = 0, wait: float | None = None
    ) -> Iterator["WarehouseSession"]:
        """Open the warehouse for this process alone.

        `refresh` reads the schema as it is there now; without it the last one read is used, which is enough
        where nothing is loaded. `row_bytes`: how wide the rows are that will be loaded. `wait`: seconds to
        wait for another process, where that is not the configured time.
        """
        with exclusive(self.platform.name, wait=wait), self._client as client:
            self.backend.bound_load(client.sql_client, row_bytes)
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
            self._release_load_ids(client)
            state.create_tables(client.sql_client, state_types(client))

    def _release_load_ids(self, client: SqlJobClientBase) -> None:
        """Let rows in where dlt made an empty table: only there it adds a load id, and requires it (dlt 1.31)."""
        assert self.schema is not None
        for name, table in self.schema.tables.items():
            column = table.get("columns", {}).get(_LOAD_ID)
            if name.startswith("_dlt") or column is None or column.get("nullable", True):
                continue
            column["nullable"] = True
            sql = client.sql_client
            for dataset in (sql.dataset_name, sql.staging_dataset_name):
                rows = sql.execute_sql(
                    "SELECT 1 FROM information_schema.columns WHERE table_schema = %s AND table_name = %s"
                    " AND column_name = %s AND is_nullable = 'NO'",
                    dataset,
                    name,
                    _LOAD_ID,
                )
                if rows:
                    with sql.with_alternative_dataset_name(dataset):
                        target = sql.make_qualified_table_name(name)
                    sql.execute_sql(
                        f"ALTER TABLE {target} ALTER COLUMN {sql.escape_column_name(_LOAD_ID)} DROP NOT NULL"
                    )

    def start_over(self) -> None:
        """Drop everything that is there of the platform: rows, cursors, log, and whose data it was."""
        with exclusive(self.platform.name), self._client as client:
            sql = client.sql_client
            for dataset in (sql.staging_dataset_name, sql.dataset_name):
                with sql.with_alternative_dataset_name(dataset):
                    if sql.has_dataset():
                        sql.drop_dataset()
            self.schema = None

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


class WarehouseSession:
    """Reads and writes while the warehouse is held."""

    def __init__(self, warehouse: Warehouse, client: SqlJobClientBase) -> None:
        self._warehouse = warehouse
        self._backend = warehouse.backend
        self._job_client = client
        self._client: SqlClientBase[Any] = client.sql_client

    @property
    def schema(self) -> Schema | None:
        """The platform's schema, None before the first load."""
        return self._warehouse.schema

    def file_format(self) -> str:
        """dlt's name of the loader file format, also into tables that were made when there was another one."""
        return self._backend.loader_file_format(self._client)

    @property
    def holds_nul(self) -> bool:
        """Whether texts may have U+0000: one in any row could make the database refuse all that is loaded with it."""
        return self._backend.holds_nul

    @property
    def naming(self) -> Any:
        """dlt's naming convention in this warehouse."""
        naming = (self.schema or Schema(self._warehouse.platform.name)).naming
        found = self._warehouse.pipeline.destination.capabilities()
        # As dlt will have it when it loads; a schema alone does not know the destination's limit.
        return type(naming)(min(found.max_identifier_length, found.max_column_identifier_length))

    def column_types(self, table: str) -> dict[str, str]:
        """Column -> dlt data type of a loaded table; empty where there is none."""
        if self.schema is None or table not in self.schema.tables:
            return {}
        columns = self.schema.get_table_columns(table)
        return {name: str(column["data_type"]) for name, column in columns.items() if "data_type" in column}

    def assigned_columns(self, table: str) -> dict[str, str]:
        """Raw field name -> column, of undeclared fields that earlier loads gave one."""
        return self._ours(lambda client: column_names.read(client, table), {})

    def assign_columns(self, assigned: Mapping[str, Mapping[str, str]]) -> None:
        """Keep which fields have which columns, by table. Before their rows land, so that no crash comes between."""
        self._prepare()
        with self._client.begin_transaction():
            for table, fields in assigned.items():
                column_names.write(self._client, table, fields)

    def source(self) -> source_account.Source | None:
        """Whose data the tables hold; None where nothing was recorded."""
        return self._ours(source_account.read, None)

    def holds_rows(self) -> bool:
        """Whether any resource of the platform has a row."""
        return any(not self.is_empty(resource.name) for resource in self._warehouse.platform.resources)

    def recorded_contents(self) -> dict[str, state.TableContent]:
        """Resource -> what its table held when its state was last written."""
        return self._ours(state.table_contents, {})

    def content(self, table: str) -> state.TableContent:
        """What the table holds now; nothing where there is none."""
        loaded_at = self._client.escape_column_name(LOADED_AT)
        rows = self._rows(f"SELECT count(*), max({loaded_at}) FROM {self._name(table)}")
        return state.TableContent(int(rows[0][0]), rows[0][1]) if rows else state.TableContent(0, None)

    def _ours(self, read: Callable[[SqlClientBase[Any]], T], otherwise: T) -> T:
        """What one of our own tables says, `otherwise` where it was never made."""
        if not self._client.has_dataset():
            return otherwise
        try:
            return read(self._client)
        except DatabaseUndefinedRelation:
            return otherwise

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

    def row_batches(self, table: str, columns: Sequence[str], types: Mapping[str, str]) -> Iterator[pa.Table]:
        """All rows of a table as Arrow, removed ones too, in batches that fit in memory whatever the table's size.

        Args:
            columns: the columns to read; those that the table does not have are left out.
            types: column -> dlt data type, `text` if absent. JSON comes as text.
        """
        existing = self._existing_columns(table)
        wanted = {name: types.get(name, "text") for name in columns if name in existing}
        if wanted:
            yield from self._backend.read_batches(self._client, self._name(table), wanted)

    def _existing_columns(self, table: str) -> set[str]:
        try:
            with self._client.execute_query(f"SELECT * FROM {self._name(table)} WHERE 1 = 0") as cursor:
                return {str(column[0]) for column in cursor.description or ()}
        except DatabaseUndefinedRelation:
            return set()

    def held(self, table: str, column: str, values: Sequence[str]) -> set[str]:
        """Those of `values` that a row which is not marked as removed has in `column`."""
        name = self._client.escape_column_name(column)
        condition, _ = self._condition(table, Part())
        found: set[str] = set()
        for start in range(0, len(values), _CHUNK):
            chunk = values[start : start + _CHUNK]
            marks = ", ".join(["%s"] * len(chunk))
            where = f"{condition} AND" if condition else " WHERE"
            rows = self._rows(f"SELECT {name} FROM {self._name(table)}{where} {name} IN ({marks})", *chunk)
            found.update(str(row[0]) for row in rows or ())
        return found

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
        return self._ours(lambda client: state.read(client, resources), {})

    def left_failed(self, resource: str) -> list[tuple[str, str]]:
        """(parent, reason) of the parents whose last attempt failed."""
        return state.failed(self._client, resource)

    def read_before(self, resource: str, moment: datetime) -> list[tuple[str, datetime | None, state.Status]]:
        """(parent, last success, status) of what was not read to its end since `moment`."""
        return state.read_before(self._client, resource, moment)

    def oldest_moment(self, table: str, column: str) -> datetime | None:
        """Smallest value of a timestamp column, None without one."""
        rows = self._rows(f"SELECT min({self._client.escape_column_name(column)}) FROM {self._name(table)}")
        return rows[0][0] if rows else None

    def key_faults(self, table: str, key: Sequence[str]) -> tuple[int, int]:
        """How many keys the table has more than once, and how many rows have none."""
        names = [self._client.escape_column_name(column) for column in key]
        columns, null = ", ".join(names), " OR ".join(f"{name} IS NULL" for name in names)
        repeated = f"SELECT 1 AS one FROM {self._name(table)} GROUP BY {columns} HAVING count(*) > 1"
        twice = self._rows(f"SELECT count(*) FROM ({repeated}) AS repeated")
        without = self._rows(f"SELECT count(*) FROM {self._name(table)} WHERE {null}")
        return (int(twice[0][0]) if twice else 0, int(without[0][0]) if without else 0)

    def load(self, source: DltSource, file_format: str | None, whose: source_account.Source) -> None:
        """Load a source as one dlt package. Raises what dlt raises; nothing is pending afterwards.

        Before the first row it is on record whose rows they are, and that the counts on record will not be right
        should this load be cut off.
        """
        self._prepare()
        recorded = self.recorded_contents()
        loading = {name: recorded.get(name, state.TableContent(0, None)) for name in source.resources}
        with self._client.begin_transaction():
            source_account.write(self._client, whose)
            contents = {name: replace(content, is_loading=True) for name, content in loading.items()}
            state.write_table_contents(self._client, contents)
        self._make_again(source)
        pipeline = self._warehouse.pipeline
        pipeline.extract(source, loader_file_format=file_format)  # pyright: ignore[reportArgumentType] -- dlt's literal
        pipeline.normalize()
        pipeline.load(workers=self._backend.load_workers, raise_on_failed_jobs=True)
        self._warehouse.schema = pipeline.schemas[source.name]

    def commit(
        self,
        attempts: Sequence[state.Progress],
        entries: Sequence[state.LogEntry],
        marked: Mapping[str, Keys],
        deleted: Mapping[str, Keys],
        landed: Iterable[str],
        whose: source_account.Source,
    ) -> None:
        """Record progress, the sync's log, and rows that are gone, in one transaction after the rows have landed.

        `marked` and `deleted` map a table to the rows that are gone; of the tables in `landed` it is recorded what
        they hold now.
        """
        client = self._client
        self._prepare()
        landed = list(landed)
        with client.begin_transaction():
            for table, keys in marked.items():
                set_clause = (
                    f"UPDATE {self._name(table)} SET {client.escape_column_name(DELETED_AT)} = CURRENT_TIMESTAMP"
                )
                self._each_chunk(set_clause, keys)
            for table, keys in deleted.items():
                self._each_chunk(f"DELETE FROM {self._name(table)}", keys)
            state.write(client, attempts)
            state.append(client, entries)
            state.write_table_contents(client, {name: self.content(name) for name in landed})
            if landed:
                source_account.write(client, whose)

    def _prepare(self) -> None:
        """Make the dataset and our own tables where they are missing."""
        if self._warehouse.is_prepared:
            return
        if not self._client.has_dataset():
            self._client.create_dataset()
        state.create_tables(self._client, state_types(self._job_client))
        self._warehouse.is_prepared = True

    def _make_again(self, source: DltSource) -> None:
        """Have dlt make tables that somebody dropped: it looks at no table of a schema that it finds on record."""
        for name in source.resources:
            if name in source.schema.tables and not self.has_table(name):
                source.schema.tables[name]["x-made-again"] = datetime.now(UTC).isoformat()  # pyright: ignore[reportGeneralTypeIssues] -- dlt keeps hints of this form

    def _each_chunk(self, statement: str, keys: Keys) -> None:
        names = [self._client.escape_column_name(column) for column in keys.columns]
        condition = "(" + " AND ".join(f"{name} = %s" for name in names) + ")"
        for start in range(0, len(keys.rows), _CHUNK):
            chunk = keys.rows[start : start + _CHUNK]
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


def state_types(client: SqlJobClientBase) -> dict[str, str]:
    """The destination's types of our own tables' columns."""
    return {name: _sql_type(client.type_mapper, name) for name in ("text", "bigint", "double", "timestamp", "bool")}


def _sql_type(mapper: Any, data_type: str) -> str:
    return str(
        mapper.to_destination_type(
            {"name": "c", "data_type": data_type, "nullable": True}, {"name": "t", "columns": {}}
        )
    )


@contextmanager
def open_warehouse(platform: Platform) -> Iterator[Warehouse]:
    """A warehouse with a working folder of its own, which is removed at the end."""
    with run_directory() as folder:
        yield Warehouse(platform, folder)

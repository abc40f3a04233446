"""What a sync does while it holds the warehouse: it reads, loads new rows, and commits what it knows about them.

A load has three steps, so that a crash between any two of them loses nothing and is noticed by the next sync:
`prepare` records the column of every new field; `load` records whose rows they are and that a load began, then
hands the rows to dlt; `commit` records cursors, outcomes and removed rows, and what the tables hold now, in one
transaction. Where several processes load a platform at once, staged_session.py has other steps.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from dlt.common.schema import Schema
from dlt.destinations.exceptions import DatabaseUndefinedRelation
from dlt.destinations.job_client_impl import SqlJobClientBase
from dlt.destinations.sql_client import SqlClientBase
from dlt.extract.source import DltSource
from dlt.pipeline.pipeline import Pipeline

from platform_assets.declarations import Platform
from platform_assets.patches.dropped_tables import make_dropped_tables_again
from platform_assets.patches.tables_in_transaction import make_tables
from platform_assets.warehouse import column_names, migrations, source_account, state
from platform_assets.warehouse.backends import Backend, Hold
from platform_assets.warehouse.indexes import any_of
from platform_assets.warehouse.table_layout import DELETED_AT, LOADED_AT
from platform_assets.warehouse.table_reader import TableReader

T = TypeVar("T")

# Rows in one UPDATE or DELETE.
_CHUNK = 500


@dataclass(frozen=True)
class Keys:
    """Rows of one table by their key: `columns` name the key, `rows` are its values."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


@dataclass(frozen=True)
class TableRows:
    """Rows of one table in a Parquet file; `types` has the file's columns and their dlt data types."""

    table: str
    types: Mapping[str, str]
    path: Path


class WarehouseSession(TableReader):
    """Reads and writes one platform's tables, and our records of them, while the warehouse is held.

    `prepare`, `load` and `finish_load` raise MustBeAlone in a session that is not alone and would have to change the
    schema, or whose rows are recorded; see `Warehouse.writing`.

    Attributes:
        has_own_tables: whether the tables of our records are there, in the form of this release.
    """

    def __init__(
        self,
        platform: Platform,
        backend: Backend,
        pipeline: Pipeline,
        client: SqlJobClientBase,
        schema: Schema | None,
        hold: Hold,
        *,
        has_own_tables: bool,
    ) -> None:
        super().__init__(platform, backend, client.sql_client, schema)
        self._pipeline = pipeline
        self._job_client = client
        self._hold = hold
        self.has_own_tables = has_own_tables

    def assigned_columns(self, table: str) -> dict[str, str]:
        """Raw field name -> column, of undeclared fields that earlier loads gave one."""
        return self._recorded(lambda client: column_names.read(client, table), {})

    def source(self) -> source_account.Source | None:
        """Whose data the tables hold; None if nothing was recorded."""
        return self._recorded(source_account.read, None)

    def contents(self, table: str) -> tuple[state.TableContent | None, state.TableContent]:
        """What the table held when its state was last written, None if that is not on record, and what it holds now.

        Both are read in one statement: another process may land rows between two.
        """
        return self._contents(table) or (
            self._recorded(state.table_contents, {}).get(table),
            state.TableContent(0, None),
        )

    def progress(self, resources: Iterable[str]) -> dict[tuple[str, str], state.Progress]:
        """Recorded state of `resources`, by (resource, parent)."""
        return self._recorded(lambda client: state.read(client, resources), {})

    def progress_of(self, resource: str, parents: Collection[str]) -> dict[str, state.Progress]:
        """Recorded state of some parents of a resource, by parent."""
        return self._recorded(lambda client: state.read_some(client, resource, parents, self._backend.text_hash), {})

    def settled(self, resource: str) -> Iterator[list[tuple[str, str | None, str | None]]]:
        """(parent, its version, its own key) of the parents whose last read was a success, piece by piece."""
        if self._client.has_dataset():
            with suppress(DatabaseUndefinedRelation):
                yield from state.settled(self._client, resource)

    def left_failed(self, resource: str) -> list[tuple[str, str]]:
        """(parent, reason) of the parents whose last attempt failed."""
        return state.failed(self._client, resource)

    def read_before(
        self, resource: str, moment: datetime, *, only_failed: bool = False
    ) -> list[tuple[str, datetime | None, state.Status]]:
        """(parent, last success, status) of what was not read to its end since `moment`."""
        return state.read_before(self._client, resource, moment, only_failed=only_failed)

    def file_format(self) -> str:
        """dlt's name of the loader file format, also into tables that were made when there was another one."""
        return self._backend.loader_file_format(self._client)

    @property
    def is_alone(self) -> bool:
        """Whether no other process can have landed anything since the session began."""
        return self._hold.is_alone

    def landing(self, resources: Iterable[str]) -> AbstractContextManager[None]:
        """Exclude others that record rows or progress of these resources. Call it after `load`, around `commit`."""
        return self._hold.landing(resources)

    def merges(self, table: str) -> bool:
        """Whether dlt is to replace rows with the same key; an empty table needs rows appended only."""
        return not self.is_empty(table)

    def prepare(self, assigned: Mapping[str, Mapping[str, str]], account: source_account.Source | None) -> None:
        """Record which new fields have which columns. Call it before their rows are loaded, and before `commit`.

        Args:
            assigned: table -> raw field name -> column.
            account: the account that was read; None if nothing was.
        """
        del account
        self._make_own_tables()
        if not assigned:
            return
        with self._client.begin_transaction():
            self._hold.confirm()
            for table, fields in assigned.items():
                column_names.write(self._client, table, fields)

    def load(self, source: DltSource, file_format: str | None, account: source_account.Source) -> None:
        """Load a source as one dlt package. Raises what dlt raises; no package is pending afterwards.

        Before the first row it is on record whose rows they are, and that the recorded contents of the tables will not
        be right if this load is cut off.

        Args:
            file_format: dlt's name of the loader file format; see `file_format`.
            account: the account whose data the source holds.
        """
        self._make_own_tables()
        with self._client.begin_transaction():
            self._hold.confirm()
            source_account.write(self._client, account)
            self._record_loading(source.resources)
        self._normalize(source, file_format)
        self._pipeline.load(workers=self._backend.load_workers, raise_on_failed_jobs=True)
        self.schema = self._pipeline.schemas[source.name]

    def close(self) -> None:
        """Called at the session's end."""

    def finish_load(self, resource: str) -> None:
        """Have the loaded rows in their table, without any progress on record: for rows that no sync has read."""

    def _normalize(self, source: DltSource, file_format: str | None) -> None:
        """Make the load package of a source, and the schema that its tables must have."""
        dropped = [name for name in source.resources if name in source.schema.tables and not self.has_table(name)]
        make_dropped_tables_again(source.schema, dropped)
        self._pipeline.extract(source, loader_file_format=file_format)  # pyright: ignore[reportArgumentType] -- dlt's literal
        self._pipeline.normalize()

    def _record_loading(self, resources: Iterable[str]) -> None:
        """Record that the tables may have more rows than is on record. Call inside a transaction."""
        recorded = self._recorded(state.table_contents, {})
        loading = {name: recorded.get(name, state.TableContent(0, None)) for name in resources}
        contents = {name: replace(content, is_loading=True) for name, content in loading.items()}
        state.write_table_contents(self._client, contents)

    def commit(
        self,
        attempts: Sequence[state.Progress],
        entries: Sequence[state.LogEntry],
        marked: Mapping[str, Keys],
        deleted: Mapping[str, Keys],
        landed: Iterable[str],
        account: source_account.Source,
    ) -> None:
        """Record progress, the sync's log and removed rows, in one transaction after the rows were loaded.

        Args:
            attempts: what came of every read.
            entries: the log's rows.
            marked: table -> rows to soft-delete.
            deleted: table -> rows to delete.
            landed: tables whose content is recorded anew.
            account: the account that was read.
        """
        client = self._client
        self._make_own_tables()
        landed = list(landed)
        with client.begin_transaction():
            self._hold.confirm()
            self._move_staged(landed)
            for table, keys in marked.items():
                deleted_at = client.escape_column_name(DELETED_AT)
                self._change_rows(table, f"UPDATE {self._name(table)} SET {deleted_at} = CURRENT_TIMESTAMP", keys)
            for table, keys in deleted.items():
                self._change_rows(table, f"DELETE FROM {self._name(table)}", keys)
            state.write(client, attempts, self._backend.text_hash)
            state.append(client, entries)
            state.write_table_contents(client, {name: self.content(name) for name in landed})
            if landed:
                source_account.write(client, account)

    def _move_staged(self, tables: Iterable[str]) -> None:
        """Move rows that wait outside of their tables into these. Called in the transaction of `commit`."""

    def _contents(self, table: str) -> tuple[state.TableContent | None, state.TableContent] | None:
        """See `contents`; None if the table, or its record, does not exist."""
        loaded_at = self._client.escape_column_name(LOADED_AT)
        recorded = self._client.make_qualified_table_name(state.TABLES_TABLE)
        columns = ", ".join(f"recorded.{self._client.escape_column_name(name)}" for name, _ in state.TABLES_COLUMNS)
        found = self._rows(
            f"SELECT found.*, {columns} FROM (SELECT count(*), max({loaded_at}) FROM {self._name(table)}) AS found"
            f" JOIN {recorded} AS recorded ON recorded.{self._client.escape_column_name('resource')} = %s",
            table,
        )
        for count, newest, _, *then in found or ():
            return state.TableContent(int(then[0]), then[1], bool(then[2])), state.TableContent(int(count), newest)
        return None

    def replace_all(self, schema: Schema, tables: Iterable[TableRows], version: int) -> None:
        """Put other rows and records in place of all that the warehouse has of the platform, in one transaction.

        Args:
            schema: dlt's, of the new tables.
            tables: their rows, and those of our own tables.
            version: of our own tables among them; the next session migrates them.
        """
        client = self._client
        own = migrations.OwnTables(client, state.column_types(self._job_client), {})
        with client.begin_transaction():
            self._hold.confirm()
            for dataset in (client.staging_dataset_name, client.dataset_name):
                with client.with_alternative_dataset_name(dataset):
                    if client.has_dataset():
                        client.drop_dataset()
            client.create_dataset()
            make_tables(self._job_client, schema)
            for rows in tables:
                if rows.table in state.TABLES:
                    own.create(rows.table, rows.types)
                self._backend.insert_parquet(client, self._name(rows.table), rows.types, rows.path)
            migrations.record(own, version)
        self.schema = schema

    def _recorded(self, read: Callable[[SqlClientBase[Any]], T], otherwise: T) -> T:
        """What one of our own tables says, `otherwise` if it was never made."""
        if not self._client.has_dataset():
            return otherwise
        try:
            return read(self._client)
        except DatabaseUndefinedRelation:
            return otherwise

    def _make_own_tables(self) -> None:
        """Make the dataset and the tables of our records if they are missing."""
        if self.has_own_tables:
            return
        self._hold.require_alone()
        if not self._client.has_dataset():
            self._client.create_dataset()
        migrations.make_own_tables(self._job_client)
        self.has_own_tables = True

    def _change_rows(self, table: str, statement: str, keys: Keys) -> None:
        """Run an UPDATE or DELETE without WHERE on the rows of `keys`."""
        types, names = self.column_types(table), self._client.escape_column_name
        for start in range(0, len(keys.rows), _CHUNK):
            where, arguments = any_of(
                [(names(column), types.get(column)) for column in keys.columns],
                keys.rows[start : start + _CHUNK],
                self._backend.text_hash,
            )
            self._client.execute_sql(f"{statement} WHERE {where}", *arguments)

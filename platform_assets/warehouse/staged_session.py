"""A session beside others that load the same platform, on a server: rows wait in tables of this run's own.

`load` has dlt write the rows to a schema that no other run knows, which takes as long as the rows are many. `commit`
moves them into the platform's tables together with the cursors, in one transaction: a crash leaves either both or
none. Only this transaction excludes others, and only those that land the same resource (`Hold.landing`). Whoever must
change the platform's schema is alone while he does.

The rows are moved by statements of ours, since dlt's merge commits by itself, before the cursors. Two of them at once
would also leave a row twice that both bring: neither sees what the other inserts.
"""

import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from dlt.common.destination.exceptions import DestinationException
from dlt.common.schema import Schema
from dlt.extract.source import DltSource

from platform_assets.warehouse import indexes, source_account, state
from platform_assets.warehouse.backends import MustBeAlone
from platform_assets.warehouse.backends.advisory_locks import lock, try_lock, unlock
from platform_assets.warehouse.session import WarehouseSession

# Seconds to wait for the lock on a schema whose name nobody else has.
_AT_ONCE = 10.0


def staging_name(platform: str) -> str:
    """A new name for the schema in which a run's rows wait."""
    return f"{platform}_load_{secrets.token_hex(4)}"


class StagedSession(WarehouseSession):
    """See the module. Its pipeline loads into a schema named by `staging_name`, which ends with the session."""

    # Table -> its columns with their dlt data types, and its key, of the rows that wait.
    _staged: Mapping[str, tuple[Mapping[str, str], Sequence[str]]] = {}
    _load_ids: Sequence[str] = ()
    _has_staging = False

    def merges(self, table: str) -> bool:
        """Never by dlt: rows that wait are appended to an empty table."""
        return False

    def prepare(self, assigned: Mapping[str, Mapping[str, str]], account: source_account.Source | None) -> None:
        if assigned:
            self._hold.require_alone()
        super().prepare(assigned, account)
        if account is not None and source_account.would_change(self.source(), account):
            self._hold.require_alone()
            with self._client.begin_transaction():
                self._hold.confirm()
                source_account.write(self._client, account)

    def load(self, source: DltSource, file_format: str | None, account: source_account.Source) -> None:
        """Have the rows wait for `commit`, which moves those of the resources that it lands."""
        self.prepare({}, account)
        tables = list(source.resources)
        if self.schema is not None:
            # Before there is a package, which would have to be aborted.
            self._index_tables(self.schema, [name for name in tables if name in self.schema.tables])
        self._normalize(source, file_format)
        schema = self._pipeline.schemas[source.name]
        try:
            self._update_tables(schema, tables)
        except MustBeAlone:
            # It is made anew from the schema as it is by then.
            self._pipeline.abort_packages()
            raise
        if self.is_alone:
            self._index_tables(schema, tables)
            self._hold.share()
        self._make_room()
        info = self._pipeline.load(workers=self._backend.load_workers, raise_on_failed_jobs=True)
        self.schema = schema
        self._load_ids = info.loads_ids
        self._staged = {table: _types_and_key(schema, table) for table in tables}
        for table in tables:
            # A plan for as many rows as there are: to look up a few, or to read the whole target.
            self._client.execute_sql(f"ANALYZE {self._staged_name(table)}")

    def finish_load(self, resource: str) -> None:
        with self.landing([resource]), self._client.begin_transaction():
            self._hold.confirm()
            self._move_staged([resource])
            self._record_loading([resource])

    def close(self) -> None:
        """Drop what is left of the rows that waited."""
        if self._has_staging:
            # A connection that is lost lets its locks go: the next run drops the schema (`_make_room`).
            with suppress(DestinationException):
                self._drop(self._pipeline.dataset_name)

    def _update_tables(self, schema: Schema, tables: Sequence[str]) -> None:
        """Give the platform's tables the columns of a new schema. Raises MustBeAlone if it is one, beside others."""
        client = self._job_client
        client.schema = schema
        if client.get_stored_schema_by_hash(schema.stored_version_hash) is not None:
            return
        self._hold.require_alone()
        client.update_stored_schema(only_tables={*tables, *schema.dlt_table_names()})

    def _index_tables(self, schema: Schema, tables: Sequence[str]) -> None:
        """Give the tables the indexes that they lack. Raises MustBeAlone if one does, beside others.

        It is looked at in every load, since tables are made, dropped, renamed and restored in many ways.
        """
        text_hash = self._backend.text_hash
        if text_hash is None:
            return
        wanted = [*indexes.state_indexes(state.TABLE, text_hash)]
        for table in tables:
            types, key = _types_and_key(schema, table)
            resource = self._platform.resource(table)
            parents = [schema.naming.normalize_identifier(one.column) for one in resource.endpoint.parents.values()]
            wanted += indexes.wanted(table, types, key, parents, text_hash)
        if indexes.missing(self._client, wanted):
            self._hold.require_alone()
            indexes.create(self._client, wanted)

    def _move_staged(self, tables: Iterable[str]) -> None:
        moved = [table for table in tables if table in self._staged]
        for table in moved:
            types, key = self._staged[table]
            target, staged = self._name(table), self._staged_name(table)
            names = ", ".join(map(self._client.escape_column_name, types))
            same = " AND ".join(
                indexes.equal(f"d.{name}", f"s.{name}", data_type, self._backend.text_hash)
                for name, data_type in ((self._client.escape_column_name(name), types[name]) for name in key)
            )
            self._client.execute_sql(f"DELETE FROM {target} AS d USING {staged} AS s WHERE {same}")
            self._client.execute_sql(f"INSERT INTO {target} ({names}) SELECT {names} FROM {staged}")
        if moved:
            for load_id in self._load_ids:
                self._job_client.complete_load(load_id)

    def _make_room(self) -> None:
        """Take a schema for this session's rows, and drop those that killed runs have left."""
        connection: Any = self._client.native_connection
        own = self._pipeline.dataset_name
        lock(connection, own, _AT_ONCE)
        self._has_staging = True
        found = self._client.execute_sql("SELECT nspname FROM pg_namespace WHERE starts_with(nspname, %s)", own[:-8])
        for name in (str(row[0]) for row in found or ()):
            if name == own:
                self._drop(name)
            elif re.fullmatch("[0-9a-f]{8}", name[len(own) - 8 :]) and try_lock(connection, name):
                self._drop(name)
                unlock(connection, name)

    def _drop(self, schema: str) -> None:
        self._client.execute_sql(f"DROP SCHEMA IF EXISTS {self._client.escape_column_name(schema)} CASCADE")

    def _staged_name(self, table: str) -> str:
        with self._client.with_alternative_dataset_name(self._pipeline.dataset_name):
            return self._client.make_qualified_table_name(table)


def _types_and_key(schema: Schema, table: str) -> tuple[dict[str, str], list[str]]:
    """Column -> dlt data type, and the columns of the primary key, of a table."""
    columns = schema.get_table_columns(table)
    types = {name: str(column.get("data_type")) for name, column in columns.items()}
    return types, [name for name, column in columns.items() if column.get("primary_key")]

"""Postgres as the warehouse: its credentials as dlt reads them, and the locks between the processes that write.

Many processes load one platform at once, each into staging tables of its own (../staged_session.py); what they exclude
each other from is in advisory_locks.py. Two dbt builds would replace the same tables, so they exclude each other.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platform_assets.patches.postgres_resets import keep_locks
from platform_assets.warehouse.backends.advisory_locks import SharedHold, lock
from platform_assets.warehouse.backends.backend import BATCH_ROWS, parquet_if_supported
from platform_assets.warehouse.backends.hold import Hold
from platform_assets.warehouse.backends.postgres_limits import PostgresLimits
from platform_assets.warehouse.backends.reader import Reader, Row
from platform_assets.warehouse.errors import UndefinedTable, WarehouseError

if TYPE_CHECKING:
    import pyarrow as pa
    from dlt.destinations.impl.postgres.configuration import PostgresCredentials
    from dlt.destinations.job_client_impl import SqlJobClientBase
    from dlt.destinations.sql_client import SqlClientBase

_SECTIONS = ("destination", "postgres")
_CURSOR = "verified_rows"
# Rows that one COPY adds, since it takes them from memory.
_COPY_ROWS = 8192


class Postgres:
    """The database of `[destination.postgres.credentials]`."""

    name = "postgres"
    holds_nul = False
    load_workers = 20
    stages_loads = True
    text_hash: str | None = "hashtextextended({}, 0)"

    @property
    def location(self) -> str:
        return self.name

    def check_settings(self) -> None:
        _credentials()

    def missing_file(self) -> Path | None:
        return None

    def destination(self) -> Any:
        from dlt.common.destination import Destination

        from platform_assets.patches.empty_parquet_files import skip_empty_parquet_files

        skip_empty_parquet_files()
        return Destination.from_reference(self.name)

    @contextmanager
    def exclusive(self, part: str, /, wait: float) -> Iterator[None]:
        """Hold the advisory lock of `part`; it ends with its connection, so a killed process leaves none behind."""
        connection = _connect()
        try:
            lock(connection, part, wait)
            yield
        finally:
            connection.close()

    def exclusive_for_child(self, part: str, /, wait: float) -> AbstractContextManager[None]:
        return self.exclusive(part, wait)

    @contextmanager
    def opened(self, client: SqlJobClientBase, part: str, /, wait: float, *, alone: bool) -> Iterator[Hold]:
        credentials = _credentials()
        import psycopg2

        keep_locks(client.sql_client)
        try:
            client.sql_client.open_connection()
        except psycopg2.Error as error:
            raise _unavailable(credentials, error) from None
        try:
            yield SharedHold(client.sql_client, part, wait, alone=alone)
        finally:
            client.sql_client.close_connection()

    @contextmanager
    def reading(self, schema: str, /, wait: float, *, or_copy: bool) -> Iterator[Reader]:
        """Without a lock: readers see the last commit, whoever writes."""
        del or_copy
        connection = _connect()
        try:
            connection.set_session(readonly=True, autocommit=True)
            yield _PostgresReader(connection, schema)
        finally:
            connection.close()

    def bound_load(self, _client: SqlClientBase[Any], _row_bytes: int, /) -> None:
        """Nothing to bound: the server's memory is the server's own."""

    def loader_file_format(self, client: SqlClientBase[Any]) -> str:
        """Parquet, except into tables that dlt made without the ADBC driver.

        Those have jsonb columns, and Parquet is loaded into json columns only.
        """
        file_format = parquet_if_supported(client.capabilities)
        if file_format != "parquet":
            return file_format
        jsonb_columns = client.execute_sql(
            "SELECT 1 FROM information_schema.columns WHERE table_schema IN (%s, %s) AND data_type = 'jsonb' LIMIT 1",
            client.dataset_name,
            client.staging_dataset_name,
        )
        return "insert_values" if jsonb_columns else file_format

    def read_batches(self, client: SqlClientBase[Any], table: str, columns: Mapping[str, str]) -> Iterator[pa.Table]:
        """Through a cursor on the server: without one the driver takes all rows into memory first."""
        import pyarrow as pa

        from platform_assets.arrow.conversion import ARROW_TYPES

        names = ", ".join(_selected(client.escape_column_name(name), kind) for name, kind in columns.items())
        with client.begin_transaction():
            client.execute_sql(f"DECLARE {_CURSOR} NO SCROLL CURSOR FOR SELECT {names} FROM {table}")
            while rows := client.execute_sql(f"FETCH {BATCH_ROWS} FROM {_CURSOR}"):
                by_column = zip(zip(*rows, strict=True), columns.values(), strict=True)
                arrays = [pa.array(values, ARROW_TYPES[kind]) for values, kind in by_column]
                yield pa.table(arrays, names=list(columns))
            client.execute_sql(f"CLOSE {_CURSOR}")

    def shared_limits(self, patience: float, /) -> PostgresLimits:
        return PostgresLimits(lambda: _opened(_credentials()), patience)

    def insert_parquet(self, client: SqlClientBase[Any], table: str, columns: Mapping[str, str], path: Path) -> None:
        """By COPY, which the ADBC driver would do in a transaction of its own."""
        import pyarrow as pa
        import pyarrow.csv as csv
        import pyarrow.parquet as pq

        from platform_assets.arrow.conversion import without_nul

        names = ", ".join(map(client.escape_column_name, columns))
        # Every text is quoted, so that an empty one is not null.
        options = csv.WriteOptions(include_header=False, quoting_style="needed")
        connection: Any = client.native_connection
        with pq.ParquetFile(path) as file, connection.cursor() as cursor:
            for batch in file.iter_batches(_COPY_ROWS, columns=list(columns)):
                text = io.BytesIO()
                csv.write_csv(without_nul(pa.Table.from_batches([batch]), columns), text, options)
                text.seek(0)
                cursor.copy_expert(f"COPY {table} ({names}) FROM STDIN (FORMAT csv, ENCODING 'utf8')", text)

    def dbt_variables(self) -> Mapping[str, str]:
        credentials = _credentials()
        return {
            "PLATFORM_ASSETS_POSTGRES_HOST": str(credentials.host),
            "PLATFORM_ASSETS_POSTGRES_PORT": str(credentials.port),
            "PLATFORM_ASSETS_POSTGRES_DATABASE": str(credentials.database),
            "PLATFORM_ASSETS_POSTGRES_USER": str(credentials.username),
            "DBT_ENV_SECRET_POSTGRES_PASSWORD": str(credentials.password or ""),
        }

    def secrets(self) -> list[str]:
        try:
            return [str(_credentials().password or "")]
        except WarehouseError:
            return []


def _credentials() -> PostgresCredentials:
    """`[destination.postgres.credentials]`. Raises WarehouseError if they are missing or cannot be read."""
    from dlt.common.configuration.exceptions import ConfigurationException
    from dlt.common.configuration.resolve import resolve_configuration

    try:
        from dlt.destinations.impl.postgres.configuration import PostgresCredentials

        return resolve_configuration(PostgresCredentials(), sections=_SECTIONS)
    except ImportError:
        raise WarehouseError(
            "Postgres needs its driver: install the extra `postgres` (uv sync --extra postgres)"
        ) from None
    except ConfigurationException:
        raise WarehouseError(
            "the warehouse is postgres, but its credentials are missing or cannot be read:"
            " set DESTINATION__POSTGRES__CREDENTIALS=postgresql://user:password@host:5432/database,"
            " or [destination.postgres.credentials] in .dlt/secrets.toml"
        ) from None


def _connect() -> Any:
    """A connection of its own for a lock. Raises WarehouseError if the server cannot be reached."""
    credentials = _credentials()
    import psycopg2

    try:
        return _opened(credentials)
    except psycopg2.Error as error:
        raise _unavailable(credentials, error) from None


def _opened(credentials: PostgresCredentials) -> Any:
    """A connection of its own, in autocommit mode. Raises psycopg2.Error if the server cannot be reached."""
    import psycopg2

    connection = psycopg2.connect(credentials.to_native_representation(), connect_timeout=credentials.connect_timeout)
    connection.autocommit = True
    with connection.cursor() as cursor:
        # A machine that is gone without a word is noticed within a minute, and its locks are free.
        cursor.execute("SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3")
    return connection


def _unavailable(credentials: PostgresCredentials, error: Exception) -> WarehouseError:
    reason = next(iter(str(error).splitlines()), type(error).__name__)
    return WarehouseError(f"the warehouse {credentials.host}:{credentials.port}/{credentials.database}: {reason}")


class _PostgresReader(Reader):
    def __init__(self, connection: Any, schema: str) -> None:
        self._connection = connection
        with connection.cursor() as cursor:
            cursor.execute("SET TimeZone = 'UTC'")
        super().__init__(schema)

    def _search(self, schema: str) -> None:
        # A schema that does not exist is no error here.
        self.run("SELECT set_config('search_path', %s, false)", [schema and self.escape_column_name(schema)])

    def run(self, sql: str, args: Sequence[Any]) -> tuple[list[str], list[Row]]:
        import psycopg2
        from psycopg2 import errors

        try:
            with self._connection.cursor() as cursor:
                cursor.execute(sql, list(args) or None)
                return [column.name for column in cursor.description or ()], cursor.fetchall()
        except errors.UndefinedTable as error:
            raise UndefinedTable(str(error).splitlines()[0]) from None
        except psycopg2.Error as error:
            reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
            raise WarehouseError(reason) from None


def _selected(column: str, data_type: str) -> str:
    """JSON is read as text, since the driver parses it and so rounds its numbers."""
    return f"{column}::text" if data_type in ("json", "text") else column

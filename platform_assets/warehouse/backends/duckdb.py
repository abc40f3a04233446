"""DuckDB as the warehouse: a file, which one process at a time may write.

Every process of ours, readers too, takes a lock file beside the database before it opens it. The database stays open
while the lock is held, so that opening it again costs nothing.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dlt
import duckdb
import pyarrow as pa
from dlt.destinations.sql_client import SqlClientBase
from filelock import FileLock, Timeout
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_fixed

from platform_assets import configuration
from platform_assets.cancellation import current
from platform_assets.configuration import WAREHOUSE, configured
from platform_assets.declarations import SettingsError
from platform_assets.patches.destination_capabilities import remember_capabilities
from platform_assets.warehouse.backends.backend import BATCH_ROWS, parquet_if_supported
from platform_assets.warehouse.errors import WarehouseError

DEFAULT_FILE = "data/warehouse.duckdb"
# Megabytes of DuckDB's buffers during a load, per `WIDE_ROW` bytes of a row's width. `[warehouse] memory_limit` (a
# DuckDB size, e.g. `2GB`) overrides it.
MEMORY_LIMIT = 64
WIDE_ROW = 4096
# DuckDB's threads during a load, since each has buffers of its own. `[warehouse] threads` overrides it.
THREADS = 1
# A DuckDB file has these bytes at this offset.
_MAGIC_OFFSET, _MAGIC = 8, b"DUCK"
# Seconds between attempts to open a file that a program without our lock has open.
_RETRY_EVERY = 0.1


class DuckDB:
    """The DuckDB file of `DESTINATION__DUCKDB__CREDENTIALS`."""

    name = "duckdb"
    holds_nul = True
    # The memory limit is the database's, so tables loaded at once would share it.
    load_workers = 1

    @property
    def path(self) -> Path:
        """Absolute path of the file. Raises SettingsError for a database that is not a file."""
        credentials: Any = configured("destination.duckdb.credentials") or DEFAULT_FILE
        if isinstance(credentials, dict):
            credentials = credentials.get("database") or DEFAULT_FILE
        text = str(credentials).removeprefix("duckdb:///")
        if text.startswith((":memory:", "md:", "motherduck:")):
            raise SettingsError(
                "DESTINATION__DUCKDB__CREDENTIALS must be the path of a file: rows must outlive the process"
            )
        return Path(text).expanduser().absolute()

    @property
    def location(self) -> str:
        return str(self.path)

    def check_settings(self) -> None:
        _ = self.path

    def missing_file(self) -> Path | None:
        return None if self.path.exists() else self.path

    def destination(self) -> Any:
        path = self.path
        _make_folder(path)
        return remember_capabilities(dlt.destinations.duckdb(credentials=str(path)))

    @contextmanager
    def exclusive(self, _part: str, /, wait: float) -> Iterator[None]:
        """Hold the lock on the whole file, and the file open."""
        path = self.path
        with _locked(path, wait), _opened(path, wait) as connection:
            _set_bounds(connection, row_bytes=0)
            yield

    @contextmanager
    def exclusive_for_child(self, _part: str, /, wait: float) -> Iterator[None]:
        """Hold the lock on the whole file, and leave the file closed: DuckDB lets no second process open it."""
        path = self.path
        with _locked(path, wait):
            with _opened(path, wait) as connection:
                _set_bounds(connection, row_bytes=0)
            yield

    def bound_load(self, client: SqlClientBase[Any], row_bytes: int, /) -> None:
        _set_bounds(client.native_connection, row_bytes)

    def loader_file_format(self, client: SqlClientBase[Any]) -> str:
        return parquet_if_supported(client.capabilities)

    def read_batches(self, client: SqlClientBase[Any], table: str, columns: Mapping[str, str]) -> Iterator[pa.Table]:
        """The types are the table's own, so those of `columns` are not needed."""
        names = ", ".join(map(client.escape_column_name, columns))
        connection: Any = client.native_connection
        # Not by dlt's cursor: with that DuckDB makes the whole result before it gives the first batch.
        for batch in connection.sql(f"SELECT {names} FROM {table}").to_arrow_reader(BATCH_ROWS):
            yield pa.Table.from_batches([batch])

    def dbt_variables(self) -> Mapping[str, str]:
        return {"PLATFORM_ASSETS_DUCKDB": str(self.path)}

    def secrets(self) -> list[str]:
        return []


@contextmanager
def _locked(path: Path, wait: float) -> Iterator[None]:
    """Hold the lock file beside the database. Raises WarehouseError if another process keeps it for `wait` seconds."""
    _make_folder(path)
    lock = FileLock(f"{path}.lock", timeout=wait)
    cancellation = current()
    try:
        lock.acquire(cancel_check=lambda: cancellation.cancelled)
    except Timeout:
        cancellation.check()
        raise WarehouseError(
            f"another process kept {path} for {wait:.0f} s; try again, or raise warehouse.lock_wait"
        ) from None
    except OSError as error:
        raise WarehouseError(f"the warehouse {path} cannot be locked: {error.strerror or error}") from None
    try:
        yield
    finally:
        lock.release()


def _make_folder(path: Path) -> None:
    """Make the file's folder. Raises WarehouseError if it cannot be made."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WarehouseError(f"the warehouse {path} cannot be made: {path.parent}: {error.strerror}") from None


def _opened(path: Path, wait: float) -> duckdb.DuckDBPyConnection:
    """The file, opened for writing; programs that do not know our lock, e.g. a DuckDB shell, are waited for.

    Raises WarehouseError at the end of the wait, or at once for a file that is not a DuckDB database, which is left
    as it was.
    """
    _refuse_other_formats(path)
    retrying = Retrying(
        retry=retry_if_exception(_is_open_elsewhere),
        stop=stop_after_delay(wait),
        wait=wait_fixed(_RETRY_EVERY),
        sleep=current().sleep,
        reraise=True,
    )
    try:
        return retrying(duckdb.connect, str(path))
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        raise WarehouseError(f"the warehouse {path} cannot be opened: {reason}") from None


def _refuse_other_formats(path: Path) -> None:
    """Raise WarehouseError for a file that is not a DuckDB database: DuckDB opens, and writes, some other formats."""
    try:
        with path.open("rb") as file:
            head = file.read(_MAGIC_OFFSET + len(_MAGIC))
    except OSError:
        return  # The file does not exist, or DuckDB itself says better why it cannot be read.
    if not head:
        # Left by a process that was killed while it made the file.
        _remove_empty(path)
    elif head[_MAGIC_OFFSET:] != _MAGIC:
        raise WarehouseError(f"the warehouse {path} cannot be opened: it is not a DuckDB database")


def _remove_empty(path: Path) -> None:
    try:
        path.unlink()
    except OSError as error:
        raise WarehouseError(f"the warehouse {path} cannot be opened: {error.strerror}") from None


def _set_bounds(connection: Any, row_bytes: int) -> None:
    """Bound DuckDB's memory and threads for the whole file in this process; by default it takes most of the machine.

    What a load needs grows with the width of its rows: DuckDB compresses 122,880 of them together.
    """
    limit = configuration.read(WAREHOUSE, configuration.MEMORY_LIMIT)
    threads = configuration.read(WAREHOUSE, configuration.THREADS) or THREADS
    by_width = f"{MEMORY_LIMIT * max(1, -(-row_bytes // WIDE_ROW))}MB"
    connection.execute(f"SET memory_limit = '{limit or by_width}'")
    connection.execute(f"SET threads = {threads}")


def _is_open_elsewhere(error: BaseException) -> bool:
    return isinstance(error, duckdb.IOException) and "lock" in str(error).lower()

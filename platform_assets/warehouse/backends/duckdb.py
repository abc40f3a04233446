"""DuckDB as the warehouse: a file, which one process at a time may write.

Every process of ours, readers too, takes a lock file beside the database before it opens it. The database stays open
while the lock is held, so that opening it again costs nothing. Readers take the lock because a program that we start
(dbt) opens the file later than the lock is taken for it, and would not wait for them.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_fixed

from platform_assets import configuration
from platform_assets.cancellation import current
from platform_assets.configuration import WAREHOUSE, configured
from platform_assets.declarations import SettingsError
from platform_assets.warehouse.backends.backend import BATCH_ROWS, parquet_if_supported
from platform_assets.warehouse.backends.copied_file import NotCopied, copied, unlink_files
from platform_assets.warehouse.backends.hold import Hold
from platform_assets.warehouse.backends.holders import TELL_AFTER, Notice, locking_process, process_in, tell
from platform_assets.warehouse.backends.reader import Reader, Row
from platform_assets.warehouse.errors import Held, UndefinedTable, WarehouseError

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa
    from dlt.destinations.job_client_impl import SqlJobClientBase
    from dlt.destinations.sql_client import SqlClientBase

log = logging.getLogger(__name__)

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
    stages_loads = False
    text_hash: str | None = None

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
        path = self.path
        # A process that is killed while it makes the file leaves an empty one.
        return None if path.exists() and path.stat().st_size else path

    def destination(self) -> Any:
        import dlt

        from platform_assets.patches.destination_capabilities import remember_capabilities

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

    @contextmanager
    def opened(self, client: SqlJobClientBase, part: str, /, wait: float, *, alone: bool) -> Iterator[Hold]:
        """Always alone: DuckDB has one writer. Raises SettingsError for a file that is called as the schema is."""
        del alone
        if self.path.stem.lower() == part.lower():
            raise SettingsError(
                f"DESTINATION__DUCKDB__CREDENTIALS: DuckDB cannot tell the file {self.path.name} from the schema "
                f"`{part}` in it: give the file another name, e.g. warehouse.duckdb"
            )
        with self.exclusive(part, wait), client:
            yield Hold()

    @contextmanager
    def reading(self, schema: str, /, wait: float, *, or_copy: bool) -> Iterator[Reader]:
        """Through a read-only connection, so beside other programs' read-only ones. The file must exist.

        With `or_copy`, a file that another process keeps for longer than `TELL_AFTER` seconds is copied.
        """
        path = self.path
        with ExitStack() as stack:
            try:
                connection = _open_to_read(stack, path, min(wait, TELL_AFTER) if or_copy else wait)
            except Held as held:
                if not or_copy:
                    raise
                connection = _open_copy(stack, path, held) or _open_to_read(stack, path, wait)
            _set_bounds(connection, row_bytes=0)
            yield _DuckDBReader(connection, schema)

    def bound_load(self, client: SqlClientBase[Any], row_bytes: int, /) -> None:
        _set_bounds(client.native_connection, row_bytes)

    def loader_file_format(self, client: SqlClientBase[Any]) -> str:
        return parquet_if_supported(client.capabilities)

    def read_batches(self, client: SqlClientBase[Any], table: str, columns: Mapping[str, str]) -> Iterator[pa.Table]:
        """The types are the table's own, so those of `columns` are not needed."""
        import pyarrow as pa

        names = ", ".join(map(client.escape_column_name, columns))
        connection: Any = client.native_connection
        # Not by dlt's cursor: with that DuckDB makes the whole result before it gives the first batch.
        for batch in connection.sql(f"SELECT {names} FROM {table}").to_arrow_reader(BATCH_ROWS):
            yield pa.Table.from_batches([batch])

    def shared_limits(self, _patience: float, /) -> None:
        """None: only the processes of one machine can share the file."""

    def insert_parquet(self, client: SqlClientBase[Any], table: str, columns: Mapping[str, str], path: Path) -> None:
        names = ", ".join(map(client.escape_column_name, columns))
        connection: Any = client.native_connection
        connection.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM read_parquet(?)", [str(path)])

    def dbt_variables(self) -> Mapping[str, str]:
        return {"PLATFORM_ASSETS_DUCKDB": str(self.path)}

    def secrets(self) -> list[str]:
        return []


def _open_to_read(stack: ExitStack, path: Path, wait: float) -> duckdb.DuckDBPyConnection:
    """The file, opened read-only and locked until the end of `stack`. Raises Held if another process keeps it."""
    with ExitStack() as opened:
        opened.enter_context(_locked(path, wait))
        connection = opened.enter_context(_opened(path, wait, read_only=True))
        stack.enter_context(opened.pop_all())
    return connection


def _open_copy(stack: ExitStack, path: Path, held: Held) -> duckdb.DuckDBPyConnection | None:
    """The file's last commit, opened until the end of `stack`; None if it cannot be copied. Says whose file it is."""
    import duckdb

    try:
        copy = stack.enter_context(copied(path))
        connection = stack.enter_context(duckdb.connect(str(copy), read_only=True))
        unlink_files(copy)
    except (NotCopied, duckdb.Error) as error:
        log.info("%s is not read from a copy: %s", path, error)
        return None
    log.warning("%s holds %s: this is its last commit, read from a copy", held.holder, path)
    return connection


@contextmanager
def _locked(path: Path, wait: float) -> Iterator[None]:
    """Hold the lock file beside the database. Raises Held if another process keeps it for `wait` seconds."""
    _make_folder(path)
    lock = FileLock(f"{path}.lock")
    cancellation = current()
    try:
        _acquire(lock, path, wait)
    except Timeout:
        cancellation.check()
        raise _held(path, locking_process(Path(lock.lock_file)), wait) from None
    except OSError as error:
        raise WarehouseError(f"the warehouse {path} cannot be locked: {error.strerror or error}") from None
    try:
        yield
    finally:
        lock.release()


def _held(path: Path, holder: str, wait: float) -> Held:
    return Held(
        f"another process kept {path} for {wait:.0f} s ({holder}); try again, or raise warehouse.lock_wait", holder
    )


def _acquire(lock: FileLock, path: Path, wait: float) -> None:
    """Take the lock of the file `path`; say who holds it if that takes long. Raises Timeout after `wait` seconds."""
    cancellation = current()
    try:
        lock.acquire(timeout=min(wait, TELL_AFTER), cancel_check=lambda: cancellation.cancelled)
    except Timeout:
        if wait <= TELL_AFTER or cancellation.cancelled:
            raise
        tell(path, locking_process(Path(lock.lock_file)), wait)
        lock.acquire(timeout=wait - TELL_AFTER, cancel_check=lambda: cancellation.cancelled)


def _make_folder(path: Path) -> None:
    """Make the file's folder. Raises WarehouseError if it cannot be made."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WarehouseError(f"the warehouse {path} cannot be made: {path.parent}: {error.strerror}") from None


def _opened(path: Path, wait: float, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """The opened file; programs that do not know our lock, e.g. a notebook or a DuckDB shell, are waited for.

    Raises Held at the end of the wait, and WarehouseError at once for a file that is not a DuckDB database, which is
    left as it was.
    """
    import duckdb

    _refuse_other_formats(path)
    begun = time.monotonic()
    held_by = ""

    def is_open_elsewhere(error: BaseException) -> bool:
        nonlocal held_by
        if not isinstance(error, duckdb.IOException) or "lock" not in str(error).lower():
            held_by = ""
            return False
        held_by = process_in(str(error))
        if wait > TELL_AFTER:
            notice.after(time.monotonic() - begun)
        return True

    notice = Notice(lambda: tell(path, held_by, wait))
    retrying = Retrying(
        retry=retry_if_exception(is_open_elsewhere),
        stop=stop_after_delay(wait),
        wait=wait_fixed(_RETRY_EVERY),
        sleep=current().sleep,
        reraise=True,
    )
    try:
        return retrying(duckdb.connect, str(path), read_only=read_only)
    except duckdb.Error as error:
        if held_by:
            raise _held(path, held_by, wait) from None
        raise WarehouseError(f"the warehouse {path} cannot be opened: {str(error).splitlines()[0]}") from None


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


class _DuckDBReader(Reader):
    def __init__(self, connection: duckdb.DuckDBPyConnection, schema: str) -> None:
        self._connection = connection
        connection.execute("SET TimeZone = 'UTC'")
        super().__init__(schema)

    def _search(self, schema: str) -> None:
        exists = self.execute_sql("SELECT 1 FROM duckdb_schemas() WHERE schema_name = %s", schema)
        # DuckDB refuses a schema that does not exist; '' is its own default.
        found = schema if exists else ""
        self.run(f"SET search_path = '{found}'", ())

    def run(self, sql: str, args: Sequence[Any]) -> tuple[list[str], list[Row]]:
        import duckdb

        try:
            cursor = self._connection.execute(sql.replace("%s", "?") if args else sql, list(args))
            return [column[0] for column in cursor.description or ()], cursor.fetchall()
        except duckdb.CatalogException as error:
            raise UndefinedTable(str(error).splitlines()[0]) from None
        except duckdb.Error as error:
            raise WarehouseError(str(error).strip().splitlines()[0]) from None

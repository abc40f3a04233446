"""Which warehouse is configured, and the lock that a one-writer database needs between processes."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dlt
import duckdb
from dlt.common.destination import Destination
from filelock import FileLock, Timeout
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_fixed

from platform_assets import configuration
from platform_assets.cancellation import current
from platform_assets.configuration import WAREHOUSE, configured
from platform_assets.declarations import SettingsError
from platform_assets.warehouse.backends import postgres
from platform_assets.warehouse.backends.postgres import WarehouseError

__all__ = ["WarehouseError", "dbt_variables", "destination", "destination_name", "duckdb_file", "exclusive"]

DEFAULT_DUCKDB = "data/warehouse.duckdb"
LOCK_WAIT = 600.0
"""Seconds to wait for another process that writes; `[warehouse] lock_wait` overrides it."""
MEMORY_LIMIT = 64
"""Megabytes of DuckDB's buffers while we load, for rows of up to `WIDE_ROW` bytes; `[warehouse] memory_limit`
(a DuckDB size, e.g. `2GB`) overrides it."""
WIDE_ROW = 4096
_MAGIC_AT, _MAGIC = 8, b"DUCK"
THREADS = 1
"""DuckDB's threads while we load, since each holds buffers of its own; `[warehouse] threads` overrides it."""


def destination_name() -> str:
    """`[warehouse] destination`: `duckdb` (by default) or `postgres`. Raises SettingsError for another one."""
    return configuration.read(WAREHOUSE, configuration.DESTINATION) or "duckdb"


def check_settings() -> None:
    """Read every setting of the warehouse. Raises SettingsError or WarehouseError for the first that cannot be used."""
    for setting in configuration.WAREHOUSE_SETTINGS:
        configuration.read(WAREHOUSE, setting)
    if duckdb_file() is None:
        postgres.credentials()


def duckdb_file() -> Path | None:
    """Absolute path of the DuckDB file, None where the warehouse is another destination."""
    if destination_name() != "duckdb":
        return None
    given: Any = configured("destination.duckdb.credentials") or DEFAULT_DUCKDB
    if isinstance(given, dict):
        given = given.get("database") or DEFAULT_DUCKDB
    text = str(given).removeprefix("duckdb:///")
    if text.startswith((":memory:", "md:", "motherduck:")):
        raise SettingsError(
            "DESTINATION__DUCKDB__CREDENTIALS must be the path of a file: rows must outlive the process"
        )
    return Path(text).expanduser().absolute()


def destination() -> Any:
    """The configured dlt destination."""
    path = duckdb_file()
    if path is None:
        return Destination.from_reference(destination_name())
    _make_folder(path)
    return dlt.destinations.duckdb(credentials=str(path))


def warehouse_name() -> str:
    """The warehouse in words: the DuckDB file, else the destination."""
    return str(duckdb_file() or destination_name())


def dbt_variables() -> dict[str, str]:
    """Variables by which `dbt_project/profiles.yml` finds the warehouse that is configured for dlt."""
    name = destination_name()
    found = {"WAREHOUSE__DESTINATION": name}
    path = duckdb_file()
    if path is not None:
        found["PLATFORM_ASSETS_DUCKDB"] = str(path)
    elif name == "postgres":
        found.update(postgres.dbt_variables())
    return found


def warehouse_secrets() -> list[str]:
    """What must not be in any text: the password of a Postgres."""
    if destination_name() != "postgres":
        return []
    try:
        return [str(postgres.credentials().password or "")]
    except WarehouseError:
        return []


def lock_wait() -> float:
    """Seconds to wait for another process that writes."""
    found = configuration.read(WAREHOUSE, configuration.LOCK_WAIT)
    return LOCK_WAIT if found is None else found


@contextmanager
def exclusive(part: str, *, for_child: bool = False, row_bytes: int = 0, wait: float | None = None) -> Iterator[None]:
    """Hold what this process writes: of Postgres the `part`, of DuckDB the whole file, which one process may write.

    DuckDB's file stays open meanwhile, so that opening it again costs nothing; `for_child` leaves it closed for a
    program that this process starts. Rows of `row_bytes` bytes get the memory that loading them takes.
    Raises WarehouseError when the wait ends, or where the warehouse is not available, and Cancelled where the run is
    told to end while it waits.
    """
    path = duckdb_file()
    wait = lock_wait() if wait is None else wait
    if path is not None:
        with _exclusive_file(path, for_child, row_bytes, wait):
            yield
    else:
        with postgres.advisory_lock(part, wait):
            yield


@contextmanager
def _exclusive_file(path: Path, for_child: bool, row_bytes: int, wait: float) -> Iterator[None]:
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
        with _opened(path, wait) as connection:
            _set_bounds(connection, row_bytes)
            if for_child:
                connection.close()
            yield
    finally:
        lock.release()


def _make_folder(path: Path) -> None:
    """Make the file's folder. Raises WarehouseError where it cannot be made."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WarehouseError(f"the warehouse {path} cannot be made: {path.parent}: {error.strerror}") from None


def _opened(path: Path, wait: float) -> duckdb.DuckDBPyConnection:
    """The file, opened for writing; programs that do not know our lock, e.g. a DuckDB shell, are waited for.

    Raises WarehouseError when the wait ends, or at once for a file that is no DuckDB database; the file
    is left as it was.
    """
    _refuse_other_formats(path)
    retrying = Retrying(
        retry=retry_if_exception(_is_held_by_another),
        stop=stop_after_delay(wait),
        wait=wait_fixed(0.1),
        sleep=current().sleep,
        reraise=True,
    )
    try:
        return retrying(duckdb.connect, str(path))
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        raise WarehouseError(f"the warehouse {path} cannot be opened: {reason}") from None


def _refuse_other_formats(path: Path) -> None:
    """Raise WarehouseError for a file that is no DuckDB database: DuckDB itself opens, and writes, some others."""
    try:
        with path.open("rb") as file:
            head = file.read(_MAGIC_AT + len(_MAGIC))
    except OSError:
        return  # There is none, or DuckDB says better why it cannot be read.
    if not head:
        # Left by a process that was killed while it made the file.
        _remove_empty(path)
    elif head[_MAGIC_AT:] != _MAGIC:
        raise WarehouseError(f"the warehouse {path} cannot be opened: it is not a DuckDB database")


def _remove_empty(path: Path) -> None:
    try:
        path.unlink()
    except OSError as error:
        raise WarehouseError(f"the warehouse {path} cannot be opened: {error.strerror}") from None


def _set_bounds(connection: duckdb.DuckDBPyConnection, row_bytes: int) -> None:
    """Bound DuckDB's buffers for the whole file in this process; it would take most of the machine's memory.

    What a load needs grows with the width of its rows: DuckDB compresses 122,880 of them together.
    """
    limit = configuration.read(WAREHOUSE, configuration.MEMORY_LIMIT)
    threads = configuration.read(WAREHOUSE, configuration.THREADS) or THREADS
    connection.execute(f"SET memory_limit = '{limit or f'{MEMORY_LIMIT * max(1, -(-row_bytes // WIDE_ROW))}MB'}'")
    connection.execute(f"SET threads = {threads}")


def _is_held_by_another(error: BaseException) -> bool:
    return isinstance(error, duckdb.IOException) and "lock" in str(error).lower()

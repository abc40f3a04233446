"""Which warehouse is configured, and the lock that a one-writer database needs between processes."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dlt
from filelock import FileLock, Timeout

from platform_assets.extraction.configuration import configured
from platform_assets.vocabulary import PlatformAssetsError

DEFAULT_DUCKDB = "data/warehouse.duckdb"
LOCK_WAIT = 600.0
"""Seconds to wait for another process that writes; `[warehouse] lock_wait` overrides it."""


class WarehouseError(PlatformAssetsError):
    """The warehouse cannot be opened, or another process keeps it for too long."""


def destination_name() -> str:
    """`[warehouse] destination`, a dlt destination's name; `duckdb` by default."""
    return str(configured("warehouse.destination") or "duckdb")


def duckdb_file() -> Path | None:
    """Absolute path of the DuckDB file, None where the warehouse is another destination."""
    if destination_name() != "duckdb":
        return None
    given: Any = configured("destination.duckdb.credentials") or DEFAULT_DUCKDB
    if isinstance(given, dict):
        given = given.get("database") or DEFAULT_DUCKDB
    return Path(str(given).removeprefix("duckdb:///")).expanduser().absolute()


def destination() -> Any:
    """The configured dlt destination."""
    path = duckdb_file()
    if path is None:
        return dlt.destinations.destination(destination_name())
    path.parent.mkdir(parents=True, exist_ok=True)
    return dlt.destinations.duckdb(credentials=str(path))


@contextmanager
def exclusive() -> Iterator[None]:
    """Hold the warehouse for this process: DuckDB lets one process have a file open for writing.

    Other destinations need no lock. Raises WarehouseError when the wait ends.
    """
    path = duckdb_file()
    if path is None:
        yield
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    wait = float(str(configured("warehouse.lock_wait") or LOCK_WAIT))
    lock = FileLock(f"{path}.lock", timeout=wait)
    try:
        lock.acquire()
    except Timeout:
        raise WarehouseError(
            f"another process kept {path} for {wait:.0f} s; try again, or raise warehouse.lock_wait"
        ) from None
    try:
        yield
    finally:
        lock.release()

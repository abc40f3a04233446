"""One SQLAlchemy engine and one open connection per SQLite file of Dagster's storage, while a command runs.

Dagster makes a new engine for every event, which compiles its statements again, and a new connection, whose end
writes the whole log of the database back. A sync of all 47 resources with nothing new stores some 900 events; these
two, and the flushes below, are most of what it spends in Dagster.

A commit is not flushed to the disk: what a killed process has committed is there all the same, and after a loss of
power the last events may be missing, as if the process had been killed a little earlier. The tables are not in these
files. It can go when tests/patches/test_sqlite_engines.py::test_dagster_still_makes_an_engine_for_every_event fails.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from dagster._core.storage.event_log.sqlite import sqlite_event_log
from dagster._core.storage.runs.sqlite import sqlite_run_storage
from sqlalchemy import event
from sqlalchemy.pool import QueuePool

_MODULES = (sqlite_event_log, sqlite_run_storage)
_NAME = "create_engine"
# After so many pages of 4 kB the log is written back: a kept connection would let it grow to 4 MB beside a full disk.
_LOG_PAGES = 200

_lock = threading.Lock()
_users = 0


@contextmanager
def kept_engines() -> Iterator[None]:
    """Within the block, the SQLite storages of this process keep their engines and connections. Blocks may overlap."""
    global _users
    with _lock:
        if not _users:
            for module in _MODULES:
                setattr(module, _NAME, _KeptEngines(vars(module)[_NAME]))
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if not _users:
                for module in _MODULES:
                    kept: _KeptEngines = vars(module)[_NAME]
                    setattr(module, _NAME, kept.original)
                    kept.close()


class _KeptEngines:
    """`create_engine` with one engine per URL."""

    def __init__(self, original: Callable[..., Any]) -> None:
        self.engines: dict[str, Any] = {}
        self.original = original

    def __call__(self, url: str, **options: Any) -> Any:
        if url not in self.engines:
            # One connection is kept; threads that need another at the same time get one, which is closed afterwards.
            engine = self.original(url, **{**options, "poolclass": QueuePool, "pool_size": 1, "max_overflow": -1})
            event.listen(engine, "checkout", _without_flushes)
            engine.dispose = lambda: None  # Dagster calls it after every event.
            self.engines[url] = engine
        return self.engines[url]

    def close(self) -> None:
        """Close the kept connections."""
        for engine in self.engines.values():
            del engine.dispose
            engine.dispose()


def _without_flushes(connection: Any, record: Any, _: Any) -> None:
    """Flush only when the log is written back, which in this mode of SQLite cannot harm the file."""
    if "flushed" not in record.info and connection.execute("PRAGMA journal_mode").fetchone() == ("wal",):
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute(f"PRAGMA wal_autocheckpoint={_LOG_PAGES}")
        record.info["flushed"] = False

"""One SQLAlchemy engine per SQLite file of Dagster's, where it makes a new one for every event.

Each new engine compiles its statements again, which is most of what an event costs: a sync of all 47 with
nothing new stores some 900 of them, and took 12.6 s instead of 9.3 s. Remove when Dagster keeps its engines:
tests/patches/test_sqlite_engines.py looks at what it does.
"""

from collections.abc import Callable
from typing import Any

from dagster._core.storage.event_log.sqlite import sqlite_event_log
from dagster._core.storage.runs.sqlite import sqlite_run_storage


def keep_engines() -> None:
    """Have the SQLite storages of this process keep their engines. Does nothing the second time."""
    for module in (sqlite_event_log, sqlite_run_storage):
        plain: Callable[..., Any] = vars(module)["create_engine"]
        if not hasattr(plain, "engines"):
            setattr(module, "create_engine", _Kept(plain))  # noqa: B010 -- not public


class _Kept:
    """`create_engine` that makes one engine per URL; with `NullPool` an engine holds no connection."""

    def __init__(self, plain: Callable[..., Any]) -> None:
        self.engines: dict[str, Any] = {}
        self._plain = plain

    def __call__(self, url: str, **options: Any) -> Any:
        if url not in self.engines:
            self.engines[url] = self._plain(url, **options)
        return self.engines[url]

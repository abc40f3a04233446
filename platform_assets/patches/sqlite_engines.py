"""One SQLAlchemy engine per SQLite file of Dagster's storage, instead of a new engine for every event.

A new engine compiles its statements again, which is most of what an event costs: a sync of all 47 resources with
nothing new stores some 900 events, and took 12.6 s instead of 9.3 s. It can go when
tests/patches/test_sqlite_engines.py::test_dagster_still_makes_an_engine_for_every_event fails.
"""

from collections.abc import Callable
from typing import Any

from dagster._core.storage.event_log.sqlite import sqlite_event_log
from dagster._core.storage.runs.sqlite import sqlite_run_storage


def keep_engines() -> None:
    """Make the SQLite storages of this process keep their engines. Idempotent."""
    for module in (sqlite_event_log, sqlite_run_storage):
        original: Callable[..., Any] = vars(module)["create_engine"]
        if not hasattr(original, "engines"):
            setattr(module, "create_engine", _CachedEngines(original))  # noqa: B010 -- not public


class _CachedEngines:
    """`create_engine` with one engine per URL; with Dagster's `NullPool` a kept engine holds no connection."""

    def __init__(self, original: Callable[..., Any]) -> None:
        self.engines: dict[str, Any] = {}
        self.original = original

    def __call__(self, url: str, **options: Any) -> Any:
        if url not in self.engines:
            self.engines[url] = self.original(url, **options)
        return self.engines[url]

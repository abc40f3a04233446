"""pytest plugin: the modules that take longest start first, so that no single worker is left with one at the end.

A test is expected to take as long as its last run on this machine, kept in pytest's cache. For a test without a record
the time is guessed: seconds if its module can start processes, else a fraction of one. No list is kept by hand. The
alternative, xdist's `--dist worksteal`, would tear modules apart, and each worker would pay for their fixtures.
"""

import multiprocessing
import subprocess
import sys
from collections import defaultdict
from types import ModuleType

import pytest

CACHED = "platform_assets/seconds"
# Seconds of a test that never ran on this machine.
WITH_PROCESSES = 10.0
WITHOUT_PROCESSES = 0.5


class Durations:
    """Records how long the tests take, for the next run; registered in xdist's controller, not in its workers."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._seconds: defaultdict[str, float] = defaultdict(float)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._seconds[report.nodeid] += report.duration  # set-up, call and tear-down

    def pytest_sessionfinish(self) -> None:
        cache = self._config.cache
        if self._seconds and cache is not None:
            cache.set(CACHED, {**cache.get(CACHED, {}), **self._seconds})


def pytest_configure(config: pytest.Config) -> None:
    if config.pluginmanager.has_plugin("cacheprovider") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Durations(config))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Sort by module, the longest first; the order within a module stays, so that its fixtures are set up once."""
    cache = getattr(config, "cache", None)  # missing with `-p no:cacheprovider`
    known = {} if cache is None else cache.get(CACHED, {})
    totals: defaultdict[str, float] = defaultdict(float)
    for item in items:
        totals[_module(item)] += known[item.nodeid] if item.nodeid in known else _guess(_module(item))
    items.sort(key=lambda item: (-totals[_module(item)], _module(item)))


def _module(item: pytest.Item) -> str:
    found = item.getparent(pytest.Module)
    return found.obj.__name__ if found else ""


def _guess(module: str) -> float:
    return WITH_PROCESSES if starts_processes(module, set()) else WITHOUT_PROCESSES


def starts_processes(module: str, seen: set[str]) -> bool:
    """Whether a test module imports something that starts processes, directly or through another test module."""
    if module in seen or not module.startswith("tests.") or module not in sys.modules:
        return False
    seen.add(module)
    for value in vars(sys.modules[module]).values():
        if value is subprocess or value is multiprocessing:
            return True
        source = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
        if isinstance(source, str) and starts_processes(source, seen):
            return True
    return False

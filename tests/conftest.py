"""A sandbox over real HTTP and a separate DuckDB file for each test that requests them."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import hypothesis
import pytest

from platform_assets.configuration.platform_settings import read_settings
from platform_assets.http.client import ApiClient
from platform_assets.platforms import platform_named
from platform_assets.sandbox import SandboxServer
from platform_assets.sync import ResourceOutcome, Selection, sync
from platform_assets.warehouse import open_warehouse
from tests.settings import Point, PointAt, platform_settings, sandbox_settings

pytest_plugins = ("tests.dagster_fixtures", "tests.order", "tests.postgres_fixtures", "tests.simulation.counting")

# The same examples in every run; `HYPOTHESIS_PROFILE=explore` looks for new ones.
hypothesis.settings.register_profile("suite", derandomize=True)
hypothesis.settings.register_profile("explore", derandomize=False)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))

# What tests of faults count, by `record_property("faults <what>", number)`; printed at the end.
COUNTED = ("tried", "survived", "clear errors", "rows lost", "rows invented")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the counts of all faults tried."""
    found: Counter[str] = Counter()
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        found.update({name: number for name, number in report.user_properties if name.startswith("faults ")})
    if found:
        terminalreporter.write_line("faults: " + ", ".join(f"{found[f'faults {what}']} {what}" for what in COUNTED))


SETTINGS = (
    "SOURCES__",
    "WAREHOUSE__",
    "ALERTS__",
    "METRICS__",
    "LOGGING__",
    "DESTINATION__",
    "PLATFORMS__",
    "SANDBOX__",
)
Sync = Callable[..., dict[str, ResourceOutcome]]


@pytest.fixture(autouse=True)
def _no_settings_of_the_host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Tests see neither the environment's platforms nor its terminal, this checkout's warehouse or Dagster home."""
    for name in list(os.environ):
        if name.startswith(SETTINGS):
            monkeypatch.delenv(name)
    for name in ("COLUMNS", "LINES", "FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DESTINATION__DUCKDB__CREDENTIALS", str(tmp_path / "warehouse.duckdb"))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster_home"))
    monkeypatch.setenv("SANDBOX__DAY", "2026-01-15")  # As `SandboxServer()` has it.


@pytest.fixture
def warehouse_file(tmp_path: Path) -> Path:
    return tmp_path / "warehouse.duckdb"


@pytest.fixture(scope="session")
def shared_sandbox() -> Iterator[SandboxServer]:
    """One sandbox for tests that only read."""
    with SandboxServer() as server:
        yield server


@pytest.fixture
def point(monkeypatch: pytest.MonkeyPatch) -> Point:
    """Point one platform's settings at a server; called as `platform_settings`."""

    def set_variables(*args: str, **more: str) -> None:
        for name, value in platform_settings(*args, **more).items():
            monkeypatch.setenv(name, value)

    return set_variables


@pytest.fixture
def point_at(monkeypatch: pytest.MonkeyPatch) -> PointAt:
    """Point every platform's settings at a sandbox."""

    def set_variables(server: SandboxServer) -> None:
        for name, value in sandbox_settings(server).items():
            monkeypatch.setenv(name, value)

    return set_variables


@pytest.fixture
def sync_platform() -> Sync:
    """Sync resources of a platform, by default all with parents before children; outcomes by name."""

    def run(name: str, resources: Sequence[str] | None = None, **selection: object) -> dict[str, ResourceOutcome]:
        platform = platform_named(name)
        chosen = [r for r in platform.resources if resources is None or r.name in resources]
        stages = [[r.name for r in chosen if not r.parent], [r.name for r in chosen if r.parent]]
        settings = read_settings(platform)
        outcomes: dict[str, ResourceOutcome] = {}
        for stage in stages:
            if stage:
                with open_warehouse(platform) as warehouse, ApiClient(platform, settings) as client:
                    found = sync(client, warehouse, Selection(tuple(stage), **selection))  # pyright: ignore[reportArgumentType] -- keywords of Selection
                    outcomes.update({outcome.name: outcome for outcome in found})
        return outcomes

    return run

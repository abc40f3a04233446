"""A permanent fault in one resource: its table is unchanged, other resources load, and all recover afterwards.

One fault of each kind, one of them in `make test`; `ALL_FAULTS=1` tries the whole catalogue (four minutes).
"""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from platform_assets.platforms import platform_named
from platform_assets.sandbox import SandboxServer, expected_rows
from tests.conftest import Sync
from tests.faults.catalogue import BOMB, Case, catalogue
from tests.servers.faulty_proxy import FaultyProxy
from tests.settings import Point
from tests.tiers import only
from tests.warehouse_rows import differences

PLATFORM = platform_named("load_testing")
Records = dict[str, list[dict[str, Any]]]
KINDS = (
    "drop-in-body",
    "drop-without-length",
    "slow-loris-body",
    "429-beyond-the-budget",
    "status-401",
    "status-410",
    "status-500",
    "html",
    "truncated-with-its-length",
    "deep-record",
    "repeated-key-that-empties",
    "gzip-bomb",
    "empty-object",
    "byte-order-mark",
)
CATALOGUE = {case.name: case for case in catalogue() if not case.costly}
CASES = CATALOGUE if os.environ.get("ALL_FAULTS") else {name: CATALOGUE[name] for name in KINDS}


@dataclass(frozen=True)
class Before:
    """A loaded warehouse, and a sandbox whose records have changed since."""

    warehouse: Path
    old: Records
    new: Records
    server: SandboxServer


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Sync, Callable[..., None]], Before]]:
    folder = tmp_path_factory.mktemp("isolation")
    made: list[Before] = []
    with SandboxServer() as server:

        def make(sync_platform: Sync, aim: Callable[..., None]) -> Before:
            if not made:
                with pytest.MonkeyPatch.context() as patch:
                    patch.setenv("DESTINATION__DUCKDB__CREDENTIALS", str(folder / "warehouse.duckdb"))
                    aim(server.url, 20.0)
                    assert all(outcome.ok for outcome in sync_platform("load_testing").values())
                old = expected_rows(server.backend)["load_testing"]
                server.backend.advance(hours=30)
                made.append(
                    Before(folder / "warehouse.duckdb", old, expected_rows(server.backend)["load_testing"], server)
                )
            return made[0]

        yield make


@pytest.fixture
def aim(point: Point) -> Callable[[str, float], None]:
    """Point the platform at a server, with a response timeout in seconds."""

    def aim(url: str, seconds: float) -> None:
        timeouts = {"READ_TIMEOUT": str(seconds / 2), "ANSWER_TIMEOUT": str(seconds)}
        point("load_testing", f"{url}/load_testing", "sandbox-load-testing-token", **timeouts)

    return aim


@pytest.mark.parametrize("name", only(["drop-in-body"], CASES, slow=CASES))
def test_a_permanent_fault_affects_only_its_resource(
    name: str,
    before: Callable[[Sync, Callable[..., None]], Before],
    aim: Callable[[str, float], None],
    sync_platform: Sync,
    warehouse_file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("platform_assets.http.client.MAX_BODY", (BOMB - 1) << 20)
    known, case = before(sync_platform, aim), CASES[name]
    shutil.copy(known.warehouse, warehouse_file)
    with FaultyProxy(known.server.url, case.write_fault, pattern=r"/v2/tests\?page=9&", times=None) as proxy:
        aim(proxy.url, case.timeout)
        outcomes = sync_platform("load_testing", full_refresh=True)
    assert proxy.faults_served
    assert outcomes["organizations"].ok and outcomes["projects"].ok
    assert outcomes["tests"].ok == case.permanent, outcomes["tests"].error
    assert (
        table_differences(
            warehouse_file, {**known.new, "tests": known.new["tests"] if case.permanent else known.old["tests"]}
        )
        == {}
    )
    aim(known.server.url, 20.0)
    assert all(outcome.ok for outcome in sync_platform("load_testing").values())
    assert table_differences(warehouse_file, known.new) == {}


def table_differences(warehouse_file: Path, expected: Records) -> dict[str, list[str]]:
    """The first differences of each table from the expected rows."""
    found = {
        name: differences(warehouse_file, PLATFORM, PLATFORM.resource(name), rows) for name, rows in expected.items()
    }
    return {name: problems[:5] for name, problems in found.items() if problems}


def test_the_catalogue_names_each_fault_once() -> None:
    names = [case.name for case in catalogue()]
    assert len(names) == len(set(names)) and isinstance(next(catalogue()), Case)

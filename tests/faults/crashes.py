"""Kills syncs at random moments, and compares the warehouse after the next sync with the expected rows."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from platform_assets.platforms import all_platforms
from platform_assets.sandbox import SandboxServer, expected_rows
from platform_assets.warehouse.run_directory import JUST_MADE
from tests.settings import sandbox_settings
from tests.warehouse_rows import differences

# `platform-assets`; it imports first, so that the moments fall into the sync.
WORKER = """
import sys
import platform_assets.definitions
from platform_assets.cli import main
sys.argv = ["platform-assets", *sys.argv[1:]]
print("ready", flush=True)
sys.stdin.readline()
main()
"""
# The loads of platforms as a Dagster run does them, without Dagster.
LOADER = """
import sys
from platform_assets.http.client import ApiClient
from platform_assets.configuration.platform_settings import read_settings
from platform_assets.sync import Selection, sync
from platform_assets.platforms import platform_named
from platform_assets.warehouse import open_warehouse
print("ready", flush=True)
sys.stdin.readline()
for name in sys.argv[1:]:
    platform = platform_named(name)
    settings = read_settings(platform)
    for children in (False, True):
        chosen = tuple(r.name for r in platform.resources if bool(r.parent) == children)
        if chosen:
            with open_warehouse(platform) as warehouse, ApiClient(platform, settings) as client:
                for outcome in sync(client, warehouse, Selection(chosen)):
                    assert outcome.ok, outcome
"""


@dataclass
class Crashes:
    """The kills and their results: files that could not be opened, and differences."""

    points: int = 0
    refused: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    moments: list[float] = field(default_factory=list)


@contextmanager
def worker(program: str, args: list[str], environment: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A program that waits for a line on its standard input; it is killed at the end."""
    process = subprocess.Popen(
        [sys.executable, "-c", program, *args],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, **environment},
        text=True,
    )
    assert process.stdout is not None
    while process.stdout.readline().strip() != "ready":
        assert process.poll() is None
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def settings(server: SandboxServer, folder: Path) -> dict[str, str]:
    """Variables that point a sync at the sandbox and at its own warehouse, Dagster home and temporary folder."""
    (folder / "tmp").mkdir(parents=True, exist_ok=True)
    return {
        **sandbox_settings(server),
        "DESTINATION__DUCKDB__CREDENTIALS": str(folder / "warehouse.duckdb"),
        "DAGSTER_HOME": str(folder / "home"),
        "TMPDIR": str(folder / "tmp"),
    }


def crash(
    server: SandboxServer,
    folder: Path,
    program: str,
    args: list[str],
    points: int,
    rng: random.Random,
    check: Callable[[Path], list[str]],
    log: Callable[[str], None] = lambda text: None,
) -> Crashes:
    """Kill `program` with `args` at `points` moments; after each, one undisturbed run, and `check`.

    The sandbox's records change before each point, so that every sync has something to load. One point in ten falls
    into the first load. A program that ends before its moment does not count as a point.
    """
    environment = settings(server, folder)
    found = Crashes()
    lengths = {True: undisturbed(program, args, environment), False: 0.0}
    lengths[False] = undisturbed(program, args, environment)
    while found.points < points:
        first = found.points % 10 == 9
        if first:
            for left in folder.glob("warehouse.duckdb*"):
                left.unlink()
        server.backend.advance(hours=rng.choice((1, 7, 30)))
        moment = rng.uniform(0, lengths[first])
        if not killed(program, args, environment, moment):
            lengths[first] = moment
            continue
        found.points += 1
        found.moments.append(moment)
        found.refused += unreadable(folder / "warehouse.duckdb")
        lengths[False] = undisturbed(program, args, environment)
        wrong = [f"{problem} (killed after {moment:.2f} s)" for problem in check(folder / "warehouse.duckdb")]
        found.wrong += wrong
        log(f"{found.points}/{points}: killed after {moment:.2f} s of {lengths[first]:.1f}, {len(wrong)} differences")
    # The folder of a process killed before it held the folder's lock is kept for a moment.
    time.sleep(JUST_MADE)
    undisturbed(program, args, environment)
    found.wrong += [f"left behind: {path.name}" for path in (folder / "tmp").glob("platform-assets-run-*")]
    return found


def killed(program: str, args: list[str], environment: Mapping[str, str], moment: float) -> bool:
    """Whether the program still ran after `moment` seconds, and was killed then."""
    with worker(program, args, environment) as process:
        assert process.stdin is not None
        print("go", file=process.stdin, flush=True)
        try:
            process.wait(moment)
        except subprocess.TimeoutExpired:
            process.kill()
            return True
    return False


def undisturbed(program: str, args: list[str], environment: Mapping[str, str]) -> float:
    """Seconds of a complete run. Raises AssertionError if it fails."""
    with worker(program, args, environment) as process:
        began = time.monotonic()
        output, _ = process.communicate("go\n", timeout=600)
        assert process.returncode == 0, output[-3000:]
        return time.monotonic() - began


def unreadable(warehouse: Path) -> list[str]:
    """Why the file that a killed sync left cannot be opened; empty if it can, or was never created."""
    if not warehouse.exists():
        return []
    deadline = time.monotonic() + 60
    while True:
        try:
            duckdb.connect(str(warehouse)).close()
        except duckdb.Error as error:
            # A child of the killed process (dbt) may still hold it for a while.
            if "lock" not in str(error).lower() or time.monotonic() > deadline:
                return [str(error)]
            time.sleep(0.2)
        else:
            return []


def table_differences(server: SandboxServer, names: list[str]) -> Callable[[Path], list[str]]:
    """A check that compares every row of some platforms' tables with what the sandbox serves."""

    def check(warehouse: Path) -> list[str]:
        expected = expected_rows(server.backend)
        return [
            f"{platform.name}/{resource.name}: {problem}"
            for platform in all_platforms()
            if platform.name in names
            for resource in platform.resources
            for problem in differences(warehouse, platform, resource, expected[platform.name][resource.name])[:3]
        ]

    return check

"""`dagster dev` unattended for some minutes while the sandbox's clock runs: do new rows arrive within the allowed lag?

Every platform's allowed lag is set to `--lag` seconds; every `--every` seconds the sandbox's clock moves by half an
hour and rows arrive. Measures how long each new row of a cursored resource took to reach the warehouse, and
counts the launched runs and the requests. Writes benchmarks/FRESHNESS.md.
"""

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.fast_path import HERE, free_port, machine
from platform_assets.platforms import all_platforms
from platform_assets.sandbox import FakeBackend, SandboxServer, expected_rows

BIN = Path(sys.executable).parent


# Platform, resource, key, and cursor to the second.
Row = tuple[str, str, str, str]


def watched() -> list[tuple[str, str, str, str]]:
    """Platform, resource, key field and cursor field of every resource with a cursor."""
    return [
        (platform.name, resource.name, platform.primary_key_of(resource)[0], resource.endpoint.incremental.cursor_path)
        for platform in all_platforms()
        for resource in platform.resources
        if resource.endpoint.incremental is not None
    ]


def served(backend: FakeBackend) -> set[Row]:
    """The rows that the sandbox has now."""
    records = expected_rows(backend)
    return {
        (platform, resource, str(record.get(key)), str(record.get(cursor))[:19].replace(" ", "T"))
        for platform, resource, key, cursor in watched()
        for record in records[platform][resource]
    }


def loaded(database: Path) -> set[Row] | None:
    """The rows that the warehouse has now; None while a run locks it."""
    found: set[Row] = set()
    try:
        with duckdb.connect(str(database), read_only=True) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            for platform, resource, key, cursor in watched():
                column = re.sub(r"(?<=[a-z])([A-Z])", lambda m: f"_{m[1].lower()}", cursor)
                rows = connection.execute(
                    f"SELECT {key}, strftime({column}, '%Y-%m-%dT%H:%M:%S') FROM {platform}.{resource}"
                ).fetchall()
                found.update((platform, resource, str(k), str(c)) for k, c in rows)
    except duckdb.Error:
        return None
    return found


def watch(backend: FakeBackend, database: Path, minutes: float, every: float, lag: float) -> dict[str, Any]:
    """Move the sandbox's clock and record when each new row is loaded."""
    while loaded(database) is None:
        time.sleep(2)
    pending: dict[Row, float] = {}
    known = served(backend)
    delays: list[float] = []
    began = advanced = time.time()
    ends = began + 60 * minutes
    while time.time() < ends or (pending and time.time() < ends + lag):
        now = time.time()
        if now < ends and now - advanced >= every:
            backend.advance(hours=0.5)
            advanced = now
            fresh = served(backend)
            # Of a row that changed again before it was loaded, only the newest version is waited for.
            pending = {row: at for row, at in pending.items() if row in fresh}
            pending.update({row: now for row in fresh - known if row not in pending})
            known |= fresh
        there = loaded(database) or set()
        delays += [now - pending.pop(row) for row in pending.keys() & there]
        time.sleep(2)
    late = [f"{'/'.join(row[:2])} {row[2]}" for row, at in pending.items() if time.time() - at > lag]
    return {"arrived": len(delays) + len(pending), "delays": sorted(delays), "never": late}


def runs_of(home: Path) -> Counter[str]:
    """Runs by job and status."""
    os.environ["DAGSTER_HOME"] = str(home)
    import dagster as dg

    with dg.DagsterInstance.get() as instance:
        return Counter(f"{run.job_name} {run.status.value}" for run in instance.get_runs())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--every", type=float, default=30)
    parser.add_argument("--lag", type=float, default=300)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="platform-assets-bench-", ignore_cleanup_errors=True) as name,
        SandboxServer() as server,
    ):
        folder = Path(name)
        home, database = folder / "home", folder / "warehouse.duckdb"
        home.mkdir()
        environment = {**os.environ, "DAGSTER_HOME": str(home), "DESTINATION__DUCKDB__CREDENTIALS": str(database)}
        for platform in all_platforms():
            prefix = f"SOURCES__{platform.name.upper()}__"
            environment[f"{prefix}BASE_URL"] = server.base_url(platform.name)
            environment[f"{prefix}API_TOKEN"] = server.token(platform.name)
            environment[f"{prefix}ALLOWED_LAG"] = str(options.lag)
        with (HERE / "freshness.log").open("wb") as log:
            dev = subprocess.Popen(
                [str(BIN / "platform-assets"), "dev", "--port", str(free_port())],
                cwd=folder,
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            try:
                found = watch(server.backend, database, options.minutes, options.every, options.lag)
                runs = runs_of(home)
                requests = len(server.requests)
            finally:
                # Runs still in flight are not needed.
                os.killpg(dev.pid, signal.SIGKILL)
                dev.wait(30)
    delays = found["delays"] or [0.0]
    lines = "\n".join(f"| {name} | {count} |" for name, count in sorted(runs.items()))
    late = len(found["never"]) + sum(delay > options.lag for delay in delays)
    text = f"""# Freshness of an unattended Dagster

{machine()}.

`dagster dev` for {options.minutes:.0f} minutes; the sandbox's clock moves half an hour every {options.every:.0f} s;
the allowed lag of every resource is {options.lag:.0f} s.

New or changed rows of cursored resources: {found["arrived"]}. Seconds from arrival to warehouse: median
{delays[len(delays) // 2]:.0f}, 95 % {delays[int(len(delays) * 0.95)]:.0f}, longest {delays[-1]:.0f}.
Later than the allowed lag, or not at all: {late}. Requests: {requests}.

| runs | count |
|---|---:|
{lines}
"""
    (HERE / "FRESHNESS.md").write_text(text)
    print(text)
    for row in found["never"][:20]:
        print("never loaded:", row)


if __name__ == "__main__":
    main()

"""Declarative manifests beside Airbyte's CDK: the rows of each, and the speed of one. Writes benchmarks/MANIFESTS.md.

The manifests and their server are those of tests/importing/manifest; each reader has a server of its own, and is
compared with what the server has.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import duckdb

from benchmarks.fast_path import CDK_VERSION, HERE, ROOT, cdk_python, machine, server
from benchmarks.leads_manifest import PAGING, leads
from benchmarks.server import TOKEN

RECORDS = 100_000
REPEATS = 3


@dataclass(frozen=True)
class Compared:
    """One manifest.

    Attributes:
        rows: that the server has, in all streams.
        ours, theirs: "equal", or how it differs.
    """

    name: str
    rows: int
    ours: str
    theirs: str


def compared() -> list[Compared]:
    """Every case, read by both."""
    from tests.importing.manifest.api import VendorApi
    from tests.importing.manifest.cases import CASES, CONFIG
    from tests.importing.manifest.loading import load, manifest_of, plain, settings

    os.environ.update(settings())
    with VendorApi() as api:
        lines = [
            json.dumps(
                {"name": name, "manifest": manifest_of(case, api.url), "config": CONFIG, "streams": list(case.rows)}
            )
            for name, case in CASES.items()
        ]
        answered = subprocess.run(
            [cdk_python(), "-m", "benchmarks.cdk_manifests"],
            cwd=ROOT, input="\n".join(lines), capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
    theirs = {found["name"]: found for found in map(json.loads, answered.splitlines())}
    results: list[Compared] = []
    with VendorApi() as api, tempfile.TemporaryDirectory() as folder:
        for number, (name, case) in enumerate(CASES.items()):
            file = Path(folder) / f"{number}.duckdb"
            os.environ["DESTINATION__DUCKDB__CREDENTIALS"] = str(file)
            try:
                found, problem = load(case, api.url, file), None
            except AssertionError as error:
                found, problem = {}, str(error)[:200]
            rows = {stream: plain(expected) for stream, expected in case.rows.items()}
            other = {stream: plain(records) for stream, records in theirs[name]["rows"].items()}
            results.append(
                Compared(
                    name,
                    sum(map(len, rows.values())),
                    "equal" if found == rows else problem or "other rows",
                    "equal" if other == rows else theirs[name]["error"] or _difference(rows, other),
                )
            )
            print(results[-1], flush=True)
    return results


def _difference(rows: dict[str, list[Any]], other: dict[str, list[Any]]) -> str:
    counts = [f"{len(other.get(stream, []))} of {len(expected)} rows" for stream, expected in rows.items()]
    return ", ".join(counts)


def load_leads(file: str, database: str) -> None:
    """Import a manifest and load it, as a process of its own."""
    os.environ.update({"DESTINATION__DUCKDB__CREDENTIALS": database, "SOURCES__SHOP__KEY": TOKEN})
    from tests.importing.manifest.loading import imported, synced

    platform, _ = imported(json.loads(Path(file).read_text()))
    synced(platform)


@contextmanager
def _measured() -> Iterator[list[float]]:
    """Wall and CPU seconds of the child processes."""
    found: list[float] = []
    wall, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    yield found
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    found += [time.monotonic() - wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime]


def speed(records: int, paging: str) -> dict[str, list[list[float]]]:
    """Wall and CPU seconds of each run: theirs to counted records, ours to rows in DuckDB."""
    results: dict[str, list[list[float]]] = {"Airbyte CDK": [], "ours": []}
    with server(rows=records) as url, tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "manifest.json"
        file.write_text(json.dumps(leads(url, paging)))
        given = json.dumps(
            {"name": "leads", "manifest": leads(url, paging), "config": {"key": TOKEN}, "streams": ["leads"]}
        )
        for repeat in range(REPEATS):
            with _measured() as found:
                answer = subprocess.run(
                    [cdk_python(), "-m", "benchmarks.cdk_manifests", "--count"],
                    cwd=ROOT, input=given, capture_output=True, text=True, check=True,
                ).stdout  # fmt: skip
            results["Airbyte CDK"].append(found)
            if json.loads(answer)["rows"] != {"leads": records}:
                raise SystemExit(f"the CDK read something else: {answer[:300]}")
            database = Path(folder) / f"{repeat}.duckdb"
            with _measured() as found:
                words = ["--load", str(file), str(database)]
                subprocess.run([sys.executable, "-m", "benchmarks.manifests", *words], cwd=ROOT, check=True)
            results["ours"].append(found)
            with duckdb.connect(str(database), read_only=True) as connection:
                ((rows,),) = connection.execute("SELECT count(*) FROM shop.leads").fetchall()
            if rows != records:
                raise SystemExit(f"{rows} rows of {records}")
            print({name: runs[-1] for name, runs in results.items()}, flush=True)
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--load", nargs=2)
    parser.add_argument("--records", type=int, default=RECORDS)
    options = parser.parse_args()
    if options.load:
        load_leads(*options.load)
        return
    results = compared()
    times = {paging: speed(options.records, paging) for paging in PAGING}
    from tests.importing.manifest.cases import CASES

    speeds = [_speed(paging, runs) for paging, runs in times.items()]
    lines = [f"| {one.name} | {one.rows} | {one.ours} | {_theirs(one, CASES[one.name].cdk)} |" for one in results]
    text = f"""# Manifests

{datetime.now(UTC):%Y-%m-%d}; {machine()}.

## Speed

{options.records:,} records of 660 bytes in pages of 500; whole processes, medians of {REPEATS} runs in turns. The CDK
counts its records and stores nothing; ours imports the manifest and loads a table in DuckDB, with types, keys and
state.

| paged by | Airbyte CDK {CDK_VERSION}, s | ours, s | times as fast | CPU of the CDK, s | CPU of ours, s |
|---|---:|---:|---:|---:|---:|
{chr(10).join(speeds)}

## Rows

Every manifest of tests/importing/manifest, read from its server: what each reader has, compared with what the server
has, every field of every row.

| manifest | rows | ours | Airbyte CDK |
|---|---:|---|---|
{chr(10).join(lines)}
"""
    (HERE / "MANIFESTS.md").write_text(text)
    print(text)
    if any(one.ours != "equal" for one in results):
        raise SystemExit("ours differs")


def _speed(paging: str, runs: dict[str, list[list[float]]]) -> str:
    (theirs, ours), (their_cpu, our_cpu) = (
        [median(run[at] for run in found) for found in runs.values()] for at in (0, 1)
    )
    return f"| {paging} | {theirs:.1f} | {ours:.1f} | {theirs / ours:.1f} | {their_cpu:.1f} | {our_cpu:.1f} |"


def _theirs(one: Compared, reason: str | None) -> str:
    said = one.theirs.replace("|", " ").replace("\n", " ")
    return said if reason is None else f"{said[:60]} ({reason})"


if __name__ == "__main__":
    main()

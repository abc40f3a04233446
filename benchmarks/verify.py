"""`verify` over a million rows with a thousand random changes: what it finds, and its time and memory.

Rows come from the page server of the other benchmarks; the load and the verification run in separate
processes. Writes benchmarks/VERIFY.md.
"""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.fast_path import HERE, ROOT, http_get, machine, server
from benchmarks.server import PAGE, TOKEN

TABLE = "crm.leads"
LONG_AGO = "TIMESTAMPTZ '1901-01-01 00:00:00+00'"
OTHER = {
    "VARCHAR": "'~tampered {n}'",
    "JSON": "'{{\"tampered\": {n}}}'",
    "BIGINT": "-{n} - 1",
    "DOUBLE": "-{n} - 0.5",
    "BOOLEAN": "NOT coalesce({column}, FALSE)",
    "DATE": "DATE '1901-01-01' + {n}",
    "TIMESTAMP WITH TIME ZONE": f"coalesce({{column}}, {LONG_AGO}) + INTERVAL 1 MICROSECOND",
}
# Row id -> kind of difference, and the changed column if there is one.
Expected = dict[str, list[str]]


def in_process(task: str, database: Path, url: str) -> dict[str, Any]:
    """Run `task` of this module in a separate process and read its last line."""
    environment = {
        **os.environ,
        "SOURCES__CRM__BASE_URL": url,
        "SOURCES__CRM__API_TOKEN": TOKEN,
        "DESTINATION__DUCKDB__CREDENTIALS": str(database),
        "PYTHONPATH": str(ROOT),
        "RUNTIME__DLTHUB_TELEMETRY": "false",
    }
    command = [sys.executable, "-m", "benchmarks.verify", "--task", task]
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise SystemExit(f"{task} failed:\n{ended.stderr[-2000:]}")
    return json.loads(ended.stdout.splitlines()[-1])


def load() -> dict[str, Any]:
    from platform_assets.configuration.platform_settings import read_settings
    from platform_assets.http.client import ApiClient
    from platform_assets.platforms import platform_named
    from platform_assets.sync import Selection, sync
    from platform_assets.warehouse import open_warehouse

    platform = platform_named("crm")
    settings = read_settings(platform)
    with open_warehouse(platform) as warehouse, ApiClient(platform, settings) as client:
        began = time.perf_counter()
        (found,) = sync(client, warehouse, Selection(("leads",)))
    if not found.ok:
        raise SystemExit(found.error)
    return {"seconds": time.perf_counter() - began, "cpu": time.process_time()}


def verification() -> dict[str, Any]:
    from platform_assets.configuration.platform_settings import read_settings
    from platform_assets.http.client import ApiClient
    from platform_assets.platforms import platform_named
    from platform_assets.verification import verify
    from platform_assets.warehouse import open_warehouse

    platform = platform_named("crm")
    settings = read_settings(platform)
    began = time.perf_counter()
    with open_warehouse(platform) as warehouse, ApiClient(platform, settings) as client:
        (found,) = verify(client, warehouse, ["leads"], examples=1_000_000)
    if found.error is not None:
        raise SystemExit(found.error)
    return {
        "seconds": time.perf_counter() - began,
        "cpu": time.process_time(),
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "requests": found.requests,
        "found": {str(one.key["id"]): [str(one.kind), *one.columns] for one in found.examples},
        "late": sum(found.not_synced_yet.values()),
        "count": found.differences,
    }


def tampered(database: Path, count: int, seed: int) -> Expected:
    """Change random rows outside of a sync, a third of each kind. Returns the expected findings."""
    rng = random.Random(seed)
    expected: Expected = {}
    with duckdb.connect(str(database)) as connection:
        ids = [row[0] for row in connection.execute(f"SELECT id FROM {TABLE} ORDER BY id").fetchall()]
        columns: list[tuple[str, str]] = [
            (name, kind)
            for name, kind, *_ in connection.execute(f"DESCRIBE {TABLE}").fetchall()
            if name not in ("id", "_dlt_id", "_dlt_load_id", "_loaded_at", "_deleted_at")
        ]
        connection.execute("BEGIN")
        for n, row in enumerate(rng.sample(ids, count)):
            kind = ("missing", "extra", "changed")[n % 3]
            if kind == "missing" and n % 2:
                connection.execute(f"DELETE FROM {TABLE} WHERE id = ?", [row])
            elif kind == "missing":
                connection.execute(f"UPDATE {TABLE} SET _deleted_at = {LONG_AGO} WHERE id = ?", [row])
            elif kind == "extra":
                made_up = f"made-up-{n}"
                connection.execute(
                    f"INSERT INTO {TABLE} SELECT * REPLACE (? AS id) FROM {TABLE} WHERE id = ?", [made_up, row]
                )
                expected[made_up] = [kind]
                continue
            else:
                column, data_type = columns[n // 3 % len(columns)]
                value = OTHER[data_type].format(n=n, column=f'"{column}"')
                connection.execute(f'UPDATE {TABLE} SET "{column}" = {value} WHERE id = ?', [row])
                expected[row] = [kind, column]
                continue
            expected[row] = [kind]
        connection.execute("COMMIT")
    return expected


def measure(rows: int, tamperings: int, seed: int) -> list[str]:
    lines: list[str] = []
    with tempfile.TemporaryDirectory(prefix="platform-assets-bench-") as folder, server(rows=rows) as url:
        database = Path(folder) / "warehouse.duckdb"
        loaded = in_process("load", database, url)
        lines.append(f"| (its first load) | {rows:,} | | | | {loaded['seconds']:.1f} | {loaded['cpu']:.1f} | | | |")
        print(lines[-1], flush=True)
        for case, expected in (("untouched", {}), ("tampered", None)):
            expected = tampered(database, tamperings, seed) if expected is None else expected
            before = int(http_get(url, "/_requests"))
            done = in_process("verify", database, url)
            requests = int(http_get(url, "/_requests")) - before
            found: Expected = done["found"]
            right = sum(found.get(row) == what for row, what in expected.items())
            false = sum(found[row] != expected.get(row) for row in found) + done["late"]
            assert done["count"] == len(found) and requests == done["requests"]
            numbers = f"{done['seconds']:.1f} | {done['cpu']:.1f} | {done['megabytes']:.0f} | {requests:,}"
            pages = -(-rows // PAGE)
            lines.append(f"| {case} | {rows:,} | {len(expected):,} | {right:,} | {false:,} | {numbers} | {pages:,} |")
            print(lines[-1], flush=True)
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--tamperings", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--task", choices=("load", "verify"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.task:
        print(json.dumps(load() if options.task == "load" else verification()))
        return
    lines = "\n".join(measure(options.rows, options.tamperings, options.seed))
    text = f"""# `verify` over a million rows

{machine()}. `python -m benchmarks.verify`, seed {options.seed}.

Random rows of `{TABLE}` (18 columns and more, nested) are deleted or soft-deleted, added, or changed in one
column of any type (text, number, bool, date, timestamp, JSON) outside of a sync, with their stored hash
unchanged. Right: found with its kind, key and column. False: anything else that was reported. Seconds are of the whole
verification: reading every page once, copying the table, comparing; CPU seconds are those of the process, its start
and imports included. The first load of the same rows, measured in the same minutes, shows how busy the machine was.

| warehouse | rows | tamperings | found right | false | seconds | CPU s | peak MB | requests | pages |
|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|
{lines}
"""
    (HERE / "VERIFY.md").write_text(text)
    print(f"\n{text}")


if __name__ == "__main__":
    main()

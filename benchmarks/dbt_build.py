"""`dbt build` of all models and tests on a million builds and a million events: seconds and peak memory.

Two builds: the first one, and one after a load that changed one row in ten of the newest thirty days. Writes
benchmarks/DBT.md. The rows are those of a small sandbox, repeated over three years with new keys; they are
inserted into the file directly, since loading is measured elsewhere (RESULTS.md).
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

from benchmarks.fast_path import HERE, ROOT, machine

BIN = Path(sys.executable).parent
TABLES = {"ci_analytics.builds": "created_at", "error_tracking.events": "date_created"}
DAYS = 1095
REPEAT = """
CREATE TEMP TABLE template AS SELECT row_number() OVER () AS place, * FROM {table};
DELETE FROM {table};
INSERT INTO {table} BY NAME
SELECT * EXCLUDE (place, copy, span) REPLACE (
    md5(_dlt_id || copy) AS _dlt_id, id || '-' || copy AS id, {moment} - span AS {moment} {others}
) FROM (
    SELECT template.*, copy, to_minutes(CAST(hash(place, copy) % {minutes} AS integer)) AS span
    FROM template, range(CAST(ceil({rows} / (SELECT count(*) FROM template)) AS bigint)) AS copies (copy)
) LIMIT {rows};
DROP TABLE template;
"""
OTHERS = {
    "ci_analytics.builds": ", scheduled_at - span AS scheduled_at, started_at - span AS started_at,"
    " finished_at - span AS finished_at",
    "error_tracking.events": ", event_id || '-' || copy AS event_id",
}
TOUCH = """
UPDATE {table} SET _loaded_at = now()
WHERE hash(id) % 10 = 0 AND {moment} > (SELECT max({moment}) FROM {table}) - INTERVAL 30 DAYS
"""


def load(folder: Path, rows: int) -> None:
    """All 47 tables from a sandbox, builds and events grown to `rows`."""
    command = [str(BIN / "platform-assets"), "sync", "--sandbox", "--no-models"]
    subprocess.run(command, cwd=folder, env=environment(folder), check=True, capture_output=True)
    with duckdb.connect(str(folder / "warehouse.duckdb")) as connection:
        for table, moment in TABLES.items():
            connection.execute(
                REPEAT.format(table=table, moment=moment, minutes=DAYS * 24 * 60, rows=rows, others=OTHERS[table])
            )


def touch(folder: Path) -> int:
    """Load some recent rows again. Returns how many."""
    with duckdb.connect(str(folder / "warehouse.duckdb")) as connection:
        counts = [connection.execute(TOUCH.format(table=t, moment=m)).fetchall()[0][0] for t, m in TABLES.items()]
    return sum(counts)


def environment(folder: Path) -> dict[str, str]:
    """Settings for this run's own warehouse, whose file dbt's profile reads too."""
    file = str(folder / "warehouse.duckdb")
    return {
        **os.environ,
        "DAGSTER_HOME": str(folder / "home"),
        "DESTINATION__DUCKDB__CREDENTIALS": file,
        "PLATFORM_ASSETS_DUCKDB": file,
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
    }


def build(folder: Path, *options: str) -> tuple[float, float]:
    """Seconds and peak megabytes of one `dbt build`."""
    project = str(ROOT / "dbt_project")
    command = [str(BIN / "dbt"), "build", "--project-dir", project, "--profiles-dir", project, "--quiet"]
    command += ["--target-path", str(folder / "target"), "--log-path", str(folder / "logs"), *options]
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, env=environment(folder), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(output[-3000:])
    return time.perf_counter() - began, usage.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="builds, and as many events")
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory(prefix="platform-assets-bench-") as name:
        folder = Path(name)
        load(folder, rows)
        print("loaded", flush=True)
        first = build(folder)
        touched = touch(folder)
        again = build(folder)
    table = "\n".join(
        f"| {title} | {seconds:.1f} | {megabytes:,.0f} |"
        for title, (seconds, megabytes) in (
            ("first build", first),
            (f"another, {touched:,} rows loaded again", again),
        )
    )
    text = f"""# dbt build

{machine()}. {rows:,} builds and {rows:,} events over {DAYS // 365} years, the other 45 tables as the sandbox has them;
all models and their tests, DuckDB, the project's own profile (`python -m benchmarks.dbt_build`).

| | seconds | peak memory, MB |
|---|---:|---:|
{table}

Start-up of dbt and reading the project are included. All marts are plain tables. Three of them were incremental by
day: the second build then took 15.8 s where `--full-refresh` took 17.3 s, and a day whose last row had moved to another
day was never removed. To find such days every row has to be read anyway, so there is little to gain.
"""
    (HERE / "DBT.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()

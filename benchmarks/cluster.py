"""500 partitions over Celery workers that share no disk, into Postgres: the gain of four, and the cost of a kill.

Every service of deploy/docker-compose.yml and deploy/celery/docker-compose.yml is a process of its own, in a folder of
its own, started by the command lines of these files. Writes benchmarks/CLUSTER.md.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg2

from benchmarks.fast_path import HERE, ROOT, http_get, machine, server
from benchmarks.server import TOKEN
from tests.deploy.cluster import ENDED, Cluster, running_cluster, wait_until
from tests.servers.postgres import PostgresServer
from tests.servers.redis import redis_server

PARTITIONS = 500
RUNS = 16
LATENCY = 0.05
# Of each organization, two a page: the reads wait for the server, not for this machine's processors.
PIPELINES = 122
PAGE_SIZE = 2
ORGANIZATIONS, PARTITIONED = "ci_analytics/organizations", "ci_analytics/organizations_pipelines"
PARTITION = "ci_analytics_organization"
OP = "ci_analytics__per_organization"
TABLE = "ci_analytics.organizations_pipelines"
# Columns that tell when a row was loaded, and by which load.
OF_THE_LOAD = ("_loaded_at", "_dlt_load_id", "last_seen_at")
LONGEST = 1800.0


@dataclass
class Measured:
    """One backfill: seconds, the rows it left, and what happened to its runs."""

    case: str
    seconds: float
    rows: dict[str, tuple[Any, ...]]
    partitions: int = 0
    retried: list[str] = field(default_factory=list)


def api_settings(url: str) -> dict[str, str]:
    prefix = "SOURCES__CI_ANALYTICS__"
    return {f"{prefix}BASE_URL": url, f"{prefix}API_TOKEN": TOKEN, f"{prefix}PAGE_SIZE": str(PAGE_SIZE)}


def rows_of(url: str) -> dict[str, tuple[Any, ...]]:
    """Primary key -> the row, without the times of its load. SystemExit if a key is there twice."""
    connection = psycopg2.connect(url)
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {TABLE}")
            names = [column[0] for column in cursor.description or ()]
            kept = [at for at, name in enumerate(names) if name not in OF_THE_LOAD]
            found = cursor.fetchall()
    finally:
        connection.close()
    key = names.index("id")
    rows = {row[key]: tuple(repr(row[at]) for at in kept) for row in found}
    if len(rows) != len(found):
        raise SystemExit(f"{len(found) - len(rows)} rows are there twice")
    return rows


@contextmanager
def warm_cluster(url: str, folder: Path, workers: int) -> Iterator[tuple[Cluster, list[str]]]:
    """A cluster whose workers have each had a run, and the partitions that are left to load."""
    folder.mkdir()
    with (
        PostgresServer() as postgres,
        redis_server() as redis,
        running_cluster(postgres, folder, api_settings(url), redis, workers) as cluster,
    ):
        # So that a run waits for a worker, and not a worker for the daemon.
        cluster.instance.event_log_storage.set_concurrency_slots("ci_analytics", workers + 2)
        parents = cluster.ended(cluster.webserver.launch("sync_ci_analytics", [ORGANIZATIONS]), LONGEST)
        if parents.status != dg.DagsterRunStatus.SUCCESS:
            raise SystemExit("the organizations were not loaded")
        keys = sorted(cluster.instance.get_dynamic_partitions(PARTITION), key=lambda key: int(key.split("-")[1]))
        others = keys[PARTITIONS:]
        cluster.finish([launch(cluster, others[at::workers]) for at in range(workers)], LONGEST)
        yield cluster, keys[:PARTITIONS]


def launch(cluster: Cluster, keys: Sequence[str]) -> str:
    config = {"ops": {OP: {"config": {"partitions": list(keys)}}}}
    return cluster.webserver.launch("sync_ci_analytics", [PARTITIONED], config)


def launch_all(cluster: Cluster, keys: Sequence[str], runs: int) -> list[str]:
    return [launch(cluster, keys[at::runs]) for at in range(runs)]


def materialized(cluster: Cluster, keys: Sequence[str]) -> int:
    key = dg.AssetKey(PARTITIONED.split("/"))
    return len(set(keys) & cluster.instance.get_materialized_partitions(key))


def undisturbed(url: str, folder: Path, workers: int, runs: int) -> Measured:
    with warm_cluster(url, folder, workers) as (cluster, keys):
        began = time.monotonic()
        cluster.finish(launch_all(cluster, keys, runs), LONGEST)
        seconds = time.monotonic() - began
        done = materialized(cluster, keys)
        return Measured(f"{workers} Celery worker{'s' * (workers > 1)}", seconds, rows_of(warehouse(cluster)), done)


def disturbed(url: str, folder: Path, workers: int, runs: int) -> tuple[Measured, float]:
    """A worker is killed with -9 in the middle of a run, and later the database restarts; and the seconds to notice."""
    with warm_cluster(url, folder, workers) as (cluster, keys):
        began = time.monotonic()
        launched = launch_all(cluster, keys, runs)
        victim, run_id = cluster.busy_worker(launched)
        time.sleep(1)
        victim.kill()
        killed = time.monotonic()
        wait_until(lambda: cluster.run(run_id).status in ENDED, 300)
        noticed = time.monotonic() - killed
        if cluster.run(run_id).status != dg.DagsterRunStatus.FAILURE:
            raise SystemExit("the killed run did not fail: it had ended before")
        # Not in the same second: a retry that Dagster cannot store it does not try again.
        wait_until(lambda: cluster.retries_of(run_id))
        cluster.postgres.restart()
        replaced = cluster.finish(launched, LONGEST)
        seconds = time.monotonic() - began
        case = f"{workers} workers, one killed, Postgres restarted"
        return Measured(case, seconds, rows_of(warehouse(cluster)), materialized(cluster, keys), replaced), noticed


def warehouse(cluster: Cluster) -> str:
    return cluster.postgres.url("warehouse")


def single_process(url: str, folder: Path, postgres: PostgresServer) -> Measured:
    """`platform-assets sync` of the same, without Dagster's daemon, Celery or a second process."""
    folder.mkdir()
    postgres.create("single")
    environment = {
        **os.environ,
        **api_settings(url),
        **postgres.settings_of("single"),
        "DAGSTER_HOME": str(folder),
        "PYTHONPATH": str(ROOT),
        "RUNTIME__DLTHUB_TELEMETRY": "false",
    }
    words = [sys.executable, "-c", "from platform_assets.cli import main; main()", "sync", "--no-models"]
    seconds = {}
    for asset in (ORGANIZATIONS, PARTITIONED):
        began = time.monotonic()
        done = subprocess.run(
            [*words, "--select", asset], env=environment, cwd=folder, capture_output=True, check=False
        )
        seconds[asset] = time.monotonic() - began
        if done.returncode:
            raise SystemExit(done.stderr.decode()[-2000:])
    return Measured("`platform-assets sync`, one process", seconds[PARTITIONED], rows_of(postgres.url("single")))


def of_the_backfill(rows: Mapping[str, tuple[Any, ...]], keys: Sequence[str]) -> dict[str, tuple[Any, ...]]:
    wanted = set(keys)
    return {key: row for key, row in rows.items() if key.rsplit("-", 1)[0] in wanted}


def differing(found: Mapping[str, Any], expected: Mapping[str, Any]) -> int:
    return sum(found.get(key) != expected.get(key) for key in found.keys() | expected.keys())


def row(found: Measured, rows: Mapping[str, Any], expected: Mapping[str, Any]) -> str:
    numbers = f"{found.seconds:.1f} | {found.partitions or ''} | {len(rows):,} | {differing(rows, expected)}"
    return f"| {found.case} | {numbers} | {len(found.retried)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--runs", type=int, default=RUNS)
    options = parser.parse_args()
    spare = 2 * options.workers
    keys = [f"org-{number}" for number in range(PARTITIONS)]
    with (
        tempfile.TemporaryDirectory(prefix="platform-assets-bench-") as name,
        server(organizations=PARTITIONS + spare, pipelines=PIPELINES, latency=LATENCY) as url,
    ):
        folder = Path(name)
        with PostgresServer() as postgres:
            single = single_process(url, folder / "single", postgres)
        requests = int(http_get(url, "/_requests"))
        print(f"{single.case}: {single.seconds:.1f} s, {len(single.rows):,} rows", flush=True)
        results = [undisturbed(url, folder / f"workers-{n}", n, options.runs) for n in (options.workers, 1)]
        for one in results:
            print(f"{one.case}: {one.seconds:.1f} s", flush=True)
        killed, noticed = disturbed(url, folder / "killed", options.workers, options.runs)
        print(f"{killed.case}: {killed.seconds:.1f} s, {len(killed.retried)} runs retried", flush=True)
    many, one = results
    efficiency = one.seconds / (options.workers * many.seconds)
    expected = of_the_backfill(single.rows, keys)
    lines = [row(found, of_the_backfill(found.rows, keys), expected) for found in (single, one, many, killed)]
    text = f"""# Many workers

{datetime.now(UTC):%Y-%m-%d}; {machine()}, dagster-celery {version("dagster-celery")}.

{PARTITIONS} partitions (organizations with {PIPELINES} pipelines each) in {options.runs} runs, from a server that takes
{LATENCY * 1000:.0f} ms for an answer, in pages of {PAGE_SIZE}: {requests:,} requests, eight of a run at once.
The pages are that small so that the reads wait, as over a network: {os.cpu_count()} cores are shared by the workers,
the server and the database, and would else be all that is measured. Into Postgres, which also has Dagster's history;
Redis between the daemon and the workers. Webserver, daemon, code server and each worker are processes of their own in
folders of their own, started by the command lines of deploy/. Each worker had one small run before.

| | seconds | partitions materialized | rows | rows that differ from one process's | runs retried |
|---|---:|---:|---:|---:|---:|
{chr(10).join(lines)}

Efficiency, 1 worker's time / ({options.workers} x {options.workers} workers' time): **{efficiency:.2f}**.

In the last row a worker and its run were killed with -9: the run was seen as failed {noticed:.0f} s later and loaded by
another worker; then Postgres was restarted under all of them.
"""
    (HERE / "CLUSTER.md").write_text(text)
    print(f"\n{text}")


if __name__ == "__main__":
    main()

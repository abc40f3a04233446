"""Parents in buckets over 1, 2, 4 and 8 Celery workers, into Postgres: how the time, the memory and Dagster's log grow.

The topology is that of benchmarks/cluster.py. Writes benchmarks/WORKERS.md.
"""

import argparse
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import dagster as dg

from benchmarks.cluster import LATENCY, LONGEST
from benchmarks.fast_path import HERE, machine, server
from benchmarks.server import TOKEN
from tests.deploy.cluster import Cluster, running_cluster
from tests.deploy.compose import Service
from tests.servers.postgres import PostgresServer
from tests.servers.redis import redis_server

PARENTS = 100_000
WORKERS = (1, 2, 4, 8)
BUCKETS = 16
RUNS_OF = 2
DEALS, CHILDREN = "crm/deals", "crm/deal_products"
OP = "crm__buckets_16"
COLUMNS = (
    "workers",
    "first load, s",
    "requests/s",
    "rows/s",
    "efficiency",
    "peak memory, MB",
    "state rows per parent",
    "events",
    "nothing new, s",
)


@dataclass(frozen=True)
class Measured:
    """One first load of all children, and one sync of them with nothing new.

    Attributes:
        seconds, nothing_new: of the two, in seconds.
        rows: in the children's table.
        state: rows of state of the children.
        megabytes: the largest worker's peak.
        events: in Dagster's log, of the runs of the first load.
    """

    workers: int
    seconds: float
    nothing_new: float
    rows: int
    state: int
    megabytes: float
    events: int


def peak_megabytes(service: Service) -> float:
    """Peak memory of the service's largest process, in MB, so far."""
    assert service.process is not None
    group = service.process.pid
    peaks = [0.0]
    for folder in Path("/proc").iterdir():
        try:
            # The name of the process may hold blanks; the fields after it do not: state, parent, group.
            if int((folder / "stat").read_text().rpartition(")")[2].split()[2]) != group:
                continue
            status = (folder / "status").read_text()
        except (OSError, ValueError, IndexError):
            continue
        peaks += [int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM")]
    return max(peaks)


def launch_all(cluster: Cluster) -> list[str]:
    keys = [f"bucket_{number:02d}" for number in range(BUCKETS)]
    runs = BUCKETS // RUNS_OF
    given = [{"ops": {OP: {"config": {"partitions": keys[at::runs]}}}} for at in range(runs)]
    return [cluster.webserver.launch("sync_crm", [CHILDREN], config) for config in given]


def timed(cluster: Cluster) -> tuple[float, list[str]]:
    began = time.monotonic()
    launched = launch_all(cluster)
    if cluster.finish(launched, LONGEST):
        raise SystemExit("a run failed")
    return time.monotonic() - began, launched


def measure(url: str, folder: Path, workers: int) -> Measured:
    prefix = "SOURCES__CRM__"
    settings = {f"{prefix}BASE_URL": url, f"{prefix}API_TOKEN": TOKEN}
    folder.mkdir()
    with (
        PostgresServer() as postgres,
        redis_server() as redis,
        running_cluster(postgres, folder, settings, redis, workers) as cluster,
    ):
        cluster.instance.event_log_storage.set_concurrency_slots("crm", workers + 2)
        if cluster.ended(cluster.webserver.launch("sync_crm", [DEALS]), LONGEST).status != dg.DagsterRunStatus.SUCCESS:
            raise SystemExit("the deals were not loaded")
        seconds, launched = timed(cluster)
        events = sum(len(cluster.instance.all_logs(run)) for run in launched)
        megabytes = max(map(peak_megabytes, cluster.workers))
        nothing_new, _ = timed(cluster)
        ((rows,),) = cluster.rows("SELECT count(*) FROM crm.deal_products")
        ((state,),) = cluster.rows("SELECT count(*) FROM crm._sync_state WHERE resource = 'deal_products'")
        return Measured(workers, seconds, nothing_new, rows, state, megabytes, events)


def row(found: Measured, parents: int, first: Measured) -> str:
    speed = f"{found.seconds:.0f} | {parents / found.seconds:,.0f} | {found.rows / found.seconds:,.0f}"
    gain = first.seconds * first.workers / (found.seconds * found.workers)
    rest = f"{found.megabytes:.0f} | {found.state / parents:.4f} | {found.events} | {found.nothing_new:.0f}"
    return f"| {found.workers} | {speed} | {gain:.2f} | {rest} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parents", type=int, default=PARENTS)
    parser.add_argument("--workers", type=int, nargs="*", default=WORKERS)
    options = parser.parse_args()
    results: list[Measured] = []
    with (
        tempfile.TemporaryDirectory(prefix="platform-assets-bench-") as name,
        server(deals=options.parents, latency=LATENCY) as url,
    ):
        for workers in options.workers:
            results.append(measure(url, Path(name) / str(workers), workers))
            print(results[-1], flush=True)
    expected = 2 * options.parents
    if any(found.rows != expected for found in results):
        raise SystemExit(f"not {expected} rows everywhere")
    lines = [row(found, options.parents, results[0]) for found in results]
    text = f"""# Parents over workers

{datetime.now(UTC):%Y-%m-%d}; {machine()}, dagster-celery {version("dagster-celery")}.

{options.parents:,} deals, a request for the products of each (two rows), from a server that takes
{LATENCY * 1000:.0f} ms for an answer; {BUCKETS} buckets in {BUCKETS // RUNS_OF} runs, eight requests of a run at once.
Into Postgres, which also has Dagster's history. Every service is a process of its own on this one machine, whose cores
they share.

| {" | ".join(COLUMNS)} |
|{"---:|" * len(COLUMNS)}
{chr(10).join(lines)}

Efficiency is the first line's time x its workers / (time x workers). The last column is a sync of all buckets that
finds nothing new, with the start of its runs. Memory is the peak of the largest worker, events are those
of the first load's runs in Dagster's log.
"""
    (HERE / "WORKERS.md").write_text(text)
    print(f"\n{text}")


if __name__ == "__main__":
    main()

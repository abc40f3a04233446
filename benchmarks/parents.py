"""Children per parent at scale: 2,000 organizations on a server with latency, and up to 100,000 deals in buckets.

Every sync runs in a separate process. Writes benchmarks/PARENTS.md.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.fast_path import HERE, ROOT, http_get, machine, server
from benchmarks.server import TOKEN

LATENCY = 0.05


def one_sync(platform_name: str, resources: list[str]) -> dict[str, Any]:
    """Sync in this process. Returns seconds, peak memory and the outcome of the last resource."""
    import duckdb

    from platform_assets.configuration.platform_settings import read_settings
    from platform_assets.http.client import ApiClient
    from platform_assets.platforms import platform_named
    from platform_assets.sync import ResourceOutcome, Selection, sync
    from platform_assets.warehouse import open_warehouse

    platform = platform_named(platform_name)
    settings = read_settings(platform)

    def load(name: str) -> ResourceOutcome:
        with open_warehouse(platform) as warehouse, ApiClient(platform, settings) as client:
            (found,) = sync(client, warehouse, Selection((name,)))
        if not found.ok:
            raise SystemExit(f"{name} failed: {found.error or found.failed_partitions}")
        return found

    *parents, children = resources
    for name in parents:
        load(name)
    began = time.perf_counter()
    outcome = load(children)
    seconds = time.perf_counter() - began
    with duckdb.connect(os.environ["DESTINATION__DUCKDB__CREDENTIALS"], read_only=True) as connection:
        state = connection.execute(f"SELECT count(*) FROM {platform_name}._sync_state").fetchall()[0][0]
    return {
        "seconds": seconds,
        "requests": outcome.requests,
        "rows": outcome.rows_in_table,
        "loaded": outcome.rows_loaded,
        "state": state,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "concurrency": platform.client.max_concurrency,
    }


def measured(case: str, url: str, database: Path, platform_name: str, resources: list[str]) -> dict[str, Any]:
    """`one_sync` in a separate process."""
    prefix = f"SOURCES__{platform_name.upper()}__"
    environment = {
        **os.environ,
        f"{prefix}BASE_URL": url,
        f"{prefix}API_TOKEN": TOKEN,
        "DESTINATION__DUCKDB__CREDENTIALS": str(database),
        "PYTHONPATH": str(ROOT),
        "RUNTIME__DLTHUB_TELEMETRY": "false",
    }
    command = [sys.executable, "-m", "benchmarks.parents", "--sync", platform_name, *resources]
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise SystemExit(f"{case} failed:\n{ended.stderr[-2000:]}")
    found = {"case": case, **json.loads(ended.stdout.splitlines()[-1])}
    print(
        f"{case:44} {found['seconds']:8.2f} s {found['requests']:7} requests {found['megabytes']:6.0f} MB", flush=True
    )
    return found


def table(results: list[dict[str, Any]]) -> str:
    lines = [
        "| case | seconds | requests | rows in table | rows loaded | peak MB | rows of state | latency bound |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for r in results:
        bound = f"{r['bound']:.1f} s ({r['seconds'] / r['bound']:.2f}x)" if "bound" in r else ""
        numbers = f"{r['requests']:,} | {r['rows']:,} | {r['loaded']:,} | {r['megabytes']:.0f} | {r['state']:,}"
        lines.append(f"| {r['case']} | {r['seconds']:.2f} | {numbers} | {bound} |")
    return "\n".join(lines)


def measure(sizes: list[int], organizations: int) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="platform-assets-bench-") as folder:
        with server(organizations=organizations, latency=LATENCY) as url:
            database = Path(folder) / "organizations.duckdb"
            for which in ("first load", "nothing new"):
                case = f"{organizations:,} organizations x 20, 50 ms, {which}"
                found = measured(case, url, database, "ci_analytics", ["organizations", "organizations_pipelines"])
                results.append({**found, "bound": LATENCY * found["requests"] / found["concurrency"]})
        for size in sizes:
            with server(deals=size) as url:
                database = Path(folder) / f"deals-{size}.duckdb"
                for which, version in (("first load", 0), ("nothing new", 0), ("50 deals changed", 1)):
                    http_get(url, f"/_version?v={version}")
                    case = f"products of {size:,} deals, {which}"
                    results.append(measured(case, url, database, "crm", ["deals", "deal_products"]))
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deals", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--organizations", type=int, default=2_000)
    parser.add_argument("--sync", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.sync:
        print(json.dumps(one_sync(options.sync[0], options.sync[1:])))
        return
    results = measure(options.deals, options.organizations)
    text = f"""# Children per parent

{machine()}.

`seconds` and `requests` are the children's alone; their parents were synced right before. The latency bound is
latency x requests / concurrency. Products are a deal's product lines, two each, in 16 buckets: a bucket requests only
deals that are new, changed or failed since. State is one row per resource and parent in `<platform>._sync_state`.

{table(results)}
"""
    (HERE / "PARENTS.md").write_text(text)
    print(f"\n{text}")


if __name__ == "__main__":
    main()

"""`make bench`: ours, plain dlt, Airbyte's CDK and a minimal hand-written loader, interleaved in one run.

Starts a server of pre-rendered pages in a separate process. Writes benchmarks/RESULTS.md and
benchmarks/fast_path.png. `--rows` names sizes; plain dlt runs only up to `--dlt-limit` rows (it takes minutes and
gigabytes beyond that).
"""

import argparse
import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from urllib.request import urlopen

ROOT = Path(__file__).parents[1]
HERE = Path(__file__).parent
CDK = ROOT / ".tools" / "airbyte-cdk"
CDK_VERSION = "7.39.1"


@dataclass
class Result:
    """One run of one contender."""

    name: str
    case: str
    rows: int
    seconds: float
    cpu: float
    megabytes: float
    requests: int


def cdk_python() -> str:
    """Python of a separate environment with Airbyte's CDK, which pins other library versions; created on first use."""
    python = CDK / "bin" / "python"
    if not python.exists():
        venv.create(CDK, with_pip=True)
        subprocess.run([str(python), "-m", "pip", "install", "-qq", f"airbyte-cdk=={CDK_VERSION}"], check=True)
    return str(python)


@contextmanager
def server(**options: object) -> Iterator[str]:
    """The page server in a separate process; yields its URL."""
    port = free_port()
    words = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.server", "--port", str(port), *words], cwd=ROOT)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(1200):
            try:
                http_get(url, "/_requests")
                break
            except OSError:
                time.sleep(0.1)
        yield url
    finally:
        process.kill()
        process.wait()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def http_get(url: str, path: str) -> str:
    with urlopen(url + path, timeout=10) as answer:
        return answer.read().decode()


def run(name: str, case: str, url: str, database: Path) -> Result:
    """Run one contender in a process and read its own numbers, its peak memory and the server's count."""
    python = cdk_python() if name == "Airbyte CDK" else sys.executable
    before = int(http_get(url, "/_requests"))
    process = subprocess.Popen(
        [python, "-m", "benchmarks.contenders", name, url, str(database)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "RUNTIME__DLTHUB_TELEMETRY": "false"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    output = process.stdout.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"{name} failed on {case}:\n{output[-2000:]}")
    found = json.loads(output.strip().splitlines()[-1])
    requests = int(http_get(url, "/_requests")) - before
    result = Result(name, case, found["rows"], found["seconds"], found["cpu"], usage.ru_maxrss / 1024, requests)
    print(f"{case:>16}  {name:<12} {result.seconds:8.2f} s  {result.megabytes:7.0f} MB  {result.rows} rows", flush=True)
    return result


def measure(sizes: list[int], dlt_limit: int, repeats: int) -> list[Result]:
    results: list[Result] = []
    folder = Path(tempfile.mkdtemp(prefix="platform-assets-bench-"))
    try:
        for rows in sizes:
            case = f"{rows:,} rows"
            with server(rows=rows) as url:
                for repeat in range(repeats if rows <= 100_000 else 1):
                    for name in ("ours", "by hand", "Airbyte CDK", "dlt, Arrow", "dlt, Parquet", "plain dlt"):
                        if name == "plain dlt" and (rows > dlt_limit or repeat):
                            continue
                        work = folder / f"{rows}-{name}-{repeat}".replace(" ", "_")
                        work.mkdir()
                        results.append(run(name, case, url, work / "warehouse.duckdb"))
                        if name == "ours" and repeat == 0:
                            results.append(run(name, f"{case}, no-op", url, work / "warehouse.duckdb"))
                            http_get(url, "/_version?v=1")
                            results.append(run(name, f"{case}, 1 % changed", url, work / "warehouse.duckdb"))
                            http_get(url, "/_version?v=0")
                        shutil.rmtree(work)
        with server(rows=10_000) as url:
            cases = ("server filters by time", "server filters by time, no-op")
            results += [run("ours, filtered", case, url, folder / "filtered.duckdb") for case in cases]
        for case, options in (("3 % answers 429", {"rows": 100_000, "fault_share": 0.03}),):
            with server(**options) as url:
                results.append(run("ours", case, url, folder / "faults.duckdb"))
        with server(organizations=200, latency=0.05) as url:
            results.append(run("fan-out", "200 parents x 50 ms", url, folder / "fan.duckdb"))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return results


def best(results: list[Result]) -> list[Result]:
    """The fastest run of each contender and case, in the order they ran."""
    found: dict[tuple[str, str], Result] = {}
    for result in results:
        key = (result.case, result.name)
        if key not in found or result.seconds < found[key].seconds:
            found[key] = result
    return list(found.values())


def table(results: list[Result]) -> str:
    lines = [
        "| case | contender | rows | seconds | CPU s | peak MB | requests | ours is … times as fast |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    ours = {result.case: result.seconds for result in results if result.name == "ours"}
    for r in results:
        ratio = f"{r.seconds / ours[r.case]:.2f}" if r.case in ours and r.name != "ours" else ""
        numbers = f"{r.rows:,} | {r.seconds:.2f} | {r.cpu:.2f} | {r.megabytes:.0f} | {r.requests}"
        lines.append(f"| {r.case} | {r.name} | {numbers} | {ratio} |")
    return "\n".join(lines)


def machine() -> str:
    names = ("dagster", "dagster-dlt", "dlt", "duckdb", "pyarrow", "orjson", "requests")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    host = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return f"{host}; {versions}, airbyte-cdk {CDK_VERSION}"


def write(results: list[Result]) -> None:
    text = f"""# Results of `make bench`

{datetime.now(UTC):%Y-%m-%d}; {machine()}.

Nested records (20 fields, about 0.8 kB of JSON) in pages of 500 from a loopback server of pre-rendered pages. Seconds
are the best of the runs, without starting Python and importing; ours is a whole Dagster materialisation into DuckDB.
Airbyte's CDK writes JSON lines, neither typed nor in a database. "By hand" is the limit: no types, retries, state or
deduplication. Plain dlt is `rest_api_source` with its default settings and the same declaration, not run beyond
100,000 rows, where it would take tens of minutes and gigabytes; once more with Parquet as its `loader_file_format`.
"dlt, Arrow" is the loop of "by hand" in a resource of dlt, which gets Arrow tables and merges them by the key.

{table(results)}

![seconds by rows](fast_path.png)
"""
    (HERE / "RESULTS.md").write_text(text)


def plot(results: list[Result]) -> None:
    import matplotlib  # pyright: ignore[reportMissingImports] -- only in the group `bench`

    matplotlib.use("Agg")
    from matplotlib import pyplot  # pyright: ignore[reportMissingImports] -- only in the group `bench`

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(11, 4))
    for name in ("plain dlt", "dlt, Parquet", "dlt, Arrow", "Airbyte CDK", "ours", "by hand"):
        mine = [r for r in results if r.name == name and r.case.endswith("rows")]
        sizes = [int(r.case.split()[0].replace(",", "")) for r in mine]
        left.plot(sizes, [r.seconds for r in mine], marker="o", label=name)
        right.plot(sizes, [r.megabytes for r in mine], marker="o", label=name)
    for axis, label in ((left, "seconds"), (right, "peak memory, MB")):
        axis.set(xscale="log", yscale="log", xlabel="rows", ylabel=label)
        axis.grid(alpha=0.3)
        axis.legend()
    figure.tight_layout()
    figure.savefig(HERE / "fast_path.png", dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--dlt-limit", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    results = best(measure(options.rows, options.dlt_limit, options.repeats))
    write(results)
    plot(results)
    print(f"\n{table(results)}\n\nwritten: benchmarks/RESULTS.md, benchmarks/fast_path.png")


if __name__ == "__main__":
    main()

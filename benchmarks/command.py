"""What one waits for: syncs, first and with nothing new, beside plain dlt and another checkout; and the UI.

    python -m benchmarks.command                       # this checkout
    python -m benchmarks.command --before ../main      # beside another checkout, taking turns

Writes benchmarks/COMMAND.md. Each command is a process of its own, timed from its start to its end. Both checkouts run
with the packages of this one, and serve themselves by the built-in sandbox; beside plain dlt, the sandbox is a process
of its own, the same for both.
"""

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import requests

from benchmarks.fast_path import HERE, ROOT, free_port, machine
from benchmarks.start_up import COMMAND, RUN, cpu_of_children, sandbox

TURNS = 3
STEPS: dict[str, list[str]] = {
    "first sync of all 47 resources, 69 dbt models built": ["sync", "--sandbox"],
    "all 47 again, nothing new": ["sync", "--sandbox"],
    "one resource again, nothing new": ["sync", "--sandbox", "--select", "crm/roles"],
}
LAUNCH = """
mutation ($job: String!, $repository: String!, $location: String!) {
  launchRun(executionParams: {mode: "default", runConfigData: {}, selector: {
    jobName: $job, repositoryName: $repository, repositoryLocationName: $location,
    assetSelection: [{path: ["crm", "roles"]}]
  }}) { __typename ... on LaunchRunSuccess { run { runId } } }
}
"""
LOCATIONS = "{ repositoriesOrError { ... on RepositoryConnection { nodes { name location { name } } } } }"
EVENTS = """
query ($run: ID!) { runOrError(runId: $run) { ... on Run {
  status eventConnection { events { __typename } }
} } }
"""


class Cost(NamedTuple):
    """Seconds from start to end, of CPU, and what the process printed."""

    wall: float
    cpu: float
    output: str


def timed(command: Sequence[str], folder: Path, settings: Mapping[str, str]) -> Cost:
    """Run a command to its end. Raises SystemExit with its output if it fails."""
    began, cpu = time.perf_counter(), cpu_of_children()
    done = subprocess.run(command, cwd=folder, env=settings, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: {done.stdout[-1000:]}{done.stderr[-1000:]}")
    return Cost(time.perf_counter() - began, cpu_of_children() - cpu, done.stdout)


def turn_of_checkout(checkout: Path, folder: Path) -> dict[str, Cost]:
    """The steps of `platform-assets` of a checkout, in an empty folder."""
    plain = {name: value for name, value in os.environ.items() if "__" not in name and name != "DAGSTER_HOME"}
    settings = {**plain, "PYTHONPATH": str(checkout)}
    return {
        step: timed([sys.executable, "-c", RUN, str(checkout), *words], folder, settings)
        for step, words in STEPS.items()
    }


def turn_beside_dlt(folder: Path) -> dict[str, Cost]:
    """Ours, plain dlt, and the same dbt project built by `dbt build`, all from one sandbox of its own process."""
    found: dict[str, Cost] = {}
    target = ["--target-path", str(folder / "target"), "--log-path", str(folder / "logs"), "--quiet"]
    build = [str(Path(sys.executable).with_name("dbt")), "build", "--exclude-resource-type", "unit_test", *target]
    with sandbox(folder) as settings:
        settings = {**settings, "RUNTIME__DLTHUB_TELEMETRY": "false", "PYTHONPATH": str(ROOT)}
        timed([COMMAND, "sync", "--no-models"], folder, settings)
        loaded = shutil.copy(folder / "warehouse.duckdb", folder / "loaded.duckdb")
        for file in (folder / "warehouse.duckdb", folder / "home"):
            shutil.rmtree(file) if file.is_dir() else file.unlink()
        of_dbt = {**settings, "PLATFORM_ASSETS_DUCKDB": str(loaded)}
        plain = [sys.executable, "-m", "benchmarks.plain_dlt"]
        for turn in ("first", "again"):
            found[f"ours {turn}"] = timed([COMMAND, "sync"], folder, settings)
            found[f"dlt {turn}"] = timed([*plain, str(folder)], folder, settings)
            found[f"parquet {turn}"] = timed([*plain, str(folder / "parquet"), "parquet"], folder, settings)
            found[f"dbt {turn}"] = timed(build, ROOT / "dbt_project", of_dbt)
    return found


def turns_of(measured: Mapping[str, Callable[[Path], dict[str, Cost]]]) -> dict[str, list[dict[str, Cost]]]:
    """Each in a new folder, taking turns; the first turn only warms the caches, and lets dbt parse."""
    turns: dict[str, list[dict[str, Cost]]] = {title: [] for title in measured}
    for turn in range(TURNS + 1):
        for title, measure in measured.items():
            with tempfile.TemporaryDirectory(prefix="platform-assets-bench-") as folder:
                found = measure(Path(folder))
            if turn:
                turns[title].append(found)
    return turns


def cell(turns: Sequence[Mapping[str, Cost]], step: str) -> str:
    """Medians: seconds, and in brackets those of CPU."""
    wall = statistics.median(turn[step].wall for turn in turns)
    return f"{wall:.1f} ({statistics.median(turn[step].cpu for turn in turns):.1f})"


def ui(checkout: Path) -> dict[str, float]:
    """Seconds until `dev` shows its page and says its address, and from the click on a run until it works and ends."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    found: dict[str, float] = {}
    with (
        tempfile.TemporaryDirectory(prefix="platform-assets-bench-") as folder,
        (Path(folder) / "out").open("w") as out,
    ):
        began = time.perf_counter()
        command = [checkout / ".venv" / "bin" / "platform-assets", "dev", "--port", str(port)]
        process = subprocess.Popen(command, cwd=folder, stdout=out, stderr=out)
        try:
            wait_for(lambda: responds(url))
            found["the page of `dev` responds"] = time.perf_counter() - began
            wait_for(lambda: url in Path(out.name).read_text())
            found["`dev` says the address"] = time.perf_counter() - began
            (location,) = wait_for(lambda: ask(url, LOCATIONS)["repositoriesOrError"].get("nodes"))
            found["the code location is loaded"] = time.perf_counter() - began
            time.sleep(20)  # The daemon starts beside the page, and looks at every sensor first.
            launches = [launched(url, location) for _ in range(TURNS)]
        finally:
            process.terminate()
            process.wait(60)
    for name in launches[0]:
        found[name] = statistics.median(launch[name] for launch in launches)
    return found


def launched(url: str, location: Mapping[str, Any]) -> dict[str, float]:
    """Launch a run of one asset as the UI does."""
    began = time.perf_counter()
    names = {"job": "sync_all", "repository": location["name"], "location": location["location"]["name"]}
    run = ask(url, LAUNCH, **names)["launchRun"]["run"]["runId"]
    wait_for(lambda: "RunStartEvent" in str(ask(url, EVENTS, run=run)))
    works = time.perf_counter() - began
    wait_for(lambda: ask(url, EVENTS, run=run)["runOrError"]["status"] == "SUCCESS")
    return {
        "a run launched in the UI works": works,
        "a run launched in the UI, of one resource, has ended": time.perf_counter() - began,
    }


def ask(url: str, query: str, **variables: str) -> dict[str, Any]:
    """The data of a GraphQL query."""
    return requests.post(f"{url}/graphql", json={"query": query, "variables": variables}, timeout=30).json()["data"]


def responds(url: str) -> bool:
    try:
        return requests.get(f"{url}/server_info", timeout=1).ok
    except requests.RequestException:
        return False


def wait_for(there: Callable[[], Any]) -> Any:
    """What `there` returns once it is true. Raises SystemExit after two minutes."""
    deadline = time.perf_counter() + 120
    while not (found := there()):
        if time.perf_counter() > deadline:
            raise SystemExit("the UI did not get there within two minutes")
        time.sleep(0.05)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", type=Path, help="another checkout, which is timed too")
    before = parser.parse_args().before
    load = os.getloadavg()[0]
    checkouts = {"before": before.absolute(), "now": ROOT} if before else {"now": ROOT}
    measured = {
        title: lambda folder, checkout=checkout: turn_of_checkout(checkout, folder)
        for title, checkout in checkouts.items()
    }
    turns = turns_of(measured)
    (peers,) = turns_of({"peers": turn_beside_dlt}).values()
    own = "\n".join(f"| {step} | {' | '.join(cell(found, step) for found in turns.values())} |" for step in STEPS)
    last = turns["now"][-1]
    phases = "\n".join(
        f"- {step}: {line[0]}" for step in STEPS if (line := re.findall(r".*: loading .*", last[step].output))
    )
    beside = "\n".join(
        f"| {title} | {' | '.join(cell(peers, f'{who} {turn}') for who in ('ours', 'dlt', 'parquet', 'dbt'))} |"
        for title, turn in (("first", "first"), ("again, nothing new", "again"))
    )
    # The first start after an installation compiles what nothing else has imported.
    uis = {title: [ui(checkout) for _ in range(TURNS)][1:] for title, checkout in checkouts.items()}
    shown = "\n".join(
        f"| {name} | {' | '.join(f'{statistics.mean(one[name] for one in found):.1f}' for found in uis.values())} |"
        for name in uis["now"][0]
    )
    text = f"""# What one waits for

{machine()}.

Seconds from start to end of the command, and in brackets those of CPU, medians of {TURNS} runs, in a new folder each.
{"Before and now took turns. " if before else ""}Load of the machine before: {load:.1f}.

| command | {" | ".join(checkouts)} |
|---|{"---:|" * len(checkouts)}
{own}

What they say themselves, the last time:

{phases}

Targets were 45 s for the first, 10 s for all and 4 s for one with nothing new.

## Beside plain dlt and `dbt build`

The same 47 resources from one sandbox, a process of its own. Plain dlt is `rest_api_source` with our paths, keys,
parents and page sizes in dlt's words ([plain_dlt.py](plain_dlt.py)), without cursors: it reads and merges everything
every time; with its default settings, and with Parquet as `loader_file_format`. It ended with
{peers[-1]["dlt first"].output.strip()}. `dbt build` is of our dbt project without its unit tests, on the tables that
ours had loaded. Ours loads, builds, evaluates the asset checks and keeps Dagster's history.

| | `platform-assets sync` | plain dlt | plain dlt, Parquet | `dbt build` after it |
|---|---:|---:|---:|---:|
{beside}

## The UI

Seconds from the start of `platform-assets dev` on the sandbox, in a new folder; then from the click on a run of one
resource, a median of {TURNS}, once the daemon runs. Means of {TURNS - 1} starts after a first one.

| | {" | ".join(checkouts)} |
|---|{"---:|" * len(checkouts)}
{shown}

Targets were 6 s for the page and 5 s for a run that works.
"""
    (HERE / "COMMAND.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()

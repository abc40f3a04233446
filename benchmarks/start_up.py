"""What one waits for before anything is loaded: short commands, the definitions, and a sync with nothing new.

    python -m benchmarks.start_up                       # this checkout
    python -m benchmarks.start_up --before ../main      # its short commands beside those of another checkout

Writes benchmarks/START_UP.md. The sandbox runs in a separate process. Short commands of the two checkouts take turns,
so that what else the machine does meets both.
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.fast_path import HERE, ROOT, free_port, http_get, machine

COMMAND = str(Path(sys.executable).with_name("platform-assets"))
STEPS = ("dagster", "pyarrow.parquet", "duckdb", "dlt", "dagster_dlt", "dagster_dbt", "platform_assets.definitions")
PROFILE = """
import importlib, sys, time
for name in sys.argv[1:]:
    began = time.perf_counter()
    importlib.import_module(name)
    print(f"import {name}|{time.perf_counter() - began:.2f}")
began = time.perf_counter()
importlib.import_module("platform_assets.definitions").defs().get_repository_def()
print(f"build the definitions|{time.perf_counter() - began:.2f}")
"""

# Name in the table -> arguments, and whether the folder has a loaded warehouse (else it is empty).
SHORT: dict[str, tuple[list[str], bool]] = {
    "--help": (["--help"], False),
    "--version": (["--version"], False),
    "sync --help": (["sync", "--help"], False),
    "sync --platform crn (misspelt)": (["sync", "--platform", "crn"], False),
    "sync --select crm/deel (misspelt)": (["sync", "--select", "crm/deel"], False),
    "status --platform crn (misspelt)": (["status", "--platform", "crn"], False),
    "status, no warehouse": (["status"], False),
    "status, all 47 loaded": (["status"], True),
    "check, nothing configured": (["check"], False),
    "check, all configured": (["check"], True),
}
TURNS = 5
RUN = "import sys; sys.path.insert(0, sys.argv.pop(1)); from platform_assets.cli import main; main()"


def short_commands(checkouts: Mapping[str, Path], loaded: Path, settings: Mapping[str, str]) -> list[str]:
    """Lines of a table: median seconds of each short command, and of CPU, by checkout.

    Args:
        checkouts: title -> folder of a checkout.
        loaded: a folder with a loaded warehouse, for which `settings` are.
    """
    lines = []
    for name, (args, needs_rows) in SHORT.items():
        seconds: dict[str, list[tuple[float, float]]] = {title: [] for title in checkouts}
        for turn in range(TURNS + 1):
            for title, checkout in checkouts.items():
                spent = one_run(checkout, args, loaded if needs_rows else None, settings)
                if turn:  # The first only warms the caches.
                    seconds[title].append(spent)
        medians = [[statistics.median(one) for one in zip(*found, strict=True)] for found in seconds.values()]
        cells = " | ".join(f"{wall:.2f} ({cpu:.2f})" for wall, cpu in medians)
        lines.append(f"| `{name}` | {cells} |" if name.startswith("-") else f"| {name} | {cells} |")
    return lines


def one_run(
    checkout: Path, args: Sequence[str], loaded: Path | None, settings: Mapping[str, str]
) -> tuple[float, float]:
    """Seconds of one command from start to end of its process, and its CPU seconds."""
    plain = {name: value for name, value in os.environ.items() if "__" not in name and name != "DAGSTER_HOME"}
    with tempfile.TemporaryDirectory() as empty:
        began, cpu = time.perf_counter(), cpu_of_children()
        subprocess.run(
            [sys.executable, "-c", RUN, str(checkout), *args],
            cwd=loaded or empty,
            env={**plain, **settings} if loaded else plain,
            capture_output=True,
            check=False,
        )
        return time.perf_counter() - began, cpu_of_children() - cpu


def cpu_of_children() -> float:
    return os.times().children_user + os.times().children_system


def profile() -> list[tuple[str, float]]:
    """Seconds of each step of loading the definitions, in a fresh process, the second time (warm)."""
    command = [sys.executable, "-c", PROFILE, *STEPS]
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    output = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [(name, float(seconds)) for name, seconds in (line.split("|") for line in output.splitlines())]


@contextmanager
def sandbox(folder: Path) -> Iterator[dict[str, str]]:
    """The environment of commands that load from a sandbox of its own process into `folder`."""
    port = free_port()
    server = subprocess.Popen(
        [COMMAND, "sandbox", "--port", str(port)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert server.stdout is not None
    settings = dict(os.environ)
    try:
        while len(found := [name for name in settings if name.startswith("SOURCES__")]) < 10:
            line = server.stdout.readline()
            if match := re.match(r"export (\w+)=(\S+)", line):
                settings[match[1]] = match[2]
            elif not line:
                raise SystemExit(f"the sandbox ended after {found}")
        for _ in range(100):
            try:
                http_get(f"http://127.0.0.1:{port}", "/_sandbox/health")
                break
            except OSError:
                time.sleep(0.1)
        settings.update(
            DAGSTER_HOME=str(folder / "home"), DESTINATION__DUCKDB__CREDENTIALS=str(folder / "warehouse.duckdb")
        )
        yield settings
    finally:
        server.kill()


def idle_sync(folder: Path, settings: Mapping[str, str]) -> tuple[float, float, str]:
    """Seconds of the second and third `platform-assets sync` (the faster one), their CPU, and the last line."""
    runs = []
    for _ in range(3):
        began, cpu = time.perf_counter(), cpu_of_children()
        ended = subprocess.run(
            [COMMAND, "sync"],
            cwd=folder,
            env=settings,
            capture_output=True,
            text=True,
            check=True,
        )
        spent = cpu_of_children() - cpu
        last = next(line for line in ended.stdout.splitlines() if " assets and " in line)
        runs.append((time.perf_counter() - began, spent, last))
    return min(runs[1:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", type=Path, help="another checkout, whose short commands are timed too")
    before = parser.parse_args().before
    checkouts = {"before": before.absolute(), "now": ROOT} if before else {"now": ROOT}
    with tempfile.TemporaryDirectory(prefix="platform-assets-bench-") as folder, sandbox(Path(folder)) as settings:
        seconds, cpu, last = idle_sync(Path(folder), settings)
        short = "\n".join(short_commands(checkouts, Path(folder), settings))
        load = os.getloadavg()[0]
    steps = profile()
    rows = "\n".join(f"| {name} | {spent:.2f} |" for name, spent in steps)
    heads = " | ".join(checkouts)
    text = f"""# Start-up and idle cost

{machine()}.

Commands that load nothing: seconds from start to end of the process, imports included, and in brackets those of CPU,
medians of {TURNS} runs. {"Before and now took turns. " if before else ""}Load of the machine at the end: {load:.1f};
over the number of cores, processes wait for each other, and the CPU seconds are what an idle machine needs.

| command | {heads} |
|---|{"---:|" * len(checkouts)}
{short}

Loading the definitions, warm, in a fresh process:

| step | seconds |
|---|---:|
{rows}
| together | {sum(spent for _, spent in steps):.2f} |

`platform-assets sync` with nothing new upstream, all 47 resources over HTTP: {seconds:.1f} s from start to end of the
process ({cpu:.1f} s of CPU), imports included. Its own last line: "{last}".
"""
    (HERE / "START_UP.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()

"""What one waits for: the first sync of everything, and syncs with nothing new, beside those of another checkout.

    python -m benchmarks.command                       # this checkout
    python -m benchmarks.command --before ../main      # beside another checkout, taking turns

Writes benchmarks/COMMAND.md. Each command is a process of its own, timed from its start to its end, and serves itself
by the built-in sandbox. Both checkouts run with the packages of this one.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from benchmarks.fast_path import HERE, ROOT, machine
from benchmarks.start_up import RUN, cpu_of_children

TURNS = 3
STEPS: dict[str, list[str]] = {
    "first sync of all 47 resources, 69 dbt models built": ["sync", "--sandbox"],
    "all 47 again, nothing new": ["sync", "--sandbox"],
    "one resource again, nothing new": ["sync", "--sandbox", "--select", "crm/roles"],
}


def one_turn(checkout: Path, folder: Path) -> dict[str, tuple[float, float, str]]:
    """Seconds of each step, of CPU, and the line that says what they went into; in an empty folder."""
    plain = {name: value for name, value in os.environ.items() if "__" not in name and name != "DAGSTER_HOME"}
    found: dict[str, tuple[float, float, str]] = {}
    for step, args in STEPS.items():
        began, cpu = time.perf_counter(), cpu_of_children()
        done = subprocess.run(
            [sys.executable, "-c", RUN, str(checkout), *args],
            cwd=folder,
            env={**plain, "PYTHONPATH": str(checkout)},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"{checkout}: {step}: {done.stdout[-1000:]}{done.stderr[-1000:]}")
        phases = next((line for line in done.stdout.splitlines() if ": loading " in line), "")
        found[step] = (time.perf_counter() - began, cpu_of_children() - cpu, phases)
    return found


def measure(checkouts: Mapping[str, Path]) -> tuple[dict[str, list[dict[str, tuple[float, float, str]]]], float]:
    """The turns of each checkout, and the load of the machine before the first."""
    load = os.getloadavg()[0]
    turns: dict[str, list[dict[str, tuple[float, float, str]]]] = {title: [] for title in checkouts}
    for turn in range(TURNS + 1):
        for title, checkout in checkouts.items():
            with tempfile.TemporaryDirectory(prefix="platform-assets-bench-") as folder:
                found = one_turn(checkout, Path(folder))
            if turn:  # The first only warms the caches, and lets dbt parse.
                turns[title].append(found)
    return turns, load


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", type=Path, help="another checkout, which is timed too")
    before = parser.parse_args().before
    checkouts = {"before": before.absolute(), "now": ROOT} if before else {"now": ROOT}
    turns, load = measure(checkouts)
    lines: list[str] = []
    for step in STEPS:
        cells: list[str] = []
        for found in turns.values():
            wall = statistics.median(turn[step][0] for turn in found)
            cpu = statistics.median(turn[step][1] for turn in found)
            cells.append(f"{wall:.1f} ({cpu:.1f})")
        lines.append(f"| {step} | {' | '.join(cells)} |")
    phases = "\n".join(f"- {step}: {turns['now'][-1][step][2]}" for step in STEPS)
    text = f"""# What one waits for

{machine()}.

Seconds from start to end of the command, and in brackets those of CPU, medians of {TURNS} runs, in a new folder each.
{"Before and now took turns. " if before else ""}Load of the machine before: {load:.1f}.

| command | {" | ".join(checkouts)} |
|---|{"---:|" * len(checkouts)}
{chr(10).join(lines)}

What they say themselves, the last time:

{phases}

Targets were 45 s for the first, 10 s for all and 4 s for one with nothing new. Plain dlt with `dbt build` is not
measured here yet; [RESULTS.md](RESULTS.md) has plain dlt loading one large resource.
"""
    (HERE / "COMMAND.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()

"""kill -9 at random moments of a sync; after each, another sync, and every row compared with the expected rows.

Writes benchmarks/KILL_POINTS.md. `--points` (200) are spread over the five platforms' loads; `--model-points` (10)
fall into a whole `platform-assets sync` with its dbt models. Takes about an hour on two cores.
"""

import argparse
import random
import tempfile
from pathlib import Path

from benchmarks.fast_path import HERE, machine
from platform_assets.platforms import all_platforms
from platform_assets.sandbox import SandboxServer
from tests.faults.crashes import LOADER, WORKER, Crashes, crash, table_differences


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=200)
    parser.add_argument("--model-points", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    names = [platform.name for platform in all_platforms()]
    cases = [(name, LOADER, [name], [name], options.points // len(names)) for name in names]
    cases.append(("everything, with dbt models", WORKER, ["sync"], names, options.model_points))
    lines = []
    for title, program, args, platforms, points in cases:
        if points == 0:
            continue
        with tempfile.TemporaryDirectory(prefix="platform-assets-bench-") as folder, SandboxServer() as server:
            check = table_differences(server, platforms)
            found = crash(server, Path(folder), program, args, points, rng, check, log=print)
        lines.append(line(title, found))
        print(lines[-1], *found.refused, *found.wrong, sep="\n", flush=True)
    text = f"""# kill -9

{machine()}. Each point: the sandbox's records change, a sync is killed at a moment chosen at random over its
undisturbed length, a second sync runs undisturbed, and every row of its tables is compared with what the sandbox
serves (`python -m benchmarks.kill_points --seed {options.seed}`).

| what was killed | points | after, s | file unreadable | differences, folders left |
|---|---:|---|---:|---:|
{chr(10).join(lines)}
"""
    (HERE / "KILL_POINTS.md").write_text(text)
    print(text)


def line(title: str, found: Crashes) -> str:
    """A row of the result table."""
    moments = f"{min(found.moments):.2f} to {max(found.moments):.2f}"
    return f"| {title} | {found.points} | {moments} | {len(found.refused)} | {len(found.wrong)} |"


if __name__ == "__main__":
    main()

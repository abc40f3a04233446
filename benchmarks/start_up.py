"""Start-up and idle cost: the time of each step of loading the definitions, and a sync of all 47 with nothing new.

Writes benchmarks/START_UP.md. The sandbox runs in a separate process.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
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


def profile() -> list[tuple[str, float]]:
    """Seconds of each step of loading the definitions, in a fresh process, the second time (warm)."""
    command = [sys.executable, "-c", PROFILE, *STEPS]
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    output = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [(name, float(seconds)) for name, seconds in (line.split("|") for line in output.splitlines())]


def idle_sync(folder: Path) -> tuple[float, float, str]:
    """Seconds of the second and third `platform-assets sync` (the faster one), their CPU, and the last line."""
    port = free_port()
    sandbox = subprocess.Popen(
        [COMMAND, "sandbox", "--port", str(port)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert sandbox.stdout is not None
    settings = dict(os.environ)
    try:
        while len(found := [name for name in settings if name.startswith("SOURCES__")]) < 10:
            line = sandbox.stdout.readline()
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
        runs = []
        for _ in range(3):
            began, cpu = time.perf_counter(), os.times().children_user + os.times().children_system
            ended = subprocess.run(
                [COMMAND, "sync"],
                cwd=folder,
                env=settings,
                capture_output=True,
                text=True,
                check=True,
            )
            spent = os.times().children_user + os.times().children_system - cpu
            last = next(line for line in ended.stdout.splitlines() if " assets and " in line)
            runs.append((time.perf_counter() - began, spent, last))
        return min(runs[1:])
    finally:
        sandbox.kill()


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="platform-assets-bench-") as folder:
        seconds, cpu, last = idle_sync(Path(folder))
    steps = profile()
    rows = "\n".join(f"| {name} | {spent:.2f} |" for name, spent in steps)
    text = f"""# Start-up and idle cost

{machine()}.

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

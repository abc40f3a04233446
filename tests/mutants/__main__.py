"""`make mutants`: mutation testing. Puts one fault at a time into a copy of the project and runs the tests for it.

A mutant that no test detects survives, and the command exits with code 1; likewise if the code that a mutant replaces
no longer exists. `python -m tests.mutants NAME...` runs only some of the mutants in `rooms/`.
"""

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from tests.mutants.mutant import Mutant
from tests.mutants.rooms import MUTANTS

ROOT = Path(__file__).parents[2]
COPIED = ("platform_assets", "tests", "dbt_project", "pyproject.toml", ".dlt", "docs", "benchmarks", "README.md")
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "target", "logs", "*.duckdb*")


def main(names: list[str]) -> int:
    """Run the named mutants, or all if no name is given. Returns the exit code."""
    chosen = [mutant for mutant in MUTANTS if not names or mutant.name in names]
    unknown = set(names) - {mutant.name for mutant in MUTANTS}
    if unknown:
        print(f"no mutant is named {', '.join(sorted(unknown))}")
        return 2
    killed = 0
    with tempfile.TemporaryDirectory(prefix="platform-assets-mutants-") as folder:
        copy = Path(folder) / "project"
        copy.mkdir()
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, copy / name, ignore=_LEFT_OUT)
            else:
                shutil.copy(source, copy / name)
        # A test that fails without a mutant would detect every one. One file at a time, since the examples of
        # hypothesis depend on the modules that are loaded.
        every = sorted({test for mutant in chosen for test in mutant.tests})
        failing = [
            found
            for _, tests in groupby(every, lambda test: test.partition("::")[0])
            if (found := failed_test(copy, [*tests]))
        ]
        if failing:
            print(f"without any mutant: {', '.join(failing)} fails")
            return 2
        for mutant in chosen:
            began = time.monotonic()
            detected_by = run_mutant(copy, mutant)
            killed += detected_by is not None
            verdict = f"detected by {detected_by}" if detected_by else "SURVIVED"
            print(f"{mutant.name:<40} {verdict} ({time.monotonic() - began:.0f} s)", flush=True)
    print(f"mutants: {killed} of {len(chosen)} detected")
    return 0 if killed == len(chosen) else 1


def run_mutant(copy: Path, mutant: Mutant) -> str | None:
    """The test that fails with the mutant, None if all pass. Raises ValueError if its code is not found once."""
    path = copy / mutant.path
    original = path.read_text()
    if original.count(mutant.code) != 1:
        raise ValueError(f"{mutant.name}: its code occurs {original.count(mutant.code)} times in {mutant.path}")
    path.write_text(original.replace(mutant.code, mutant.fault))
    try:
        return failed_test(copy, mutant.tests)
    finally:
        path.write_text(original)


def failed_test(copy: Path, tests: Sequence[str]) -> str | None:
    """The first test that fails, None if all pass. Raises ValueError if pytest itself cannot run."""
    plugins = ("-p", "no:cacheprovider", "-p", "tests.mutants.one_failure")
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--tb=no", "-n", "0", *plugins, *tests]
    try:
        done = subprocess.run(command, cwd=copy, capture_output=True, text=True, timeout=1800)
    except subprocess.TimeoutExpired:
        return "a test that timed out"
    if done.returncode not in (0, 1):
        raise ValueError(f"pytest ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return failed[0].partition(" ")[2].partition(" - ")[0] if failed else None


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

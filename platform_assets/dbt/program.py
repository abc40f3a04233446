"""dbt's project folder and program, for commands that start dbt without Dagster."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock

from platform_assets.cancellation import current

PROJECT_DIR = Path(__file__).parents[2] / "dbt_project"
TARGET_DIR = PROJECT_DIR / "target"
MANIFEST = TARGET_DIR / "manifest.json"

# Seconds that dbt has to end its models when it is interrupted; the database rolls back what is killed after that.
GRACE_SECONDS = 4.0
_MANIFEST_LOCK_SECONDS = 120.0


def executable() -> str:
    """The dbt of this Python environment, even if the environment's `bin` folder is not on the PATH."""
    beside_python = Path(sys.executable).with_name("dbt")
    return str(beside_python) if beside_python.exists() else "dbt"


def manifest_lock() -> FileLock:
    """Held while the manifest is read or written: processes that start together must not parse at once."""
    TARGET_DIR.mkdir(exist_ok=True)
    return FileLock(TARGET_DIR / "manifest.lock", timeout=_MANIFEST_LOCK_SECONDS)


def is_outdated(manifest: Path) -> bool:
    """Whether a model, a macro or the project file was edited after the manifest was written."""
    files = [PROJECT_DIR / "dbt_project.yml"]
    for folder in ("models", "macros"):
        files.extend(path for path in PROJECT_DIR.joinpath(folder).rglob("*") if path.is_file())
    return not manifest.exists() or manifest.stat().st_mtime < max(path.stat().st_mtime for path in files)


def read_manifest() -> dict[str, Any] | None:
    """The manifest of the project as its files are now, in dbt's own words; None if dbt cannot parse them.

    The caller has set the variables of a build: with others, dbt would parse every file again at the next one.
    """
    with manifest_lock():
        if is_outdated(MANIFEST):
            parsing = subprocess.run([executable(), "parse", "--quiet"], cwd=PROJECT_DIR, check=False, stdout=2)  # noqa: S603 -- our own arguments
            if parsing.returncode:
                return None
        return json.loads(MANIFEST.read_bytes())


@contextmanager
def terminated_on_cancel(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Terminate a process when the run is cancelled or the block is left before the process ended.

    What still runs after `GRACE_SECONDS` is killed.
    """

    def end() -> None:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()

    with current().calling(end):
        try:
            yield
        finally:
            end()

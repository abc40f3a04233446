"""The dbt project on disk: its manifest, its program, and a dbt process that ends when the run is cancelled."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

from filelock import FileLock

from platform_assets import progress
from platform_assets.cancellation import current
from platform_assets.configuration import environment
from platform_assets.configuration.freshness import lag_variables
from platform_assets.patches.dbt_command import DbtCommand
from platform_assets.patches.dbt_imports import DbtProject
from platform_assets.platforms import all_platforms
from platform_assets.progress import Phase

PROJECT_DIR = Path(__file__).parents[2] / "dbt_project"
# Seconds that dbt has to end its models when it is interrupted; the database rolls back what is killed after that.
GRACE_SECONDS = 4.0
_MANIFEST_LOCK_SECONDS = 120.0


def dbt_project() -> DbtProject:
    """The dbt project with an up-to-date manifest: a fresh clone, or an edited model, needs no manual step."""
    project = DbtProject(PROJECT_DIR)
    PROJECT_DIR.joinpath("target").mkdir(exist_ok=True)
    # Parse under the variables of a build: with others, dbt would parse every file again at the first build.
    lags = environment(lag_variables(all_platforms()))
    with FileLock(PROJECT_DIR / "target" / "manifest.lock", timeout=_MANIFEST_LOCK_SECONDS), lags:
        if _is_outdated(project.manifest_path):
            parsing = dbt_cli(project).cli(["parse", "--quiet"], target_path=project.target_path)
            with progress.current().phase(Phase.MODELS), terminated_on_cancel(parsing.process):
                parsing.wait()
    return project


def dbt_cli(project: DbtProject) -> DbtCommand:
    """The dbt of this Python environment, even if the environment's `bin` folder is not on the PATH."""
    beside_python = Path(sys.executable).with_name("dbt")
    executable = str(beside_python) if beside_python.exists() else "dbt"
    return DbtCommand(project_dir=str(project.project_dir), dbt_executable=executable)


def model_versions() -> dict[str, str]:
    """Name of each model -> digest of its SQL, of all macros and of dbt_project.yml, as these files are now.

    By content, not by time: a fresh clone or a new image has new times and the same models.
    """
    macros = sorted(PROJECT_DIR.joinpath("macros").rglob("*.sql"))
    shared = [path.read_bytes() for path in (PROJECT_DIR / "dbt_project.yml", *macros)]
    models = PROJECT_DIR.joinpath("models").rglob("*.sql")
    return {path.stem: blake2b(b"\0".join([path.read_bytes(), *shared]), digest_size=8).hexdigest() for path in models}


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


def _is_outdated(manifest: Path) -> bool:
    """Whether a model, a macro or the project file was edited after the manifest was written."""
    files = [PROJECT_DIR / "dbt_project.yml"]
    for folder in ("models", "macros"):
        files.extend(path for path in PROJECT_DIR.joinpath(folder).rglob("*") if path.is_file())
    return not manifest.exists() or manifest.stat().st_mtime < max(path.stat().st_mtime for path in files)

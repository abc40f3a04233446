"""dbt's manifest of the project, for Dagster and for our own commands: a file that only this module writes.

dbt itself writes `target/manifest.json`, in place and at nearly each command. Who reads that one meanwhile, or after
dbt was killed there, finds half of it. This one is replaced as a whole.
"""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from filelock import FileLock

from platform_assets import progress
from platform_assets.cancellation import current
from platform_assets.configuration import environment
from platform_assets.configuration.freshness import lag_variables
from platform_assets.dbt.program import PARSED, PARTIAL_PARSE, executable, project_dir, terminated_on_cancel
from platform_assets.declarations import SettingsError
from platform_assets.platforms import all_platforms
from platform_assets.progress import Phase

_LOCK_SECONDS = 120.0


def current_manifest() -> Path:
    """The manifest of the project as its files are now: a fresh clone, or an edited model, needs no manual step.

    Raises SettingsError, with dbt's words, if the project cannot be parsed.
    """
    manifest = project_dir() / PARSED
    manifest.parent.mkdir(parents=True, exist_ok=True)
    # Processes that start together must not parse at once.
    with FileLock(project_dir() / "target" / "manifest.lock", timeout=_LOCK_SECONDS):
        if _is_outdated(manifest):
            # Under the variables of a build: with others, dbt would parse every file again at the first one.
            with progress.current().phase(Phase.MODELS), environment(lag_variables(all_platforms())):
                _parse(manifest)
    return manifest


def read_manifest() -> dict[str, Any]:
    """The content of `current_manifest()`, in dbt's own words. Raises SettingsError as it does."""
    return json.loads(current_manifest().read_bytes())


def _is_outdated(manifest: Path) -> bool:
    """Whether a model, a macro or the project file was edited, added, renamed or deleted after it was parsed."""
    return not manifest.exists() or manifest.stat().st_mtime < max(path.stat().st_mtime for path in _parsed_from())


def _parsed_from() -> Iterator[Path]:
    """All that dbt parses. Folders as well: after a file was deleted or renamed, only its folder has a new time."""
    yield project_dir() / "dbt_project.yml"
    yield project_dir() / "profiles.yml"
    for name in ("models", "macros"):
        yield project_dir() / name
        yield from project_dir().joinpath(name).rglob("*")


def _parse(manifest: Path) -> None:
    """Replace the manifest with that of the files as they are now. Its time is that of the parse's start."""
    for left in manifest.parent.iterdir():
        if left != manifest:  # of a process that was killed
            shutil.rmtree(left, ignore_errors=True)
    known = project_dir() / PARTIAL_PARSE
    with tempfile.TemporaryDirectory(dir=manifest.parent, ignore_cleanup_errors=True) as folder:
        started = Path(folder).stat().st_mtime_ns
        with suppress(OSError):
            shutil.copyfile(known, Path(folder, known.name))
        _run_dbt("parse", "--quiet", "--no-use-colors", "--target-path", folder, "--log-path", folder)
        written = Path(folder, manifest.name)
        # What is edited while dbt parses is newer than this, and parsed the next time.
        os.utime(written, ns=(started, started))
        written.replace(manifest)
        with suppress(OSError):
            Path(folder, known.name).replace(known)


def _run_dbt(*words: str) -> None:
    """Run dbt in the project's folder. Raises SettingsError with what it printed if it fails, Cancelled if it was."""
    process = subprocess.Popen(  # noqa: S603 -- our own arguments
        [executable(), *words], cwd=project_dir(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    with terminated_on_cancel(process):
        output, _ = process.communicate()
    current().check()
    if process.returncode:
        raise SettingsError(f"dbt cannot parse the project in {project_dir()}:\n{output.strip()}")


if __name__ == "__main__":  # `make build`: the wheel carries it
    print(current_manifest())

"""dbt's project folder and program, for commands that start dbt without Dagster."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

from platform_assets.cancellation import current
from platform_assets.configuration.dagster_home import dagster_home_path, unusable_home
from platform_assets.http.errors import SettingsError

_CHECKOUT = Path(__file__).parents[2] / "dbt_project"
# Where the wheel has the project (.ci/build_hook.py).
_PACKAGED = Path(__file__).parent / "packaged_project"
# The project as dbt has parsed it (dbt/manifest.py).
PARSED = Path("target", "parsed", "manifest.json")
# What dbt knows of the files that it has parsed: with it, it parses only those that changed since.
PARTIAL_PARSE = Path("target", "partial_parse.msgpack")

# Seconds that dbt has to end its models when it is interrupted; the database rolls back what is killed after that.
GRACE_SECONDS = 4.0


@cache
def project_dir() -> Path:
    """The dbt project: in a checkout its folder, else a copy in Dagster's home, where dbt can write.

    Raises SettingsError if it cannot be copied.
    """
    checkout = checkout_dir()
    if checkout is not None:
        return checkout
    home = dagster_home_path()
    try:
        return unpacked(_PACKAGED, home / "dbt_project")
    except OSError as error:
        raise SettingsError(unusable_home(home, error.strerror)) from None


def checkout_dir() -> Path | None:
    """The dbt project's folder in a checkout; None for an installed package."""
    return _CHECKOUT if (_CHECKOUT / "dbt_project.yml").exists() else None


def unpacked(packaged: Path, folder: Path) -> Path:
    """A copy of the packaged project in `folder`, made at its first use.

    Named by its content: another version of the package makes another copy, and what is being built keeps its own.
    """
    # The manifest last: it is outdated if any other file is newer.
    found = [path.relative_to(packaged) for path in packaged.rglob("*") if path.is_file()]
    files = sorted(found, key=lambda path: (path == PARSED, path))
    content = b"\0".join(part for path in files for part in (str(path).encode(), (packaged / path).read_bytes()))
    copy = folder / blake2b(content, digest_size=6).hexdigest()
    if copy.exists():
        return copy
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=".", dir=folder))
    unfinished.chmod(0o755)
    for path in files:
        (unfinished / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(packaged / path, unfinished / path)
    try:
        unfinished.rename(copy)
    except OSError:
        shutil.rmtree(unfinished)
        if not copy.exists():  # another process made it meanwhile
            raise
    return copy


def executable() -> str:
    """The dbt of this Python environment, even if the environment's `bin` folder is not on the PATH."""
    beside_python = Path(sys.executable).with_name("dbt")
    return str(beside_python) if beside_python.exists() else "dbt"


@contextmanager
def terminated_on_cancel(process: subprocess.Popen[Any]) -> Iterator[None]:
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

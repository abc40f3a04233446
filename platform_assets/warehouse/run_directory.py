"""A directory for the files of each run. What a killed run has left behind is removed by the next one."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import AcquireReturnProxy, FileLock, Timeout

_PREFIX = "platform-assets-run-"
_LOCK = "in-use.lock"
# Seconds in which a directory may exist whose lock is not held yet. A run that is suspended for longer at that moment
# loses its directory and fails.
JUST_MADE = 5.0


@contextmanager
def run_directory() -> Iterator[Path]:
    """A directory of this run's own in the temporary directory (`TMPDIR`), removed at the end.

    It is locked meanwhile, so that other runs can tell it from one whose process was killed.
    """
    _remove_left_behind(Path(tempfile.gettempdir()))
    folder, lock = _locked_directory()
    try:
        with lock:
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _locked_directory() -> tuple[Path, AcquireReturnProxy]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
        try:
            return folder, FileLock(folder / _LOCK).acquire()
        except FileNotFoundError:
            # Another run came between the lock's file and the lock, and took the directory for one left behind.
            continue


def _remove_left_behind(parent: Path) -> None:
    for folder in parent.glob(f"{_PREFIX}*"):
        try:
            if folder.stat().st_mtime > time.time() - JUST_MADE and not (folder / _LOCK).exists():
                continue
            with FileLock(folder / _LOCK, timeout=0):
                shutil.rmtree(folder, ignore_errors=True)
        except (Timeout, OSError):
            continue  # In use, another user's, or just removed by another process.

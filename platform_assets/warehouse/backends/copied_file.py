"""A copy of a DuckDB file that another process has open for writing, which lets nobody else open the file itself."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# Bytes of a file beyond which nobody would wait for its copy.
_LARGEST = 2_000_000_000
# Seconds that the file must have been left alone, and how often that is looked for. Some file systems date a change
# by the last hundredth of a second.
_QUIET = 0.1
_ATTEMPTS = 20


class NotCopied(Exception):
    """The file is too large, changes all the time, or cannot be copied here."""


@contextmanager
def copied(path: Path) -> Iterator[Path]:
    """A copy of the file and of its log of commits, as they were at one moment; removed at the end.

    Raises NotCopied if there is none within two seconds, apart from the time of copying.
    """
    with tempfile.TemporaryDirectory(prefix="platform-assets-copy-", ignore_cleanup_errors=True) as folder:
        copy = Path(folder, path.name)
        try:
            _refuse_large(path, Path(folder))
            for _ in range(_ATTEMPTS):
                if _copy_if_quiet(path, copy):
                    break
                time.sleep(_QUIET)
            else:
                raise NotCopied("it changes all the time")
        except OSError as error:
            raise NotCopied(error.strerror or str(error)) from None
        yield copy


def unlink_files(copy: Path) -> None:
    """Take the names from files that are open, where the system lets one: a killed process leaves no rows behind."""
    for file in _files(copy):
        with suppress(OSError):
            file.unlink(missing_ok=True)


def _refuse_large(path: Path, folder: Path) -> None:
    size = path.stat().st_size
    if size > min(_LARGEST, shutil.disk_usage(folder).free // 2):
        raise NotCopied(f"it is too large ({size // 1_000_000:,} MB)")


def _copy_if_quiet(path: Path, copy: Path) -> bool:
    """Copy both files; False if one changed meanwhile or just before, so that the copy may be of two moments."""
    before = _states(path)
    if any(state is not None and time.time_ns() - state[2] < _QUIET * 1e9 for state in before):
        return False
    for source, target in zip(_files(path), _files(copy), strict=True):
        target.unlink(missing_ok=True)
        if source.exists():
            shutil.copyfile(source, target)
    return _states(path) == before


def _files(path: Path) -> tuple[Path, Path]:
    return path, path.with_name(f"{path.name}.wal")


def _states(path: Path) -> list[tuple[int, int, int] | None]:
    """Identity, size and time of the last change of both files; None for one that does not exist."""
    return [_state(file) for file in _files(path)]


def _state(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns

"""Says who keeps us waiting for a file, soon after the wait has begun."""

import logging
import re
from collections.abc import Callable
from pathlib import Path

# Seconds of waiting until somebody is told: most waits are shorter.
TELL_AFTER = 0.5
_LOCKS = Path("/proc/locks")
_COMMAND_CHARACTERS = 60


def tell(path: Path, holder: str, wait: float) -> None:
    """Log that another process holds the warehouse `path`, and that it is waited for up to `wait` seconds in all."""
    logging.getLogger(__name__).warning("waiting for %s, which %s holds, up to %.0f s", path, holder, wait)


class Notice:
    """Tells once, when a wait has lasted `TELL_AFTER` seconds.

    Args:
        tell: called then.
    """

    def __init__(self, tell: Callable[[], None]) -> None:
        self._tell = tell
        self._told = False

    def after(self, seconds: float) -> None:
        if not self._told and seconds >= TELL_AFTER:
            self._told = True
            self._tell()


def locking_process(path: Path) -> str:
    """The process that holds a lock of the system's on a file, e.g. `process 17 (python -m x)`; Linux only."""
    try:
        inode = path.stat().st_ino
        lines = _LOCKS.read_text().splitlines()
    except OSError:
        return "another process"
    for line in lines:
        # 1: FLOCK  ADVISORY  WRITE 17 08:01:1234 0 EOF; a line with `->` waits for the lock.
        words = line.split()
        if "->" not in words and len(words) > 5 and words[5].rpartition(":")[2] == str(inode):
            return process_named(words[4])
    return "another process"


def process_in(text: str) -> str:
    """The process that DuckDB's error names, e.g. `… held in /usr/bin/python (PID 17)`."""
    found = re.search(r"PID (\d+)", text)
    return process_named(found[1]) if found else "another process"


def process_named(pid: str) -> str:
    """`process 17 (python work.py)`, without the command where it may not be seen.

    Of the arguments only the first is shown: the others may hold secrets.
    """
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        words = []
    if not words or not words[0]:
        return f"process {pid}"
    first = words[1:3] if words[1:2] == ["-m"] else [Path(word).name for word in words[1:2] if not word.startswith("-")]
    command = " ".join(" ".join([Path(words[0]).name, *first]).split())
    return f"process {pid} ({command[:_COMMAND_CHARACTERS]})"

"""Where the output of the runs in this process goes while a command reports on them.

Dagster mirrors file descriptors 1 and 2 into a run's log, so what is printed there can be read in its UI. The terminal
gets only what is for the person in front of it: dbt's hundreds of lines stay in the run's log, and with a live display
other lines go above it, since written in between they would tear it.
"""

import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

# Seconds to wait for lines of a process that outlives its run.
_LAST_LINES = 2.0


@contextmanager
def without_stdout() -> Iterator[None]:
    """Keep from the terminal what this process and those that it starts print to stdout: it is the report's alone."""
    sys.stdout.flush()
    with Path(os.devnull).open("wb") as nowhere, _replaced(1, nowhere.fileno()):
        try:
            yield
        finally:
            sys.stdout.flush()


def hide_dlts_tracebacks() -> None:
    """Keep from stderr what dlt logs of a failure, which the summary reports in one line, unless its level was set."""
    if "RUNTIME__LOG_LEVEL" not in os.environ:
        logging.getLogger("dlt").setLevel(logging.CRITICAL)


@contextmanager
def own_stderr() -> Iterator[TextIO]:
    """A file that writes to what stderr is now, whatever descriptor 2 is replaced by later."""
    with os.fdopen(os.dup(2), "w", encoding=sys.stderr.encoding, errors="replace") as file:
        yield file


@contextmanager
def stderr_by_lines(show: Callable[[str], None]) -> Iterator[None]:
    """Call `show`, in another thread, with each line that this process and those that it starts print to stderr."""
    source, target = os.pipe()

    def read() -> None:
        # ValueError: what shows the lines is closed, of a process that outlived its run.
        with os.fdopen(source, encoding="utf-8", errors="replace") as lines, suppress(ValueError):
            for line in lines:
                show(line.rstrip("\n"))

    reader = threading.Thread(target=read, name="stderr", daemon=True)
    reader.start()
    sys.stderr.flush()
    try:
        with _replaced(2, target):
            os.close(target)
            try:
                yield
            finally:
                sys.stderr.flush()
    finally:
        reader.join(_LAST_LINES)


@contextmanager
def _replaced(descriptor: int, by: int) -> Iterator[None]:
    before = os.dup(descriptor)
    os.dup2(by, descriptor)
    try:
        yield
    finally:
        with suppress(OSError):
            os.dup2(before, descriptor)
        os.close(before)

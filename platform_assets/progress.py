"""Tells whoever watches a run in this process what it does now: `platform-assets sync` shows it on a terminal.

The sync, its Dagster ops and dbt report to `current()`, which does nothing unless a command put its own observer there.
They get it from here and not as a parameter, since Dagster calls the ops; below the sync, callbacks carry it.
"""

from collections.abc import Generator, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from enum import StrEnum
from typing import Any, TypeVar

Event = TypeVar("Event")

# Extra of a log record that says what the run's failure will say again.
REPORTED = {"reported": True}


class Phase(StrEnum):
    """What the time of a sync goes into."""

    LOADING = "loading"
    MODELS = "models"
    CHECKS = "checks"
    DAGSTER = "dagster"
    OTHER = "other"


class Observer:
    """Is told what a run does. This one does nothing.

    Reads report from several threads at once, once a page; each call must return at once and raise nothing. Phases are
    entered and left in the thread that runs the sync.
    """

    def phase(self, phase: Phase) -> AbstractContextManager[None]:
        """What runs inside counts as this phase, except what runs in a phase inside of it."""
        return nullcontext()

    def planning(self, platform: str) -> None:
        """A round looks what is to be read, once no other process writes to the warehouse."""

    def reads_planned(self, platform: str, reads: Mapping[str, int]) -> None:
        """A round of reads begins: resource -> how many, one for each parent."""

    def read_began(self, platform: str, resource: str) -> None: ...

    def page_read(self, platform: str, resource: str, rows: int) -> None: ...

    def read_ended(self, platform: str, resource: str, reads: int) -> None:
        """So many reads ended that shared their requests, also if they failed."""

    def waiting(self, platform: str, seconds: float, why: str) -> None:
        """A request waits, e.g. why="for the rate limit"; others of the platform may go on."""

    def landing(self, platform: str) -> None:
        """All reads of the round have ended; their rows are now written."""

    def landed(self, platform: str, resource: str, failed: bool) -> None: ...

    def dbt_node(self, done: int, total: int, name: str) -> None:
        """dbt works on a model or test: so many of all models and tests are done."""


_current = Observer()


def current() -> Observer:
    """The observer of what this process runs now."""
    return _current


@contextmanager
def observed_by(observer: Observer) -> Iterator[None]:
    """Report everything that runs inside the context, in all threads, to an observer."""
    global _current
    before, _current = _current, observer
    try:
        yield
    finally:
        _current = before


def timed(events: Generator[Event, Any, Any], phase: Phase) -> Iterator[Event]:
    """The same events; what the generator does between them counts as a phase, and what their receiver does, not."""
    with closing(events):
        while True:
            with current().phase(phase):
                try:
                    event = next(events)
                except StopIteration:
                    return
            yield event

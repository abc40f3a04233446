"""Cancels a run from outside: waits end, open requests and queries are broken off, and nothing new begins.

A signal handler (orchestration/interrupts.py) cancels; the HTTP client, the warehouse lock and dbt react. They get
the cancellation from `current` instead of a parameter, since it concerns all threads of the process.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Lock


class Cancelled(BaseException):
    """The run was cancelled. Not an `Exception`, like KeyboardInterrupt: no handler of faults may swallow it."""


class Cancellation:
    """A flag that is set once and that every thread reacts to.

    Args:
        by_hand: whether a person at a terminal cancels, not the machine that the run is on.
    """

    def __init__(self, *, by_hand: bool = False) -> None:
        self.by_hand = by_hand
        self._event = Event()
        self._lock = Lock()
        self._calls: dict[object, Callable[[], None]] = {}

    @property
    def cancelled(self) -> bool:
        return self._event.is_set()

    def cancel(self) -> None:
        """Set the flag and run the callbacks.

        Do not call it in a signal handler, which may have interrupted a thread that holds the locks in here.
        """
        self._event.set()
        with self._lock:
            calls = list(self._calls.values())
        for call in calls:
            call()

    def check(self) -> None:
        """Raise Cancelled if the run is cancelled."""
        if self._event.is_set():
            raise Cancelled

    def sleep(self, seconds: float) -> None:
        """Wait for `seconds`. Raises Cancelled as soon as the run is cancelled."""
        if self._event.wait(seconds):
            raise Cancelled

    @contextmanager
    def calling(self, call: Callable[[], None]) -> Iterator[None]:
        """Run `call`, in the cancelling thread, if the run is cancelled inside the context; now if it already is."""
        key = object()
        with self._lock:
            self._calls[key] = call
        if self.cancelled:
            call()
        try:
            yield
        finally:
            with self._lock:
                del self._calls[key]


_current = Cancellation()


def current() -> Cancellation:
    """The cancellation of what this process runs now; one that is never set outside of `cancellable`."""
    return _current


@contextmanager
def cancellable(*, by_hand: bool = False) -> Iterator[Cancellation]:
    """Give everything that runs inside the context, in all threads, a cancellation of its own."""
    global _current
    before, _current = _current, Cancellation(by_hand=by_hand)
    try:
        yield _current
    finally:
        _current = before

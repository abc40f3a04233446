"""How a run is told to end from outside: what waits wakes up, what is being read breaks off, nothing new begins."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Lock


class Cancelled(BaseException):
    """The run was told to end. Like KeyboardInterrupt no `Exception`: no handler of faults may take it for one."""


class Cancellation:
    """A word that is said once and heard by every thread.

    `by_hand` says that somebody at a terminal would say it, not the machine that the run is on.
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
        """Say it. Not from a signal handler, which may have interrupted a thread that holds the locks in here."""
        self._event.set()
        with self._lock:
            calls = list(self._calls.values())
        for call in calls:
            call()

    def check(self) -> None:
        """Raise Cancelled once it was said."""
        if self._event.is_set():
            raise Cancelled

    def sleep(self, seconds: float) -> None:
        """Wait. Raises Cancelled as soon as it is said."""
        if self._event.wait(seconds):
            raise Cancelled

    @contextmanager
    def calling(self, call: Callable[[], None]) -> Iterator[None]:
        """Have `call` called, in another thread, when it is said meanwhile; at once where it was said before."""
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
    """The cancellation of what this process runs now; one that is never said where nothing can be cancelled."""
    return _current


@contextmanager
def cancellable(*, by_hand: bool = False) -> Iterator[Cancellation]:
    """Give what runs inside, in all threads, a cancellation of its own."""
    global _current
    before, _current = _current, Cancellation(by_hand=by_hand)
    try:
        yield _current
    finally:
        _current = before

"""What the time of a sync went into."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from platform_assets.progress import Phase

# As the summary names them; the time that none of them took is left out of the line if it is short.
_NAMES = {
    Phase.LOADING: "loading",
    Phase.MODELS: "models",
    Phase.CHECKS: "checks",
    Phase.DAGSTER: "Dagster",
    Phase.OTHER: "other",
}


class PhaseClock:
    """Gives every moment since it was made to one phase, so that the phases add up to the whole.

    A moment belongs to the innermost phase that the sync is in, to `OTHER` if it is in none.

    Args:
        clock: seconds, only ever going forward; replaced by tests.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since = clock()
        self._stack = [Phase.OTHER]
        self._seconds = dict.fromkeys(Phase, 0.0)
        self._lock = threading.Lock()

    @property
    def now(self) -> Phase:
        """The phase that the sync is in."""
        return self._stack[-1]

    @contextmanager
    def phase(self, phase: Phase) -> Iterator[None]:
        with self._lock:
            self._count()
            self._stack.append(phase)
        try:
            yield
        finally:
            with self._lock:
                self._count()
                self._stack.pop()

    def seconds(self) -> dict[Phase, float]:
        """Phase -> seconds so far; their sum is the time since the clock was made."""
        with self._lock:
            self._count()
            return dict(self._seconds)

    def _count(self) -> None:
        now = self._clock()
        self._seconds[self._stack[-1]] += now - self._since
        self._since = now


def phases_line(seconds: Mapping[Phase, float]) -> str:
    """E.g. `26.1 s: loading 11.2, models 9.8, checks 1.4, Dagster 3.7`: as rounded here, they add up.

    The largest takes what rounding adds or removes.
    """
    tenths = {phase: round(10 * spent) for phase, spent in seconds.items()}
    whole = round(10 * sum(seconds.values()))
    largest = max(tenths, key=lambda phase: tenths[phase])
    tenths[largest] += whole - sum(tenths.values())
    parts = [f"{_NAMES[phase]} {spent / 10:.1f}" for phase, spent in tenths.items() if spent]
    return f"{whole / 10:.1f} s" + (f": {', '.join(parts)}" if parts else "")

"""When a round of a sync stops reading and lands what it has, so that a crash costs minutes and not hours."""

import threading
import time
from collections.abc import Callable

# Seconds from a round's beginning after which no read begins and lists in a known order are left at the next page.
SECONDS_A_ROUND = 300.0

# Pages of such a list after which it is left in any case: where requests are few a day, less is lost with them.
PAGES_A_PART = 500


class RoundTime:
    """The time of one round. Safe to use from several threads.

    Args:
        seconds, pages: see the constants above.
        clock: replaced by tests; in seconds.
    """

    def __init__(
        self,
        seconds: float = SECONDS_A_ROUND,
        pages: int = PAGES_A_PART,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._end = clock() + seconds
        self._pages = pages
        self._lock = threading.Lock()
        self._has_begun = False

    @property
    def is_over(self) -> bool:
        return self._clock() >= self._end

    def may_begin(self) -> bool:
        """Whether another read may begin in this round. The first may, so that every round gets somewhere."""
        with self._lock:
            begins, self._has_begun = not self._has_begun or not self.is_over, True
        return begins

    def part(self) -> Callable[[], bool]:
        """Asked after each page of one list: whether the rest of it is left to another round."""
        pages = 0

        def is_long_enough() -> bool:
            nonlocal pages
            pages += 1
            return pages >= self._pages or self.is_over

        return is_long_enough

"""Keeps the requests of one run under a platform's declared rate limit."""

import threading
import time
from collections import deque
from collections.abc import Callable

from platform_assets.vocabulary import RateLimit


class Limiter:
    """Lets at most `limit.requests` through in any window of `limit.seconds`. Thread-safe.

    It knows the requests of this process only; several runs at once need a limit that they share.
    """

    def __init__(
        self,
        limit: RateLimit,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._limit = limit
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._granted: deque[float] = deque(maxlen=limit.requests)

    def wait(self) -> float:
        """Return when the next request may go; the seconds waited."""
        with self._lock:
            now = self._clock()
            at = now
            if len(self._granted) == self._limit.requests:
                at = max(now, self._granted[0] + self._limit.seconds)
            self._granted.append(at)
        if at > now:
            self._sleep(at - now)
        return at - now

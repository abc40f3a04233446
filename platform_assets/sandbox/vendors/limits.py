"""Counting requests in windows of real time."""

import math
import time
from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True)
class Standing:
    """Where a caller stands: `reset` is in seconds from now."""

    limit: int
    current: int
    reset: int

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.current)

    @property
    def exceeded(self) -> bool:
        return self.current > self.limit


class FixedWindow:
    """Counts requests in windows that follow each other; limit and length may change between requests."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._count = 0

    def take(self, limit: int, seconds: float) -> Standing:
        """Count a request."""
        if time.monotonic() - self._started >= seconds:
            self._started, self._count = time.monotonic(), 0
        self._count += 1
        return self.standing(limit, seconds)

    def standing(self, limit: int, seconds: float) -> Standing:
        left = seconds - (time.monotonic() - self._started)
        return Standing(limit, self._count, max(0, math.ceil(left)))


class RollingWindow:
    """Counts the requests of the last seconds; a refused one does not count."""

    def __init__(self) -> None:
        self._taken: deque[float] = deque()

    def take(self, limit: int, seconds: float) -> Standing:
        """Count a request, unless the limit is reached."""
        now = time.monotonic()
        while self._taken and now - self._taken[0] >= seconds:
            self._taken.popleft()
        current = len(self._taken) + 1
        if current <= limit:
            self._taken.append(now)
        oldest = self._taken[0] if self._taken else now
        return Standing(limit, current, max(1, math.ceil(seconds - (now - oldest))))

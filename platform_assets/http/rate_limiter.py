"""Keeps the requests of all processes of this machine within a credential's declared rate limit.

The times of the last granted requests are kept in a small file per server and credential. A limiter in memory would
not do: every run is a process of its own, and they share the credential.
"""

import json
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

from platform_assets.declarations import RateLimit
from platform_assets.whole_file import write_whole

# Seconds added to a window: requests granted at its two ends may reach the server that much closer together.
JITTER = 0.15

# Seconds from now beyond which no grant can be: others that wait already have grants ahead, but never by hours.
FAR = 3600.0


class Limiter:
    """Lets at most `limit.requests` through in any window of `limit.seconds`, over all threads and processes.

    The file is read and written under a lock: one grant costs well under a millisecond. Times are those of the
    machine's monotonic clock, which processes share and a reboot resets.

    Args:
        limit: the declared limit.
        file: where the grants are kept.
        clock: replaced by tests; in seconds.
        jitter: seconds added to the window.
    """

    def __init__(
        self,
        limit: RateLimit,
        file: Path,
        *,
        clock: Callable[[], float] = time.monotonic,
        jitter: float = JITTER,
    ) -> None:
        self._requests = limit.requests
        self._window = limit.seconds + jitter
        self._file = file
        self._clock = clock
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = FileLock(f"{file}.lock")

    def wait(self, sleep: Callable[[float], None] = time.sleep) -> float:
        """Wait until the next request is allowed. Returns the seconds waited."""
        with self._lock:
            now = self._clock()
            granted = deque(self._granted(now), maxlen=self._requests)
            at = now
            if len(granted) == self._requests:
                at = max(now, granted[0] + self._window)
            granted.append(at)
            write_whole(self._file, json.dumps(list(granted)))
        if at > now:
            sleep(at - now)
        return at - now

    def _granted(self, now: float) -> list[float]:
        """Times of the last grants; none after a reboot, or if the file is damaged."""
        try:
            granted = json.loads(self._file.read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return []
        # What is further ahead is from before a reboot.
        return [at for at in granted if at <= now + FAR]

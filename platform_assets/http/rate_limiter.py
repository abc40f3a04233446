"""Keeps the requests of all processes of this machine under a credential's declared rate limit."""

import json
import os
import tempfile
import time
from collections import deque
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path

from filelock import FileLock

from platform_assets.declarations import RateLimit

JITTER = 0.15
"""Seconds added to a window: requests granted at its two ends may reach the server that much closer together."""


def limit_file(origin: str, credential: str) -> Path:
    """Where the grants for one credential at one server are kept, the same for every process of this user."""
    folder = Path(tempfile.gettempdir()) / f"platform-assets-{os.getuid() if hasattr(os, 'getuid') else 'user'}"
    name = blake2b(f"{origin}\n{credential}".encode(), digest_size=12).hexdigest()
    return folder / f"{name}.limit"


class Limiter:
    """Lets at most `limit.requests` through in any window of `limit.seconds`, over all threads and processes.

    The times of the last grants stand in a small file, read and written under a lock: one grant costs well
    under a millisecond. Times are of the machine's monotonic clock, which processes share and a reboot resets.
    """

    def __init__(
        self,
        limit: RateLimit,
        file: Path,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        jitter: float = JITTER,
    ) -> None:
        self._requests = limit.requests
        self._window = limit.seconds + jitter
        self._file = file
        self._clock = clock
        self._sleep = sleep
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = FileLock(f"{file}.lock")

    def wait(self) -> float:
        """Return when the next request may go; the seconds waited."""
        with self._lock:
            now = self._clock()
            granted = deque(self._granted(now), maxlen=self._requests)
            at = now
            if len(granted) == self._requests:
                at = max(now, granted[0] + self._window)
            granted.append(at)
            self._file.write_text(json.dumps(list(granted)))
        if at > now:
            self._sleep(at - now)
        return at - now

    def _granted(self, now: float) -> list[float]:
        """Times of the last grants; none after a reboot, or where a killed process left half a file."""
        try:
            found = json.loads(self._file.read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return []
        # Grants lie ahead where others wait already, but never by hours: those are from before a reboot.
        return [at for at in found if at <= now + 3600]

"""Where the grants of declared limits are kept, so that all processes that share the place share the limits.

Files do for the processes of one machine. For several machines `ApiClient` is given another place, a database: see
warehouse/backends/postgres_limits.py.
"""

import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import Protocol

from filelock import FileLock, Timeout

from platform_assets.declarations import RateLimit
from platform_assets.http.rate_limiter import Limiter

# Seconds after which a wait for another process looks whether the run is cancelled.
_LOCK_SECONDS = 1.0

Sleep = Callable[[float], None]


def limit_name(origin: str, credential: str, what: str = "") -> str:
    """The name of a limit of one credential at one server, the same in every process; the credential cannot be read.

    Args:
        what: tells several limits of one credential apart.
    """
    text = f"{origin}\n{credential}" + (f"\n{what}" if what else "")
    return blake2b(text.encode(), digest_size=12).hexdigest()


class SharedLimits(Protocol):
    """Safe to use from several threads. `sleep` is how a caller waits; it may raise, and may be called with 0."""

    def wait(self, name: str, limit: RateLimit, sleep: Sleep) -> float:
        """Wait until `limit` allows the next request, over all that share it by its name. Returns seconds waited."""
        ...

    def one_at_a_time(self, name: str, sleep: Sleep) -> AbstractContextManager[None]:
        """Wait until nobody else holds `name`, and hold it. It ends with the process."""
        ...

    def close(self) -> None:
        """Let go of what the limits hold open."""
        ...


class LimitFiles:
    """In files of this user on this machine."""

    def __init__(self) -> None:
        user = os.getuid() if hasattr(os, "getuid") else "user"
        self._folder = Path(tempfile.gettempdir()) / f"platform-assets-{user}"
        self._limiters: dict[tuple[str, RateLimit], Limiter] = {}
        self._lock = threading.Lock()

    def wait(self, name: str, limit: RateLimit, sleep: Sleep) -> float:
        with self._lock:
            limiter = self._limiters.get((name, limit))
            if limiter is None:
                limiter = self._limiters[name, limit] = Limiter(limit, self._folder / f"{name}.limit")
        return limiter.wait(sleep)

    @contextmanager
    def one_at_a_time(self, name: str, sleep: Sleep) -> Iterator[None]:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = FileLock(self._folder / f"{name}.limit.one")
        while True:
            try:
                lock.acquire(timeout=_LOCK_SECONDS)
                break
            except Timeout:
                sleep(0.0)
        try:
            yield
        finally:
            lock.release()

    def close(self) -> None:
        """Nothing is held open."""

"""How many jobs of reports may be unfinished at a server at once."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from platform_assets.cancellation import Cancellation

# Seconds after which whoever waits for a place looks whether the run is cancelled.
_LOOK = 0.2


class JobPlaces:
    """The places of one client.

    Args:
        most: jobs at once; None for any number.
        cancellation: ends the waits for a place.
    """

    def __init__(self, most: int | None, cancellation: Cancellation) -> None:
        self._places = None if most is None else threading.BoundedSemaphore(most)
        self._cancellation = cancellation

    @contextmanager
    def place(self) -> Iterator[None]:
        """Wait for a place, and hold it. Raises Cancelled if the run is cancelled meanwhile."""
        if self._places is None:
            yield
            return
        while not self._places.acquire(timeout=_LOOK):
            self._cancellation.check()
        try:
            yield
        finally:
            self._places.release()

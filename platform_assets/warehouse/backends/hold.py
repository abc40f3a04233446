"""How a process holds a platform's part of the warehouse, alone or beside others that load into it.

`Hold` is that of a database with one writer: the process is alone all the time. A server that takes several loads at
once gives a hold of its own (advisory_locks.py), which is shared until its holder has to change a schema.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager


class MustBeAlone(Exception):
    """What was asked for changes what other loads rely on; it is to be done again by a session that is alone."""


class Hold:
    """Held until the end of the session. Here nobody else ever holds it.

    Attributes:
        is_alone: whether no other process holds the platform's part.
    """

    is_alone = True

    def be_alone(self) -> None:
        """Wait until no other process holds it. What was read before may have changed by then."""

    def share(self) -> None:
        """Let others in again. What was read stays as it is until they do."""

    def require_alone(self) -> None:
        """Raise MustBeAlone if others may hold it."""
        if not self.is_alone:
            raise MustBeAlone

    def confirm(self) -> None:
        """Raise WarehouseError if it was lost. Call inside each transaction that relies on it, before its changes."""

    @contextmanager
    def landing(self, resources: Iterable[str]) -> Iterator[None]:
        """Exclude other processes that record rows or progress of any of `resources`."""
        del resources
        yield

"""Advisory locks of one Postgres session, which end with its connection: a killed process leaves none behind.

They are taken through the connection that then does the work. If it is lost, the locks and the work are lost together.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from platform_assets.cancellation import current
from platform_assets.warehouse.backends.hold import Hold
from platform_assets.warehouse.errors import WarehouseError

if TYPE_CHECKING:
    from dlt.destinations.sql_client import SqlClientBase

# Seconds that one statement waits for a lock: in the server's queue, so that nobody overtakes, but deaf to a
# cancellation.
_SLICE = 1.0


def lock(
    connection: Any,
    name: str,
    wait: float,
    *,
    shared: bool = False,
    meanwhile: Callable[[], None] = lambda: current().check(),
) -> None:
    """Take the lock `name`, for as long as the connection lasts.

    Args:
        connection: of psycopg2, in autocommit mode.
        wait: seconds to wait for others.
        shared: beside others that take it shared.
        meanwhile: called about once a second of waiting; it may raise.

    Raises WarehouseError if others keep it for `wait` seconds, and Cancelled if the run is cancelled meanwhile.
    """
    from psycopg2.errors import LockNotAvailable

    deadline = time.monotonic() + wait
    function = "pg_advisory_lock_shared" if shared else "pg_advisory_lock"
    with connection.cursor() as cursor:
        while True:
            left = max(0.0, deadline - time.monotonic())
            # One message to the server, hence one transaction: if the lock is not available, the setting is undone.
            # A timeout of 0 would be none.
            timeout = max(1, round(min(left, _SLICE) * 1000))
            try:
                cursor.execute(
                    f"SET lock_timeout = {timeout}; SELECT {function}(hashtextextended(%s, 0)); RESET lock_timeout",
                    [_key(name)],
                )
                return
            except LockNotAvailable:
                if left * 1000 <= timeout:
                    raise WarehouseError(
                        f"another process kept the lock on {name} for {wait:.0f} s; try again, or raise"
                        " warehouse.lock_wait"
                    ) from None
            meanwhile()


def try_lock(connection: Any, name: str) -> bool:
    """Take the lock `name` if nobody holds it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [_key(name)])
        return bool(cursor.fetchone()[0])


def unlock(connection: Any, name: str, *, shared: bool = False) -> None:
    """Let a lock go that this connection holds."""
    function = "pg_advisory_unlock_shared" if shared else "pg_advisory_unlock"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(hashtextextended(%s, 0))", [_key(name)])


def holds(connection: Any, name: str) -> bool:
    """Whether the server process that serves this connection holds the lock `name`, shared or alone."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND granted"
            " AND objsubid = 1 AND (classid::bigint << 32) | objid::bigint = hashtextextended(%s, 0)",
            [_key(name)],
        )
        return bool(cursor.fetchone()[0])


def _key(name: str) -> str:
    return f"platform_assets.{name}"


class SharedHold(Hold):
    """One platform's schema: shared by all loads that leave its tables as they are, alone for one that changes them.

    The order is the same in every process, so that none waits in a circle: the schema first, then the resources by
    name. Nobody asks to be alone while others may wait for what he holds: `be_alone` lets go first.

    Args:
        client: the session's client, opened.
        part: the platform.
        wait: seconds to wait for others, each time.
    """

    def __init__(self, client: SqlClientBase[Any], part: str, wait: float, *, alone: bool) -> None:
        self._client = client
        self._part = part
        self._wait = wait
        self.is_alone = alone
        lock(client.native_connection, part, wait, shared=not alone)

    def be_alone(self) -> None:
        if self.is_alone:
            return
        connection = self._client.native_connection
        unlock(connection, self._part, shared=True)
        lock(connection, self._part, self._wait)
        self.is_alone = True

    def share(self) -> None:
        if not self.is_alone:
            return
        connection = self._client.native_connection
        # Granted at once, before anyone who waits: this session is in nobody's way but its own.
        lock(connection, self._part, self._wait, shared=True)
        unlock(connection, self._part)
        self.is_alone = False

    def confirm(self) -> None:
        """It is lost behind a pooler that gives each transaction another connection to the server."""
        if not holds(self._client.native_connection, self._part):
            raise WarehouseError(
                f"the lock on {self._part} was lost, nothing was written: connect to Postgres directly, or through a"
                " pooler in session mode"
            )

    @contextmanager
    def landing(self, resources: Iterable[str]) -> Iterator[None]:
        held: list[str] = []
        try:
            for name in sorted(resources):
                lock(self._client.native_connection, f"{self._part}/{name}", self._wait)
                held.append(name)
            yield
        finally:
            connection = self._client.native_connection
            # Without its connection, a session holds nothing any more.
            if connection is not None and not connection.closed:
                for name in held:
                    unlock(connection, f"{self._part}/{name}")

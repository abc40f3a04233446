"""Declared limits over all machines that load into one Postgres: the grants are rows of a table there.

The table has one row per limit: its name, which is a hash, and the times of the last grants by the server's clock. A
grant is one statement. A connection that breaks is opened anew, so that a restart of the database costs a pause and
no limit: what was granted before is still in the table.

Of an endpoint that takes one request at a time, the turn is an advisory lock, which ends with a killed process, and a
row. A restart ends the locks but not the requests that are in flight: the row that an earlier start of the server has
left says that there may be one, whose end the next process waits for.
"""

from __future__ import annotations

import math
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

from tenacity import RetryError, Retrying, retry_if_exception_type, wait_exponential

from platform_assets.cancellation import current
from platform_assets.http.rate_limiter import FAR, JITTER
from platform_assets.warehouse.backends.advisory_locks import lock, unlock
from platform_assets.warehouse.errors import WarehouseError

if TYPE_CHECKING:
    from platform_assets.declarations import RateLimit
    from platform_assets.http.shared_limits import Sleep

T = TypeVar("T")

_TABLE = "platform_assets.request_limits"
_CREATE = f"""
    SELECT pg_advisory_xact_lock(hashtextextended('{_TABLE}', 0));
    CREATE SCHEMA IF NOT EXISTS platform_assets;
    CREATE TABLE IF NOT EXISTS {_TABLE} (name text PRIMARY KEY, granted double precision[] NOT NULL)"""
_TURNS = "platform_assets.request_turns"
_CREATE_TURNS = f"""
    SELECT pg_advisory_xact_lock(hashtextextended('{_TURNS}', 0));
    CREATE SCHEMA IF NOT EXISTS platform_assets;
    CREATE TABLE IF NOT EXISTS {_TURNS}
        (name text PRIMARY KEY, holder text NOT NULL, server_start timestamptz NOT NULL)"""
_TAKE = f"""
    INSERT INTO {_TURNS} AS t (name, holder, server_start) VALUES (%(name)s, %(holder)s, pg_postmaster_start_time())
    ON CONFLICT (name) DO UPDATE SET holder = EXCLUDED.holder, server_start = EXCLUDED.server_start
    WHERE t.server_start = EXCLUDED.server_start OR %(anyway)s
    RETURNING 1"""
# Seconds after which a request has ended that was in flight when the server restarted: what an answer may take by
# default. Its process says so earlier, unless it has ended too.
LONGEST_REQUEST = 130.0
# Between two looks whether it has.
_LOOK = 0.2
_NOW = "extract(epoch FROM clock_timestamp())::double precision"
# The grant before which a window begins that is full; null if there are fewer.
_OLDEST = "l.granted[cardinality(l.granted) - %(requests)s + 1]"
_GRANT = f"""
    INSERT INTO {_TABLE} AS l (name, granted) VALUES (%(name)s, ARRAY[{_NOW}])
    ON CONFLICT (name) DO UPDATE SET granted = (
        l.granted || greatest({_NOW}, CASE WHEN {_OLDEST} <= {_NOW} + {FAR} THEN {_OLDEST} + %(window)s END)
    )[greatest(1, cardinality(l.granted) + 2 - %(requests)s):]
    RETURNING granted[cardinality(granted)] - {_NOW}"""


class PostgresLimits:
    """See `SharedLimits`. Nothing is opened before the first request.

    Args:
        connect: opens a connection in autocommit mode; raises psycopg2's errors.
        patience: seconds for which the database may be away. Nothing is requested meanwhile.
        longest_request: seconds; see `LONGEST_REQUEST`.
    """

    def __init__(
        self, connect: Callable[[], Any], patience: float, *, longest_request: float = LONGEST_REQUEST
    ) -> None:
        self._connect = connect
        self._patience = patience
        self._longest_request = longest_request
        # When the database last answered (monotonic).
        self._answered = 0.0
        # Use of a connection -> the connection: for the grants, and one for each lock, which ends with it.
        self._open: dict[str, Any] = {}
        self._busy = threading.Lock()
        self._away: WarehouseError | None = None

    def wait(self, name: str, limit: RateLimit, sleep: Sleep) -> float:
        values = {"name": name, "requests": limit.requests, "window": limit.seconds + JITTER}
        with self._busy:
            seconds = self._patiently(lambda: self._granted(values))
        if seconds <= 0:
            return 0.0
        sleep(seconds)
        return seconds

    @contextmanager
    def one_at_a_time(self, name: str, sleep: Sleep) -> Iterator[None]:
        holder = secrets.token_hex(8)
        self._patiently(lambda: self._take_turn(name, holder, sleep))
        try:
            yield
        finally:
            # Without it the next one waits as long as a request may take, after a restart.
            with suppress(WarehouseError):
                self._patiently(lambda: self._end_turn(name, holder))

    def _take_turn(self, name: str, holder: str, sleep: Sleep) -> None:
        import psycopg2

        connection = self._connection(name)

        def meanwhile() -> None:
            self._answered = time.monotonic()
            sleep(0.0)

        lock(connection, f"limit.{name}", math.inf, meanwhile=meanwhile)
        try:
            self._await_end(connection, name, holder, sleep)
        except BaseException:
            # A lost connection holds nothing.
            with suppress(psycopg2.Error):
                unlock(connection, f"limit.{name}")
            raise

    def _await_end(self, connection: Any, name: str, holder: str, sleep: Sleep) -> None:
        """Wait until no request is in flight that began before a restart, and record who is next."""
        deadline = time.monotonic() + self._longest_request
        with connection.cursor() as cursor:
            while True:
                anyway = time.monotonic() >= deadline
                cursor.execute(_TAKE, {"name": name, "holder": holder, "anyway": anyway})
                if cursor.fetchone() is not None:
                    return
                self._answered = time.monotonic()
                sleep(_LOOK)

    def _end_turn(self, name: str, holder: str) -> None:
        connection = self._connection(name)
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {_TURNS} WHERE name = %s AND holder = %s", [name, holder])
        # If the connection was lost, so was the lock, and this one does not hold it.
        unlock(connection, f"limit.{name}")

    def close(self) -> None:
        for connection in self._open.values():
            connection.close()
        self._open.clear()

    def _granted(self, values: dict[str, Any]) -> float:
        with self._connection("").cursor() as cursor:
            cursor.execute(_GRANT, values)
            return float(cursor.fetchone()[0])

    def _connection(self, use: str) -> Any:
        """The open connection of a use. The first one makes the use's table."""
        connection = self._open.get(use)
        if connection is None or connection.closed:
            connection = self._connect()
            self._answered = time.monotonic()
            table, create = (_TABLE, _CREATE) if use == "" else (_TURNS, _CREATE_TURNS)
            with connection.cursor() as cursor:
                cursor.execute("SELECT to_regclass(%s)", [table])
                if cursor.fetchone()[0] is None:
                    cursor.execute(create)
            self._open[use] = connection
        return connection

    def _patiently(self, work: Callable[[], T]) -> T:
        """Try again while the database is away. Raises WarehouseError if it stays away, and from then on at once."""
        import psycopg2

        if self._away is not None:
            raise self._away
        began = time.monotonic()
        retrying = Retrying(
            retry=retry_if_exception_type((psycopg2.OperationalError, psycopg2.InterfaceError)),
            # Not counted from `began` alone: the work may have waited long for others before the database went away.
            stop=lambda _: time.monotonic() - max(began, self._answered) >= self._patience,
            wait=wait_exponential(multiplier=0.1, max=5),
            sleep=current().sleep,
        )
        try:
            return retrying(work)
        except RetryError as error:
            reason = next(iter(str(error.last_attempt.exception()).splitlines()), "no connection")
            self._away = WarehouseError(
                f"the rate limits are kept in the warehouse, which cannot be reached for {self._patience:.0f} s"
                f" ({reason}): nothing more is requested"
            )
            raise self._away from None

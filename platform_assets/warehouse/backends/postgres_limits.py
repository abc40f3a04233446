"""Declared limits over all machines that load into one Postgres: the grants are rows of a table there.

The table has one row per limit: its name, which is a hash, and the times of the last grants by the server's clock. A
grant is one statement. A connection that breaks is opened anew, so that a restart of the database costs a pause and
no limit: what was granted before is still in the table.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

from tenacity import RetryError, Retrying, retry_if_exception_type, stop_after_delay, wait_exponential

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
    """

    def __init__(self, connect: Callable[[], Any], patience: float) -> None:
        self._connect = connect
        self._patience = patience
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
        """A restart of the database lets it go, so that a request may begin while one that is in flight ends."""
        self._patiently(lambda: lock(self._connection(name), f"limit.{name}", math.inf, meanwhile=lambda: sleep(0.0)))
        try:
            yield
        finally:
            import psycopg2

            # If the connection is lost, so is the lock.
            with suppress(psycopg2.Error):
                unlock(self._connection(name), f"limit.{name}")

    def close(self) -> None:
        for connection in self._open.values():
            connection.close()
        self._open.clear()

    def _granted(self, values: dict[str, Any]) -> float:
        with self._connection("").cursor() as cursor:
            cursor.execute(_GRANT, values)
            return float(cursor.fetchone()[0])

    def _connection(self, use: str) -> Any:
        """The open connection of a use. The first one makes the table."""
        connection = self._open.get(use)
        if connection is None or connection.closed:
            connection = self._connect()
            if use == "":
                with connection.cursor() as cursor:
                    cursor.execute("SELECT to_regclass(%s)", [_TABLE])
                    if cursor.fetchone()[0] is None:
                        cursor.execute(_CREATE)
            self._open[use] = connection
        return connection

    def _patiently(self, work: Callable[[], T]) -> T:
        """Try again while the database is away. Raises WarehouseError if it stays away, and from then on at once."""
        import psycopg2

        if self._away is not None:
            raise self._away
        retrying = Retrying(
            retry=retry_if_exception_type((psycopg2.OperationalError, psycopg2.InterfaceError)),
            stop=stop_after_delay(self._patience),
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

"""Postgres as the warehouse: its credentials as dlt reads them, and a lock between the processes that load.

Postgres lets many processes write, but two loads of one platform would share dlt's staging tables and empty them
under each other, and two dbt builds would replace the same tables.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dlt.common.configuration.exceptions import ConfigurationException
from dlt.common.configuration.resolve import resolve_configuration

from platform_assets.cancellation import current
from platform_assets.declarations import PlatformAssetsError

if TYPE_CHECKING:
    from dlt.destinations.impl.postgres.configuration import PostgresCredentials

_LOOK_EVERY = 0.1
"""Seconds between looks at a lock that another process holds."""
_SECTIONS = ("destination", "postgres", "credentials")


class WarehouseError(PlatformAssetsError):
    """The warehouse cannot be opened, or another process keeps it for too long."""


def credentials() -> "PostgresCredentials":
    """`[destination.postgres.credentials]`. Raises WarehouseError where it is missing or cannot be read."""
    try:
        from dlt.destinations.impl.postgres.configuration import PostgresCredentials

        return resolve_configuration(PostgresCredentials(), sections=_SECTIONS[:2])
    except ImportError:
        raise WarehouseError(
            "Postgres needs its driver: install the extra `postgres` (uv sync --extra postgres)"
        ) from None
    except ConfigurationException:
        raise WarehouseError(
            "the warehouse is postgres, but its credentials are missing or cannot be read:"
            " set DESTINATION__POSTGRES__CREDENTIALS=postgresql://user:password@host:5432/database,"
            " or [destination.postgres.credentials] in .dlt/secrets.toml"
        ) from None


def dbt_variables() -> Mapping[str, str]:
    """The variables that `dbt_project/profiles.yml` reads."""
    found = credentials()
    return {
        "PLATFORM_ASSETS_POSTGRES_HOST": str(found.host),
        "PLATFORM_ASSETS_POSTGRES_PORT": str(found.port),
        "PLATFORM_ASSETS_POSTGRES_DATABASE": str(found.database),
        "PLATFORM_ASSETS_POSTGRES_USER": str(found.username),
        "DBT_ENV_SECRET_POSTGRES_PASSWORD": str(found.password or ""),
    }


@contextmanager
def advisory_lock(name: str, wait: float) -> Iterator[None]:
    """Hold the server's lock `name`; it ends with the connection, so a killed process leaves none.

    Raises WarehouseError where the server cannot be reached, or another process keeps the lock for `wait` seconds.
    """
    connection = _connected()
    try:
        _lock(connection, name, wait)
        yield
    finally:
        connection.close()


def _connected() -> Any:
    found = credentials()
    import psycopg2

    try:
        connection = psycopg2.connect(found.to_native_representation(), connect_timeout=found.connect_timeout)
    except psycopg2.Error as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise WarehouseError(f"the warehouse {found.host}:{found.port}/{found.database}: {reason}") from None
    connection.autocommit = True
    return connection


def _lock(connection: Any, name: str, wait: float) -> None:
    """Ask again and again: a wait inside the server's own lock hears no signal."""
    give_up = time.monotonic() + wait
    with connection.cursor() as cursor:
        while True:
            cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [f"platform_assets.{name}"])
            if cursor.fetchone()[0]:
                return
            if time.monotonic() >= give_up:
                raise WarehouseError(
                    f"another process kept the lock on {name} for {wait:.0f} s; try again, or raise warehouse.lock_wait"
                )
            current().sleep(_LOOK_EVERY)

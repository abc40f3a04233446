"""The configured warehouse, for everybody outside this package: which one it is, and the lock between processes.

Each function asks the backend that `[warehouse] destination` names (see backends/), at the time of the call: nothing
here reads settings at import.
"""

from contextlib import AbstractContextManager
from pathlib import Path

from platform_assets import configuration
from platform_assets.configuration import WAREHOUSE
from platform_assets.http.shared_limits import SharedLimits
from platform_assets.warehouse.backends import DEFAULT_DESTINATION, configured_backend
from platform_assets.warehouse.errors import WarehouseError

__all__ = [
    "WarehouseError",
    "check_settings",
    "dbt_variables",
    "exclusive",
    "exclusive_for_child",
    "lock_wait",
    "missing_file",
    "shared_limits",
    "warehouse_kind",
    "warehouse_name",
    "warehouse_secrets",
]

# Seconds to wait for another process that writes; `[warehouse] lock_wait` overrides it.
LOCK_WAIT = 600.0

# Seconds for which a run waits for a server that is away before it requests anything more.
PATIENCE = 120.0


def check_settings() -> None:
    """Read every setting of the warehouse. Raises SettingsError or WarehouseError for the first unusable one."""
    for setting in configuration.WAREHOUSE_SETTINGS:
        configuration.read(WAREHOUSE, setting)
    configured_backend().check_settings()


def warehouse_name() -> str:
    """The warehouse in messages: the path of the DuckDB file, or the name of the destination."""
    return configured_backend().location


def warehouse_kind() -> str:
    """`duckdb` or `postgres`, without opening it; the default if the setting cannot be used, as a run then says."""
    try:
        return configured_backend().name
    except Exception:
        # A wrong settings file must not stop definitions from loading.
        return DEFAULT_DESTINATION


def missing_file() -> Path | None:
    """The database file that the first load will create; None once it exists, or where a server keeps the data."""
    return configured_backend().missing_file()


def dbt_variables() -> dict[str, str]:
    """Environment variables by which `dbt_project/profiles.yml` finds the warehouse that is configured for dlt."""
    backend = configured_backend()
    return {"WAREHOUSE__DESTINATION": backend.name, **backend.dbt_variables()}


def warehouse_secrets() -> list[str]:
    """Secrets of the warehouse's connection, to be redacted from every text."""
    return configured_backend().secrets()


def exclusive(part: str, *, wait: float | None = None) -> AbstractContextManager[None]:
    """Exclude other processes that write `part` of the warehouse, e.g. a platform's schema.

    Args:
        part: what is written; processes that write different parts exclude each other only in a one-writer database.
        wait: seconds to wait for another process, `[warehouse] lock_wait` by default.

    Raises WarehouseError at the end of the wait or if the warehouse is unavailable, and Cancelled if the run is
    cancelled meanwhile.
    """
    return configured_backend().exclusive(part, lock_wait() if wait is None else wait)


def exclusive_for_child(part: str, *, wait: float | None = None) -> AbstractContextManager[None]:
    """As `exclusive`, on behalf of a program that this process starts: that one can open the database."""
    return configured_backend().exclusive_for_child(part, lock_wait() if wait is None else wait)


def shared_limits(*, patience: float = PATIENCE) -> SharedLimits | None:
    """Where all machines that load into the warehouse know of declared limits; None if files of this one do.

    Args:
        patience: seconds for which the warehouse may be away until a request fails with WarehouseError.
    """
    return configured_backend().shared_limits(patience)


def lock_wait() -> float:
    """Seconds to wait for another process that writes."""
    found = configuration.read(WAREHOUSE, configuration.LOCK_WAIT)
    return LOCK_WAIT if found is None else found

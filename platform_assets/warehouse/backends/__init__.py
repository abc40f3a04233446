"""The databases that can be the warehouse, behind one protocol.

backend.py says what a database must answer, duckdb.py and postgres.py answer it, and `configured_backend` picks one by
the setting. Drivers, dlt and Arrow are imported only when a method needs them.
"""

from collections.abc import Callable, Mapping

from platform_assets import configuration
from platform_assets.configuration import WAREHOUSE
from platform_assets.warehouse.backends.backend import Backend
from platform_assets.warehouse.backends.duckdb import DuckDB
from platform_assets.warehouse.backends.hold import Hold, MustBeAlone
from platform_assets.warehouse.backends.postgres import Postgres
from platform_assets.warehouse.backends.reader import Queries, Reader

__all__ = [
    "BACKENDS",
    "DEFAULT_DESTINATION",
    "Backend",
    "Hold",
    "MustBeAlone",
    "Queries",
    "Reader",
    "configured_backend",
]

# By the values of `[warehouse] destination`, as `configuration.DESTINATION` accepts them.
BACKENDS: Mapping[str, Callable[[], Backend]] = {"duckdb": DuckDB, "postgres": Postgres}
DEFAULT_DESTINATION = "duckdb"


def configured_backend() -> Backend:
    """The database that `[warehouse] destination` names, DuckDB by default. Raises SettingsError for another name."""
    return BACKENDS[configuration.read(WAREHOUSE, configuration.DESTINATION) or DEFAULT_DESTINATION]()

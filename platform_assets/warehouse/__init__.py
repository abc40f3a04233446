"""Where rows land: one platform's tables in the configured database, loaded by dlt, and our own records about them.

`open_warehouse(platform)` gives a `Warehouse` (connection.py); its `session()` holds the lock and gives a
`WarehouseSession`, which queries tables (table_reader.py) and loads and commits (session.py). What differs between
databases is in backends/, columns that we add to tables in table_layout.py, and our own tables in state.py,
source_account.py and column_names.py (migrations.py upgrades them). queries.py reads for commands that only look; it
needs neither dlt nor a session.
"""

from typing import TYPE_CHECKING, Any

from platform_assets.warehouse.errors import WarehouseError
from platform_assets.warehouse.state import LOG_TABLE, LogEntry, Progress, Status
from platform_assets.warehouse.state import TABLE as STATE_TABLE

__all__ = [
    "LOG_TABLE",
    "STATE_TABLE",
    "LogEntry",
    "Progress",
    "Status",
    "Warehouse",
    "WarehouseError",
    "open_warehouse",
]

if TYPE_CHECKING:
    from platform_assets.warehouse.connection import Warehouse, open_warehouse


def __getattr__(name: str) -> Any:
    """`Warehouse` and `open_warehouse`, on first use: they import dlt, which commands that only read do without."""
    if name not in ("Warehouse", "open_warehouse"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from platform_assets.warehouse import connection

    return getattr(connection, name)

"""Where rows land: the dlt pipeline, the lock around a one-writer database, and our own state."""

from platform_assets.warehouse.connection import Warehouse, open_warehouse
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

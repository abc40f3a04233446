"""Where rows land: the dlt pipeline, the lock around a one-writer database, and our own state."""

from platform_assets.warehouse.state import TABLE as STATE_TABLE
from platform_assets.warehouse.state import Progress, Status
from platform_assets.warehouse.warehouse import Warehouse, WarehouseError, open_warehouse

__all__ = ["STATE_TABLE", "Progress", "Status", "Warehouse", "WarehouseError", "open_warehouse"]

"""What goes wrong with a warehouse as such, whichever database it is."""

from platform_assets.declarations import PlatformAssetsError


class WarehouseError(PlatformAssetsError):
    """The warehouse is unavailable, another process holds it for too long, or its tables are not ours."""


class UndefinedTable(WarehouseError):
    """A table that does not exist, or not yet."""


class Held(WarehouseError):
    """Another process keeps the warehouse.

    Attributes:
        holder: the process in words, e.g. `process 17 (python work.py)`.
    """

    def __init__(self, message: str, holder: str) -> None:
        super().__init__(message)
        self.holder = holder

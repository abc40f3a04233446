"""The simulated time of a history: it advances only by steps.

A sync runs in a process whose product modules see this time, so that "since the last sync" is a week if the
history waits a week. Only their names `datetime` are replaced; `time.monotonic` and deadlines stay real.
"""

import importlib
import pkgutil
import sys
import time
from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 2, 8, 0, 0, tzinfo=UTC)


class Clock:
    """Whole seconds; every change of the store takes one second."""

    def __init__(self) -> None:
        self.now = START

    def tick(self) -> datetime:
        return self.forward(timedelta(seconds=1))

    def forward(self, by: timedelta) -> datetime:
        self.now += by
        return self.now


class _Moments(type):
    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, datetime)


_ahead = timedelta(0)


class _Datetime(datetime, metaclass=_Moments):
    """`datetime` with the simulated time as now; its instances are plain datetimes."""

    def __new__(cls, *args: object, **named: object) -> datetime:  # pyright: ignore[reportIncompatibleMethodOverride] -- it returns a datetime
        return datetime(*args, **named)  # pyright: ignore[reportArgumentType] -- datetime's own

    @classmethod
    def now(cls, tz: object = None) -> datetime:  # pyright: ignore[reportIncompatibleMethodOverride] -- it returns a datetime
        return datetime.now(tz) + _ahead  # pyright: ignore[reportArgumentType] -- datetime's own


# The packages that take part in a sync.
PACKAGES = ("arrow", "configuration", "declarations", "extraction", "http", "platforms", "sync", "warehouse")


def import_product() -> None:
    """Import every module that takes part in a sync."""
    for name in PACKAGES:
        package = importlib.import_module(f"platform_assets.{name}")
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)


def set_time(now: datetime) -> None:
    """Set the time of this process's product modules to `now`; from then on time runs."""
    global _ahead
    _ahead = timedelta(seconds=now.timestamp() - time.time())
    import_product()
    for name, module in list(sys.modules.items()):
        if name.startswith("platform_assets.") and vars(module).get("datetime") in (datetime, _Datetime):
            vars(module)["datetime"] = _Datetime

"""What the sandbox knows: five platforms' records, and a clock that makes things happen."""

import random
import threading
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any, Self

import orjson

from platform_assets.sandbox.data import ci_analytics, crm, device_management, error_tracking, load_testing

Record = dict[str, Any]
Tables = dict[str, Any]

START = datetime(2026, 1, 15, tzinfo=UTC)
DATA: dict[str, ModuleType] = {
    "ci_analytics": ci_analytics,
    "crm": crm,
    "device_management": device_management,
    "error_tracking": error_tracking,
    "load_testing": load_testing,
}

SERVED = tuple(DATA)
"""The platforms that the sandbox serves."""


class FakeBackend:
    """Deterministic: the same seed and the same advances give the same records.

    `tables[platform][resource]` is a list of records, or for children a dict of lists by parent key
    (a tuple where the path holds two values). `lock` is held while it changes.
    """

    def __init__(self, seed: int = 7, now: datetime = START) -> None:
        self.now = now
        self.lock = threading.RLock()
        self._random = random.Random(seed)
        self.tables: dict[str, Tables] = {name: data.create(self._random, now) for name, data in DATA.items()}

    @classmethod
    def empty(cls) -> Self:
        """Every list empty; the access token is still there, since it is one object."""
        world = cls()
        for platform, tables in world.tables.items():
            for resource in tables:
                if (platform, resource) != ("ci_analytics", "access_token"):
                    tables[resource] = type(tables[resource])()
        return world

    @classmethod
    def tiny(cls) -> Self:
        """One row in every list; a child has the one parent that is left."""
        world = cls()
        for tables in world.tables.values():
            for resource, records in tables.items():
                if isinstance(records, list):
                    del records[1:]
                else:
                    kept = next(key for key, group in records.items() if group)
                    tables[resource] = {kept: records[kept][:1]}
        tables = world.tables["crm"]
        tables["deals"][0]["id"] = int(next(iter(tables["deal_products"])))
        tables["mail_threads"][0]["id"] = int(next(iter(tables["mail"])))
        return world

    def advance(self, *, hours: float = 0, days: float = 0) -> None:
        """Move the clock; things are added, changed and removed on every platform."""
        with self.lock:
            span = timedelta(hours=hours, days=days)
            self.now += span
            for name, data in DATA.items():
                data.advance(self.tables[name], self._random, self.now, span / timedelta(hours=1))

    def children(self, platform: str, resource: str, key: Any) -> list[Record] | None:
        """A parent's children, None where there is no such parent."""
        return self.tables[platform][resource].get(key)


def expected_rows(world: FakeBackend) -> dict[str, dict[str, list[Record]]]:
    """Every record that a right loader has in each table, copied, as served."""
    with world.lock:
        found = {
            platform: {resource: _flat(records) for resource, records in tables.items() if resource != "invisible"}
            for platform, tables in world.tables.items()
        }
        return orjson.loads(orjson.dumps(found))


def _flat(records: Any) -> list[Record]:
    groups: Iterable[list[Record]] = [records] if isinstance(records, list) else records.values()
    return [record for group in groups for record in group]

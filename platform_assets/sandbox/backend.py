"""The records that the sandbox serves, and the clock that changes them.

The modules in `data` create each platform's records and change them as time passes; `contract` serves them.
"""

import functools
import pickle
import random
import threading
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any, Self

import orjson

from platform_assets.sandbox.data import ci_analytics, crm, device_management, error_tracking, load_testing

Record = dict[str, Any]
Tables = dict[str, Any]

# The day of the records where nobody says another, as in tests.
START = datetime(2026, 1, 15, tzinfo=UTC)
_DAY = timedelta(days=1)
DATA: dict[str, ModuleType] = {
    "ci_analytics": ci_analytics,
    "crm": crm,
    "device_management": device_management,
    "error_tracking": error_tracking,
    "load_testing": load_testing,
}

# The platforms that the sandbox serves.
SERVED = tuple(DATA)


class FakeBackend:
    """Five platforms' records. Deterministic: the same seed, day and advances give the same records.

    The records end at `now`: on another day, the same seed gives the same records with all times moved.

    `tables[platform][resource]` is a list of records, or for children a dict of lists by parent key
    (a tuple where the path holds two values). `lock` is held while it changes.
    """

    def __init__(self, seed: int = 7, now: datetime = START) -> None:
        self.now = now
        self._began = now
        self.lock = threading.RLock()
        self._random, created = _created(seed, now)
        self.tables: Mapping[str, Tables] = _Unpickled(created)

    @classmethod
    def empty(cls) -> Self:
        """A backend whose lists are empty; the access token remains, since it is a single object."""
        backend = cls()
        for platform, tables in backend.tables.items():
            for resource in tables:
                if (platform, resource) != ("ci_analytics", "access_token"):
                    tables[resource] = type(tables[resource])()
        return backend

    @classmethod
    def tiny(cls) -> Self:
        """A backend with one row in every list; each child belongs to the one remaining parent."""
        backend = cls()
        for tables in backend.tables.values():
            for resource, records in tables.items():
                if isinstance(records, list):
                    del records[1:]
                else:
                    kept = next(key for key, group in records.items() if group)
                    tables[resource] = {kept: records[kept][:1]}
        tables = backend.tables["crm"]
        tables["deals"][0]["id"] = int(next(iter(tables["deal_products"])))
        tables["mail_threads"][0]["id"] = int(next(iter(tables["mail"])))
        return backend

    def advance(self, *, hours: float = 0, days: float = 0) -> None:
        """Move the clock forward: records are added, changed and removed on every platform."""
        with self.lock:
            span = timedelta(hours=hours, days=days)
            self.now += span
            for name, data in DATA.items():
                data.advance(self.tables[name], self._random, self.now, span / timedelta(hours=1))

    @property
    def has_advanced(self) -> bool:
        """Whether time has passed, and with it records may have been removed."""
        return self.now > self._began

    def catch_up(self, moment: datetime) -> None:
        """Advance by whole days until less than one is left to `moment`; a moment in the past changes nothing.

        One day at a time, so that all that began on one day and caught up with another have the same records.
        """
        with self.lock:
            while moment - self.now >= _DAY:
                self.advance(days=1)

    def children(self, platform: str, resource: str, key: Any) -> list[Record] | None:
        """A parent's children, or None if there is no such parent."""
        return self.tables[platform][resource].get(key)


class _Unpickled(Mapping[str, Tables]):
    """Platform -> its tables, each read when it is first asked for: most tests use one platform's."""

    def __init__(self, pickled: Mapping[str, bytes]) -> None:
        self._pickled = pickled
        self._read: dict[str, Tables] = {}
        self._lock = threading.Lock()

    def __getitem__(self, platform: str) -> Tables:
        with self._lock:
            if platform not in self._read:
                self._read[platform] = pickle.loads(self._pickled[platform])  # noqa: S301 -- made below
            return self._read[platform]

    def __iter__(self) -> Iterator[str]:
        return iter(self._pickled)

    def __len__(self) -> int:
        return len(self._pickled)


def _created(seed: int, now: datetime) -> tuple[random.Random, Mapping[str, bytes]]:
    """The randomness that goes on from the records that a backend begins with, and these, pickled, by platform."""
    chance, tables = _pickled(seed, now)
    return pickle.loads(chance), tables  # noqa: S301 -- made below


@functools.cache
def _pickled(seed: int, now: datetime) -> tuple[bytes, Mapping[str, bytes]]:
    """What `_created` reads.

    Reading takes a third of the time of creating, and a test session begins with the same records hundreds of times.
    """
    chance = random.Random(seed)
    tables = {name: pickle.dumps(data.create(chance, now)) for name, data in DATA.items()}
    return pickle.dumps(chance), tables


def expected_rows(backend: FakeBackend) -> dict[str, dict[str, list[Record]]]:
    """Platform -> resource -> every record that a correct load has in that table, as a copy of what is served."""
    with backend.lock:
        found = {platform: _served(tables) for platform, tables in backend.tables.items()}
        return orjson.loads(orjson.dumps(found))


def expected_counts(backend: FakeBackend, platform: str) -> dict[str, int]:
    """Resource -> how many records a correct load has in that table."""
    with backend.lock:
        return {resource: len(records) for resource, records in _served(backend.tables[platform]).items()}


def _served(tables: Tables) -> dict[str, list[Record]]:
    return {resource: _flat(records) for resource, records in tables.items() if resource != "invisible"}


def _flat(records: Any) -> list[Record]:
    groups: Iterable[list[Record]] = [records] if isinstance(records, list) else records.values()
    return [record for group in groups for record in group]

"""The records of the API with all their earlier versions: the truth that the oracle compares with."""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, Literal

from tests.simulation.clock import Clock
from tests.simulation.contract import (
    FINISHED,
    FOLDERS,
    LATE,
    LATE_RECENT,
    RUNNING,
    UNFINISHED,
    Resource,
    resources_of,
)

Record = dict[str, Any]
When = Literal["now", "late", "past", "future", "ancient", "null"]
FUTURE = datetime(2099, 1, 1, tzinfo=UTC)
ANCIENT = datetime(1965, 7, 1, tzinfo=UTC)
ORGANIZATIONS = ("acme", "globex")


@dataclass(frozen=True)
class Version:
    """A record as it was served between two changes of the store.

    start, end: numbers of changes; `end` is None for the current version. parents: those whose lists contain it.
    """

    start: int
    end: int | None
    record: Record
    parents: frozenset[str]
    stamp: datetime | None
    age: int

    def within(self, first: int, last: int) -> bool:
        """Whether it existed at any moment between two changes."""
        return self.start <= last and (self.end is None or self.end > first)


@dataclass
class Row:
    """One key of a resource, with all its versions."""

    key: Any
    versions: list[Version] = field(default_factory=list)

    @property
    def now(self) -> Version | None:
        return self.versions[-1] if self.versions and self.versions[-1].end is None else None

    @property
    def life(self) -> int:
        """The change since which it has existed without a gap."""
        began = self.versions[-1].start
        for version in reversed(self.versions):
            if version.end in (None, began):
                began = version.start
        return began

    def within(self, first: int, last: int) -> list[Version]:
        return [version for version in self.versions if version.within(first, last)]

    def throughout(self, first: int, last: int) -> bool:
        """Whether it existed from one change to another without a gap."""
        found = self.within(first, last)
        meets = all(one.end == two.start for one, two in pairwise(found))
        return bool(found) and meets and found[0].start <= first and (found[-1].end is None or found[-1].end > last)


class Store:
    """One account of one platform. Every change has a number, `tick`, and takes one second.

    Use `lock` around a change and around a response.
    """

    def __init__(self, platform: str, clock: Clock) -> None:
        self.platform = platform
        self.clock = clock
        self.lock = threading.RLock()
        self.tick = 0
        self.tables: dict[str, dict[Any, Row]] = {found.name: {} for found in resources_of(platform)}
        self.resources = {found.name: found for found in resources_of(platform)}
        self._numbers = 0
        # Identity of a parent -> all path values that it ever had.
        self.slugs: dict[str, set[tuple[str, ...]]] = {}

    # Reading

    def current(self, name: str, parent: str | None = None) -> list[Version]:
        """The current versions of a list, in the order in which the API serves them."""
        resource = self.resources[name]
        versions = [row.now for row in self.tables[name].values()]
        found = [v for v in versions if v is not None and (parent is None or parent in v.parents)]
        if resource.order == "oldest":
            found.sort(key=lambda version: (version.stamp or ANCIENT, version.age))
        elif resource.order == "newest":
            found.sort(key=lambda version: (version.stamp or FUTURE, version.age), reverse=True)
        else:
            found.sort(key=lambda version: version.age)
        return found

    def keys(self, name: str) -> list[Any]:
        return [version.record[self.resources[name].key] for version in self.current(name)]

    def removed(self, name: str) -> list[Row]:
        return [row for row in self.tables[name].values() if row.now is None]

    def parents(self, child: str) -> dict[str, tuple[Any, ...]]:
        """Identity -> path values of the current parents of `child`; a path value may be None."""
        parent = self.resources[child].parent
        assert parent is not None
        found: dict[str, tuple[Any, ...]] = {}
        for version in self.current(parent.resource):
            found[str(get_path(version.record, parent.identity))] = tuple(
                get_path(version.record, f) for f in parent.fields
            )
        return found

    def children(self, name: str) -> Iterator[Resource]:
        return (found for found in self.resources.values() if found.parent and found.parent.resource == name)

    # Changing

    def insert(
        self, name: str, parent: str | None = None, when: When = "now", *, key: Any = None, slug: str | None = None
    ) -> Any:
        """Insert a record, or restore one under `key`. Returns its key."""
        with self.lock:
            resource = self.resources[name]
            self._numbers += 1
            number = self._numbers
            if key is None:
                key = number if resource.key_kind == "int" else f"{name[:3]}-{number}"
            record: Record = {resource.key: key}
            for spec in resource.fields:
                title, kind = spec.split(":")
                record[title] = self.value(kind, number)
            if any(child.parent and "slug" in child.parent.fields for child in self.children(name)):
                record["slug"] = slug or f"{name[:4]}-{number}"
            if self.platform == "error_tracking" and name == "projects":
                record["organization"] = {"slug": ORGANIZATIONS[number % 2]}
            if resource.folders:
                record["folders"] = [FOLDERS[number % 4], FOLDERS[(number // 4) % 4]]
            if name == "builds":
                record["state"] = RUNNING if number % 3 == 0 else FINISHED
            stamp = self._stamp(resource, when)
            self._stamped(resource, record, stamp)
            parents = frozenset([parent]) if parent is not None else frozenset()
            self._write(resource, key, record, parents, stamp, number)
            for child in self.children(name):
                if child.paging == "object":
                    self.insert(child.name, str(key), key=key)
            self._touch(resource, parents)
            return key

    def edit(self, name: str, key: Any, changes: Mapping[str, Any] | None = None, *, choice: int = 0) -> bool:
        """Change the given fields of a record, or one of its own. False if the API would not show that."""
        with self.lock:
            resource, version = self.resources[name], self.tables[name][key].now
            if version is None or not resource.edits_seen or (name == "builds" and not self._may_change(version)):
                return False
            self._numbers += 1
            title, kind = resource.fields[choice % len(resource.fields)].split(":")
            record = {**version.record, **(changes or {title: self.value(kind, self._numbers)})}
            if name == "builds":
                record["state"] = FINISHED
            stamp = version.stamp
            if stamp is not None and resource.cursor in ("update_time", "updated", "updatedOn", "modified", "lastSeen"):
                stamp = self.clock.now + timedelta(seconds=1)
                self._stamped(resource, record, stamp)
            self._write(resource, key, record, version.parents, stamp, version.age)
            self._touch(resource, version.parents)
            return True

    def remove(self, name: str, key: Any) -> None:
        """Remove a record and its children."""
        with self.lock:
            resource, row = self.resources[name], self.tables[name][key]
            version = row.now
            if version is None:
                return
            self._end(row)
            for child in self.children(name):
                assert child.parent is not None
                identity = str(get_path(version.record, child.parent.identity))
                if identity not in self.parents(child.name):
                    self._orphan(child, identity)
            self._touch(resource, version.parents)

    def move(self, name: str, key: Any, parent: str, *, also: bool = False) -> bool:
        """Move a record to another parent's list, or (`also`) add it there."""
        with self.lock:
            resource, version = self.resources[name], self.tables[name][key].now
            if version is None or not resource.edits_seen or resource.paging == "object":
                return False
            parents = version.parents | {parent} if also else frozenset([parent])
            if parents == version.parents:
                return False
            record, stamp = dict(version.record), version.stamp
            if resource.filter is not None:
                stamp = self.clock.now + timedelta(seconds=1)
                self._stamped(resource, record, stamp)
            self._write(resource, key, record, parents, stamp, version.age)
            self._touch(resource, parents | version.parents)
            return True

    def restamp(self, name: str, key: Any, when: When) -> bool:
        """Give a record another timestamp: none, one in 2099, or one before 1970."""
        with self.lock:
            resource, version = self.resources[name], self.tables[name][key].now
            if version is None or resource.cursor is None or name == "events":
                return False
            if resource.filter is not None and when not in ("now", "null", "future"):
                return False
            record, stamp = dict(version.record), self._stamp(resource, when)
            self._stamped(resource, record, stamp)
            self._write(resource, key, record, version.parents, stamp, version.age)
            self._touch(resource, version.parents)
            return True

    def rename(self, name: str, key: Any, slug: str | None) -> bool:
        """Give a parent another slug, or none."""
        with self.lock:
            version = self.tables[name][key].now
            if version is None or "slug" not in version.record:
                return False
            record = {**version.record, "slug": slug}
            self._write(self.resources[name], key, record, version.parents, version.stamp, version.age)
            return True

    def reuse_slug(self, name: str, key: Any) -> Any:
        """Remove a parent and insert another one with its slug. Returns the new one's key."""
        with self.lock:
            version = self.tables[name][key].now
            assert version is not None
            self.remove(name, key)
            new = self.insert(name, slug=version.record["slug"])
            if "organization" in version.record:
                self.edit(name, new, {"organization": version.record["organization"]})
            return new

    def value(self, kind: str, number: int) -> Any:
        """A value of a field that no other record has, as far as its kind has that many."""
        moment = self.clock.now.strftime("%Y-%m-%dT%H:%M:%SZ")
        made: dict[str, Any] = {
            "text": f"text {number}",
            "int": number * 7,
            "float": number + 0.25,
            "bool": number % 2 == 0,
            "json": {"n": number, "deep": {"list": [number, None, "x"]}},
            "list": [number, f"item {number}"],
            "time": moment,
            "date": moment[:10],
        }
        return made[kind]

    # Inside

    def _stamp(self, resource: Resource, when: When) -> datetime | None:
        now = self.clock.now + timedelta(seconds=1)
        self._numbers += 1
        spread = (self._numbers * 2654435761 % 1000) / 1000
        if when == "late":
            return now - LATE.get(resource.name, LATE_RECENT) * spread
        if when == "past":
            return (now - timedelta(days=400) * spread).replace(microsecond=0)
        return {"now": now, "future": FUTURE, "ancient": ANCIENT, "null": None}[when]

    def _stamped(self, resource: Resource, record: Record, stamp: datetime | None) -> None:
        if resource.cursor is not None:
            record[resource.cursor] = None if stamp is None else stamp.strftime(resource.stamps)

    def _may_change(self, build: Version) -> bool:
        if build.stamp is None or build.stamp > self.clock.now + timedelta(days=1):
            return False
        age = self.clock.now - build.stamp
        return age < LATE["builds"] or (build.record["state"] == RUNNING and age < UNFINISHED)

    def _write(
        self,
        resource: Resource,
        key: Any,
        record: Record,
        parents: frozenset[str],
        stamp: datetime | None,
        age: int,
    ) -> None:
        row = self.tables[resource.name].setdefault(key, Row(key))
        if row.now is not None:
            self._end(row)
        else:
            self._advance()
        row.versions.append(Version(self.tick, None, record, parents, stamp, age))
        for child in self.children(resource.name):
            assert child.parent is not None
            values = tuple(str(get_path(record, name)) for name in child.parent.fields)
            self.slugs.setdefault(str(get_path(record, child.parent.identity)), set()).add(values)

    def _end(self, row: Row) -> None:
        self._advance()
        row.versions[-1] = replace(row.versions[-1], end=self.tick)

    def _advance(self) -> None:
        self.tick += 1
        self.clock.tick()

    def _orphan(self, child: Resource, identity: str) -> None:
        for row in self.tables[child.name].values():
            version = row.now
            if version is None or identity not in version.parents:
                continue
            left = version.parents - {identity}
            if left:
                self._write(child, row.key, version.record, left, version.stamp, version.age)
            else:
                self.remove(child.name, row.key)

    def _touch(self, child: Resource, parents: frozenset[str]) -> None:
        """Change the parent's record with its children, if the children are read only after their parent changed."""
        if not child.due or child.parent is None:
            return
        table = self.tables[child.parent.resource]
        for row in [row for key, row in table.items() if str(key) in parents]:
            self.edit(child.parent.resource, row.key, choice=0)


def get_path(record: Any, path: str) -> Any:
    """Value at a dotted path, None if a part is missing."""
    for name in path.split("."):
        record = record.get(name) if isinstance(record, dict) else None
    return record

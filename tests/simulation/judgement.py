"""One resource in one round: what its table may hold, and which allowances of `oracle` apply."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tests.simulation.cells import column_of, key_text
from tests.simulation.contract import Resource
from tests.simulation.findings import Finding, Round
from tests.simulation.store import Row as Truth
from tests.simulation.store import Store, Version, get_path
from tests.simulation.warehouse import Row, Table

if TYPE_CHECKING:
    from tests.simulation.oracle import Oracle

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# From this many rows of one parent on, an empty response soft-deletes none.
STAYS = 3


class Judgement:
    """One resource in one round."""

    def __init__(self, oracle: Oracle, store: Store, round_: Round, resource: Resource) -> None:
        self.oracle, self.store, self.round, self.resource = oracle, store, round_, resource
        self.runs = [run for run in round_.runs if resource.name in run.resources]
        self.first = min(run.first for run in self.runs)
        good = [run for run in self.runs if (outcome := run.outcome(resource.name)) and (outcome.ok or resource.parent)]
        self.run = max(good, key=lambda run: run.first) if good else None
        self.outcome = self.run.outcome(resource.name) if self.run else None
        self.since = self.run.first if self.run else self.first
        self.faults = {who for run in self.runs for who in run.faults.get(resource.name, set())}
        self.unsure = any(not run.report.ended for run in self.runs)
        outcomes = [run.outcome(resource.name) for run in self.runs]
        self.failed = resource.parent is None and all(one is not None and not one.ok for one in outcomes)
        self.key_column = column_of(resource.key)
        self.before = self._by_key(round_.before[resource.name])
        self.after = self._by_key(round_.after[resource.name])
        self.truth: dict[str, Truth] = {key_text(key): row for key, row in store.tables[resource.name].items()}
        self.moved = self._moved(resource)
        self.known = self._known_parents()

    def _by_key(self, table: Table) -> dict[str, Row]:
        return {key_text(row[self.key_column]): row for row in table.rows if self.key_column in row}

    def _moved(self, resource: Resource) -> bool:
        """Whether the list, or the parents', changed while it was read."""
        names = [resource.name, *([resource.parent.resource] if resource.parent else [])]
        return any(
            version.start > self.since or (version.end is not None and version.end > self.since)
            for name in names
            for row in self.store.tables[name].values()
            for version in row.versions
        )

    def _known_parents(self) -> frozenset[str]:
        """Parents whose rows in the warehouse are up to date."""
        parent = self.resource.parent
        if parent is None:
            return frozenset()
        resource = self.store.resources[parent.resource]
        rows = {key_text(row[column_of(resource.key)]): row for row in self.round.after[parent.resource].live}
        found = set()
        for version in self.store.current(parent.resource):
            row = rows.get(key_text(version.record[resource.key]))
            if row is not None and not self.oracle.unlike(resource, version, row):
                found.add(str(get_path(version.record, parent.identity)))
        return frozenset(found)

    # What the sync reported

    def _report_findings(self) -> list[Finding]:
        name, found = self.resource.label, list[Finding]()
        outcomes = [outcome for run in self.runs if (outcome := run.outcome(self.resource.name))]
        for outcome in outcomes:
            if self.round.undisturbed and not outcome.ok and not self._may_fail():
                found.append(Finding("failed", name, f"an undisturbed sync failed: {outcome.error}"))
            if outcome.ok and self._all_refused():
                found.append(
                    Finding("unreported", name, "every parent was refused with 403, and the sync reports success")
                )
            if outcome.is_clean and not self.faults and self._has_a_record_without_key():
                found.append(Finding("unreported", name, "a record has no usable key, and the sync reports success"))
            if outcome.is_clean and self._pathless():
                found.append(Finding("unreported", name, "a parent without a path value is skipped without a report"))
        for run in self.runs:
            if run.report.ended and self.resource.name not in run.report.outcomes:
                found.append(Finding("unreported", name, "the sync does not report it"))
        return found

    def _has_a_record_without_key(self) -> bool:
        """Whether one is in a list that the sync asks for: a child's, if the warehouse has the parent."""
        if self.resource.name not in self.round.no_keys:
            return False
        lists = (version.parents for version in self.store.current(self.resource.name))
        return self.resource.parent is None or any(parents & self.known for parents in lists)

    def _may_fail(self) -> bool:
        if self.resource.name in self.round.odd_keys or self._pathless():
            return True
        parent = self.resource.parent
        if parent is None:
            return False
        if parent.resource in self.round.odd_keys:
            return True
        key = self.store.resources[parent.resource].key
        there = {key_text(version.record[key]) for version in self.store.current(parent.resource)}
        return any(key_text(row[column_of(key)]) not in there for row in self.round.after[parent.resource].live)

    def _pathless(self) -> bool:
        if self.resource.parent is None or self.moved:
            return False
        path = self.store.parents(self.resource.name)
        return any(None in values and identity in self.known for identity, values in path.items())

    def _all_refused(self) -> bool:
        if self.resource.parent is None or self.moved or self.resource.due:
            return False
        alive = {who for who in self.store.parents(self.resource.name) if who in self.known}
        return bool(alive) and alive <= {parent for parent, fault in self.faults if fault == "403"}

    def _not_read(self, parents: frozenset[str]) -> bool:
        """NOT READ: whether the sync reports this for any of these parents, or for the resource."""
        outcome = self.outcome
        if outcome is None or (self.resource.parent is None and not outcome.ok):
            return True
        if not outcome.ok and not outcome.failed and not outcome.skipped:
            return True
        if not outcome.is_clean and any(parent in parents for parent, _ in self.faults):
            return True
        paths = {"/".join(map(str, path)) for who in parents for path in self.store.slugs.get(who, ())} | parents
        return bool(paths & (outcome.failed.keys() | set(outcome.skipped)))

    def _was_served_empty(self, parents: frozenset[str]) -> bool:
        """EMPTY."""
        return any(fault.startswith("empty") and (who is None or who in parents) for who, fault in self.faults)

    # Rows

    def findings(self) -> list[Finding]:
        found = self._report_findings() + self._duplicates()
        name = self.resource.label
        for key in self.truth.keys() | self.after.keys() | self.before.keys():
            truth = self.truth.get(key)
            if truth is None:
                if key not in self.before:
                    found.append(Finding("invented", name, f"key {key} was never served"))
                continue
            problem = self._row(key, truth)
            if problem is not None:
                found.append(Finding(problem[0], name, f"key {key}: {problem[1]}"))
        self._note_first_reads()
        return sorted(found, key=str)

    def _note_first_reads(self) -> None:
        for who in self.known if self.resource.parent else (None,):
            if self.unsure or not self._not_read(frozenset() if who is None else frozenset([who])):
                self.oracle.read_at.setdefault((self.resource.name, who), self.since)
                self.oracle.first_start.setdefault((self.resource.name, who), self.round.start_date)

    def _duplicates(self) -> list[Finding]:
        counts = Counter(key_text(row[self.key_column]) for row in self.round.after[self.resource.name].rows)
        return [Finding("twice", self.resource.label, f"key {k}: {n} rows") for k, n in counts.items() if n > 1]

    def _row(self, key: str, truth: Truth) -> tuple[str, str] | None:
        before, after = self.before.get(key), self.after.get(key)
        if after is not None and before is not None and _equal(before, after) and not self._strict(truth):
            return None
        if before is None and after is None and not self._strict(truth):
            return None
        if self.failed:
            return ("changed", f"the resource failed, and the row changed: {_change(before, after)}")
        live = after is not None and after.get("_deleted_at") is None
        if truth.throughout(self.since, self.round.last):
            return self._kept(truth, before, after, live)
        if truth.within(self.since, self.round.last):
            return self._value(truth, after, self.since) if live else None
        return self._removed(truth, before, after, live)

    def _kept(self, truth: Truth, before: Row | None, after: Row | None, live: bool) -> tuple[str, str] | None:
        """It was in the list all the time."""
        if live:
            return self._value(truth, after, self.since if self._strict(truth) else 0)
        was_live = before is not None and before.get("_deleted_at") is None
        if self._strict(truth):
            kind = "soft-deleted" if was_live and after is not None else "lost"
            return (kind, f"it is in the list and not in the table ({_change(before, after)})")
        if not was_live or self._parents_changed(truth):
            return None
        version = truth.versions[-1]
        if self._was_served_empty(version.parents) and self._siblings(version.parents) < STAYS:
            return None
        return ("soft-deleted" if after else "lost", f"it was in the list all the time ({_change(before, after)})")

    def _removed(self, truth: Truth, before: Row | None, after: Row | None, live: bool) -> tuple[str, str] | None:
        """It was removed before the sync began."""
        was_live = before is not None and before.get("_deleted_at") is None
        last = truth.versions[-1]
        if self.resource.removal == "kept":
            if was_live and not live:
                return ("lost", f"the API shows no removals, and the row is not live ({_change(before, after)})")
            return self._value(truth, after, 0) if live else None
        if self._orphaned(last) or any(self._orphaned(version) for version in self._held(truth, before)):
            return None
        if live:
            if not was_live and truth.within(self.first, self.round.last):
                # The older run landed it before the newer one began, which may have withheld its removal.
                return self._value(truth, after, self.first)
            if not was_live:
                return ("invented", "it was removed before the sync began, and was added to the table")
            if not self._strict(truth) or self._withheld(last.parents):
                return None
            return ("not soft-deleted", f"it was removed with change {last.end}, and not soft-deleted")
        if after is None and was_live and self.resource.removal == "soft-deleted":
            return ("lost", "removed rows are soft-deleted, and this one was hard-deleted")
        return None

    def _value(self, truth: Truth, after: Row | None, since: int) -> tuple[str, str] | None:
        """A live row has a value of the time from `since` on."""
        assert after is not None
        newest: list[str] = []
        for version in reversed(truth.within(since, self.round.last)):
            wrong = self.oracle.unlike(self.resource, version, after)
            if not wrong:
                return self._parent_column(truth, version, after) if since else None
            newest = newest or wrong
        older = [v for v in truth.versions if not self.oracle.unlike(self.resource, v, after)]
        kind = "stale" if older else "wrong value"
        return (kind, "; ".join(newest[:3]))

    def _parent_column(self, truth: Truth, version: Version, after: Row) -> tuple[str, str] | None:
        parent = self.resource.parent
        if parent is None or self.resource.removal == "kept":
            return None
        columns = [column_of(name) for name in parent.columns]
        if not all(column in after for column in columns):
            return None
        stored = tuple(str(after[column]) for column in columns)
        lists = version.parents | self._lists_that_are_removed(truth)
        right = {path for who in lists for path in self.store.slugs.get(who, ())}
        return None if stored in right else ("wrong value", f"its parent is {sorted(right)}, {columns} have {stored}")

    def _lists_that_are_removed(self, truth: Truth) -> set[str]:
        """STILL NAMED: the removed parents whose lists had the row, if its other parents are read when they change."""
        if not self.resource.due:
            return set()
        there = self.store.parents(self.resource.name).keys()
        return {who for version in truth.versions for who in version.parents} - there

    # Allowances

    def _strict(self, truth: Truth) -> bool:
        """Whether the sync has to have seen the row as it is."""
        version = truth.versions[-1]
        if self.run is None or self.moved or self.unsure or self.resource.name in self.round.odd_keys:
            return False
        if self._not_read(version.parents) or self._was_served_empty(version.parents):
            return False
        if self.resource.parent is not None and not version.parents <= self.known:
            return False
        if self._came_from_long_ago(version):
            return False
        starts = [self.round.start_date]
        if not self.round.full_refresh:
            starts += [self.oracle.first_start.get((self.resource.name, who)) for who in version.parents or (None,)]
        floor = max((start for start in starts if start is not None), default=None)
        return floor is None or version.stamp is None or version.stamp >= floor or key_text(truth.key) in self.before

    def _came_from_long_ago(self, version: Version) -> bool:
        """LONG AGO."""
        if self.resource.filter is None or self.round.full_refresh or version.stamp is None or version.stamp >= _EPOCH:
            return False
        lists = version.parents or (None,)
        return all(version.start > self.oracle.read_at.get((self.resource.name, who), version.start) for who in lists)

    def _parents_changed(self, truth: Truth) -> bool:
        return len({version.parents for version in truth.versions}) > 1 or self._orphaned(truth.versions[-1])

    def _orphaned(self, version: Version) -> bool:
        """PARENT GONE, perhaps restored since; or the parent's row in the warehouse is not up to date."""
        parent = self.resource.parent
        if parent is None:
            return False
        if not version.parents <= self.known:
            return True
        rows = self.store.tables[parent.resource].values()
        lives = [
            row.life for row in rows if row.now and str(get_path(row.now.record, parent.identity)) in version.parents
        ]
        return version.end is not None and all(began >= version.end for began in lives)

    def _held(self, truth: Truth, row: Row | None) -> list[Version]:
        """The versions that a row of the table may be: it is in that parent's list as far as the warehouse knows."""
        return [] if row is None else [v for v in truth.versions if not self.oracle.unlike(self.resource, v, row)]

    def _siblings(self, parents: frozenset[str]) -> int:
        """Rows that the table had of these parents."""
        return sum(
            1
            for key, row in self.before.items()
            if row.get("_deleted_at") is None and (truth := self.truth.get(key)) and self._shares(truth, parents)
        )

    def _shares(self, truth: Truth, parents: frozenset[str]) -> bool:
        return not parents or bool(truth.versions[-1].parents & parents)

    def _withheld(self, parents: frozenset[str]) -> bool:
        """MOST GONE."""
        if self.outcome is None or not self.outcome.withheld:
            return False
        rows = [
            truth
            for key, row in self.before.items()
            if row.get("_deleted_at") is None and (truth := self.truth.get(key)) and self._shares(truth, parents)
        ]
        missing = sum(1 for truth in rows if truth.now is None or not self._shares(truth, parents))
        return missing * 2 >= len(rows)


def _equal(before: Row, after: Row) -> bool:
    """Whether the rows are equal, ignoring added columns."""
    return all(after.get(column) == value for column, value in before.items())


def _change(before: Row | None, after: Row | None) -> str:
    def state(row: Row | None) -> str:
        if row is None:
            return "no row"
        return "live" if row.get("_deleted_at") is None else "soft-deleted"

    if before is not None and after is not None and state(before) == state(after):
        return ", ".join(f"{c}: {v!r} -> {after.get(c)!r}" for c, v in before.items() if after.get(c) != v)[:300]
    return f"{state(before)} -> {state(after)}"

"""Executes the steps of one history on a server, a warehouse and an oracle."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Any

from tests.simulation.client import Report
from tests.simulation.client import Sync as Client
from tests.simulation.clock import Clock
from tests.simulation.contract import resources_of
from tests.simulation.faults import ParsedRequest, Rule
from tests.simulation.findings import Finding, Round, Run, rewritten
from tests.simulation.history import Step, Sync
from tests.simulation.oracle import COLLIDING, Oracle
from tests.simulation.server import Server, Spelling, kill
from tests.simulation.store import Store
from tests.simulation.warehouse import Row, Table, Warehouse

# Seconds without a request after which a sync counts as waiting.
SILENCE = 0.25
# After which the first stage of a sync that nothing holds has been read.
BRIEF_SILENCE = 0.03
COUNTED = ("steps", "syncs", "requests", "cells", "findings")


class Play:
    """A server, a warehouse and an oracle. The methods `do_*` implement the kinds of `Step`."""

    def __init__(
        self, platform: str, resources: Sequence[str], warehouse: Warehouse, *, page: int = 30, size: int | None = None
    ):
        self.platform = platform
        self.resources = tuple(resources)
        self.warehouse = warehouse
        self.clock = Clock()
        self.store = Store(platform, self.clock)
        self.server = Server(self.store, page)
        self.oracle = Oracle(self.store, holds_nul=warehouse.holds_nul)
        self.settings: dict[str, str] = {} if size is None else {"PAGE_SIZE": str(size)}
        self.counts: Counter[str] = Counter()
        # The reports of the syncs of the last round.
        self.reports: list[Report] = []
        self._requests = 20
        self._start_days: int | None = None
        self._repairs: set[str] = set()

    # Steps

    def fill(self, rows: int) -> None:
        """Insert rows into every list, with timestamps in the past."""
        for resource in resources_of(self.platform):
            if resource.name in self.resources and not resource.parent:
                for _ in range(1 if resource.paging == "object" else rows):
                    self.store.insert(resource.name, when="past")
        for resource in resources_of(self.platform):
            if resource.name in self.resources and resource.parent and resource.paging != "object":
                for parent in self.store.parents(resource.name):
                    self._fill_parent(resource.name, parent, rows)

    def _fill_parent(self, name: str, parent: str, rows: int) -> None:
        for _ in range(rows):
            self.store.insert(name, parent, "past")

    def do(self, step: Step) -> None:
        self.counts["steps"] += 1
        with self.store.lock:
            getattr(self, f"do_{step.do}")(step)

    def _key(self, step: Step) -> Any:
        keys = self.store.keys(step.to)
        return keys[step.row % len(keys)] if keys else None

    def _parent(self, step: Step) -> str | None:
        parents = list(self.store.parents(step.to)) if self.store.resources[step.to].parent else []
        return parents[step.parent % len(parents)] if parents else None

    def do_wait(self, step: Step) -> None:
        self.clock.forward(timedelta(seconds=step.what))

    def do_insert(self, step: Step) -> None:
        resource = self.store.resources[step.to]
        parent = self._parent(step)
        if resource.paging == "object" or (resource.parent and parent is None):
            return
        key = self.store.insert(step.to, parent, step.what)
        self._children_of_new(step, key)

    def _children_of_new(self, step: Step, key: Any) -> None:
        """Insert children of a new parent, with timestamps in the past."""
        for child in self.store.children(step.to):
            if (
                child.name in self.resources
                and child.paging != "object"
                and child.parent
                and child.parent.identity == "id"
            ):
                self._fill_parent(child.name, str(key), step.row % 4)

    def do_edit(self, step: Step) -> None:
        key = self._key(step)
        if key is not None:
            self.store.edit(step.to, key, choice=step.parent)

    def do_remove(self, step: Step) -> None:
        key = self._key(step)
        if key is not None and self.store.resources[step.to].paging != "object":
            self.store.remove(step.to, key)

    def do_remove_many(self, step: Step) -> None:
        parent = self._parent(step)
        keys = [v.record[self.store.resources[step.to].key] for v in self.store.current(step.to, parent)]
        for key in keys[1:]:
            self.store.remove(step.to, key)

    def do_revive(self, step: Step) -> None:
        removed = self.store.removed(step.to)
        resource = self.store.resources[step.to]
        parent = self._parent(step)
        if removed and resource.paging != "object" and (parent is not None or not resource.parent):
            self.store.insert(step.to, parent, "now", key=removed[step.row % len(removed)].key)

    def do_move(self, step: Step) -> None:
        key, parent = self._key(step), self._parent(step)
        if key is not None and parent is not None:
            self.store.move(step.to, key, parent)

    def do_share(self, step: Step) -> None:
        key, parent = self._key(step), self._parent(step)
        if key is not None and parent is not None:
            self.store.move(step.to, key, parent, also=True)

    def do_restamp(self, step: Step) -> None:
        key = self._key(step)
        if key is not None:
            self.store.restamp(step.to, key, step.what)

    def do_rename(self, step: Step) -> None:
        key = self._key(step)
        if key is not None:
            self.store.rename(step.to, key, f"other-{self.store.tick}")

    def do_lose_slug(self, step: Step) -> None:
        key = self._key(step)
        if key is not None:
            self.store.rename(step.to, key, None)

    def do_reuse_slug(self, step: Step) -> None:
        key = self._key(step)
        row = self.store.tables[step.to][key].now if key is not None else None
        if row is not None and "slug" in row.record:
            self._children_of_new(step, self.store.reuse_slug(step.to, key))

    def do_odd_value(self, step: Step) -> None:
        key = self._key(step)
        if key is not None:
            self.store.edit(step.to, key, dict([step.what]))

    do_new_field = do_odd_value

    def do_collide(self, step: Step) -> None:
        key = self._key(step)
        if key is not None:
            names = COLLIDING[step.what]
            self.store.edit(step.to, key, {name: f"{name} of change {self.store.tick}" for name in names})

    def do_reorder(self, step: Step) -> None:
        self.server.reordered ^= {step.to}

    def do_spell(self, step: Step) -> None:
        self.server.spelling.pop(step.to, None)
        if step.what is not None and self.store.resources[step.to].key_kind == "int":
            self.server.spelling[step.to] = Spelling(step.what)

    def do_start_date(self, step: Step) -> None:
        self._start_days = step.what
        self.settings.pop("START_DATE", None)
        if step.what is not None:
            self.settings["START_DATE"] = self._start_date().strftime("%Y-%m-%d")  # pyright: ignore[reportOptionalMemberAccess] -- just set

    def _start_date(self) -> Any:
        if self._start_days is None:
            return None
        day = self.clock.now - timedelta(days=self._start_days)
        return day.replace(hour=0, minute=0, second=0, microsecond=0)

    def do_page_size(self, step: Step) -> None:
        self.settings["PAGE_SIZE"] = str(step.what)

    def do_empty_table(self, step: Step) -> None:
        if self._table_exists(step.to):
            self.warehouse.execute(f'DELETE FROM "{self.platform}"."{step.to}"')
            self._repairs.add(step.to)

    def do_drop_table(self, step: Step) -> None:
        if self._table_exists(step.to):
            self.warehouse.execute(f'DROP TABLE IF EXISTS "{self.platform}"."{step.to}"')
            self._repairs.add(step.to)

    def do_back_up(self, step: Step) -> None:
        if self._table_exists(step.to):
            self.warehouse.back_up(self.platform, step.to)

    def do_restore(self, step: Step) -> None:
        if self._table_exists(step.to) and self.warehouse.restore(self.platform, step.to):
            self._repairs.add(step.to)

    def _table_exists(self, name: str) -> bool:
        return self.tables([name])[name].exists

    # Syncs

    def tables(self, names: Iterable[str] | None = None) -> dict[str, Table]:
        return self.warehouse.tables(self.platform, names or self.resources)

    def start(self, token: str = "one", *, full_refresh: bool = False) -> Client:
        return Client(
            self.platform,
            self.resources,
            self.server.url,
            self.warehouse,
            self.clock.now,
            token,
            self.settings,
            full_refresh=full_refresh,
        )

    def sync(self, how: Sync | None = None) -> list[Finding]:
        """Run one round and return the findings."""
        how = how or Sync()
        self.counts["steps"] += 1 + len(how.faults) + len(how.during) + (how.kill is not None)
        self.server.new_sync()
        self.server.rules = self._rules(how)
        before = self.tables()
        with self.store.lock:
            first = self.store.tick
        self.server.before = [self._changing(how)]
        runs = self._concurrent_runs(how, first) if how.concurrent else [self._one(how, first)]
        self.counts["syncs"] += len(runs)
        self.counts["requests"] += self.server.request_counts.total()
        if runs[0].report.ended:
            self._requests = max(1, self.server.request_counts["one"])
        for run in runs:
            for rule in self.server.rules:
                run.faults.setdefault(rule.resource, set()).update((who, rule.fault) for who in rule.parents)
        self.server.rules, self.server.before = [], []
        self.reports = [run.report for run in runs]
        found = self._classify(how, runs, before)
        self.clock.forward(timedelta(seconds=5))
        return found

    def _classify(self, how: Sync, runs: list[Run], before: dict[str, Table]) -> list[Finding]:
        odd = frozenset(self.server.spelling)
        none = {name for name, spelling in self.server.spelling.items() if spelling.kind in Spelling.INVALID}
        round_ = Round(
            runs,
            before,
            self.tables(),
            self.store.tick,
            undisturbed=how.undisturbed,
            full_refresh=how.full_refresh,
            odd_keys=odd,
            no_keys=frozenset(name for name in none if self.store.keys(name)),
            start_date=self._start_date(),
        )
        found = self.oracle.judge(round_)
        self.counts["cells"] += self.oracle.cells
        self.oracle.cells = 0
        label = f"{self.platform}/"
        found += [Finding("endless", label + name, "requested endlessly") for name in sorted(self.server.endless)]
        self.counts["findings"] += len(found)
        return found

    def _rules(self, how: Sync) -> list[Rule]:
        rules = []
        for faulty in how.faults:
            parent = None
            if faulty.parent is not None:
                parents = list(self.store.parents(faulty.to))
                parent = parents[faulty.parent % len(parents)] if parents else None
            rules.append(Rule(faulty.fault, faulty.to, parent, faulty.page, faulty.times))
        return rules

    def _changing(self, how: Sync) -> Callable[[ParsedRequest], None]:
        waiting = list(how.during)

        def act(request: ParsedRequest) -> None:
            with self.store.lock:
                due = [one for one in waiting if one[0] == request.resource and one[1] <= request.number]
                for one in due:
                    waiting.remove(one)
                    self.do(one[2])

        return act

    def _one(self, how: Sync, first: int) -> Run:
        client = self.start(full_refresh=how.full_refresh)
        if how.kill is not None:
            self._kill(client, *how.kill)
        run = Run(first, self.resources, client.report())
        if run.report.killed:
            self.warehouse.rest()
        return run

    def _kill(self, client: Client, part: float, milliseconds: int) -> None:
        """Kill the client some time after a request, or after the requests have ended."""
        number = max(1, round(part * self._requests)) if part <= 1 else None
        deadline = time.monotonic() + 60
        while client.running and time.monotonic() < deadline:
            count = self.server.request_counts["one"]
            silent_for = time.monotonic() - self.server.last_request
            if number is not None and count >= number:
                time.sleep(milliseconds / 1000)
                break
            if number is None and count and silent_for > milliseconds / 1000:
                break
            time.sleep(0.002)
        kill(client.pid)

    def _concurrent_runs(self, how: Sync, first: int) -> list[Run]:
        """The first sync waits at a request until a second one has read the changed store and landed.

        Where two can land at once it waits every second time only until the second one has read.
        """
        assert how.concurrent is not None
        resource, number, changes = how.concurrent
        held, go_on = threading.Event(), threading.Event()

        def hold(request: ParsedRequest) -> None:
            if (
                request.client == "one"
                and request.resource == resource
                and request.number >= number
                and not go_on.is_set()
            ):
                held.set()
                go_on.wait(60)

        self.server.before.append(hold)
        one = self.start()
        while one.running and not held.wait(0.02):
            pass
        # Wait until its requests beside the held one have ended.
        since = time.monotonic()
        while one.running and time.monotonic() - max(since, self.server.last_request) < SILENCE:
            time.sleep(0.02)
        for change in changes:
            self.do(change)
        with self.store.lock:
            second = self.store.tick
        two = self.start("two")
        if self.warehouse.is_shared and len(changes) % 2:
            self._await_reading(two)
            go_on.set()
        report = two.report()
        go_on.set()
        return [Run(first, self.resources, one.report()), Run(second, self.resources, report)]

    def _await_reading(self, client: Client) -> None:
        """Wait until the second of two syncs has sent a request and been answered what it asked for."""
        while client.running and not self.server.request_counts["two"]:
            time.sleep(0.002)
        while client.running and time.monotonic() - self.server.last_request < BRIEF_SILENCE:
            time.sleep(0.002)

    def settle(self) -> list[Finding]:
        """An undisturbed sync that must repair everything, one that must write nothing, and a full refresh."""
        self.server.spelling.clear()
        found = self.sync()
        before = self.tables()
        found += self.sync()
        more = rewritten(before, self.tables(), self.platform, self._may_rename)
        self.counts["findings"] += len(more)
        return found + more + self.sync(Sync(full_refresh=True))

    def _may_rename(self, name: str, row: Row) -> bool:
        """SHARED: of a row that two filtered lists have, the table names the one whose window it was last seen in."""
        resource = self.store.resources[name]
        if resource.filter is None or resource.parent is None:
            return False
        current = (truth.now for key, truth in self.store.tables[name].items() if str(key) == str(row.get("id")))
        return any(version is not None and len(version.parents) > 1 for version in current)

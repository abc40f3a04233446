"""What the tables may hold after a sync, derived from the store's history alone.

A row that existed all the time must be in the table, with a value that it had while the newest successful sync ran.
Where a reader cannot know that, there is an allowance:

- LIST MOVED: in a list that changed while it was read, what is new or changed may come with the next sync. What is in
  the table and in the list is never soft-deleted because of that.
- NOT READ: rows of a parent (or resource) that the sync reports as not read stay unchanged.
- EMPTY: a wrongly empty list cannot be distinguished from a correct one. Three rows or more are not soft-deleted.
- PARENT GONE: a removed parent's rows stay or are soft-deleted; they are not requested again.
- STILL NAMED: a row that two parents listed may name the one that was removed, until the other one changes and is
  read.
- SHARED: of a row that two filtered lists have, the table names the one whose window it was last seen in.
- MOST GONE: if half of a parent's rows or more are missing, soft deletes may be withheld, if the sync reports it.
- MAY NOT START: rows older than `start_date` need not be read the first time. Without it they come with the next full
  refresh.
- LONG AGO: a record that comes into a filtered list with a time from before 1970, after that list was read once, is
  not in any response but a full refresh's.
- ANOTHER ACCOUNT: under another credential an account is known by its records. Where the warehouse has none of those
  that exist now, the sync may refuse. After two syncs that landed at once, the recorded credential may be the other's.
- KILLED: what a killed sync has read is either there or not, row by row.
"""

from datetime import datetime

from tests.simulation.cells import column_of, holds, key_text, without_nul
from tests.simulation.columns import base_name, values_of
from tests.simulation.contract import Resource
from tests.simulation.findings import Finding, Round, Run
from tests.simulation.judgement import Judgement
from tests.simulation.store import Store, Version
from tests.simulation.warehouse import Row

# Fields whose names may normalise to one column name: each always has a separate column.
COLLIDING = (("fooBar", "foo_bar"), ("цена", "скидка"))
_COLLIDING = frozenset(name for names in COLLIDING for name in names)
# A timestamp that a server which repeats its pages adds to its records; not part of the expected rows.
NOISE = "served_at"
# Resources of which two accounts never share a record.
ACCOUNTS = {
    "ci_analytics": "organizations",
    "load_testing": "organizations",
    "error_tracking": "projects",
    "device_management": "organizations",
    "crm": "users",
}


class Oracle:
    """Judges the rounds of one history. Remembers which column a field of a colliding name has.

    read_at: when (by the store's ticks) each parent's list, or a resource's (None), was first read to its end.
    first_start: `start_date` at that time.
    """

    def __init__(self, store: Store, *, holds_nul: bool = True) -> None:
        self._store = store
        self._holds_nul = holds_nul
        self._columns: dict[tuple[str, str], str] = {}
        self.read_at: dict[tuple[str, str | None], int] = {}
        self.first_start: dict[tuple[str, str | None], datetime | None] = {}
        self.cells = 0
        # Whether the last credential that landed may be the second sync's.
        self._two_landed = False

    def judge(self, round_: Round) -> list[Finding]:
        self._two_landed |= len(round_.runs) > 1
        found = [finding for run in round_.runs for finding in self._whole(run, round_)]
        for name in dict.fromkeys(name for run in round_.runs for name in run.resources):
            found += Judgement(self, self._store, round_, self._store.resources[name]).findings()
        if len(round_.runs) == 1 and round_.runs[0].report.ended:
            self._two_landed = False
        return found

    def _whole(self, run: Run, round_: Round) -> list[Finding]:
        if run.report.raised:
            if "AnotherAccount" in run.report.raised and self._two_landed and self._all_new(round_):
                return []
            return [Finding("raised", self._store.platform, run.report.raised)]
        return [Finding("hung", self._store.platform, "the sync did not end")] if run.report.hung else []

    def _all_new(self, round_: Round) -> bool:
        """ANOTHER ACCOUNT."""
        resource = self._store.resources[ACCOUNTS[self._store.platform]]
        if resource.name not in round_.before:
            return False
        known = {key_text(row[column_of(resource.key)]) for row in round_.before[resource.name].rows}
        return known.isdisjoint(map(key_text, self._store.keys(resource.name)))

    def unlike(self, resource: Resource, version: Version, row: Row) -> list[str]:
        """The differences of a row from a version."""
        wrong: list[str] = []
        expected = {column_of(name) for name in version.record if name not in _COLLIDING}
        for name, value in version.record.items():
            self.cells += 1
            value = value if self._holds_nul else without_nul(value)
            if name not in _COLLIDING and not holds(row, column_of(name), value):
                wrong.append(f"{name} is {value!r}, {column_of(name)} has {values_of(row, column_of(name))}")
        spare = [c for c in row if not c.startswith("_") and c != NOISE and base_name(c) not in expected]
        used: set[str] = set()
        for name in (name for name in version.record if name in _COLLIDING):
            column = self._columns.get((resource.name, name))
            candidates = [column] if column else spare
            here = next((c for c in candidates if holds(row, c, version.record[name])), None)
            if here is None:
                wrong.append(f"{name} is {version.record[name]!r}, not in {column or 'any column'}")
                continue
            used.add(here)
            if not wrong and version.record[name] is not None:
                self._columns[resource.name, name] = here
        invented = [column for column in spare if base_name(column) not in used and row[column] is not None]
        return wrong + [f"{column} has {row[column]!r}, which was never served" for column in invented]

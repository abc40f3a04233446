"""The oracle's input (rounds of syncs, with the tables before and after) and its findings."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from tests.simulation.client import Outcome, Report
from tests.simulation.warehouse import Row, Table


@dataclass(frozen=True)
class Finding:
    """A violation. A shrunk history has to show one of the same `kind`."""

    kind: str
    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.where}: {self.text}"


@dataclass
class Run:
    """One sync of a round. first: the store's tick when it began.

    faults: resource -> (parent, fault) of every fault that was served.
    """

    first: int
    resources: tuple[str, ...]
    report: Report = field(default_factory=Report)
    faults: dict[str, set[tuple[str | None, str]]] = field(default_factory=dict)

    def outcome(self, name: str) -> Outcome | None:
        return self.report.outcomes.get(name) if self.report.ended else None


@dataclass
class Round:
    """Syncs that ran at the same time, and the tables before and after."""

    runs: list[Run]
    before: Mapping[str, Table]
    after: Mapping[str, Table]
    last: int
    undisturbed: bool = False
    full_refresh: bool = False
    # Resources whose keys are spelled in a way that may be refused.
    odd_keys: frozenset[str] = frozenset()
    # Resources with a record whose key is invalid, so that they have to be refused.
    no_keys: frozenset[str] = frozenset()
    start_date: datetime | None = None


def rewritten(
    before: Mapping[str, Table],
    after: Mapping[str, Table],
    platform: str,
    may_rename: Callable[[str, Row], bool] = lambda name, row: False,
) -> list[Finding]:
    """Rows that a sync wrote although nothing had changed.

    Args:
        may_rename: whether a row of a resource may come to name another parent.
    """
    found = []
    for name, table in after.items():
        old = {repr(sorted(row.items(), key=str)) for row in before[name].rows}
        alike = {_without_parent(row) for row in before[name].rows}
        new = [row for row in table.rows if repr(sorted(row.items(), key=str)) not in old]
        new = [row for row in new if not (may_rename(name, row) and _without_parent(row) in alike)]
        if new or len(table.rows) != len(old):
            what = (
                {column: value for column, value in new[0].items() if value is not None} if new else "rows are missing"
            )
            found.append(Finding("rewritten", f"{platform}/{name}", f"nothing had changed; {len(new)} rows: {what}"))
    return found


def _without_parent(row: Row) -> str:
    return repr(sorted(((name, value) for name, value in row.items() if not name.startswith("_")), key=str))

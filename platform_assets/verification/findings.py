"""What a verification found, per resource: counts, examples, and what it could not look at."""

from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """How a row of the API and a row of the warehouse differ."""

    MISSING = "missing"
    """Served, but not in the table, or marked as removed there."""
    EXTRA = "extra"
    """In the table and not marked as removed, but not served."""
    CHANGED = "changed"
    """In both, with another value in some column, or in the table more than once."""


@dataclass(frozen=True)
class Finding:
    """One row that differs: its primary key by column, and the columns that differ (of changed rows)."""

    kind: Kind
    key: dict[str, Any]
    columns: tuple[str, ...] = ()


@dataclass
class Mended:
    """What `--fix` did. `before` counts the differences that it began with."""

    before: dict[Kind, int]
    rows_written: int = 0
    rows_removed: int = 0
    removal_withheld: int = 0
    error: str | None = None


@dataclass
class Verification:
    """One resource. It is `ok` only if all of it was read and nothing differs.

    Attributes:
        error: why nothing of it was verified.
        not_verified: parent -> why its rows were not verified.
        complete: whether the budget of requests let every parent, or the list, be read to its end.
        rows_served, rows_in_table: what was compared; removed rows do not count.
        counts: differences by kind.
        not_synced_yet: differences in rows that are newer than the last sync, by kind; no failure.
        examples, not_synced_examples: the first findings of each kind, by key.
        parents_known, parents_verified: of a child resource; `next_parent` is where to go on.
    """

    name: str
    error: str | None = None
    not_verified: dict[str, str] = field(default_factory=dict)
    complete: bool = True
    rows_served: int = 0
    rows_in_table: int = 0
    counts: dict[Kind, int] = field(default_factory=lambda: dict.fromkeys(Kind, 0))
    not_synced_yet: dict[Kind, int] = field(default_factory=lambda: dict.fromkeys(Kind, 0))
    examples: list[Finding] = field(default_factory=list)
    not_synced_examples: list[Finding] = field(default_factory=list)
    parents_known: int = 0
    parents_verified: int = 0
    next_parent: str | None = None
    requests: int = 0
    pages: int = 0
    mended: Mended | None = None

    @property
    def differences(self) -> int:
        return sum(self.counts.values())

    @property
    def ok(self) -> bool:
        mend_failed = self.mended is not None and self.mended.error is not None
        return self.error is None and not self.not_verified and not self.differences and not mend_failed

    def document(self) -> dict[str, Any]:
        """As JSON would have it: only texts, numbers, lists and objects."""
        return {"ok": self.ok, **_plain(asdict(self))}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return value

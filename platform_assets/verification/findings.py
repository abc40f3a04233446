"""What a verification found, per resource: counts, examples, and what could not be verified."""

from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """How a row of the API and a row of the warehouse differ."""

    # Served, but not in the table, or soft-deleted there.
    MISSING = "missing"
    # In the table and not soft-deleted, but not served.
    EXTRA = "extra"
    # In both, with a different value in some column, or in the table more than once.
    CHANGED = "changed"


@dataclass(frozen=True)
class Finding:
    """One row that differs: its primary key by column, and of a changed row the columns that differ."""

    kind: Kind
    key: dict[str, Any]
    columns: tuple[str, ...] = ()


@dataclass
class Fix:
    """What `--fix` did.

    Attributes:
        before: the differences that it began with, by kind.
        removal_withheld: extra rows that stay, because too many are missing at once.
        error: why it failed.
    """

    before: dict[Kind, int]
    rows_written: int = 0
    rows_removed: int = 0
    removal_withheld: int = 0
    error: str | None = None


@dataclass
class Verification:
    """One resource.

    Attributes:
        error: why nothing of it was verified.
        unserved: why the contract in use does not serve it: there is nothing to compare its table with.
        not_verified: parent -> why its rows were not verified.
        complete: whether the budget of requests was enough to read every parent, or the list, to its end.
        rows_served, rows_in_table: how many rows were compared, without soft-deleted ones.
        counts: differences by kind.
        not_synced_yet: differences in rows that are newer than the last sync, by kind; not a failure.
        examples, not_synced_examples: the first findings of each kind, ordered by key.
        parents_known, parents_verified: of a child resource.
        next_parent: key of the parent to continue with; None if the budget reached all.
        fixed: what `--fix` did; None if nothing was to fix.
    """

    name: str
    error: str | None = None
    unserved: str | None = None
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
    fixed: Fix | None = None

    @property
    def differences(self) -> int:
        return sum(self.counts.values())

    @property
    def ok(self) -> bool:
        """Whether everything that was read agrees with the table, and nothing failed."""
        fix_failed = self.fixed is not None and self.fixed.error is not None
        return self.error is None and not self.not_verified and not self.differences and not fix_failed

    def document(self) -> dict[str, Any]:
        """As JSON: only texts, numbers, lists and objects."""
        fields = _plain(asdict(self))
        # The name that readers of `verify --json` know.
        fields["mended"] = fields.pop("fixed")
        return {"ok": self.ok, **fields}


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

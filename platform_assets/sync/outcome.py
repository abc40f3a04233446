"""What a sync did, per resource and partition: the numbers that the asset's metadata shows."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass
class PartitionOutcome:
    """One partition of a child resource: one parent, or the parents of one bucket that were read.

    `permanent` says that trying again does not help until somebody changes something.
    """

    key: str
    parents: int = 0
    rows_loaded: int = 0
    records: int = 0
    cursor: datetime | None = None
    skipped: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    permanent: bool = False

    @property
    def ok(self) -> bool:
        return not self.errors


@dataclass
class ResourceOutcome:
    """One resource of a sync. `error` is set where nothing of it landed at all.

    Counts: `records` were answered by the API, `rows_loaded` of them were new or changed; `waited` is
    seconds spent waiting for retries and rate limits; `created` says that the table is new; `permanent` that
    trying again does not help until somebody changes something.
    """

    name: str
    error: str | None = None
    permanent: bool = False
    records: int = 0
    rows_loaded: int = 0
    rows_in_table: int = 0
    created: bool = False
    pages: int = 0
    requests: int = 0
    retries: int = 0
    waited: float = 0.0
    gone_envelopes: int = 0
    repeats: int = 0
    deleted: int = 0
    deletion_withheld: int = 0
    cursor_field: str | None = None
    cursor: datetime | None = None
    added_columns: dict[str, str] = field(default_factory=dict)
    variants: list[str] = field(default_factory=list)
    partitions: dict[str, PartitionOutcome] = field(default_factory=dict)
    incomplete_parents: list[str] = field(default_factory=list)
    """Keys of parents that lack a value that the path needs; their children cannot be asked for."""
    reset: str | None = None
    """Why the recorded state did not count, so that all was read again."""
    left_failed: dict[str, str] = field(default_factory=dict)
    """Parent -> reason, of every known parent whose last attempt failed, in this sync or in an earlier one."""
    not_fresh: dict[str, datetime | None] = field(default_factory=dict)
    """Parent ("" without one) -> last success, of what was not read to its end within the allowed lag."""
    duplicate_keys: int = 0
    null_keys: int = 0

    @property
    def failed_partitions(self) -> dict[str, str]:
        """Partition key -> first reason."""
        return {key: outcome.errors[0] for key, outcome in self.partitions.items() if not outcome.ok}

    @property
    def skipped_parents(self) -> list[str]:
        """Refused by the server, or without a value that the path needs."""
        return [
            *(parent for outcome in self.partitions.values() for parent in outcome.skipped),
            *self.incomplete_parents,
        ]

    @property
    def ok(self) -> bool:
        return self.error is None and not self.failed_partitions

"""What a sync did, per resource and partition: the numbers that asset metadata, checks and the CLI show."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime


@dataclass
class PartitionOutcome:
    """One partition of a child resource: one parent, or those parents of a bucket that were read.

    Attributes:
        key: the partition key.
        parents: how many parents were read.
        rows_loaded, records, deleted, cursor: as in `ResourceOutcome`.
        skipped: keys of parents that the server refused.
        errors: why parents failed.
        permanent: whether a retry is pointless until somebody changes something.
    """

    key: str
    parents: int = 0
    rows_loaded: int = 0
    records: int = 0
    deleted: int = 0
    cursor: datetime | None = None
    skipped: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    permanent: bool = False

    @property
    def ok(self) -> bool:
        return not self.errors

    def followed_by(self, later: "PartitionOutcome") -> "PartitionOutcome":
        """What this round and a later one of the same sync did."""
        return PartitionOutcome(
            key=self.key,
            parents=self.parents + later.parents,
            rows_loaded=self.rows_loaded + later.rows_loaded,
            records=self.records + later.records,
            deleted=self.deleted + later.deleted,
            cursor=latest([self.cursor, later.cursor]),
            skipped=[*self.skipped, *later.skipped],
            errors=[*self.errors, *later.errors],
            permanent=self.permanent or later.permanent,
        )


@dataclass
class ResourceOutcome:
    """One resource of a sync.

    Attributes:
        error: why nothing of it landed; None if something did.
        permanent: whether a retry is pointless until somebody changes something.
        parent_missing: whether it failed since its parent was never loaded.
        records: how many the API returned.
        rows_loaded: how many of them were new or changed.
        created: whether the table is new.
        waited: seconds spent waiting for retries and rate limits.
        filtered: records that `record_filter` left out, in every pass as `records`.
        ignored_responses: how many the declaration says to ignore; `ignored` is the text of one of them. What they
            would have had is due again.
        gone_envelopes: envelopes without a record (deleted upstream or not visible).
        missing_details: requests per row without a result: what they are for was removed meanwhile or is no text.
        repeats: records that came more than once.
        deleted: rows soft-deleted or deleted, because they were removed upstream.
        deletion_withheld: rows that are missing upstream but stay, because too many are missing at once.
        cursor_field, cursor: the cursor's raw field name and its newest value.
        added_columns: column -> data type, of columns that this sync added to an existing table.
        variants: columns with values that did not fit their type, which are kept in a variant column.
        partitions: partition key -> outcome, of a child resource.
        incomplete_parents: keys of parents that lack a value that the path needs; their children cannot be read.
        left: what this round has left to another one: key of a parent ("" for a resource without one) -> where its read
            was left, None if it has not begun.
        unserved: why the contract in use does not serve the resource; its table stays as it is.
        reset: why the recorded state did not count, so that everything was read again.
        support_ends: the first day on which the vendor may stop to serve it, as declared or announced in responses.
        replacement: what the vendor offers instead.
        left_failed: parent -> reason, of every known parent whose last attempt failed, in this sync or before.
        not_fresh: parent ("" for a resource without one) -> last success, of what was not read to its end within
            the allowed lag.
        duplicate_keys, null_keys: faulty primary keys in the table.
    """

    name: str
    error: str | None = None
    permanent: bool = False
    parent_missing: bool = False
    records: int = 0
    rows_loaded: int = 0
    rows_in_table: int = 0
    created: bool = False
    pages: int = 0
    requests: int = 0
    retries: int = 0
    waited: float = 0.0
    gone_envelopes: int = 0
    filtered: int = 0
    ignored_responses: int = 0
    ignored: str | None = None
    missing_details: int = 0
    repeats: int = 0
    deleted: int = 0
    deletion_withheld: int = 0
    cursor_field: str | None = None
    cursor: datetime | None = None
    added_columns: dict[str, str] = field(default_factory=dict)
    variants: list[str] = field(default_factory=list)
    partitions: dict[str, PartitionOutcome] = field(default_factory=dict)
    incomplete_parents: list[str] = field(default_factory=list)
    left: dict[str, str | None] = field(default_factory=dict)
    unserved: str | None = None
    reset: str | None = None
    support_ends: date | None = None
    replacement: str | None = None
    left_failed: dict[str, str] = field(default_factory=dict)
    not_fresh: dict[str, datetime | None] = field(default_factory=dict)
    duplicate_keys: int = 0
    null_keys: int = 0

    @property
    def failed_partitions(self) -> dict[str, str]:
        """Partition key -> first reason."""
        return {key: outcome.errors[0] for key, outcome in self.partitions.items() if not outcome.ok}

    @property
    def skipped_parents(self) -> list[str]:
        """Keys of the parents that the server refused or that lack a value that the path needs."""
        return [
            *(parent for outcome in self.partitions.values() for parent in outcome.skipped),
            *self.incomplete_parents,
        ]

    @property
    def ok(self) -> bool:
        return self.error is None and not self.failed_partitions

    def followed_by(self, later: "ResourceOutcome") -> "ResourceOutcome":
        """What this round and a later one of the same sync did: counts add up, the table is as the later left it."""
        both = {name: getattr(self, name) + getattr(later, name) for name in _COUNTS}
        partitions = dict(self.partitions)
        for key, outcome in later.partitions.items():
            partitions[key] = partitions[key].followed_by(outcome) if key in partitions else outcome
        return replace(
            later,
            **both,
            created=self.created or later.created,
            reset=self.reset or later.reset,
            ignored=later.ignored or self.ignored,
            cursor=latest([self.cursor, later.cursor]),
            added_columns={**self.added_columns, **later.added_columns},
            variants=sorted({*self.variants, *later.variants}),
            partitions=partitions,
        )


_COUNTS = (
    "records",
    "rows_loaded",
    "pages",
    "requests",
    "retries",
    "waited",
    "gone_envelopes",
    "filtered",
    "ignored_responses",
    "repeats",
    "missing_details",
    "deleted",
    "deletion_withheld",
)


def latest(moments: Iterable[datetime | None]) -> datetime | None:
    """The latest of some moments; None if there are none."""
    return max((moment for moment in moments if moment is not None), default=None)

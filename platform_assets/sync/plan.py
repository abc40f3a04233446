"""What a sync is going to read: per resource the parents that are due, from where on, and the rows already there."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from platform_assets.arrow.batches import Batch
from platform_assets.arrow.buffer import ParquetBuffer
from platform_assets.arrow.columns import Columns
from platform_assets.arrow.conversion import ARROW_TYPES
from platform_assets.arrow.hashes import as_numbers
from platform_assets.arrow.keys import hash_keys
from platform_assets.configuration.platform_settings import Settings
from platform_assets.declarations import Buckets, OnRemoval, Platform, PlatformAssetsError, Resource, path_values
from platform_assets.extraction.reading import NO_PARENT, Parent
from platform_assets.http.errors import AnswerError
from platform_assets.sync.outcome import PartitionOutcome, ResourceOutcome
from platform_assets.sync.parents import KnownParent, Parents, due_parents, find_parents
from platform_assets.sync.window import start_of_read
from platform_assets.warehouse import Progress, Status
from platform_assets.warehouse.dlt_source import table_columns
from platform_assets.warehouse.row_filter import RowFilter
from platform_assets.warehouse.session import WarehouseSession
from platform_assets.warehouse.state import TableContent
from platform_assets.warehouse.table_layout import ROW_HASH

_NO_KEYS = np.empty(0, np.uint64)


@dataclass(frozen=True)
class Selection:
    """What to sync: resource names, optionally only some partitions or parents of the children among them.

    `full_refresh` ignores cursors and known rows: everything is read and loaded again.
    """

    resources: tuple[str, ...]
    partitions: frozenset[str] | None = None
    parents: frozenset[str] | None = None
    full_refresh: bool = False


@dataclass
class Unit:
    """One read: a resource, or one parent of it.

    Attributes:
        last: the progress that counts for this read; none where it was made for other rows or another parent.
        recorded_at: `succeeded_at` on record when this was planned, to notice another run that landed meanwhile.
        known: sorted hashes of the keys that the table has of this parent; None where removal is not looked for.
        names: the parent's values in the path, and those that it had before it was renamed.
        is_another: whether the state on record is that of another parent of the same name.
        rows: how many different rows the read returned.
        missing: hashes of those of `known` that two whole reads did not return.
        withheld: how many rows were missing, too many to be believed.
    """

    parent: Parent
    partition: str = ""
    version: str | None = None
    parent_id: str | None = None
    last: Progress | None = None
    recorded_at: datetime | None = None
    start: datetime | None = None
    known: np.ndarray | None = None
    batch: Batch | None = None
    names: list[tuple[object, ...]] = field(default_factory=list)
    is_another: bool = False
    rows: int = 0
    missing: np.ndarray = field(default_factory=lambda: _NO_KEYS)
    withheld: int = 0
    status: Status = Status.OK
    error: str | None = None
    permanent: bool = False

    @property
    def is_first(self) -> bool:
        """Whether nothing was read of it before, as far as the state still counts."""
        return self.last is None or self.last.succeeded_at is None


@dataclass
class Plan:
    """One resource's part of a sync.

    Attributes:
        existed: whether the table was there.
        starts_anew: whether the table is not as its state left it, so that the state counts no more.
        parent_types: the columns that carry the parent's values.
        others_ok: whether a parent that is not read now was read to its end before.
    """

    resource: Resource
    buffer: ParquetBuffer
    units: list[Unit]
    existed: bool
    starts_anew: bool
    parent_types: dict[str, pa.DataType]
    known_parents: frozenset[str]
    others_ok: bool
    outcome: ResourceOutcome
    counts: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Planner:
    """Plans the resources of one sync while the warehouse is held."""

    platform: Platform
    settings: Settings
    session: WarehouseSession
    selection: Selection
    folder: Path
    started: datetime

    def plan(self, resource: Resource) -> Plan:
        """What is to be read of one resource."""
        session, incremental = self.session, resource.endpoint.incremental
        existing_types = session.column_types(resource.name)
        assigned = session.assigned_columns(resource.name)
        columns = table_columns(self.platform, resource, session.naming, existing_types, assigned)
        outcome = ResourceOutcome(name=resource.name, cursor_field=incremental.cursor_path if incremental else None)
        starts_anew = self._starts_anew(resource, outcome)
        recorded = {parent: entry for (_, parent), entry in session.progress([resource.name]).items()}
        counts = {} if starts_anew else recorded
        parents: list[KnownParent] = []
        units = [Unit(NO_PARENT, last=counts.get(""))]
        if resource.endpoint.parents:
            parents = self._parents(resource, outcome)
            counts = {
                known.parent.key: entry
                for known in parents
                if (entry := counts.get(known.parent.key)) is not None and entry.is_of(known.id)
            }
            units = self._units(resource, parents, counts)
        for unit in units:
            entry = recorded.get(unit.parent.key)
            unit.recorded_at = entry.succeeded_at if entry else None
            unit.is_another = entry is not None and not entry.is_of(unit.parent_id)
        _name(units, parents, recorded)
        self._set_starts(resource, units, columns, outcome)
        part = self._part(resource, units)
        if resource.removal_policy is not OnRemoval.IGNORE and units:
            self._set_known(resource, units, part, columns)
        read_now = {unit.parent.key for unit in units}
        return Plan(
            resource=resource,
            buffer=self._buffer(resource, units, part, columns, existing_types),
            units=units,
            existed=bool(existing_types),
            starts_anew=starts_anew,
            parent_types={name: ARROW_TYPES[columns.types[name]] for name in part.columns},
            known_parents=frozenset(known.parent.key for known in parents),
            others_ok=any(entry.status is Status.OK for key, entry in counts.items() if key not in read_now),
            outcome=outcome,
        )

    @cached_property
    def _recorded_contents(self) -> dict[str, TableContent]:
        return self.session.recorded_contents()

    def _starts_anew(self, resource: Resource, outcome: ResourceOutcome) -> bool:
        """Whether rows were taken out of the table, or put back into it, by somebody else."""
        recorded = self._recorded_contents.get(resource.name)
        if recorded is None:
            return False
        found = self.session.content(resource.name)
        if recorded.is_still(found):
            return False
        outcome.reset = f"the table has {found.row_count} rows where the last sync left {recorded.row_count}"
        return True

    def _parents(self, resource: Resource, outcome: ResourceOutcome) -> list[KnownParent]:
        """The resource's parents; none, and an error in the outcome, where they cannot be had."""
        try:
            if not self.session.has_table(str(resource.parent)):
                raise AnswerError(
                    f"its parent {self.platform.name}/{resource.parent} was never loaded; load that first"
                )
            parents = find_parents(self.platform, resource, self.session, self.settings)
            _refuse_unknown(resource, self.selection, parents.known)
            _refuse_incomplete(resource, parents)
        except PlatformAssetsError as error:
            outcome.error = f"{self.platform.name}/{resource.name}: {error}"
            return []
        outcome.incomplete_parents = parents.incomplete
        for key in sorted(_asked_partitions(self.selection, parents.known)):
            outcome.partitions[key] = PartitionOutcome(key)
        return parents.known

    def _units(self, resource: Resource, parents: list[KnownParent], counts: Mapping[str, Progress]) -> list[Unit]:
        selection = self.selection
        chosen = due_parents(
            resource,
            parents,
            counts,
            partitions=selection.partitions,
            only=selection.parents,
            full_refresh=selection.full_refresh,
        )
        return [
            Unit(known.parent, known.partition, known.version, known.id, last=counts.get(known.parent.key))
            for known in chosen
        ]

    def _set_starts(self, resource: Resource, units: list[Unit], columns: Columns, outcome: ResourceOutcome) -> None:
        incremental, start_date = resource.endpoint.incremental, self.settings.start_date
        oldest_open = self._oldest_open(resource, columns)
        oldest_row = None
        if incremental is not None and start_date is not None:
            oldest_row = self.session.oldest_moment(resource.name, columns.name_of(incremental.cursor_path))
        for unit in units:
            last = unit.last
            outcome.cursor = newest([outcome.cursor, last.cursor_value if last else None])
            if self.selection.full_refresh:
                last = None
            cursor, read_at = (last.cursor_value, last.succeeded_at) if last else (None, None)
            unit.start = start_of_read(incremental, cursor, read_at, start_date, oldest_open, oldest_row)

    def _oldest_open(self, resource: Resource, columns: Columns) -> datetime | None:
        incremental = resource.endpoint.incremental
        if incremental is None:
            return None
        cursor = columns.name_of(incremental.cursor_path)
        found = [
            self.session.oldest(resource.name, cursor, columns.name_of(name), values)
            for name, values in incremental.reopen.items()
        ]
        return min((moment for moment in found if moment is not None), default=None)

    def _part(self, resource: Resource, units: list[Unit]) -> RowFilter:
        """The rows of the parents that are read."""
        naming = self.session.naming
        return RowFilter(
            columns=tuple(naming.normalize_identifier(r.column) for r in resource.endpoint.parents.values()),
            parents=tuple(name for unit in units for name in unit.names),
        )

    def _set_known(self, resource: Resource, units: list[Unit], part: RowFilter, columns: Columns) -> None:
        """Give every unit the keys that the table has of its parent."""
        key = [columns.name_of(name) for name in self.platform.primary_key_of(resource)]
        width = len(part.columns)
        chunks = [
            (hash_keys(row[:width] for row in rows), hash_keys(row[width:] for row in rows))
            for rows in self.session.current_values(resource.name, [*part.columns, *key], part)
        ]
        if not chunks:
            return
        parents, keys = (np.concatenate(column) for column in zip(*chunks, strict=True))
        order = np.argsort(parents, kind="stable")
        parents, keys = parents[order], keys[order]
        mine = hash_keys(name for unit in units for name in unit.names)
        first, last = np.searchsorted(parents, mine, "left"), np.searchsorted(parents, mine, "right")
        spans = iter(zip(first, last, strict=True))
        for unit in units:
            found = [keys[begin:end] for begin, end in islice(spans, len(unit.names))]
            unit.known = np.sort(np.concatenate(found))

    def _buffer(
        self,
        resource: Resource,
        units: list[Unit],
        part: RowFilter,
        columns: Columns,
        existing_types: Mapping[str, str],
    ) -> ParquetBuffer:
        incremental, settings = resource.endpoint.incremental, self.settings
        known = _NO_KEYS
        if existing_types and units and not self.selection.full_refresh:
            starts = [unit.start for unit in units]
            if incremental and all(starts):
                oldest = min(start for start in starts if start)
                part = replace(part, since=(columns.name_of(incremental.cursor_path), oldest))
            known = self._row_hashes(resource, part)
        not_before = settings.start_date if incremental and incremental.bounded else None
        return ParquetBuffer(
            self.folder / "buffer" / resource.name / f"{self.started:%H%M%S%f}",
            columns,
            self.platform.primary_key_of(resource),
            incremental.cursor_path if incremental else None,
            known,
            fingerprint(resource),
            self.started,
            not_before,
            wanted_anyway=self._keys(resource, columns) if not_before and existing_types else _NO_KEYS,
            holds_nul=self.session.holds_nul,
        )

    def _row_hashes(self, resource: Resource, part: RowFilter) -> np.ndarray:
        """Sorted hashes of the rows that the read can meet again."""
        chunks = [
            as_numbers([row_hash for (row_hash,) in rows if row_hash])
            for rows in self.session.current_values(resource.name, [ROW_HASH], part)
        ]
        return np.sort(np.concatenate(chunks)) if chunks else _NO_KEYS

    def _keys(self, resource: Resource, columns: Columns) -> np.ndarray:
        """Sorted hashes of all keys in the table."""
        key = [columns.name_of(name) for name in self.platform.primary_key_of(resource)]
        chunks = [hash_keys(rows) for rows in self.session.current_values(resource.name, key)]
        return np.sort(np.concatenate(chunks)) if chunks else _NO_KEYS


def _name(units: Sequence[Unit], parents: Sequence[KnownParent], recorded: Mapping[str, Progress]) -> None:
    """Give every unit its parent's names: rows that it had under an earlier one are its own."""
    now = {known.parent.key for known in parents}
    former: dict[str, list[str]] = {}
    for key, entry in recorded.items():
        if entry.parent_id is not None and key not in now:
            former.setdefault(entry.parent_id, []).append(key)
    for unit in units:
        own = tuple(unit.parent.values.values())
        earlier = former.get(unit.parent_id, []) if unit.parent_id is not None else []
        unit.names = [own, *(name for key in earlier if len(name := path_values(key, len(own))) == len(own))]


def _refuse_unknown(resource: Resource, selection: Selection, parents: Sequence[KnownParent]) -> None:
    """Raise AnswerError for an asked-for partition or parent that is not in the warehouse."""
    known = {parent.parent.key for parent in parents}
    partitions = {parent.partition for parent in parents}
    if isinstance(resource.partition, Buckets):
        partitions.update(resource.partition.keys)
    unknown = sorted((selection.partitions or frozenset()) - partitions) or sorted(
        (selection.parents or frozenset()) - known
    )
    if unknown:
        raise AnswerError(f"no parent in {resource.parent} for {', '.join(map(repr, unknown[:5]))}")


def _refuse_incomplete(resource: Resource, parents: Parents) -> None:
    """Raise AnswerError where no parent has what the path needs: nothing could be asked, which is no success."""
    if parents.incomplete and not parents.known:
        fields = ", ".join(f"`{resolve.field}`" for resolve in resource.endpoint.parents.values())
        raise AnswerError(f"none of the {len(parents.incomplete)} rows of its parent {resource.parent} has {fields}")


def _asked_partitions(selection: Selection, parents: Iterable[KnownParent]) -> set[str]:
    """The partitions that the sync answers for, also those in which no parent needs reading."""
    if selection.parents is not None:
        return {known.partition for known in parents if known.parent.key in selection.parents}
    if selection.partitions is not None:
        return set(selection.partitions)
    return {known.partition for known in parents}


def fingerprint(resource: Resource) -> bytes:
    """Changes when the declaration changes what a record becomes, so that rows are then loaded anew."""
    what = (sorted(resource.columns.items()), sorted(resource.exclude), sorted(resource.key_fallback.items()))
    return blake2b(repr(what).encode(), digest_size=16).digest()


def newest(moments: Iterable[Any]) -> datetime | None:
    """The latest of some moments, None without any."""
    return max((moment for moment in moments if moment is not None), default=None)

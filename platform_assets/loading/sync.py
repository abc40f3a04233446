"""One sync of some resources of one platform: plan, read, land, record.

1. Plan, with the warehouse held for a moment: schema, cursors, known rows, parents.
2. Read over HTTP, with the warehouse free: every resource and parent concurrently, into Parquet files.
   One that is not read to its last page leaves nothing behind; the others go on.
3. Land, with the warehouse held again: one dlt package with all that is new, then one transaction with
   cursors and removed rows. Killed before that transaction, the next sync reads the same rows again and
   merges them into themselves.
"""

import gc
import logging
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from platform_assets.extraction.cancellation import current
from platform_assets.extraction.client import ApiClient
from platform_assets.extraction.columns import ARROW_TYPES
from platform_assets.extraction.errors import AnswerError, RequestFailed
from platform_assets.extraction.reading import NO_PARENT, Parent, read, start_of
from platform_assets.extraction.settings import Settings, allowed_lag
from platform_assets.extraction.source import platform_source, spooled_resource, table_columns
from platform_assets.extraction.spool import ROW_HASH, Batch, Spool, Spooled, as_numbers, hash_keys, is_member
from platform_assets.loading.outcome import PartitionOutcome, ResourceOutcome
from platform_assets.loading.parents import KnownParent, known_parents, to_read
from platform_assets.vocabulary import Buckets, Platform, PlatformAssetsError, Removed, Resource
from platform_assets.warehouse import LogEntry, Progress, Status, Warehouse
from platform_assets.warehouse.failure import reason
from platform_assets.warehouse.warehouse import Part, WarehouseSession

log = logging.getLogger(__name__)

SKIPPED_STATUSES = (403, 404, 410)
"""A parent that answers so is gone or not ours to see: skipped and counted, its siblings go on."""

_DELETION_GUARD = 10
"""From this many removed rows on, more than half of a list gone is taken for a faulty answer."""


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
class _Unit:
    """One read: a resource, or one parent of it."""

    parent: Parent
    partition: str = ""
    version: str | None = None
    start: datetime | None = None
    batch: Batch | None = None
    status: Status = Status.OK
    error: str | None = None
    permanent: bool = False


@dataclass(frozen=True)
class _Existing:
    """The rows that were there and not removed, for resources that notice removal, as hashes.

    `parents` hashes each row's parent columns, `keys` its primary key.
    """

    parents: np.ndarray
    keys: np.ndarray


@dataclass
class _Plan:
    """One resource's part of the sync."""

    resource: Resource
    spool: Spool
    units: list[_Unit]
    existed: bool
    existing: "_Existing | None"
    parent_types: dict[str, pa.DataType]
    known_parents: frozenset[str]
    outcome: ResourceOutcome
    counts: Counter[str] = field(default_factory=Counter)


def sync(
    platform: Platform, settings: Settings, warehouse: Warehouse, client: ApiClient, selection: Selection
) -> list[ResourceOutcome]:
    """Sync the selection; one outcome per resource, in the selection's order.

    Raises Cancelled where it is told to end before all is read, and lands nothing then; told later, it lands.
    What fails inside one resource or parent is in its outcome. Raises WarehouseError where the warehouse
    cannot be had, and dlt's or the destination's errors where the load itself fails (nothing is recorded
    then, and the next sync reads the same rows again).
    """
    with _few_collections():
        return _sync(platform, settings, warehouse, client, selection)


@contextmanager
def _few_collections() -> Iterator[None]:
    """Keep the garbage collector off everything that was there before (Dagster, dlt and their likes).

    Every page allocates many objects, and so sets off full collections, that would walk through all of it
    each time: a quarter of the seconds of a large load.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _sync(
    platform: Platform, settings: Settings, warehouse: Warehouse, client: ApiClient, selection: Selection
) -> list[ResourceOutcome]:
    started = datetime.now(UTC)
    with warehouse.session() as session:
        plans = [
            _plan(platform, platform.resource(name), settings, session, selection, warehouse.folder, started)
            for name in selection.resources
        ]
    _read_all(client, plans)
    # From here on it lands, or does not begin to.
    current().check()
    spooled = {plan.resource.name: _finish(plan) for plan in plans}
    new = [content for content in spooled.values() if content is not None and content.files]
    row_bytes = max((content.row_bytes for content in new), default=0)
    with warehouse.session(refresh=bool(new), row_bytes=row_bytes) as session:
        _land(platform, warehouse, session, plans, spooled, selection, started)
    for plan in plans:
        _log(platform, plan.outcome)
    return [plan.outcome for plan in plans]


def _plan(
    platform: Platform,
    resource: Resource,
    settings: Settings,
    session: WarehouseSession,
    selection: Selection,
    folder: Path,
    now: datetime,
) -> _Plan:
    incremental = resource.endpoint.incremental
    cursor_path = incremental.cursor_path if incremental else None
    existing_types = session.column_types(resource.name)
    columns = table_columns(platform, resource, session.naming, existing_types)
    outcome = ResourceOutcome(name=resource.name, cursor_field=cursor_path)
    progress = session.progress([resource.name])
    parents_known: list[KnownParent] = []
    units = [_Unit(NO_PARENT)]
    if resource.endpoint.parents:
        parents_known = _parents(platform, resource, settings, session, selection, outcome)
        units = _units(resource, parents_known, selection, progress)
    oldest_open = _oldest_open(resource, session, columns.name_of)
    for unit in units:
        last = progress.get((resource.name, unit.parent.key))
        cursor = last.cursor_value if last and not selection.full_refresh else None
        outcome.cursor = _newest([outcome.cursor, last.cursor_value if last else None])
        unit.start = start_of(incremental, cursor, settings.start_date, oldest_open)
    parent_columns = [session.naming.normalize_identifier(r.column) for r in resource.endpoint.parents.values()]
    parents = Part(columns=tuple(parent_columns), among=tuple(tuple(u.parent.values.values()) for u in units))
    known = np.empty(0, np.uint64)
    if existing_types and units and not selection.full_refresh:
        starts = [unit.start for unit in units]
        if cursor_path and all(starts):
            window = replace(parents, since=(columns.name_of(cursor_path), min(start for start in starts if start)))
        else:
            window = parents
        known = _known_hashes(session, resource, window)
    spool = Spool(
        folder / "spool" / resource.name,
        columns,
        platform.primary_key_of(resource),
        cursor_path,
        known,
        fingerprint(resource),
        now,
        settings.start_date if incremental and incremental.bounded else None,
        holds_nul=session.holds_nul,
    )
    return _Plan(
        resource=resource,
        spool=spool,
        units=units,
        existed=bool(existing_types),
        existing=_existing(platform, resource, session, parents, columns.name_of) if units else None,
        parent_types={name: ARROW_TYPES[columns.types[name]] for name in parent_columns},
        known_parents=frozenset(known.parent.key for known in parents_known),
        outcome=outcome,
    )


def _known_hashes(session: WarehouseSession, resource: Resource, part: Part) -> np.ndarray:
    """Sorted hashes of the rows that the read can meet again."""
    chunks = [
        as_numbers([row_hash for (row_hash,) in rows if row_hash])
        for rows in session.current_values(resource.name, [ROW_HASH], part)
    ]
    return np.sort(np.concatenate(chunks)) if chunks else np.empty(0, np.uint64)


def _parents(
    platform: Platform,
    resource: Resource,
    settings: Settings,
    session: WarehouseSession,
    selection: Selection,
    outcome: ResourceOutcome,
) -> list[KnownParent]:
    """The resource's parents in the warehouse; none, and an error in the outcome, where they cannot be had."""
    try:
        if not session.has_table(str(resource.parent)):
            raise AnswerError(f"its parent {platform.name}/{resource.parent} was never loaded; load that first")
        parents = known_parents(platform, resource, session, settings)
        _refuse_unknown(resource, selection, parents)
    except PlatformAssetsError as error:
        outcome.error = f"{platform.name}/{resource.name}: {error}"
        return []
    for key in sorted(_asked_partitions(selection, parents)):
        outcome.partitions[key] = PartitionOutcome(key)
    return parents


def _units(
    resource: Resource,
    parents: list[KnownParent],
    selection: Selection,
    progress: dict[tuple[str, str], Progress],
) -> list[_Unit]:
    chosen = to_read(
        resource,
        parents,
        progress,
        partitions=selection.partitions,
        only=selection.parents,
        full_refresh=selection.full_refresh,
    )
    return [_Unit(known.parent, known.partition, known.version) for known in chosen]


def _refuse_unknown(resource: Resource, selection: Selection, parents: Iterable[KnownParent]) -> None:
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


def _asked_partitions(selection: Selection, parents: Iterable[KnownParent]) -> set[str]:
    """The partitions that the sync answers for, also those in which no parent needs reading."""
    if selection.parents is not None:
        return {known.partition for known in parents if known.parent.key in selection.parents}
    if selection.partitions is not None:
        return set(selection.partitions)
    return {known.partition for known in parents}


def _existing(
    platform: Platform, resource: Resource, session: WarehouseSession, parents: Part, name_of: Any
) -> _Existing | None:
    if resource.when_removed is Removed.KEPT:
        return None
    key = tuple(name_of(name) for name in platform.primary_key_of(resource))
    chunks = [
        (_hashes(rows, 0, len(parents.columns)), _hashes(rows, len(parents.columns)))
        for rows in session.current_values(resource.name, [*parents.columns, *key], parents)
    ]
    if not chunks:
        return None
    return _Existing(*(np.concatenate(column) for column in zip(*chunks, strict=True)))


def _hashes(rows: Sequence[tuple[Any, ...]], start: int, end: int | None = None) -> np.ndarray:
    """Hashes of the values in the columns from `start` to `end`."""
    return hash_keys(row[start:end] for row in rows)


def _oldest_open(resource: Resource, session: WarehouseSession, name_of: Any) -> datetime | None:
    incremental = resource.endpoint.incremental
    if incremental is None:
        return None
    found = [
        session.oldest(resource.name, name_of(incremental.cursor_path), name_of(name), values)
        for name, values in incremental.reopen.items()
    ]
    return min((moment for moment in found if moment is not None), default=None)


def fingerprint(resource: Resource) -> bytes:
    """Changes when the declaration changes what a record becomes, so that rows are then loaded anew."""
    what = (sorted(resource.columns.items()), sorted(resource.exclude), sorted(resource.key_fallback.items()))
    return blake2b(repr(what).encode(), digest_size=16).digest()


def _read_all(client: ApiClient, plans: Sequence[_Plan]) -> None:
    """Read every unit; failures stay with their unit."""
    with ThreadPoolExecutor(client.platform.client.max_concurrency, thread_name_prefix="read") as pool:
        futures: list[Future[None]] = [
            pool.submit(_read_unit, client, plan, unit) for plan in plans for unit in plan.units
        ]
        done, pending = wait(futures, return_when=FIRST_EXCEPTION)
        for future in pending:
            future.cancel()
        for future in done:
            future.result()


def _read_unit(client: ApiClient, plan: _Plan, unit: _Unit) -> None:
    counts: Counter[str] = Counter()
    names = plan.parent_types.items()
    values = unit.parent.values.values()
    parent_columns = {name: pa.scalar(value, kind) for (name, kind), value in zip(names, values, strict=True)}
    try:
        batch = read(client, plan.resource, unit.parent, unit.start, plan.spool, parent_columns, counts)
        plan.spool.accept(batch)
        unit.batch = batch
    except RequestFailed as failure:
        skip = unit.parent is not NO_PARENT and failure.status in SKIPPED_STATUSES
        unit.status = Status.SKIPPED if skip else Status.FAILED
        unit.error, unit.permanent = str(failure), failure.permanent
    except PlatformAssetsError as error:
        unit.status, unit.error = Status.FAILED, str(error)
    except Exception as error:
        # A fault of ours in one resource must not take the others with it; the log has the traceback.
        log.debug("unexpected fault: %s", client.redact(traceback.format_exc()))
        unit.status = Status.FAILED
        unit.error = client.redact(f"{client.platform.name}/{plan.resource.name}: {reason(error)}")
    finally:
        plan.counts.update(counts)


def _finish(plan: _Plan) -> Spooled | None:
    """What the resource has to load, None where its (only) read failed. Fills the outcome's counts."""
    outcome = plan.outcome
    for unit in plan.units:
        if unit.parent is NO_PARENT:
            if unit.status is not Status.OK:
                outcome.error, outcome.permanent = unit.error, unit.permanent
            continue
        partition = outcome.partitions.setdefault(unit.partition, PartitionOutcome(unit.partition))
        partition.parents += 1
        if unit.status is Status.FAILED:
            partition.errors.append(unit.error or "failed")
            partition.permanent = unit.permanent
        elif unit.status is Status.SKIPPED:
            partition.skipped.append(unit.parent.key)
    outcome.pages = plan.counts["pages"]
    outcome.requests = plan.counts["requests"]
    outcome.retries = plan.counts["retries"]
    outcome.waited = plan.counts["waited_ms"] / 1000
    outcome.gone_envelopes = plan.counts["gone"]
    if outcome.error is not None:
        return None
    spooled = plan.spool.finish()
    outcome.records, outcome.rows_loaded, outcome.repeats = spooled.records, spooled.rows, spooled.repeats
    for unit in plan.units:
        if unit.batch is None:
            continue
        outcome.cursor = _newest([outcome.cursor, unit.batch.cursor])
        if unit.parent is not NO_PARENT:
            partition = outcome.partitions[unit.partition]
            partition.records += unit.batch.records
            partition.rows_loaded += unit.batch.rows_written
            partition.cursor = _newest([partition.cursor, unit.batch.cursor])
    outcome.created = not plan.existed
    if plan.existed:
        outcome.added_columns = dict(spooled.columns.added)
    outcome.variants = sorted(spooled.columns.variants)
    return spooled


def _land(
    platform: Platform,
    warehouse: Warehouse,
    session: WarehouseSession,
    plans: Sequence[_Plan],
    spooled: dict[str, Spooled | None],
    selection: Selection,
    started: datetime,
) -> None:
    file_format = session.file_format()
    parquet = file_format == "parquet"
    resources = []
    marked: dict[str, tuple[tuple[str, ...], list[tuple[Any, ...]]]] = {}
    deleted: dict[str, tuple[tuple[str, ...], list[tuple[Any, ...]]]] = {}
    for plan in plans:
        content = spooled[plan.resource.name]
        if content is None:
            continue
        name = plan.resource.name
        if content.files or not _is_up_to_date(session, name, content):
            # Emptiness is asked again: a run beside this one may have loaded since the plan was made.
            merge = not session.is_empty(name)
            resources.append(spooled_resource(platform, plan.resource, content, merge=merge, parquet=parquet))
        gone = _gone(platform, plan, content, session, selection.full_refresh)
        if gone:
            key = tuple(content.columns.name_of(column) for column in platform.primary_key_of(plan.resource))
            target = deleted if plan.resource.when_removed is Removed.REPLACED else marked
            target[name] = (key, gone)
    if resources:
        session.load(platform_source(platform, resources, session.schema), file_format)
    attempts = [attempt for plan in plans for attempt in _attempts(plan, started)]
    session.commit(attempts, [_entry(plan, started) for plan in plans], marked, deleted)
    for plan in plans:
        plan.outcome.rows_in_table = session.count(plan.resource.name)
        _inspect(platform, plan, session, started)


def _inspect(platform: Platform, plan: _Plan, session: WarehouseSession, now: datetime) -> None:
    """What the asset's checks look at: keys in the table, and what is left failed or was not read in time."""
    outcome, resource = plan.outcome, plan.resource
    if outcome.error is None:
        key = [plan.spool.columns.name_of(name) for name in platform.primary_key_of(resource)]
        outcome.duplicate_keys, outcome.null_keys = session.key_faults(resource.name, key)
    known = plan.known_parents if resource.endpoint.parents else {NO_PARENT.key}
    if resource.endpoint.parents:
        failed = session.left_failed(resource.name)
        outcome.left_failed = {parent: why for parent, why in failed if parent in known}
    late = session.read_before(resource.name, now - allowed_lag(platform, resource))
    # An unchanged parent of a bucket is not read again, and is fresh all the same.
    every = not isinstance(resource.partition, Buckets)
    outcome.not_fresh = {
        parent: success for parent, success, status in late if parent in known and (every or status is Status.FAILED)
    }


def _is_up_to_date(session: WarehouseSession, table: str, content: Spooled) -> bool:
    """Whether the table is there with every column it should have."""
    return set(content.columns.types) <= set(session.column_types(table)) and session.has_table(table)


def _gone(
    platform: Platform, plan: _Plan, content: Spooled, session: WarehouseSession, full_refresh: bool
) -> list[tuple[Any, ...]]:
    """Keys of rows that were there before the read began and that a complete read did not return.

    Only rows of what was read whole count. A suspiciously small answer concludes nothing, unless a full
    refresh was asked for; a parent's replaced list is its current list, however small.
    """
    if plan.existing is None:
        return []
    read = [unit.parent for unit in plan.units if unit.batch is not None]
    read_parents = hash_keys(tuple(parent.values.values()) for parent in read)
    candidates = is_member(plan.existing.parents, np.sort(read_parents))
    missing = candidates & ~is_member(plan.existing.keys, content.keys)
    count, total = int(missing.sum()), int(candidates.sum())
    if not count:
        return []
    has_parents = bool(plan.parent_types)
    suspicious = (content.records == 0 and not has_parents) or (count > _DELETION_GUARD and count * 2 > total)
    if suspicious and not full_refresh and plan.resource.when_removed is Removed.MARKED:
        plan.outcome.deletion_withheld = count
        return []
    plan.outcome.deleted = count
    key = [content.columns.name_of(name) for name in platform.primary_key_of(plan.resource)]
    gone = np.sort(plan.existing.keys[missing])
    return [
        row
        for rows in session.current_values(plan.resource.name, key)
        for row, is_gone in zip(rows, is_member(_hashes(rows, 0), gone), strict=True)
        if is_gone
    ]


def _attempts(plan: _Plan, started: datetime) -> list[Progress]:
    found: list[Progress] = []
    for unit in plan.units:
        ok = unit.status is Status.OK and unit.batch is not None
        found.append(
            Progress(
                resource=plan.resource.name,
                parent=unit.parent.key,
                partition_key=unit.partition,
                cursor_value=unit.batch.cursor if unit.batch else None,
                parent_cursor=unit.version,
                status=unit.status,
                error=unit.error,
                rows_read=unit.batch.records if unit.batch else 0,
                rows_loaded=unit.batch.rows_written if unit.batch else 0,
                attempted_at=started,
                succeeded_at=started if ok else None,
            )
        )
    return found


def _entry(plan: _Plan, started: datetime) -> LogEntry:
    outcome = plan.outcome
    statuses = Counter(unit.status for unit in plan.units)
    reason = outcome.error or next((unit.error for unit in plan.units if unit.status is Status.FAILED), None)
    return LogEntry(
        resource=plan.resource.name,
        started_at=started,
        ended_at=datetime.now(UTC),
        status=Status.FAILED if reason else Status.OK,
        error=reason,
        reads=len(plan.units),
        failed_reads=statuses[Status.FAILED],
        skipped_reads=statuses[Status.SKIPPED],
        requests=outcome.requests,
        retries=outcome.retries,
        seconds_waited=outcome.waited,
        rows_read=outcome.records,
        rows_loaded=outcome.rows_loaded,
        rows_removed=outcome.deleted,
    )


def _newest(moments: Iterable[datetime | None]) -> datetime | None:
    return max((moment for moment in moments if moment is not None), default=None)


def _log(platform: Platform, outcome: ResourceOutcome) -> None:
    asset = f"{platform.name}/{outcome.name}"
    if outcome.error:
        log.error("%s: failed: %s", asset, outcome.error)
        return
    log.info("%s: %d rows in table, %d new or changed", asset, outcome.rows_in_table, outcome.rows_loaded)
    for key, why in outcome.failed_partitions.items():
        log.error("%s: partition %s failed: %s", asset, key, why)

"""The landing of a sync: one dlt package with all that is new, then one transaction with cursors and removed rows."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np

from platform_assets.arrow.batches import BufferedRows
from platform_assets.arrow.hashes import as_texts
from platform_assets.configuration.platform_settings import allowed_lag
from platform_assets.declarations import Buckets, OnRemoval, Platform
from platform_assets.extraction.reading import NO_PARENT
from platform_assets.sync.outcome import PartitionOutcome
from platform_assets.sync.plan import Plan, Selection, newest
from platform_assets.sync.removal import gone
from platform_assets.warehouse import LogEntry, Progress, Status
from platform_assets.warehouse.dlt_source import buffered_resource, platform_source
from platform_assets.warehouse.session import Keys, WarehouseSession
from platform_assets.warehouse.source_account import Source
from platform_assets.warehouse.table_layout import ROW_HASH

_MOST_LOOKED_UP = 50_000
"""More rows than these are written without asking whether the table has them: asking would cost as much."""


def finish(plan: Plan) -> BufferedRows | None:
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
    _refuse_all_skipped(plan)
    outcome.pages = plan.counts["pages"]
    outcome.requests = plan.counts["requests"]
    outcome.retries = plan.counts["retries"]
    outcome.waited = plan.counts["waited_ms"] / 1000
    outcome.gone_envelopes = plan.counts["gone"]
    if outcome.error is not None:
        return None
    buffered = plan.buffer.finish()
    outcome.records, outcome.rows_loaded, outcome.repeats = buffered.records, buffered.rows, buffered.repeats
    for unit in plan.units:
        if unit.batch is None:
            continue
        outcome.cursor = newest([outcome.cursor, unit.batch.cursor])
        if unit.parent is not NO_PARENT:
            partition = outcome.partitions[unit.partition]
            partition.records += unit.batch.records
            partition.rows_loaded += unit.batch.rows_written
            partition.cursor = newest([partition.cursor, unit.batch.cursor])
    outcome.created = not plan.existed
    if plan.existed:
        outcome.added_columns = dict(buffered.columns.added)
    outcome.variants = sorted(buffered.columns.drifted)
    return buffered


def _refuse_all_skipped(plan: Plan) -> None:
    """All parents refused is a failure of the resource: a missing permission, or a path that is no more."""
    skipped = [unit for unit in plan.units if unit.status is Status.SKIPPED]
    if skipped and len(skipped) == len(plan.units) and not plan.others_ok:
        plan.outcome.error = f"all {len(skipped)} parents were refused: {skipped[0].error}"
        plan.outcome.permanent = True


def overtaken(plan: Plan, content: BufferedRows | None, session: WarehouseSession) -> bool:
    """Whether another run has landed some of what this one planned to read, or gave a new field another column.

    The rows it compared with are then not those in the table any more: which of the two saw the newer row, nobody
    can tell row by row.
    """
    if content is None:
        return False
    name, columns = plan.resource.name, content.columns
    has_new = bool(columns.assigned or columns.added)
    if has_new and columns.contradiction(session.assigned_columns(name), session.column_types(name)) is not None:
        return True
    recorded = session.progress([name])
    for unit in plan.units:
        entry = recorded.get((name, unit.parent.key))
        if (entry.succeeded_at if entry else None) != unit.recorded_at:
            return True
    return False


def land(
    platform: Platform,
    session: WarehouseSession,
    plans: Sequence[Plan],
    buffered: dict[str, BufferedRows | None],
    selection: Selection,
    started: datetime,
    whose: Source,
) -> None:
    """Load what is new of every plan and record what came of all."""
    file_format = session.file_format()
    parquet = file_format == "parquet"
    resources = []
    marked: dict[str, Keys] = {}
    deleted: dict[str, Keys] = {}
    landed: list[str] = []
    for plan in plans:
        content = buffered[plan.resource.name]
        if content is None:
            continue
        name = plan.resource.name
        landed.append(name)
        if plan.existed and not selection.full_refresh:
            content = buffered[name] = _without_unchanged(plan, content, session)
        if content.files or not _is_up_to_date(session, name, content):
            # Emptiness is asked again: a run beside this one may have loaded since the plan was made.
            merge = not session.is_empty(name)
            resources.append(buffered_resource(platform, plan.resource, content, merge=merge, parquet=parquet))
        keys = gone(platform, plan, content, session, selection.full_refresh)
        if keys.rows:
            target = deleted if plan.resource.removal_policy is OnRemoval.HARD_DELETE else marked
            target[name] = keys
    assigned = {name: content.columns.assigned for name, content in buffered.items() if content is not None}
    assigned = {name: fields for name, fields in assigned.items() if fields and name in landed}
    if assigned:
        session.assign_columns(assigned)
    if resources:
        session.load(platform_source(platform, resources, session.schema), file_format, whose)
    attempts = [attempt for plan in plans for attempt in _attempts(plan, started)]
    session.commit(attempts, [_entry(plan, started) for plan in plans], marked, deleted, landed, whose)
    for plan in plans:
        plan.outcome.rows_in_table = session.count(plan.resource.name)
        _inspect(platform, plan, session, started)


def _without_unchanged(plan: Plan, content: BufferedRows, session: WarehouseSession) -> BufferedRows:
    """Leave out rows that the table has: a server may send more than it was asked for."""
    if not content.rows or content.rows > _MOST_LOOKED_UP:
        return content
    ids = as_texts(content.written_ids)
    held = session.held(plan.resource.name, ROW_HASH, ids)
    if not held:
        return content
    keep = np.array([one not in held for one in ids])
    plan.outcome.rows_loaded = int(keep.sum())
    return plan.buffer.only(content, keep)


def _is_up_to_date(session: WarehouseSession, table: str, content: BufferedRows) -> bool:
    """Whether the table is there with every column it should have."""
    return set(content.columns.types) <= set(session.column_types(table)) and session.has_table(table)


def _attempts(plan: Plan, started: datetime) -> list[Progress]:
    found: list[Progress] = []
    for unit in plan.units:
        ok = unit.status is Status.OK and unit.batch is not None and plan.outcome.error is None
        found.append(
            Progress(
                resource=plan.resource.name,
                parent=unit.parent.key,
                parent_id=unit.parent_id,
                partition_key=unit.partition,
                cursor_value=unit.batch.cursor if unit.batch and not unit.batch.ends_unproven else None,
                # Rows whose removal is withheld are not settled: their parent stays due, and the check goes on failing.
                parent_cursor=None if unit.withheld else unit.version,
                status=unit.status,
                error=unit.error,
                rows_read=unit.batch.records if unit.batch else 0,
                rows_loaded=unit.batch.rows_written if unit.batch else 0,
                attempted_at=started,
                succeeded_at=started if ok else None,
                starts_anew=plan.starts_anew,
            )
        )
    return found


def _entry(plan: Plan, started: datetime) -> LogEntry:
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
        skipped_reads=statuses[Status.SKIPPED] + len(outcome.incomplete_parents),
        requests=outcome.requests,
        retries=outcome.retries,
        seconds_waited=outcome.waited,
        rows_read=outcome.records,
        rows_loaded=outcome.rows_loaded,
        rows_removed=outcome.deleted,
    )


def _inspect(platform: Platform, plan: Plan, session: WarehouseSession, now: datetime) -> None:
    """What the asset's checks look at: keys in the table, and what is left failed or was not read in time."""
    outcome, resource = plan.outcome, plan.resource
    if outcome.error is None:
        key = [plan.buffer.columns.name_of(name) for name in platform.primary_key_of(resource)]
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

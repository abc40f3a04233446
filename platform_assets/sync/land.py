"""Loads what was read: one dlt package with everything new, then one transaction with cursors and removed rows.

On DuckDB a crash between the two leaves rows without their cursor: the next sync reads the same rows again and merges
them into themselves. The other order could leave a cursor without its rows, which would never be read again. On a
server the rows wait outside of their tables for the transaction, which has both.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import numpy as np

from platform_assets.arrow.batches import BufferedRows
from platform_assets.arrow.hashes import as_texts
from platform_assets.configuration.platform_settings import allowed_lag
from platform_assets.declarations import Buckets, OnRemoval
from platform_assets.extraction.queries import NO_PARENT
from platform_assets.progress import Phase, current
from platform_assets.sync.context import SyncContext
from platform_assets.sync.known_rows import key_columns
from platform_assets.sync.planned import Plan, Read
from platform_assets.sync.removal import removed_keys
from platform_assets.warehouse import LogEntry, Progress, Status
from platform_assets.warehouse.dlt_source import buffered_resource, platform_source
from platform_assets.warehouse.session import Keys, WarehouseSession
from platform_assets.warehouse.table_layout import ROW_HASH

# More rows than these are loaded without looking up whether the table has them: the lookup would cost as much.
_MAX_LOOKED_UP = 50_000


def is_outdated(plan: Plan, content: BufferedRows | None, session: WarehouseSession) -> bool:
    """Whether another run landed part of what this plan read, or gave a new field a different column.

    The table's rows are then not those that were compared with, and no row tells which of the two runs saw it later.
    """
    if content is None:
        return False
    name, columns = plan.resource.name, content.columns
    has_new = bool(columns.assigned or columns.added)
    if has_new and columns.contradiction(session.assigned_columns(name), session.column_types(name)) is not None:
        return True
    recorded = session.progress([name])
    for read in plan.reads:
        entry = recorded.get((name, read.parent.key))
        now = (entry.succeeded_at, entry.unread_before) if entry else (None, None)
        if not read.deferred and now != read.recorded:
            return True
    return False


def load(
    context: SyncContext,
    session: WarehouseSession,
    plans: Sequence[Plan],
    buffered: Mapping[str, BufferedRows | None],
) -> dict[str, BufferedRows]:
    """Load the new rows of every plan. Returns what `record` is to be given: resource name -> its rows.

    Args:
        buffered: resource name -> the rows to load; None for a resource that failed.
    """
    file_format = session.file_format()
    resources = []
    landed: dict[str, BufferedRows] = {}
    for plan in plans:
        name = plan.resource.name
        content = buffered[name]
        if content is None:
            continue
        if plan.existed and not context.selection.full_refresh:
            content = _drop_unchanged(plan, content, session)
        landed[name] = content
        if content.files or not _is_up_to_date(session, name, content):
            # Looked up again: a concurrent run may have loaded since the plan was made.
            merge = session.merges(name)
            parquet = file_format == "parquet"
            resources.append(buffered_resource(context.platform, plan.resource, content, merge=merge, parquet=parquet))
    assigned = {name: content.columns.assigned for name, content in landed.items() if content.columns.assigned}
    session.prepare(assigned, context.source if landed else None)
    if resources:
        new_rows = platform_source(context.platform, resources, session.schema)
        session.load(new_rows, file_format, context.source)
    return landed


def record(
    context: SyncContext, session: WarehouseSession, plans: Sequence[Plan], landed: Mapping[str, BufferedRows]
) -> None:
    """Record cursors, removed rows and the log in one transaction, after the rows were loaded.

    Args:
        landed: what `load` has returned, of these plans; of the others only the attempt is recorded.
    """
    soft_deleted: dict[str, Keys] = {}
    hard_deleted: dict[str, Keys] = {}
    for plan in plans:
        name = plan.resource.name
        if name not in landed:
            continue
        keys = removed_keys(context, plan, landed[name], session)
        if keys.rows:
            target = hard_deleted if plan.resource.removal_policy is OnRemoval.HARD_DELETE else soft_deleted
            target[name] = keys
    attempts = [attempt for plan in plans for attempt in _attempts(plan, context.started)]
    log_entries = [_log_entry(plan, context.started) for plan in plans]
    session.commit(attempts, log_entries, soft_deleted, hard_deleted, list(landed), context.source)


def inspect(context: SyncContext, session: WarehouseSession, plans: Sequence[Plan]) -> None:
    """Fill what the outcomes say of the tables as they are now."""
    for plan in plans:
        plan.outcome.rows_in_table = session.count(plan.resource.name)
        with current().phase(Phase.CHECKS):
            _inspect_table(context, plan, session)


def _drop_unchanged(plan: Plan, content: BufferedRows, session: WarehouseSession) -> BufferedRows:
    """Leave out rows that the table already has: a server may send more than the planned window."""
    if not content.rows or content.rows > _MAX_LOOKED_UP:
        return content
    hashes = as_texts(content.written_ids)
    existing = session.held(plan.resource.name, ROW_HASH, hashes)
    if not existing:
        return content
    keep = np.array([row_hash not in existing for row_hash in hashes])
    plan.outcome.rows_loaded = int(keep.sum())
    return plan.buffer.only(content, keep)


def _is_up_to_date(session: WarehouseSession, table: str, content: BufferedRows) -> bool:
    """Whether the table exists with every column it should have."""
    return set(content.columns.types) <= set(session.column_types(table)) and session.has_table(table)


def _attempts(plan: Plan, started: datetime) -> list[Progress]:
    """The state to record for every read that has begun."""
    found: list[Progress] = []
    for read in plan.reads:
        if read.deferred:
            continue
        ok = read.status is Status.OK and read.batch is not None and plan.outcome.error is None
        found.append(
            Progress(
                resource=plan.resource.name,
                parent=read.parent.key,
                parent_id=read.parent_id,
                partition_key=read.partition,
                cursor_value=_cursor(read),
                unread_before=read.rest.unread_before if read.rest else None,
                # With a withheld removal the parent stays due, and its check keeps failing.
                parent_cursor=None if read.withheld or read.rest else read.parent_version,
                status=read.status,
                error=read.error,
                rows_read=read.batch.records if read.batch else 0,
                rows_loaded=read.batch.rows_written if read.batch else 0,
                attempted_at=started,
                succeeded_at=_newest_read_at(read, started) if ok else None,
                starts_anew=plan.starts_anew,
            )
        )
    return found


def _cursor(read: Read) -> datetime | None:
    """Up to where everything was read for certain."""
    if read.batch is None or read.batch.ends_unproven:
        return None
    return (read.rest.cursor if read.rest else None) or read.batch.cursor


def _newest_read_at(read: Read, started: datetime) -> datetime:
    """When the newest rows were read: in an earlier round, if this one has read only what that had left."""
    before = read.last.succeeded_at if read.last and read.bounds.only_rest else None
    return before or started


def _log_entry(plan: Plan, started: datetime) -> LogEntry:
    outcome = plan.outcome
    statuses = Counter(read.status for read in plan.reads)
    reason = outcome.error or next((read.error for read in plan.reads if read.status is Status.FAILED), None)
    return LogEntry(
        resource=plan.resource.name,
        started_at=started,
        ended_at=datetime.now(UTC),
        status=Status.FAILED if reason else Status.OK,
        error=reason,
        reads=sum(not read.deferred for read in plan.reads),
        failed_reads=statuses[Status.FAILED],
        skipped_reads=statuses[Status.SKIPPED] + len(outcome.incomplete_parents),
        requests=outcome.requests,
        retries=outcome.retries,
        seconds_waited=outcome.waited,
        rows_read=outcome.records,
        rows_loaded=outcome.rows_loaded,
        rows_removed=outcome.deleted,
    )


def _inspect_table(context: SyncContext, plan: Plan, session: WarehouseSession) -> None:
    """Fill what the asset's checks need: faulty keys, parents left failed, parents not read within the allowed lag."""
    outcome, resource = plan.outcome, plan.resource
    if outcome.error is None:
        key = key_columns(context.platform, resource, plan.buffer.columns)
        outcome.duplicate_keys, outcome.null_keys = session.key_faults(resource.name, key)
    known = plan.known_parents if resource.endpoint.parents else {NO_PARENT.key}
    if resource.endpoint.parents:
        failed = session.left_failed(resource.name)
        outcome.left_failed = {parent: why for parent, why in failed if parent in known}
    late = session.read_before(resource.name, context.started - allowed_lag(context.platform, resource))
    # An unchanged parent of a bucket is not read again and is fresh nevertheless.
    every = not isinstance(resource.partition, Buckets)
    outcome.not_fresh = {
        parent: success for parent, success, status in late if parent in known and (every or status is Status.FAILED)
    }

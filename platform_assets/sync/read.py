"""Reads everything that was planned, over HTTP, every resource and parent concurrently, into Parquet files.

A read that fails leaves no rows behind and does not stop the others. The warehouse is free meanwhile.
"""

import logging
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from functools import partial

import numpy as np
import pyarrow as pa

from platform_assets.arrow.buffer import Batch, BufferedRows, is_member
from platform_assets.counted import counted
from platform_assets.declarations import PlatformAssetsError
from platform_assets.extraction import reading
from platform_assets.extraction.queries import NO_PARENT
from platform_assets.http.client import ApiClient
from platform_assets.http.errors import RequestFailed
from platform_assets.progress import current
from platform_assets.sync.known_rows import NO_HASHES
from platform_assets.sync.outcome import PartitionOutcome, latest
from platform_assets.sync.planned import Plan, Read
from platform_assets.sync.round_time import RoundTime
from platform_assets.warehouse import Status
from platform_assets.warehouse.load_errors import reason

log = logging.getLogger(__name__)


def read_all(client: ApiClient, plans: Sequence[Plan], time: RoundTime) -> None:
    """Do the planned reads, as many as the round has time for; at least one.

    A failure is recorded in its `Read`; raises only Cancelled and the like.
    """
    current().reads_planned(client.platform.name, {plan.resource.name: len(plan.reads) for plan in plans})
    with ThreadPoolExecutor(client.platform.client.max_concurrency, thread_name_prefix="read") as pool:
        futures: list[Future[None]] = [
            pool.submit(_do_observed, client, plan, reads, time) for plan in plans for reads in _read_together(plan)
        ]
        done, pending = wait(futures, return_when=FIRST_EXCEPTION)
        for future in pending:
            future.cancel()
        for future in done:
            future.result()


def _read_together(plan: Plan) -> Iterator[Sequence[Read]]:
    """The reads that share their requests: one parent each, unless the endpoint takes several in one request.

    What the contract does not serve is not requested, and its read has no rows. First reads are kept apart from later
    ones, since they may need other lists.
    """
    if plan.outcome.unserved is not None:
        for read in plan.reads:
            read.batch = Batch(parent=read.parent.key)
            plan.buffer.accept(read.batch)
        return
    batch = plan.resource.endpoint.batch
    size = batch.size if batch else 1
    for reads in ([read for read in plan.reads if read.is_first], [read for read in plan.reads if not read.is_first]):
        for first in range(0, len(reads), size):
            yield reads[first : first + size]


def _do_observed(client: ApiClient, plan: Plan, reads: Sequence[Read], time: RoundTime) -> None:
    platform, resource, observer = client.platform.name, plan.resource.name, current()
    observer.read_began(platform, resource)
    try:
        _do_reads(client, plan, reads, time)
    finally:
        observer.read_ended(platform, resource, len(reads))


def _do_reads(client: ApiClient, plan: Plan, reads: Sequence[Read], time: RoundTime) -> None:
    # What state a deferred parent has counts in the next round, which must not be if the table lost rows.
    if not plan.starts_anew and not time.may_begin():
        for read in reads:
            read.deferred = True
        return
    counts: Counter[str] = Counter()
    batches = [Batch(parent=read.parent.key) for read in reads]
    bounds = reads[0].bounds
    parents = tuple(read.parent for read in reads)
    todo = reading.ListRead(client, plan.resource, parents, bounds, counts, time.part())
    pairs = list(zip(reads, batches, strict=True))
    try:
        target = _target(client.platform.name, plan, reads, batches)
        rest = reading.read(todo, target, matters=lambda: any(_needs_proof(plan, *pair) for pair in pairs))
        if not todo.ignored and any(len(_missing_keys(*pair)) for pair in pairs):
            # One answer is not enough: rows move between pages, and lists are cut short.
            reading.reread_until_complete(todo, target)
        for read, batch in pairs:
            read.rest = rest
            if todo.ignored:
                # Skipped is not done: what has come lands, no cursor moves, and nothing counts as removed.
                read.status, read.error, read.ignored, read.rest = Status.SKIPPED, todo.ignored[0], True, None
            else:
                read.missing_keys = _missing_keys(read, batch)
            read.row_count = len(np.unique(np.concatenate(batch.keys))) if batch.keys else 0
            plan.buffer.accept(batch)
            read.batch = batch
    except RequestFailed as failure:
        # A parent that was removed or is not visible is skipped and counted, and its siblings go on.
        is_refused = reads[0].parent is not NO_PARENT and failure.not_visible
        if is_refused and len(reads) > 1:
            # One of them may be gone; the others have rows.
            for read in reads:
                _do_reads(client, plan, [read], time)
            return
        for read in reads:
            read.status = Status.SKIPPED if is_refused else Status.FAILED
            read.error, read.permanent = str(failure), failure.permanent
    except PlatformAssetsError as error:
        _fail(reads, str(error))
    except Exception as error:
        # A bug in one resource must not fail the others; the log has the traceback.
        log.debug("unexpected fault: %s", client.redact(traceback.format_exc()))
        _fail(reads, client.redact(f"{client.platform.name}/{plan.resource.name}: {reason(error)}"))
    finally:
        plan.counts.update(counts)


def _fail(reads: Sequence[Read], error: str) -> None:
    for read in reads:
        read.status, read.error = Status.FAILED, error


def _target(platform: str, plan: Plan, reads: Sequence[Read], batches: Sequence[Batch]) -> reading.Target:
    """Where the rows of some reads go, with the parent's values in their columns."""
    columns: dict[str, dict[str, pa.Scalar]] = {}
    for read in reads:
        values = zip(plan.parent_types.items(), read.parent.values.values(), strict=True)
        columns[read.parent.key] = {name: pa.scalar(value, kind) for (name, kind), value in values}
    batch = plan.resource.endpoint.batch
    return reading.Target(
        plan.buffer,
        {batch.parent: batch for batch in batches},
        columns,
        batch.parent_field if batch else None,
        partial(current().page_read, platform, plan.resource.name),
    )


def _needs_proof(plan: Plan, read: Read, batch: Batch) -> bool:
    """Whether rows that the batch lacks would be lost or taken for removed, so that its end must be confirmed.

    A list that the server does not filter is read in full again next time. But if something in it is new, more of
    what is new may have been cut off, and nothing would show that.
    """
    if len(_missing_keys(read, batch)):
        return True
    incremental = plan.resource.endpoint.incremental
    if incremental is None or not incremental.partial:
        return batch.pages > 1 and (read.is_first or batch.rows_written > 0)
    recorded = read.last.cursor_value if read.last else None
    return read.is_first or recorded is None or (batch.cursor is not None and batch.cursor > recorded)


def _missing_keys(read: Read, batch: Batch) -> np.ndarray:
    """Hashes of the keys that the table has of this parent and that the read has not returned."""
    if read.known_keys is None or not len(read.known_keys):
        return NO_HASHES
    returned = np.sort(np.concatenate(batch.keys)) if batch.keys else NO_HASHES
    return read.known_keys[~is_member(read.known_keys, returned)]


def finish_reading(plan: Plan) -> BufferedRows | None:
    """Close the resource's buffer and fill its outcome. Returns the rows to load; None if the resource failed."""
    outcome = plan.outcome
    outcome.left = {
        read.parent.key: read.rest.position if read.rest else None for read in plan.reads if read.deferred or read.rest
    } | dict.fromkeys(plan.postponed)
    for read in plan.reads:
        if read.deferred:
            continue
        if read.parent is NO_PARENT:
            if read.status is Status.FAILED:
                outcome.error, outcome.permanent = read.error, read.permanent
            continue
        partition = outcome.partitions.setdefault(read.partition, PartitionOutcome(read.partition))
        partition.parents += 1
        if read.status is Status.FAILED:
            partition.errors.append(read.error or "failed")
            partition.permanent = read.permanent
        elif read.status is Status.SKIPPED:
            partition.skipped.append(read.parent.key)
    _fail_if_all_skipped(plan)
    outcome.pages = plan.counts["pages"]
    outcome.requests = plan.counts["requests"]
    outcome.retries = plan.counts["retries"]
    outcome.waited = plan.counts["waited_ms"] / 1000
    outcome.gone_envelopes = plan.counts["gone"]
    outcome.ignored_responses = plan.counts["ignored"]
    outcome.ignored = next((read.error for read in plan.reads if read.ignored), None)
    outcome.filtered = plan.counts["filtered"]
    outcome.missing_details = plan.counts["missing_details"]
    if outcome.error is not None:
        return None
    buffered = plan.buffer.finish()
    outcome.records, outcome.rows_loaded, outcome.repeats = buffered.records, buffered.rows, buffered.repeats
    for read in plan.reads:
        if read.batch is None:
            continue
        outcome.cursor = latest([outcome.cursor, read.batch.cursor])
        if read.parent is not NO_PARENT:
            partition = outcome.partitions[read.partition]
            partition.records += read.batch.records
            partition.rows_loaded += read.batch.rows_written
            partition.cursor = latest([partition.cursor, read.batch.cursor])
    outcome.created = not plan.existed
    if plan.existed:
        outcome.added_columns = dict(buffered.columns.added)
    outcome.variants = sorted(buffered.columns.drifted)
    return buffered


def _fail_if_all_skipped(plan: Plan) -> None:
    """Fail the resource if every parent was refused: a permission is missing, or the path does not exist any more."""
    skipped = [read for read in plan.reads if read.status is Status.SKIPPED and not read.ignored]
    if skipped and len(skipped) == len(plan.reads) and not plan.other_parents_ok:
        plan.outcome.error = f"refused for all of {counted(len(skipped), 'parent')}: {skipped[0].error}"
        # Not for a 410, which may be over soon.
        plan.outcome.permanent = all(read.permanent for read in skipped)

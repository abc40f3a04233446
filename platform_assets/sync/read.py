"""The reads of a sync: every resource and parent concurrently, the warehouse free meanwhile."""

import logging
import traceback
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait

import numpy as np
import pyarrow as pa

from platform_assets.arrow.batches import Batch
from platform_assets.arrow.hashes import is_member
from platform_assets.declarations import PlatformAssetsError
from platform_assets.extraction.reading import NO_PARENT, read, reread_until_complete
from platform_assets.http.client import ApiClient
from platform_assets.http.errors import RequestFailed
from platform_assets.sync.plan import Plan, Unit
from platform_assets.warehouse import Status
from platform_assets.warehouse.load_errors import reason

log = logging.getLogger(__name__)

SKIPPED_STATUSES = (403, 404, 410)
"""A parent that answers so is gone or not ours to see: skipped and counted, its siblings go on."""


def read_all(client: ApiClient, plans: Sequence[Plan]) -> None:
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


def _read_unit(client: ApiClient, plan: Plan, unit: Unit) -> None:
    counts: Counter[str] = Counter()
    names = plan.parent_types.items()
    values = unit.parent.values.values()
    parent_columns = {name: pa.scalar(value, kind) for (name, kind), value in zip(names, values, strict=True)}
    try:
        where = (client, plan.resource, unit.parent, unit.start, plan.buffer, parent_columns, counts)
        batch = read(*where, matters=lambda batch: _matters(plan, unit, batch))
        unit.missing = _missing(unit, batch)
        if len(unit.missing):
            # One answer is not believed: rows move between pages, and lists are cut short.
            reread_until_complete(*where, batch)
            unit.missing = _missing(unit, batch)
        unit.rows = len(np.unique(np.concatenate(batch.keys))) if batch.keys else 0
        plan.buffer.accept(batch)
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


def _matters(plan: Plan, unit: Unit, batch: Batch) -> bool:
    """Whether rows that the batch lacks would be lost, or be taken for removed.

    A list that the server does not filter is read in full again next time; but what is new in it, and was cut off,
    would not be noticed.
    """
    if len(_missing(unit, batch)):
        return True
    incremental = plan.resource.endpoint.incremental
    if incremental is None or not incremental.server_side:
        return batch.pages > 1 and (unit.is_first or batch.rows_written > 0)
    recorded = unit.last.cursor_value if unit.last else None
    return unit.is_first or recorded is None or (batch.cursor is not None and batch.cursor > recorded)


def _missing(unit: Unit, batch: Batch) -> np.ndarray:
    """Hashes of the rows that the table has of this parent and that the read has not returned."""
    if unit.known is None or not len(unit.known):
        return np.empty(0, np.uint64)
    read = np.sort(np.concatenate(batch.keys)) if batch.keys else np.empty(0, np.uint64)
    return unit.known[~is_member(unit.known, read)]

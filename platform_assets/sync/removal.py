"""Which rows were removed upstream: missing from two complete reads of their parent, and not suspiciously many.

Each parent is judged by its own reads; what its siblings answered says nothing about it.
"""

import numpy as np

from platform_assets.arrow.batches import BufferedRows
from platform_assets.arrow.columns import Columns
from platform_assets.arrow.hashes import is_member
from platform_assets.arrow.keys import hash_keys
from platform_assets.declarations import OnRemoval
from platform_assets.extraction.reading import NO_PARENT
from platform_assets.sync.context import SyncContext
from platform_assets.sync.known_rows import key_columns
from platform_assets.sync.planned import Plan, Read
from platform_assets.warehouse.row_filter import RowFilter
from platform_assets.warehouse.session import Keys, WarehouseSession

# This many rows may be missing however short the list is; beyond that, at most half of the list.
FEW = 2


def removed_keys(context: SyncContext, plan: Plan, content: BufferedRows, session: WarehouseSession) -> Keys:
    """Keys of the rows to soft-delete or delete. Fills the outcome's counts.

    A soft delete of suspiciously many rows, which may be a lost permission, is withheld unless a full refresh was
    requested. Hard deletes are never withheld: there, a parent's list is its current list, however short.
    """
    removed: list[tuple[Read, np.ndarray]] = []
    is_guarded = plan.resource.removal_policy is OnRemoval.SOFT_DELETE and not context.selection.full_refresh
    for read in plan.reads:
        # A row that another parent lists now has moved.
        missing = read.missing_keys[~is_member(read.missing_keys, content.keys)]
        if read.batch is None or not len(missing):
            continue
        if is_guarded and _is_suspicious(plan, read, len(missing)):
            read.withheld = len(missing)
            continue
        removed.append((read, missing))
        if read.parent is not NO_PARENT:
            plan.outcome.partitions[read.partition].deleted += len(missing)
    plan.outcome.deletion_withheld = sum(read.withheld for read in plan.reads)
    plan.outcome.deleted = sum(len(missing) for _, missing in removed)
    return _keys(context, plan, content.columns, removed, session)


def _is_suspicious(plan: Plan, read: Read, missing: int) -> bool:
    """Whether most of the rows are missing. Not if another parent took the name: it has none of the old one's rows."""
    if not plan.parent_types and not read.row_count:
        return True
    return not read.replaces_parent and missing > FEW and missing * 2 > missing + read.row_count


def _keys(
    context: SyncContext,
    plan: Plan,
    columns: Columns,
    removed: list[tuple[Read, np.ndarray]],
    session: WarehouseSession,
) -> Keys:
    """The key and parent values of the rows behind the hashes.

    They are looked up by both: a row that another run gave to another parent meanwhile stays.
    """
    key = key_columns(context.platform, plan.resource, columns)
    names = (*key, *plan.parent_types)
    if not removed:
        return Keys(names, [])
    hashes = np.sort(np.concatenate([missing for _, missing in removed]))
    rows = []
    parent_names = tuple(name for read, _ in removed for name in read.parent_names)
    parents = np.sort(hash_keys(parent_names))
    part = RowFilter(columns=tuple(plan.parent_types), parents=parent_names)
    for chunk in session.current_values(plan.resource.name, list(names), part):
        is_removed = is_member(hash_keys(row[: len(key)] for row in chunk), hashes)
        is_removed &= is_member(hash_keys(row[len(key) :] for row in chunk), parents)
        rows += [row for row, chosen in zip(chunk, is_removed, strict=True) if chosen]
    return Keys(names, rows)

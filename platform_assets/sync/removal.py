"""Which rows are gone: missing from two whole reads of their parent, and few enough to be believed.

Every parent is weighed alone: what its siblings answered says nothing about it.
"""

import numpy as np

from platform_assets.arrow.batches import BufferedRows
from platform_assets.arrow.columns import Columns
from platform_assets.arrow.hashes import is_member
from platform_assets.arrow.keys import hash_keys
from platform_assets.declarations import OnRemoval, Platform
from platform_assets.sync.plan import Plan, Unit
from platform_assets.warehouse.session import Keys, WarehouseSession

FEW = 2
"""So many rows may be missing however short the list was; of more, only up to half of it."""


def gone(platform: Platform, plan: Plan, content: BufferedRows, session: WarehouseSession, full_refresh: bool) -> Keys:
    """Keys of the rows to mark or delete. Fills the outcome's counts.

    What looks like a lost permission is withheld, unless a full refresh was asked for; a parent's replaced list is
    its current list, however short.
    """
    believed: list[tuple[Unit, np.ndarray]] = []
    for unit in plan.units:
        # A row that another parent lists now has moved.
        missing = unit.missing[~is_member(unit.missing, content.keys)]
        if unit.batch is None or not len(missing):
            continue
        marks = plan.resource.removal_policy is OnRemoval.SOFT_DELETE
        if marks and not full_refresh and _is_suspicious(plan, unit, len(missing)):
            unit.withheld = len(missing)
            continue
        believed.append((unit, missing))
    plan.outcome.deletion_withheld = sum(unit.withheld for unit in plan.units)
    plan.outcome.deleted = sum(len(missing) for _, missing in believed)
    return _keys(platform, plan, content.columns, believed, session)


def _is_suspicious(plan: Plan, unit: Unit, missing: int) -> bool:
    """Whether most of the rows are missing; another parent of the same name has none of the old one's rows."""
    if not plan.parent_types and not unit.rows:
        return True
    return not unit.is_another and missing > FEW and missing * 2 > missing + unit.rows


def _keys(
    platform: Platform,
    plan: Plan,
    columns: Columns,
    believed: list[tuple[Unit, np.ndarray]],
    session: WarehouseSession,
) -> Keys:
    """The rows themselves, by key and parent: a row that another run gave to another parent meanwhile stays."""
    key = tuple(columns.name_of(name) for name in platform.primary_key_of(plan.resource))
    names = (*key, *plan.parent_types)
    if not believed:
        return Keys(names, [])
    hashes = np.sort(np.concatenate([missing for _, missing in believed]))
    parents = np.sort(hash_keys(name for unit, _ in believed for name in unit.names))
    rows = []
    for chunk in session.current_values(plan.resource.name, list(names)):
        mine = is_member(hash_keys(row[: len(key)] for row in chunk), hashes)
        mine &= is_member(hash_keys(row[len(key) :] for row in chunk), parents)
        rows += [row for row, is_mine in zip(chunk, mine, strict=True) if is_mine]
    return Keys(names, rows)

"""Backfills that have not yet requested all of their runs.

`DagsterInstance.get_backfills` is public, but the filter it takes and the statuses are not exported: see
tests/patches/test_private_modules.py for when this file can go.
"""

from collections.abc import Set
from datetime import datetime

import dagster as dg
from dagster._core.execution.backfill import BulkActionsFilter, BulkActionStatus

_OPEN_STATUSES = [BulkActionStatus.REQUESTED, BulkActionStatus.CANCELING, BulkActionStatus.FAILING]


def assets_of_open_backfills(instance: dg.DagsterInstance, created_after: datetime) -> Set[dg.AssetKey]:
    """Assets of the backfills that were created after a moment and are not over."""
    filters = BulkActionsFilter(statuses=_OPEN_STATUSES, created_after=created_after)
    backfills = instance.get_backfills(filters=filters)
    return {key for backfill in backfills for key in backfill.asset_selection or ()}

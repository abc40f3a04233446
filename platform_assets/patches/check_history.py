"""The last evaluation of an asset check.

`DagsterInstance` has no public method for it, and the statuses that the event log storage filters by are not exported:
see tests/patches/test_private_modules.py for when this file can go.
"""

import dagster as dg
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus

# A check that is planned, or whose run died, has a record but no evaluation.
_EVALUATED = {AssetCheckExecutionRecordStatus.SUCCEEDED, AssetCheckExecutionRecordStatus.FAILED}


def last_evaluation(instance: dg.DagsterInstance, key: dg.AssetCheckKey) -> dg.AssetCheckEvaluation | None:
    """The newest evaluation of a check, None if it was never evaluated."""
    records = instance.event_log_storage.get_asset_check_execution_history(key, limit=1, status=_EVALUATED)
    return records[0].evaluation if records else None

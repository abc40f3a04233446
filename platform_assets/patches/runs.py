"""Names of Dagster's run storage that `dagster` does not export.

The set of unfinished statuses is Dagster's own rather than a list here, so that a status which a new version adds
(1.13 added SUSPENDED) counts as well. Each name can go when tests/patches/test_private_modules.py says that it is
exported.
"""

from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES as UNFINISHED_STATUSES
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    PARTITION_NAME_TAG,
    RUN_KEY_TAG,
)

__all__ = [
    "ASSET_PARTITION_RANGE_END_TAG",
    "ASSET_PARTITION_RANGE_START_TAG",
    "PARTITION_NAME_TAG",
    "RUN_KEY_TAG",
    "UNFINISHED_STATUSES",
]

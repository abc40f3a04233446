"""Extraction and warehouse together: read some resources of a platform and land what was read whole."""

from platform_assets.loading.outcome import PartitionOutcome, ResourceOutcome
from platform_assets.loading.plan import Selection
from platform_assets.loading.sync import sync

__all__ = ["PartitionOutcome", "ResourceOutcome", "Selection", "sync"]

"""Extraction and warehouse together: read some resources of a platform and land what was read whole."""

from platform_assets.sync.outcome import PartitionOutcome, ResourceOutcome
from platform_assets.sync.plan import Selection
from platform_assets.sync.run import sync

__all__ = ["PartitionOutcome", "ResourceOutcome", "Selection", "sync"]

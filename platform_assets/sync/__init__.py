"""One sync: read some resources of a platform over HTTP and load them into the warehouse.

The way a sync takes, one module per step:

    run        the rounds of a sync, and what it returns
    account    before anything is read: is the warehouse's data of the account that the settings name?
    plan       per resource: its parents (`parents`), where each read starts (`window`), and the rows that the table
               already has (`known_rows`)
    read       every planned read over HTTP, concurrently, into Parquet files
    land       one load of everything new, then one transaction with cursors and removed rows (`removal`)

`context` holds what all steps share, `outcome` what they report.
"""

from platform_assets.sync.context import Selection
from platform_assets.sync.outcome import PartitionOutcome, ResourceOutcome
from platform_assets.sync.run import sync

__all__ = ["PartitionOutcome", "ResourceOutcome", "Selection", "sync"]

"""Moves a platform's part of a warehouse to another one, of the same database or not: `platform-assets state`.

Rows without their cursors would be read again, and cursors without their rows would hide them. So an export has both as
of one moment, and an import lands both in one transaction. What an export is, and how a damaged one is noticed, is in
manifest.py; export.py writes it and load.py lands it.
"""

from platform_assets.warehouse.transfer.manifest import Manifest, TransferError

__all__ = ["Manifest", "TransferError"]

"""Compares what the API serves now with what the warehouse holds, cell by cell, and mends what differs."""

from platform_assets.verification.findings import Finding, Kind, Mended, Verification
from platform_assets.verification.verify import EXAMPLES, Budget, verify

__all__ = ["EXAMPLES", "Budget", "Finding", "Kind", "Mended", "Verification", "verify"]

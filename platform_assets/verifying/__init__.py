"""Compares what the API serves now with what the warehouse holds, cell by cell, and mends what differs."""

from platform_assets.verifying.findings import Finding, Kind, Mended, Verification
from platform_assets.verifying.verification import EXAMPLES, Budget, verify

__all__ = ["EXAMPLES", "Budget", "Finding", "Kind", "Mended", "Verification", "verify"]

"""Compares what the API serves now with what the warehouse holds, cell by cell, and can fix what differs.

verify     per resource: read, copy the table, compare, report, fix
served     the API's side: read as a sync reads, into Parquet files
compare    both sides in one DuckDB (`table_shape`, `sql`), and rows that differ cell by cell (`cells`)
findings   what is reported
fix        writes what is missing or changed, lets a sync remove what is extra
"""

from platform_assets.verification.findings import Finding, Fix, Kind, Verification
from platform_assets.verification.verify import EXAMPLES, Budget, verify

__all__ = ["EXAMPLES", "Budget", "Finding", "Fix", "Kind", "Verification", "verify"]

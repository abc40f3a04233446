"""A self-test after `sync --sandbox`: the warehouse has as many rows as the sandbox says that it served."""

from collections.abc import Mapping, Set

from rich.console import Console

from platform_assets.cli.summary import Summary
from platform_assets.declarations import REFERENCE, Platform
from platform_assets.http.base_urls import account_settings
from platform_assets.platforms import platform_named
from platform_assets.sandbox import SandboxServer, expected_counts, vendor_rows


def rows_equal_sandbox(console: Console, server: SandboxServer, summary: Summary, served: Set[str]) -> bool:
    """Compare the row counts of the platforms in `served` and print the result; whether all are as they must be.

    Equal on the sandbox's first day. Later a table may have more, since it keeps rows that were removed upstream. The
    sandbox counts its own records and shares no code with the extraction, so that it can contradict it. What a
    vendor's contract does not serve has no rows.
    """
    expected = {name: _expected(server, platform_named(name)) for name in served}
    compared = {name: asset for name, asset in summary.assets.items() if name.split("/")[0] in served}
    differences = []
    for name, asset in compared.items():
        platform, resource = name.split("/")
        count = expected[platform].get(resource, 0)
        if asset.rows is None or asset.rows < count or (asset.rows > count and not server.backend.has_advanced):
            differences.append(f"{name}: {asset.rows or 0} in the table, {count} in the sandbox")
    if not differences:
        equal = "at least those" if server.backend.has_advanced else "equal"
        counts = f"Row counts of all {len(compared)} assets" if len(compared) > 1 else "Row count of 1 asset"
        console.print(f"{counts} compared with the sandbox's: {equal}.", highlight=False)
    for line in differences:
        console.print(line, style="red", markup=False)
    return not differences


def _expected(server: SandboxServer, platform: Platform) -> Mapping[str, int]:
    contract = account_settings(platform).contract
    if contract == REFERENCE:
        return expected_counts(server.backend, platform.name)
    return {resource: len(rows) for resource, rows in vendor_rows(server.backend, contract).items()}

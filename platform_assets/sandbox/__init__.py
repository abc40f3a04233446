"""The five APIs on this machine: the `reference` contract and the vendors' over real HTTP, with deterministic data.

Written independently of the extraction and sharing no code with it, so that the two cannot be wrong in the same way.
Its tokens are public.
"""

from platform_assets.sandbox.backend import SERVED, FakeBackend, expected_counts, expected_rows
from platform_assets.sandbox.faults import Fault
from platform_assets.sandbox.server import SandboxServer, serve
from platform_assets.sandbox.tokens import ninjaone_client_id, ninjaone_client_secret, sandbox_token
from platform_assets.sandbox.vendors import VENDOR_PLATFORMS, VendorOptions, vendor_rows
from platform_assets.sandbox.vendors.settings import vendor_settings

__all__ = [
    "SERVED",
    "VENDOR_PLATFORMS",
    "FakeBackend",
    "Fault",
    "SandboxServer",
    "VendorOptions",
    "expected_counts",
    "expected_rows",
    "ninjaone_client_id",
    "ninjaone_client_secret",
    "sandbox_token",
    "serve",
    "vendor_rows",
    "vendor_settings",
]

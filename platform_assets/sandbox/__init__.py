"""The five APIs on this machine: the `reference` contract over real HTTP, with deterministic data.

An independent witness of the contract: it shares no code with the extraction. Its tokens are no secrets.
"""

from platform_assets.sandbox.faults import Fault
from platform_assets.sandbox.server import SandboxServer, serve
from platform_assets.sandbox.tokens import sandbox_token
from platform_assets.sandbox.world import SERVED, FakeBackend, expected_rows

__all__ = ["SERVED", "FakeBackend", "Fault", "SandboxServer", "expected_rows", "sandbox_token", "serve"]

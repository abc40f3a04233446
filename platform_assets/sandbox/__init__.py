"""The five APIs on this machine: the `reference` contract over real HTTP, with deterministic data.

Written independently of the extraction and sharing no code with it, so that the two cannot be wrong in the same way.
Its tokens are public.
"""

from platform_assets.sandbox.backend import SERVED, FakeBackend, expected_rows
from platform_assets.sandbox.faults import Fault
from platform_assets.sandbox.server import SandboxServer, serve
from platform_assets.sandbox.tokens import sandbox_token

__all__ = ["SERVED", "FakeBackend", "Fault", "SandboxServer", "expected_rows", "sandbox_token", "serve"]

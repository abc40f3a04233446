"""Fixtures of the fuzz tests."""

from collections.abc import Iterator

import pytest

from platform_assets.sandbox import SandboxServer
from tests.faults.fixed_response import FixedResponse


@pytest.fixture(scope="module")
def fixed(shared_sandbox: SandboxServer) -> Iterator[FixedResponse]:
    found = FixedResponse(shared_sandbox.url)
    with found.proxy:
        yield found

"""Fixtures of the fuzz tests."""

from collections.abc import Iterator

import pytest

from platform_assets.sandbox import SandboxServer
from tests.faults.fixed_response import Answers


@pytest.fixture(scope="module")
def answers(shared_sandbox: SandboxServer) -> Iterator[Answers]:
    found = Answers(shared_sandbox.url)
    with found.proxy:
        yield found

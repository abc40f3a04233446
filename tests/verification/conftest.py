"""A sandbox that all platforms' settings point at."""

from collections.abc import Iterator

import pytest

from platform_assets.sandbox import SandboxServer
from tests.settings import PointAt


@pytest.fixture
def server(point_at: PointAt) -> Iterator[SandboxServer]:
    with SandboxServer() as running:
        point_at(running)
        yield running

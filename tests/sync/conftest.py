"""A stub API for each test that requests one."""

from collections.abc import Iterator

import pytest

from tests.servers.stub_api import StubApi


@pytest.fixture
def api() -> Iterator[StubApi]:
    with StubApi() as server:
        yield server

"""One Postgres for all tests of a process, and an empty database in it for each test that requests one."""

from collections.abc import Iterator, Mapping

import pytest

from tests.servers.postgres import new_database, postgres_server


@pytest.fixture(scope="session")
def postgres_settings() -> Iterator[Mapping[str, str]]:
    """dlt's settings of the server; use `new_database` of them."""
    with postgres_server() as settings:
        yield settings


@pytest.fixture
def in_postgres(postgres_settings: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> Mapping[str, str]:
    """The warehouse of this test is a Postgres database of its own. Its settings, which are also in the environment."""
    settings = new_database(postgres_settings)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return settings

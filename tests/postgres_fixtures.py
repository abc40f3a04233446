"""One Postgres for all tests of a process, and an empty database in it for each test that requests one.

A test that requests `in_either_warehouse` runs with DuckDB and with Postgres. The run with Postgres is marked `long`,
or `slow` if the test is marked `always_in_postgres`.
"""

from collections.abc import Iterator, Mapping

import pytest


@pytest.fixture(scope="session")
def postgres_settings() -> Iterator[Mapping[str, str]]:
    """dlt's settings of the server; use `new_database` of them."""
    # Here, since `make test-embedded-elt` has no driver of Postgres.
    from tests.servers.postgres import postgres_server

    with postgres_server() as settings:
        yield settings


@pytest.fixture
def in_postgres(postgres_settings: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> Mapping[str, str]:
    """The warehouse of this test is a Postgres database of its own. Its settings, which are also in the environment."""
    from tests.servers.postgres import new_database

    settings = new_database(postgres_settings)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return settings


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "in_either_warehouse" in metafunc.fixturenames:
        is_always = metafunc.definition.get_closest_marker("always_in_postgres") is not None
        postgres = pytest.param("postgres", marks=pytest.mark.slow if is_always else pytest.mark.long)
        metafunc.parametrize("in_either_warehouse", ["duckdb", postgres], indirect=True)


@pytest.fixture
def in_either_warehouse(request: pytest.FixtureRequest) -> str:
    """The warehouse of this test is a DuckDB file, or a Postgres database of its own. Its name."""
    if request.param == "postgres":
        request.getfixturevalue("in_postgres")
    return request.param

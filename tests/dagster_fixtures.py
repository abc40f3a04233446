"""The project's repository, and a Dagster instance that lives as long as its test."""

from collections.abc import Iterator

import dagster as dg
import pytest

from platform_assets.definitions import defs


@pytest.fixture(scope="session")
def repository() -> dg.RepositoryDefinition:
    return defs().get_repository_def()


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral

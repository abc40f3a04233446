"""The warehouse holds what the sandbox serves: every row, every field, on every later sync too."""

from collections.abc import Callable
from pathlib import Path

import pytest

from platform_assets.platforms import all_platforms, platform_named
from platform_assets.sandbox import FakeBackend, SandboxServer, expected_rows
from tests.conftest import Sync
from tests.databases import is_postgres
from tests.settings import PointAt
from tests.tiers import one_in, only
from tests.warehouse_rows import differences, query

pytestmark = pytest.mark.usefixtures("in_either_warehouse")

PLATFORMS = [platform.name for platform in all_platforms()]


def problems(server: SandboxServer, path: Path, name: str) -> list[str]:
    """Differences over all tables of a platform."""
    platform = platform_named(name)
    expected = expected_rows(server.backend)[name]
    return [
        f"{resource.name}: {problem}"
        for resource in platform.resources
        for problem in differences(path, platform, resource, expected[resource.name])
    ]


def contents(path: Path, name: str) -> dict[str, list[tuple[object, ...]]]:
    """Every value of every table of a platform, including internal columns."""
    return {
        resource.name: sorted(query(path, f"SELECT * FROM {name}.{resource.name}"), key=repr)
        for resource in platform_named(name).resources
    }


@pytest.mark.parametrize("name", only(["ci_analytics"], PLATFORMS, slow=PLATFORMS))
def test_every_row_and_field_is_loaded_and_a_second_sync_changes_nothing(
    name: str, shared_sandbox: SandboxServer, point_at: PointAt, sync_platform: Sync, warehouse_file: Path
) -> None:
    point_at(shared_sandbox)
    outcomes = sync_platform(name)
    assert {outcome.error for outcome in outcomes.values()} == {None}
    assert problems(shared_sandbox, warehouse_file, name) == []
    expected = expected_rows(shared_sandbox.backend)[name]
    assert {key: outcome.rows_in_table for key, outcome in outcomes.items()} == {
        key: len(records) for key, records in expected.items()
    }
    before = contents(warehouse_file, name)
    again = sync_platform(name)
    assert {outcome.rows_loaded for outcome in again.values()} == {0}
    assert contents(warehouse_file, name) == before


@pytest.mark.parametrize("name", one_in(len(PLATFORMS), PLATFORMS, slow=3))
def test_rows_added_changed_and_removed_upstream_are_synced(
    name: str, point_at: PointAt, sync_platform: Sync, warehouse_file: Path
) -> None:
    with SandboxServer() as server:
        point_at(server)
        sync_platform(name)
        for hours in (1, 30, 24 * 5):
            server.backend.advance(hours=hours)
            outcomes = sync_platform(name)
            assert {outcome.error for outcome in outcomes.values()} == {None}
            assert problems(server, warehouse_file, name) == []


@pytest.mark.parametrize(
    ("backend", "name"),
    one_in(9, [(backend, name) for backend in (FakeBackend.empty, FakeBackend.tiny) for name in PLATFORMS], slow=3),
)
def test_empty_and_one_row_lists_create_every_table(
    name: str,
    backend: Callable[[], FakeBackend],
    point_at: PointAt,
    sync_platform: Sync,
    warehouse_file: Path,
) -> None:
    with SandboxServer(backend=backend()) as server:
        point_at(server)
        outcomes = sync_platform(name)
        assert {outcome.error for outcome in outcomes.values()} == {None}
        assert problems(server, warehouse_file, name) == []


def test_secret_fields_are_not_loaded(
    shared_sandbox: SandboxServer, point_at: PointAt, sync_platform: Sync, warehouse_file: Path
) -> None:
    point_at(shared_sandbox)
    sync_platform("error_tracking", ["projects", "project_detail"])
    served = repr(expected_rows(shared_sandbox.backend)["error_tracking"]["project_detail"])
    assert "sandbox-secret" in served
    assert "sandbox-secret" not in repr(query(warehouse_file, "SELECT * FROM error_tracking.project_detail"))
    assert is_postgres() or b"sandbox-secret" not in warehouse_file.read_bytes()

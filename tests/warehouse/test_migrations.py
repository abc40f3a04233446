"""Our own tables of earlier releases are brought to this one's form, once, and those of a newer one are left alone.

The older forms are those that the named commits made; nothing of today's declarations goes into them.
"""

import lzma
import os
import signal
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from platform_assets.cli.status import show_status
from platform_assets.platforms import platform_named
from platform_assets.sandbox import SandboxServer, expected_rows
from platform_assets.warehouse import WarehouseError, migrations, open_warehouse, state
from tests.conftest import Sync
from tests.forkserver import processes
from tests.servers.postgres import postgres_server
from tests.settings import PointAt
from tests.sync.in_process import started
from tests.warehouse.databases import Database, own_tables, settings_of_this_process
from tests.warehouse_rows import differences

PLATFORM = "error_tracking"
NAMES = [resource.name for resource in platform_named(PLATFORM).resources]
LOG = (
    "resource started_at ended_at status error reads failed_reads skipped_reads requests retries seconds_waited"
    " rows_read rows_loaded rows_removed"
)
STATE = "resource parent partition_key cursor_value parent_cursor status error rows_read rows_loaded attempted_at"
# Release (the commit that made this form) -> table -> its columns.
RELEASES = {
    "1268650, the first": {"_sync_state": f"{STATE} succeeded_at"},
    "b1d7e97": {"_sync_state": f"{STATE} succeeded_at", "_sync_log": LOG},
    "20f6fbb, the last without versions": {
        "_sync_state": f"{STATE} succeeded_at parent_id unread_before",
        "_sync_log": LOG,
        "_sync_tables": "resource row_count newest_loaded_at is_loading",
        "_sync_source": "origin contract account credential",
        "_sync_columns": "resource field column_name",
    },
}
FIRST = "1268650, the first"
# DuckDB warehouses that these commits have loaded from the sandbox's records of its first day; compressed, and copied
# into a file of small blocks before (`ATTACH ... (BLOCK_SIZE 16384)`, `COPY FROM DATABASE`).
OLDER = Path(__file__).parent / "older"
# Those that hashed rows in another way.
OTHER_HASHES = {"b1d7e97"}
COMMITS = tuple(sorted(path.name.split(".")[0] for path in OLDER.iterdir()))


@pytest.fixture(scope="module")
def server() -> Iterator[Database]:
    with postgres_server() as settings:
        yield Database(settings)


@pytest.fixture(params=["duckdb", "postgres"])
def database(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, warehouse_file: Path) -> Database:
    """The configured warehouse, which has nothing of the platform."""
    found: Database = Database.file(warehouse_file) if request.param == "duckdb" else request.getfixturevalue("server")
    found.configure(monkeypatch)
    found.run(f"DROP SCHEMA IF EXISTS {PLATFORM} CASCADE")
    return found


def make_older(database: Database, release: str) -> None:
    """Take from our tables what the release did not have."""
    form = RELEASES[release]
    for table, columns in own_tables(database, PLATFORM).items():
        if table not in form:
            database.run(f"DROP TABLE {PLATFORM}.{table}")
            continue
        for column in columns - set(form[table].split()):
            database.run(f"ALTER TABLE {PLATFORM}.{table} DROP COLUMN {column}")
    assert own_tables(database, PLATFORM) == {table: set(columns.split()) for table, columns in form.items()}


def newest_form() -> dict[str, set[str]]:
    tables: Mapping[str, Sequence[tuple[str, str]]] = state.TABLES
    return {"_sync_version": {"version"}, **{table: {name for name, _ in c} for table, c in tables.items()}}


@pytest.mark.slow
@pytest.mark.parametrize("release", RELEASES)
def test_after_an_upgrade_nothing_is_read_again_and_the_tables_equal_the_source(
    release: str,
    database: Database,
    shared_sandbox: SandboxServer,
    point_at: PointAt,
    sync_platform: Sync,
    warehouse_file: Path,
) -> None:
    point_at(shared_sandbox)
    sync_platform(PLATFORM)
    sync_platform(PLATFORM)
    unchanged = sync_platform(PLATFORM)
    cursors = f"SELECT resource, parent, cursor_value FROM {PLATFORM}._sync_state ORDER BY 1, 2"
    before = database.run(cursors)
    assert any(cursor is not None for _, _, cursor in before)
    make_older(database, release)
    outcomes = sync_platform(PLATFORM)
    results = {name: (found.error, found.reset, found.rows_loaded) for name, found in outcomes.items()}
    assert results == dict.fromkeys(NAMES, (None, None, 0))
    # As few records and requests as a sync that upgrades nothing.
    assert {name: found.records for name, found in outcomes.items()} == {n: f.records for n, f in unchanged.items()}
    assert {name: found.requests for name, found in outcomes.items()} == {n: f.requests for n, f in unchanged.items()}
    assert database.run(cursors) == before
    assert own_tables(database, PLATFORM) == newest_form()
    assert database.run(f"SELECT version FROM {PLATFORM}._sync_version") == [(migrations.VERSION,)]
    if database.is_file:
        platform, expected = platform_named(PLATFORM), expected_rows(shared_sandbox.backend)[PLATFORM]
        for resource in platform.resources:
            assert differences(warehouse_file, platform, resource, expected[resource.name]) == []


@pytest.mark.parametrize("commit", COMMITS)
def test_a_warehouse_that_an_earlier_release_has_loaded_goes_on(
    commit: str,
    shared_sandbox: SandboxServer,
    point_at: PointAt,
    sync_platform: Sync,
    warehouse_file: Path,
) -> None:
    """With everything that release has written, also what is not in our own tables: dlt's schema, hashes, times."""
    warehouse_file.write_bytes(lzma.decompress((OLDER / f"{commit}.duckdb.xz").read_bytes()))
    database = Database.file(warehouse_file)
    loaded_at = f"SELECT count(*), max(_loaded_at) FROM {PLATFORM}.events"
    before = database.run(loaded_at)
    point_at(shared_sandbox)
    first, second = sync_platform(PLATFORM), sync_platform(PLATFORM)
    for outcomes in (first, second):
        results = {name: (found.error, found.reset, found.rows_loaded) for name, found in outcomes.items()}
        if outcomes is first and commit in OTHER_HASHES:
            # What is read is landed again; what the cursors do not ask for stays as it is.
            results = {name: (error, reset, 0) for name, (error, reset, _) in results.items()}
            assert all(
                found.rows_loaded == found.records - found.repeats for found in outcomes.values() if found.rows_loaded
            )
        assert results == dict.fromkeys(NAMES, (None, None, 0))
    if commit not in OTHER_HASHES:
        assert {name: found.requests for name, found in first.items()} == {n: f.requests for n, f in second.items()}
        assert database.run(loaded_at) == before
    assert own_tables(database, PLATFORM) == newest_form()
    platform, expected = platform_named(PLATFORM), expected_rows(shared_sandbox.backend)[PLATFORM]
    for resource in platform.resources:
        assert differences(warehouse_file, platform, resource, expected[resource.name]) == []


def test_tables_of_a_newer_release_are_refused_and_left_as_they_are(
    database: Database, shared_sandbox: SandboxServer, point_at: PointAt, sync_platform: Sync
) -> None:
    point_at(shared_sandbox)
    sync_platform(PLATFORM, ["projects"])
    newer = migrations.VERSION + 1
    database.run(f"UPDATE {PLATFORM}._sync_version SET version = {newer}")
    database.run(f"ALTER TABLE {PLATFORM}._sync_state ADD COLUMN of_tomorrow INTEGER")
    before = database.run(f"SELECT * FROM {PLATFORM}._sync_log")
    line = f"version {newer} of our own tables, this release knows {migrations.VERSION}"
    with pytest.raises(WarehouseError, match=line):
        sync_platform(PLATFORM, ["projects"])
    with pytest.raises(WarehouseError, match=line):
        show_status([PLATFORM])
    assert database.run(f"SELECT * FROM {PLATFORM}._sync_log") == before
    assert database.run(f"SELECT version FROM {PLATFORM}._sync_version") == [(newer,)]


def killed_after(statements: int, environment: dict[str, str]) -> None:
    """Migrate, and be killed after so many statements that change something; ends with 0 if there were fewer."""
    os.environ.update(environment)
    tempfile.tempdir = None  # the process that this one was forked from has cached one that is gone
    with open_warehouse(platform_named(PLATFORM)) as warehouse:
        original = type(warehouse._client.sql_client).execute_sql
        left = [statements]

        def counted(self: Any, sql: Any, *args: Any, **more: Any) -> Any:
            if not str(sql).startswith(("CREATE TABLE", "ALTER TABLE", "DELETE", "INSERT")):
                return original(self, sql, *args, **more)
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= 1
            return original(self, sql, *args, **more)

        type(warehouse._client.sql_client).execute_sql = counted
        with warehouse.session():
            pass


@pytest.mark.slow
def test_a_migration_that_is_killed_at_any_statement_has_done_nothing_or_all(
    database: Database, shared_sandbox: SandboxServer, point_at: PointAt, sync_platform: Sync
) -> None:
    point_at(shared_sandbox)
    sync_platform(PLATFORM, ["projects"])
    make_older(database, FIRST)
    older = own_tables(database, PLATFORM)
    killed = 0
    while True:
        process = processes.Process(target=killed_after, args=(killed, settings_of_this_process()))
        process.start()
        process.join(60)
        if process.exitcode == 0:
            break
        assert process.exitcode == -signal.SIGKILL
        assert own_tables(database, PLATFORM) == older
        killed += 1
    assert killed >= 8  # four tables, two columns, and the version's table and row
    assert own_tables(database, PLATFORM) == newest_form()
    assert sync_platform(PLATFORM, ["projects"])["projects"].rows_loaded == 0


def test_two_processes_that_start_at_once_on_older_tables_both_sync(
    database: Database, shared_sandbox: SandboxServer, point_at: PointAt, sync_platform: Sync
) -> None:
    point_at(shared_sandbox)
    sync_platform(PLATFORM, ["projects"])
    make_older(database, FIRST)
    both = [started(PLATFORM, ["projects"], []) for _ in range(2)]
    for process in both:
        process.join(60)
    assert [process.exitcode for process in both] == [0, 0]
    assert own_tables(database, PLATFORM) == newest_form()
    assert database.run(f"SELECT count(*), max(version) FROM {PLATFORM}._sync_version") == [(1, migrations.VERSION)]


def test_one_of_our_tables_that_somebody_dropped_is_made_again(
    database: Database, shared_sandbox: SandboxServer, point_at: PointAt, sync_platform: Sync
) -> None:
    point_at(shared_sandbox)
    sync_platform(PLATFORM, ["projects"])
    database.run(f"DROP TABLE {PLATFORM}._sync_log")
    assert sync_platform(PLATFORM, ["projects"])["projects"].ok
    assert own_tables(database, PLATFORM) == newest_form()

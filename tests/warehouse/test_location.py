"""A DuckDB file has one writer: others wait, with a timeout and a clear message, and nothing is damaged."""

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from platform_assets.sandbox import FakeBackend, SandboxServer, expected_rows
from platform_assets.warehouse.backends import copied_file
from platform_assets.warehouse.location import WarehouseError, exclusive
from platform_assets.warehouse.queries import reading
from tests.cli.command import command, warm_command
from tests.conftest import Sync
from tests.settings import PointAt, sandbox_settings
from tests.warehouse_rows import query


@pytest.mark.parametrize(
    "platforms",
    [
        ("load_testing", "load_testing"),
        pytest.param(("load_testing", "device_management", "load_testing"), marks=pytest.mark.slow),
    ],
    ids=["two", "three"],
)
def test_syncs_in_processes_of_their_own_all_succeed(platforms: tuple[str, ...], warehouse_file: Path) -> None:
    backend = FakeBackend.tiny() if len(platforms) == 2 else FakeBackend()
    with SandboxServer(backend) as server, ThreadPoolExecutor() as pool:
        args = [["sync", "--no-models", "--platform", name] for name in platforms]
        done = list(pool.map(lambda one: warm_command(*one, env=sandbox_settings(server)), args))
        assert {one.returncode for one in done} == {0}, [one.stderr for one in done]
        expected = expected_rows(server.backend)
        for platform in set(platforms):
            for resource, records in expected[platform].items():
                assert query(warehouse_file, f"SELECT count(*) FROM {platform}.{resource}") == [(len(records),)]


def holder(path: Path, seconds: float) -> subprocess.Popen[bytes]:
    opened = f"import duckdb, time; c = duckdb.connect({str(path)!r}, read_only=True)"
    code = f"{opened}; print(1, flush=True); time.sleep({seconds})"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    return process


def test_a_sync_waits_for_a_reader_that_does_not_use_our_lock_and_names_it(
    warehouse_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    duckdb.connect(str(warehouse_file)).close()
    process = holder(warehouse_file, 2.0)
    started = time.monotonic()
    with exclusive("crm"):
        assert time.monotonic() - started > 0.5
    process.wait()
    (message,) = caplog.messages
    assert message.startswith(f"waiting for {warehouse_file}, which process {process.pid} (python")
    assert message.endswith("holds, up to 600 s")


WRITER = """
import duckdb, sys, time
connection = duckdb.connect(sys.argv[1])
connection.execute("CREATE TABLE crm.written (id BIGINT)")
print(1, flush=True)
while True:
    if len(sys.argv) > 2:
        connection.execute("INSERT INTO crm.written VALUES (1)")
    time.sleep(0.01)
"""


@contextmanager
def writer(path: Path, *args: str) -> Iterator[int]:
    """Another program that has the file open for writing, and with an argument writes all the time; its PID."""
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(path), *args], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


def test_a_reader_gets_the_last_commit_of_a_file_that_somebody_writes(
    warehouse_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    copies = tmp_path / "copies"
    copies.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(copies))
    with duckdb.connect(str(warehouse_file)) as connection:
        connection.execute("CREATE SCHEMA crm")
    with writer(warehouse_file) as pid:
        started = time.monotonic()
        with reading("crm", or_copy=True) as reader:
            # What is not in the file itself yet, only in the log beside it.
            assert reader.tables() == {"written"}
            # If this process is killed now, no rows are left there.
            (folder,) = copies.iterdir()
            assert list(folder.iterdir()) == []
        assert list(copies.iterdir()) == []
        assert time.monotonic() - started < 10
        assert caplog.messages == [
            f"process {pid} ({Path(sys.executable).name}) holds {warehouse_file}:"
            " this is its last commit, read from a copy"
        ]


def test_a_run_that_holds_the_lock_is_named_and_read_beside(
    warehouse_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As while dbt builds: the lock is held for it, and dbt may have the file open or not."""
    with duckdb.connect(str(warehouse_file)) as connection:
        connection.execute("CREATE SCHEMA crm")
    code = "import time\nfrom platform_assets.warehouse.location import exclusive_for_child\n"
    code += "with exclusive_for_child('crm'):\n    print(1, flush=True)\n    time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    try:
        with reading("crm", or_copy=True) as reader:
            assert reader.tables() == set()
    finally:
        process.kill()
        process.wait()
    assert len(caplog.messages) == 1 and f"process {process.pid}" in caplog.messages[0]


def test_a_file_that_changes_all_the_time_is_waited_for(warehouse_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy would be of several moments."""
    monkeypatch.setenv("WAREHOUSE__LOCK_WAIT", "2")
    with duckdb.connect(str(warehouse_file)) as connection:
        connection.execute("CREATE SCHEMA crm")
    with (
        writer(warehouse_file, "always"),
        pytest.raises(WarehouseError, match="another process kept"),
        reading("crm", or_copy=True),
    ):
        pass


def test_a_copy_during_which_the_file_changed_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "some.duckdb"
    path.write_bytes(b"before")
    os.utime(path, (0, 0))
    copies: list[Path] = []
    plain = shutil.copyfile

    def copy_while_it_changes(source: Path, target: Path) -> None:
        plain(source, target)
        copies.append(target)
        if len(copies) == 1:
            path.write_bytes(b"after")

    monkeypatch.setattr(shutil, "copyfile", copy_while_it_changes)
    with copied_file.copied(path) as copy:
        assert copy.read_bytes() == b"after"
    assert not copy.exists()


def test_a_file_that_is_too_large_is_waited_for(warehouse_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE__LOCK_WAIT", "2")
    monkeypatch.setattr(copied_file, "_LARGEST", 1000)
    with duckdb.connect(str(warehouse_file)) as connection:
        connection.execute("CREATE SCHEMA crm")
    with (
        writer(warehouse_file),
        pytest.raises(WarehouseError, match="another process kept"),
        reading("crm", or_copy=True),
    ):
        pass


def test_the_lock_timeout_is_a_clear_message(warehouse_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE__LOCK_WAIT", "0.3")
    duckdb.connect(str(warehouse_file)).close()
    process = holder(warehouse_file, 30)
    with pytest.raises(WarehouseError, match="another process kept"), exclusive("crm"):
        pass
    process.kill()
    process.wait()


def test_the_error_names_the_run_that_holds_the_lock(warehouse_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE__LOCK_WAIT", "0.2")
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        with exclusive("crm"):
            held.set()
            release.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    try:
        with pytest.raises(WarehouseError, match="another process kept"), exclusive("crm"):
            pass
    finally:
        release.set()
        thread.join()


def some_database(path: Path) -> bytes:
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE notes AS SELECT range AS number, 'x' || range AS text FROM range(200000)")
    content = path.read_bytes()
    path.unlink()
    return content


def some_sqlite(path: Path) -> bytes:
    """DuckDB would open it with an extension, which it tries to download, and write to it."""
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE notes (text)")
    connection.close()
    content = path.read_bytes()
    path.unlink()
    return content


STRANGE: dict[str, Callable[[Path], bytes]] = {
    "text": lambda path: b"precious notes, not a database" * 1000,
    "short": lambda path: b"x",
    "zeros": lambda path: bytes(100_000),
    "sqlite": some_sqlite,
    "truncated": lambda path: some_database(path)[:-300_000],
    "truncated-header": lambda path: some_database(path)[:3000],
    "flipped-bits": lambda path: flipped(some_database(path)),
    "another-version": lambda path: some_database(path)[:12] + b"\xff" * 8 + some_database(path)[20:],
}


def flipped(content: bytes) -> bytes:
    """With some bytes changed in every 50,000."""
    changed = bytearray(content)
    for at in range(20, len(changed), 50_000):
        changed[at : at + 64] = bytes(64)
    return bytes(changed)


@pytest.mark.parametrize("kind", STRANGE)
def test_a_file_that_is_not_a_database_is_refused_and_unchanged(kind: str, warehouse_file: Path) -> None:
    content = STRANGE[kind](warehouse_file)
    warehouse_file.write_bytes(content)
    with pytest.raises(WarehouseError, match="cannot be opened"), exclusive("crm"):
        pass
    assert warehouse_file.read_bytes() == content


@pytest.mark.slow
def test_a_sync_into_a_file_that_is_not_a_database_is_a_one_line_error(warehouse_file: Path) -> None:
    warehouse_file.write_bytes(STRANGE["sqlite"](warehouse_file))
    with SandboxServer() as server:
        done = command("sync", "--no-models", "--platform", "load_testing", env=sandbox_settings(server))
        assert server.requests == []
    assert done.returncode == 1
    assert done.stderr.strip().endswith("it is not a DuckDB database") and "Traceback" not in done.stderr


def test_an_empty_file_left_by_a_killed_process_is_accepted(warehouse_file: Path) -> None:
    warehouse_file.touch()
    with exclusive("crm"):
        pass
    assert warehouse_file.stat().st_size > 0


def test_foreign_tables_are_left_unchanged(point_at: PointAt, sync_platform: Sync, warehouse_file: Path) -> None:
    with duckdb.connect(str(warehouse_file)) as connection:
        connection.execute("CREATE SCHEMA load_testing")
        connection.execute("CREATE TABLE load_testing.tests AS SELECT 1 AS id, 'precious' AS name")
    with SandboxServer() as server:
        point_at(server)
        with pytest.raises(WarehouseError, match="did not make \\(tests\\): nothing was written"):
            sync_platform("load_testing")
        assert server.requests == []
        assert all(outcome.ok for outcome in sync_platform("device_management", ["roles"]).values())
    assert query(warehouse_file, "SELECT * FROM load_testing.tests") == [(1, "precious")]

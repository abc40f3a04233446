"""A DuckDB file has one writer: others wait, with a bound and a clear message, and nothing is damaged."""

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pytest

from platform_assets.sandbox import SandboxServer, truth
from platform_assets.warehouse.location import WarehouseError, exclusive
from tests.cli.test_cli import command, pointing_at
from tests.warehouse_rows import query


def test_two_syncs_in_two_processes_both_succeed(warehouse_file: Path) -> None:
    with SandboxServer() as server, ThreadPoolExecutor() as pool:
        words = [
            ["sync", "--no-models", "--platform", name]
            for name in ("load_testing", "device_management", "load_testing")
        ]
        done = list(pool.map(lambda one: command(*one, env=pointing_at(server)), words))
        assert [one.returncode for one in done] == [0, 0, 0], [one.stderr for one in done]
        expected = truth(server.world)
        for platform in ("load_testing", "device_management"):
            for resource, records in expected[platform].items():
                assert query(warehouse_file, f"SELECT count(*) FROM {platform}.{resource}") == [(len(records),)]


def holder(path: Path, seconds: float) -> subprocess.Popen[bytes]:
    opened = f"import duckdb, time; c = duckdb.connect({str(path)!r}, read_only=True)"
    code = f"{opened}; print(1, flush=True); time.sleep({seconds})"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    return process


def test_a_reader_that_does_not_know_our_lock_is_waited_for(warehouse_file: Path) -> None:
    duckdb.connect(str(warehouse_file)).close()
    process = holder(warehouse_file, 1.5)
    started = time.monotonic()
    with exclusive("crm"):
        assert time.monotonic() - started > 0.5
    process.wait()


def test_the_wait_ends_with_a_clear_message(warehouse_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE__LOCK_WAIT", "0.3")
    duckdb.connect(str(warehouse_file)).close()
    process = holder(warehouse_file, 30)
    with pytest.raises(WarehouseError, match="cannot be opened"), exclusive("crm"):
        pass
    process.kill()
    process.wait()


def test_another_run_that_keeps_the_lock_is_named(warehouse_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE__LOCK_WAIT", "0.2")
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        with exclusive("crm"):
            held.set()
            release.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    with pytest.raises(WarehouseError, match="another process kept"), exclusive("crm"):
        pass
    release.set()
    thread.join()


def test_a_file_that_is_no_database_is_refused_and_left_as_it_was(warehouse_file: Path) -> None:
    warehouse_file.write_bytes(b"precious notes, not a database" * 1000)
    with SandboxServer() as server:
        done = command("sync", "--no-models", "--platform", "load_testing", env=pointing_at(server))
    assert done.returncode == 1 and "cannot be opened" in done.stdout + done.stderr
    assert warehouse_file.read_bytes() == b"precious notes, not a database" * 1000

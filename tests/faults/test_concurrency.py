"""Concurrent runs, readers of the UI and the commands, and a dbt build on one DuckDB file: all succeed."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pytest
from filelock import FileLock

from platform_assets.platforms import platform_named
from platform_assets.sandbox import SandboxServer, expected_rows
from platform_assets.warehouse.queries import reading, rows
from tests.cli.command import command, warm_command
from tests.settings import sandbox_settings
from tests.tiers import one_in
from tests.warehouse_rows import differences, query

PLATFORMS = ("load_testing", "device_management")


@pytest.mark.slow  # two and two of these at once: warehouse/test_location.py, cli/test_dbt.py and cli/test_status.py
def test_runs_models_and_readers_share_one_file(warehouse_file: Path, tmp_path: Path) -> None:
    with SandboxServer() as server:
        env = sandbox_settings(server)
        assert warm_command("sync", "--platform", "load_testing", env=env).returncode == 0
        server.backend.advance(hours=30)
        commands = [
            *(["sync", "--no-models", "--platform", name] for name in PLATFORMS),
            # Two at once of one platform, and one with the dbt models below it.
            ["sync", "--platform", "load_testing"],
            ["status"],
            ["report", "-o", str(tmp_path / "report.html")],
        ]
        over, read = threading.Event(), list[int]()

        def keep_reading() -> None:
            while not over.wait(0.05):
                with reading("load_testing") as reader:
                    read.append(len(rows(reader, "SELECT * FROM load_testing.tests")))

        with ThreadPoolExecutor(len(commands) + 1) as pool:
            reader = pool.submit(keep_reading)
            done = list(pool.map(lambda args: command(*args, env=env), commands))
            over.set()
            reader.result()
        assert [one.returncode for one in done] == [0] * len(done), [one.stderr[-1500:] for one in done]
        expected = expected_rows(server.backend)
    assert read and min(read) > 0
    for name in PLATFORMS:
        platform = platform_named(name)
        for resource in platform.resources:
            records = expected[name][resource.name]
            assert differences(warehouse_file, platform, resource, records) == []
    (tests,) = query(warehouse_file, "SELECT count(*) FROM staging.stg_load_testing__tests WHERE NOT is_deleted")
    assert tests[0] == len(expected["load_testing"]["tests"])


# `status` and `report` read a copy instead: tests/cli/test_status.py.
@pytest.mark.parametrize("args", one_in(2, [["sync", "--platform", "load_testing"], ["dbt", "build"]], slow=1))
def test_a_lock_timeout_names_the_holder_the_duration_and_a_remedy(args: list[str], warehouse_file: Path) -> None:
    with SandboxServer() as server, FileLock(f"{warehouse_file}.lock"):
        duckdb.connect(str(warehouse_file)).close()
        done = command(*args, env={**sandbox_settings(server), "WAREHOUSE__LOCK_WAIT": "0.3"})
    assert done.returncode == 1
    output = done.stdout + done.stderr
    assert "another process kept" in output and "warehouse.lock_wait" in output and "Traceback" not in output

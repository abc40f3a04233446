"""One Ctrl-C ends a sync within seconds, wherever it is: nothing half landed, the run canceled, the next sync whole."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import dagster as dg
import pytest
from filelock import FileLock

from platform_assets.cli.environment import open_instance
from platform_assets.dbt.project import project_dir
from platform_assets.platforms import platform_named
from platform_assets.sandbox import Fault, SandboxServer, expected_rows
from platform_assets.warehouse.location import exclusive
from tests.cli.command import MAIN, ROOT, warm_command
from tests.settings import platform_settings, sandbox_settings
from tests.tiers import only
from tests.warehouse_rows import differences, query

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks for a child process on Linux")

SOON = 15.0
RUN = """
import sys
import dagster as dg
from platform_assets.cli.environment import open_instance
from platform_assets.definitions import defs
job = defs().get_repository_def().get_job(sys.argv[1])
with open_instance() as instance:
    job.execute_in_process(
        instance=instance, asset_selection=[dg.AssetKey(sys.argv[2].split("/"))], raise_on_error=False
    )
"""
"""A run in the main thread of a process of its own, as Dagster launches runs."""


@contextmanager
def started(code: str, *words: str, env: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", code, *words],
        cwd=ROOT,
        env={**os.environ, **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


def until(there: Callable[[], object], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.01)


def ended(process: subprocess.Popen[str], *signals: signal.Signals) -> tuple[int, str, str]:
    """Send the signals, a Ctrl-C as a terminal does: to all that runs in it; exit code and output of what ends soon."""
    began = time.monotonic()
    for number in signals:
        (os.killpg if number is signal.SIGINT else os.kill)(process.pid, number)
        time.sleep(0.2)
    output, errors = process.communicate(timeout=60)
    assert time.monotonic() - began < SOON
    assert "Traceback" not in errors + output, errors
    return process.returncode, output, errors


def statuses() -> list[dg.DagsterRunStatus]:
    with open_instance() as instance:
        return [run.status for run in instance.get_runs()]


def check_whole(warehouse: Path, server: SandboxServer, assets: Sequence[str]) -> None:
    expected = expected_rows(server.backend)
    for asset in assets:
        platform, resource = platform_named(asset.split("/")[0]), asset.split("/")[1]
        found = differences(warehouse, platform, platform.resource(resource), expected[platform.name][resource])
        assert found == [], asset


def check_nothing_half(warehouse: Path, server: SandboxServer, platform: str) -> None:
    """Each table is empty, or missing, or as served."""
    expected = expected_rows(server.backend)[platform]
    present = query(warehouse, f"SELECT table_name FROM information_schema.tables WHERE table_schema = '{platform}'")
    for (table,) in present:
        if table in expected:
            count = query(warehouse, f"SELECT count(*) FROM {platform}.{table}")[0][0]
            assert count in (0, len(expected[table])), table


@pytest.mark.slow
@pytest.mark.parametrize(
    ("signals", "code"),
    [
        # Once: in `test_while_the_server_keeps_silent` and on a terminal in test_progress.py.
        pytest.param([signal.SIGINT], 130, id="once", marks=pytest.mark.slow),
        pytest.param([signal.SIGTERM], 143, id="SIGTERM"),
        pytest.param([signal.SIGINT, signal.SIGINT], 130, id="twice", marks=pytest.mark.long),
    ],
)
def test_while_it_waits_for_a_rate_limit(signals: list[signal.Signals], code: int, warehouse_file: Path) -> None:
    fault = Fault("items=deal", status=429, times=None, headers={"Retry-After": "60"})
    with SandboxServer(faults=[fault]) as server:
        env = sandbox_settings(server)
        with started(MAIN, "sync", "--platform", "crm", env=env) as process:
            until(lambda: any(request["status"] == 429 for request in server.requests))
            time.sleep(0.5)
            returncode, output, errors = ended(process, *signals)
        assert returncode == code
        assert "stopping" in errors and "0 of 26 assets had landed" in output
        assert statuses() == [dg.DagsterRunStatus.CANCELED]
        check_nothing_half(warehouse_file, server, "crm")
        server.faults.clear()
        assert warm_command("sync", "--select", "crm/deals", "--no-models", env=env).returncode == 0
        check_whole(warehouse_file, server, ["crm/deals"])


@pytest.mark.slow
def test_while_the_server_keeps_silent() -> None:
    """Requests under way would end by themselves a minute later."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        env = platform_settings("crm", url)
        with started(MAIN, "sync", "--platform", "crm", "--no-models", env=env) as process:
            silent.settimeout(90)
            connection, _ = silent.accept()
            with connection:
                assert connection.recv(4096).startswith(b"GET ")
                assert ended(process, signal.SIGINT)[0] == 130
        assert statuses() == [dg.DagsterRunStatus.CANCELED]


@pytest.mark.slow
def test_while_it_reads_and_while_others_keep_the_warehouse(warehouse_file: Path) -> None:
    assets = ["device_management/roles", "device_management/groups", "device_management/activities"]
    selected = [word for asset in assets for word in ("--select", asset)]
    with SandboxServer(latency=0.3) as server:
        env = sandbox_settings(server)
        with started(MAIN, "sync", "--no-models", *selected, env=env) as process:
            until(lambda: server.requests)
            assert ended(process, signal.SIGINT)[0] == 130
        assert statuses() == [dg.DagsterRunStatus.CANCELED]
        check_nothing_half(warehouse_file, server, "device_management")
        with FileLock(f"{warehouse_file}.lock"), started(MAIN, "sync", "--no-models", *selected, env=env) as process:
            time.sleep(8)
            assert process.poll() is None
            assert ended(process, signal.SIGINT)[0] == 130
        server.latency = 0.0
        assert warm_command("sync", "--no-models", *selected, env=env).returncode == 0
        check_whole(warehouse_file, server, assets)


@pytest.mark.slow
@pytest.mark.parametrize("pause", only([0.1], [0.0, 0.1, 0.3]))
def test_while_it_lands(pause: float, warehouse_file: Path) -> None:
    """What lands is landed to its end and reported; nothing else begins."""
    assets = [f"device_management/{resource.name}" for resource in platform_named("device_management").resources]
    with SandboxServer() as server:
        env = sandbox_settings(server)
        with started(MAIN, "sync", "--platform", "device_management", env=env) as process:
            until(Path(f"{warehouse_file}.wal").exists)
            time.sleep(pause)
            assert ended(process, signal.SIGINT)[0] == 130
        assert dg.DagsterRunStatus.CANCELED in statuses()
        check_nothing_half(warehouse_file, server, "device_management")
        with open_instance() as instance:
            for asset in assets:
                event = instance.get_latest_materialization_event(dg.AssetKey(asset.split("/")))
                tables = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'device_management'"
                landed = (asset.split("/")[1],) in query(warehouse_file, tables)
                assert (event is not None) == landed, "the UI says what the warehouse says"
        assert warm_command("sync", "--platform", "device_management", "--no-models", env=env).returncode == 0
        check_whole(warehouse_file, server, assets)


@pytest.mark.slow
@pytest.mark.parametrize("builds", only([True], [False, True]), ids=["starts", "builds"])
def test_while_dbt_works(builds: bool, warehouse_file: Path) -> None:
    with SandboxServer() as server:
        env = sandbox_settings(server)
        with started(MAIN, "sync", "--platform", "device_management", env=env) as process:
            until(lambda: dbt_below(process.pid))
            (dbt,) = dbt_below(process.pid)
            if builds:
                until(lambda: builds_a_model(dbt))
            assert ended(process, signal.SIGINT)[0] == 130
            assert not Path(f"/proc/{dbt}").exists()
        assert sorted(statuses(), key=str) == [dg.DagsterRunStatus.CANCELED, dg.DagsterRunStatus.SUCCESS]
        done = warm_command("sync", "--platform", "device_management", env=env)
        assert done.returncode == 0, done.stdout
        rows = query(warehouse_file, "SELECT sum(activities) FROM marts.device_management_activity_daily")
        assert rows == [(len(expected_rows(server.backend)["device_management"]["activities"]),)]


def dbt_below(pid: int) -> list[int]:
    """Running `dbt build`s that a process, or a thread of it, has started."""
    found: list[int] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):  # threads and programs come and go
            children = map(int, path.read_text().split())
            found += [one for one in children if b"build" in Path(f"/proc/{one}/cmdline").read_bytes().split(b"\0")]
    return found


def builds_a_model(dbt: int) -> bool:
    """Whether a `dbt build` has begun its first model, by its log."""
    variables = Path(f"/proc/{dbt}/environ").read_bytes().decode().split("\0")
    (folder,) = (entry.partition("=")[2] for entry in variables if entry.startswith("DBT_LOG_PATH="))
    log = project_dir() / folder / "dbt.log"
    return log.exists() and "START sql" in log.read_text()


@pytest.mark.slow
@pytest.mark.parametrize("asked_by_dagster", only([True], [True, False]), ids=["terminated", "evicted"])
def test_a_run_of_dagsters_own_ends_too_and_is_not_tried_again(asked_by_dagster: bool, warehouse_file: Path) -> None:
    """`dagster run terminate` and the UI mark the run and interrupt its process, whose main thread runs the op."""
    fault = Fault("items=deal", status=429, times=None, headers={"Retry-After": "60"})
    with SandboxServer(faults=[fault]) as server:
        with started(RUN, "sync_crm", "crm/deals", env=sandbox_settings(server)) as process:
            until(lambda: any(request["status"] == 429 for request in server.requests))
            with open_instance() as instance:
                (run,) = instance.get_runs()
                if asked_by_dagster:
                    instance.report_run_canceling(run)
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=SOON)
        expected = dg.DagsterRunStatus.CANCELED if asked_by_dagster else dg.DagsterRunStatus.FAILURE
        assert statuses() == [expected]
        check_nothing_half(warehouse_file, server, "crm")


@pytest.mark.slow
def test_dbt_is_ended_with_the_command_and_its_server_holds_no_lock(warehouse_file: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    def answers() -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True
        return False

    with started(MAIN, "dbt", "docs", "serve", "--no-browser", "--port", str(port), env={}) as process:
        until(answers)
        with exclusive("crm", wait=0):
            pass
        code, _, _ = ended(process, signal.SIGTERM)
    assert code == 143
    until(lambda: not answers())

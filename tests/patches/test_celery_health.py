"""Whether a run that a Celery worker took is alive, with a real worker and a real Redis."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import dagster as dg
import pytest
from dagster._core.launcher import WorkerStatus
from dagster_celery.launcher import CeleryRunLauncher

from platform_assets.patches.celery_health import WatchfulCeleryRunLauncher
from tests.cli.command import ROOT
from tests.servers.redis import redis_server

# A worker and a broker.
pytestmark = pytest.mark.slow

SECONDS = 60


@pytest.fixture(scope="module")
def broker() -> Iterator[str]:
    with redis_server() as url:
        yield url


@pytest.fixture
def worker(broker: str) -> Iterator[subprocess.Popen[bytes]]:
    """The worker of deploy/celery, in a process group of its own, with the tasks of `celery_tasks`."""
    settings = os.pathsep.join([str(ROOT / "deploy" / "celery"), str(ROOT)])
    words = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "tests.patches.celery_tasks",
        "worker",
        "-Q",
        "dagster",
        "-n",
        "one@%h",
    ]
    environment = {**os.environ, "CELERY_REDIS_URL": broker, "PYTHONPATH": settings}
    with subprocess.Popen(
        words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        yield process
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


def launched(launcher: CeleryRunLauncher, task: str, *args: object) -> dg.DagsterRun:
    """A run whose process is that task, once a worker has begun it."""
    sent = launcher.celery.send_task(task, args, queue="dagster")
    deadline = time.monotonic() + SECONDS
    while launcher.celery.backend.get_task_meta(sent.id)["status"] == "PENDING":
        assert time.monotonic() < deadline, "no worker took the task"
        time.sleep(0.05)
    return dg.DagsterRun(job_name="sync", tags={"dagster-celery/task_id": sent.id})


def launchers(broker: str) -> tuple[CeleryRunLauncher, CeleryRunLauncher]:
    """Ours, and upstream's."""
    return WatchfulCeleryRunLauncher("dagster", broker, broker), CeleryRunLauncher("dagster", broker, broker)


def test_a_run_is_alive_until_its_worker_is_killed(broker: str, worker: subprocess.Popen[bytes]) -> None:
    """When upstream says FAILED here and below: delete patches/celery_health.py."""
    ours, upstream = launchers(broker)
    run = launched(ours, "run_for_ever")
    assert ours.check_run_worker_health(run).status == WorkerStatus.RUNNING
    os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()
    assert ours.check_run_worker_health(run).status == WorkerStatus.FAILED
    assert upstream.check_run_worker_health(run).status == WorkerStatus.RUNNING


def test_the_exit_code_of_a_run_counts(broker: str, worker: subprocess.Popen[bytes]) -> None:
    ours, upstream = launchers(broker)
    for code, expected in ((0, WorkerStatus.SUCCESS), (1, WorkerStatus.FAILED)):
        run = launched(ours, "end_with", code)
        deadline = time.monotonic() + SECONDS
        while ours.check_run_worker_health(run).status == WorkerStatus.RUNNING:
            assert time.monotonic() < deadline
        assert ours.check_run_worker_health(run).status == expected
        assert upstream.check_run_worker_health(run).status == WorkerStatus.SUCCESS

"""A running cluster: the services of the compose files as separate processes, on a real Postgres and a real Redis."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from tests.deploy.compose import Service, services
from tests.deploy.graphql import Webserver
from tests.servers.postgres import PostgresServer, free_port, query

SECONDS = 90.0
ENDED = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
PASSWORD = {"POSTGRES_PASSWORD": "unused"}


def wait_until(happened: Callable[[], object], seconds: float = SECONDS) -> None:
    """AssertionError if it does not happen in time."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)


@dataclass
class Cluster:
    """The running services, Celery's workers if there are any, and Dagster's instance as each of them sees it."""

    postgres: PostgresServer
    services: dict[str, Service]
    workers: list[Service]
    webserver: Webserver
    instance: dg.DagsterInstance

    def run(self, run_id: str) -> dg.DagsterRun:
        run = self.instance.get_run_by_id(run_id)
        assert run is not None
        return run

    def ended(self, run_id: str, seconds: float = SECONDS) -> dg.DagsterRun:
        """The run, once it has ended."""
        wait_until(lambda: self.run(run_id).status in ENDED, seconds)
        return self.run(run_id)

    def retries_of(self, run_id: str) -> list[str]:
        """Ids of the runs that replace a failed one."""
        return [run.run_id for run in self.instance.get_runs(dg.RunsFilter(tags={"dagster/parent_run_id": run_id}))]

    def finish(self, launched: Sequence[str], seconds: float = SECONDS) -> list[str]:
        """Wait until each run, or the last of those that replace it, has succeeded; the ids of the replaced.

        AssertionError if one fails for good, or if it takes longer.
        """
        replaced: list[str] = []
        waiting = list(launched)
        deadline = time.monotonic() + seconds
        while waiting:
            assert time.monotonic() < deadline, f"{len(waiting)} runs did not end"
            time.sleep(0.5)
            for run in [run for run in map(self.run, waiting) if run.status in ENDED]:
                if run.status == dg.DagsterRunStatus.SUCCESS:
                    waiting.remove(run.run_id)
                elif retries := self.retries_of(run.run_id):
                    replaced.append(run.run_id)
                    waiting[waiting.index(run.run_id)] = retries[0]
                else:
                    assert run.tags.get("dagster/will_retry") != "false", f"{run.run_id} failed and is not retried"
        return replaced

    def busy_worker(self, launched: Sequence[str]) -> tuple[Service, str]:
        """A Celery worker and the one of these runs that it executes, once there is one, as Celery knows it."""
        found: list[tuple[Service, str]] = []
        launcher: Any = self.instance.run_launcher

        def started() -> bool:
            for run in map(self.run, launched):
                task = run.tags.get("dagster-celery/task_id")
                meta: dict[str, Any] = launcher.celery.backend.get_task_meta(task) if task else {}
                if run.status == dg.DagsterRunStatus.STARTED and meta.get("status") == "STARTED":
                    number = int(meta["result"]["hostname"].split("@")[0].split("-")[1])
                    found.append((self.workers[number], run.run_id))
            return bool(found)

        wait_until(started)
        return found[0]

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Of a query on the warehouse."""
        return query(self.postgres.settings_of("warehouse"), sql)


@contextmanager
def running_cluster(
    postgres: PostgresServer, folder: Path, settings: Mapping[str, str], redis: str = "", workers: int = 0
) -> Iterator[Cluster]:
    """Start the services one after another, each once its health check succeeds; without the sensors.

    Args:
        postgres: without the databases `dagster` and `warehouse`, which are made.
        folder: for the homes of the services.
        settings: variables of the code, as in `.env`.
        redis: URL of Celery's broker; without it, runs are processes of the code server.
    """
    for database in ("dagster", "warehouse"):
        postgres.create(database)
    code, web = free_port(), free_port()
    addresses = {
        "dagster:unused@postgres:5432": f"postgres:unused@127.0.0.1:{postgres.port}",
        "code": "127.0.0.1",
        "4000": str(code),
        "3000": str(web),
        "127.0.0.1:3000": f"127.0.0.1:{web}",
        "redis://redis:6379/0": redis,
    }
    specs = services("docker-compose.yml", *(["celery/docker-compose.yml"] if redis else []))
    settings = {**settings, **PASSWORD}
    started = {
        name: Service(specs[name], folder / name, addresses, settings) for name in ("code", "webserver", "daemon")
    }
    crew = [
        Service(
            specs["worker"], folder / f"worker-{number}", {**addresses, "worker@%h": f"worker-{number}@%h"}, settings
        )
        for number in range(workers)
    ]
    webserver = Webserver(f"http://127.0.0.1:{web}")
    with pytest.MonkeyPatch.context() as environment:
        for name, value in started["webserver"].environment.items():
            if name in ("DAGSTER_HOME", "DAGSTER_POSTGRES_URL", "CELERY_REDIS_URL"):
                environment.setenv(name, value)
        try:
            for worker in crew:
                worker.start()
            for name, service in started.items():
                service.start()
                service.wait_until_healthy()
                if name == "webserver":
                    webserver.stop_sensors()
            with dg.DagsterInstance.get() as instance:
                yield Cluster(postgres, started, crew, webserver, instance)
        finally:
            for service in (*crew, *reversed(started.values())):
                service.stop()

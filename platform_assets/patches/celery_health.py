"""dagster-celery's run launcher, which also sees runs whose worker died.

Upstream believes Celery's state of the task. If the worker was killed, that stays "started" for ever; and a run that
could not write its end into Dagster's storage (a restarted database) is a task that succeeded, with the exit code 1 as
its result. Run monitoring then takes both for healthy. Here the worker is asked whether it still runs the task, and the
exit code counts. It can go when tests/patches/test_celery_health.py fails where it asks upstream.
"""

from typing import Any

from dagster import DagsterRun
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus
from dagster_celery.launcher import CeleryRunLauncher
from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG

# Seconds that a worker has to answer. Its main process does, which only waits while a run is busy.
_ANSWER = 10.0


class WatchfulCeleryRunLauncher(CeleryRunLauncher):
    """Starts runs as Celery tasks, and says of those that began whether they are still alive.

    A worker that cannot be reached counts as dead. If it lives, its run and the one that replaces it load the same
    rows, which changes nothing.
    """

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """As upstream; also FAILED if no worker runs the started task, or if it ended with an exit code."""
        task_id = run.tags[DAGSTER_CELERY_TASK_ID_TAG]
        meta = self.celery.backend.get_task_meta(task_id)
        if meta["status"] == "SUCCESS" and meta["result"] != 0:
            message = f"The run's process ended with code {meta['result']}."
            return CheckRunHealthResult(WorkerStatus.FAILED, message)
        upstream = super().check_run_worker_health(run)
        # In this order: the task may end between the two questions.
        if meta["status"] == "STARTED" and not self._is_running(task_id, meta["result"]["hostname"]):
            upstream = super().check_run_worker_health(run)
            if upstream.status == WorkerStatus.RUNNING:
                message = f"The worker {meta['result']['hostname']} does not run the task any more."
                return CheckRunHealthResult(WorkerStatus.FAILED, message)
        return upstream

    def _is_running(self, task_id: str, worker: str) -> bool:
        answers: dict[str, list[dict[str, Any]]] | None
        answers = self.celery.control.inspect(destination=[worker], timeout=_ANSWER, limit=1).active()
        return any(task["id"] == task_id for task in (answers or {}).get(worker, []))

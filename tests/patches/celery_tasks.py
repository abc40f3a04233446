"""A Celery app for tests/patches/test_celery_health.py: tasks that stand for the process of a run."""

import time

from dagster_celery.make_app import make_app

app = make_app()


@app.task(name="run_for_ever", track_started=True)
def run_for_ever() -> int:
    time.sleep(600)
    return 0


@app.task(name="end_with", track_started=True)
def end_with(code: int) -> int:
    return code

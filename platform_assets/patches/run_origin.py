"""Runs of this process that name the code location of the UI, so that they are in its timeline and its job pages.

Dagster leaves the origin out of what `execute_in_process` runs, and takes no argument for it. It can go when
tests/patches/test_run_origin.py::test_upstream_still_leaves_the_origin_out fails.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dagster as dg
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteRepositoryOrigin

from platform_assets.patches.event_transactions import stored_together


@contextmanager
def runs_of_location(instance: dg.DagsterInstance, repository: str, location: str) -> Iterator[None]:
    """Within this block, runs that are created on the instance belong to a repository of a code location."""
    origin = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin(location), repository)
    original = instance.create_run_for_job

    def create(job_def: dg.JobDefinition, **given: Any) -> dg.DagsterRun:
        with stored_together(instance):
            return original(job_def, **{"remote_job_origin": origin.get_job_origin(job_def.name), **given})

    instance.create_run_for_job = create  # pyright: ignore[reportAttributeAccessIssue] -- called with keywords only
    try:
        yield
    finally:
        del instance.create_run_for_job

"""Runs of `execute_in_process` belong to no code location, and are missing from the UI's timeline."""

from pathlib import Path

import dagster as dg

from platform_assets.patches.run_origin import runs_of_location


@dg.op
def nothing() -> None: ...


@dg.job
def sync_nothing() -> None:
    nothing()


def run_of(instance: dg.DagsterInstance) -> dg.DagsterRun:
    run = instance.get_run_by_id(sync_nothing.execute_in_process(instance=instance).run_id)
    assert run is not None
    return run


def test_upstream_still_leaves_the_origin_out() -> None:
    """When this fails: see whether `execute_in_process` takes an origin, and delete patches/run_origin.py."""
    with dg.DagsterInstance.ephemeral() as instance:
        assert run_of(instance).remote_job_origin is None


def test_within_the_block_runs_belong_to_the_location(tmp_path: Path) -> None:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        with runs_of_location(instance, "__repository__", "platform_assets.definitions"):
            run = run_of(instance)
        assert run.remote_job_origin is not None and run.remote_job_origin.job_name == "sync_nothing"
        selector = run.remote_job_origin.repository_origin.get_selector()
        assert (selector.repository_name, selector.location_name) == ("__repository__", "platform_assets.definitions")
        assert run_of(instance).remote_job_origin is None

"""Dagster's own commands, in the project's folder and without DAGSTER_HOME, use the history of ours."""

import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from platform_assets.sandbox import SandboxServer
from tests.cli.command import ROOT
from tests.settings import PointAt

PARTITION = "1001"


@pytest.mark.slow
def test_a_run_without_dagster_home_is_kept_and_knows_the_partitions(
    point_at: PointAt, shared_sandbox: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second command knows the partition that the first has found."""
    point_at(shared_sandbox)
    monkeypatch.delenv("DAGSTER_HOME")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    for name in ("dagster.yaml", "pyproject.toml"):
        (tmp_path / name).symlink_to(ROOT / name)
    materialize = ["asset", "materialize", "-m", "platform_assets.definitions", "--select"]
    for more in (["load_testing/organizations"], ["load_testing/projects", "--partition", PARTITION]):
        words = [sys.executable, "-m", "dagster", *materialize, *more]
        done = subprocess.run(words, cwd=tmp_path, env={**os.environ}, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
    # As `platform-assets` opens it.
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "data" / "dagster_home"))
    with dg.DagsterInstance.get() as instance:
        assert [run.status for run in instance.get_runs()] == [dg.DagsterRunStatus.SUCCESS] * 2

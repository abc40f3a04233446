"""dbt is started without preparations, and when patches/dbt_command.py can go."""

from pathlib import Path
from typing import Any

import pytest
from dagster_dbt import DbtCliResource
from dagster_dbt.core import resource

from platform_assets.dbt.project import dbt_cli, dbt_project, project_dir
from platform_assets.patches.dbt_command import DbtCommand


def prepared(kind: type[DbtCliResource], monkeypatch: pytest.MonkeyPatch, target: Path) -> list[str]:
    """What is done before dbt starts."""
    done: list[str] = []
    monkeypatch.setattr(resource, "check_output", lambda words: done.append(words[-1]) or b"Core:\n  1.11.0")
    original: Any = DbtCliResource._initialize_dbt_core_adapter
    monkeypatch.setattr(
        DbtCliResource,
        "_initialize_dbt_core_adapter",
        lambda self, args: done.append("adapter") or original(self, args),
    )
    executable = dbt_cli(dbt_project()).dbt_executable
    command = kind(project_dir=str(project_dir()), dbt_executable=executable)
    command.cli(["--version"], target_path=target).wait()
    return done


@pytest.mark.slow
def test_upstream_still_prepares(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """When this fails: delete patches/dbt_command.py."""
    assert prepared(DbtCliResource, monkeypatch, tmp_path) == ["--version", "adapter"]


def test_nothing_is_prepared(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert prepared(DbtCommand, monkeypatch, tmp_path) == []


@pytest.mark.slow
def test_the_version_is_that_of_the_dbt_that_is_started(tmp_path: Path) -> None:
    project = dbt_project()
    executable = dbt_cli(project).dbt_executable
    upstream = DbtCliResource(project_dir=str(project_dir()), dbt_executable=executable)
    assert dbt_cli(project)._cli_version == upstream._cli_version

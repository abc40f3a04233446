"""Commands that load nothing import nothing heavy, which is most of what a person would wait for."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from platform_assets.sandbox import SandboxServer
from tests.cli.command import command
from tests.conftest import Sync
from tests.settings import PointAt
from tests.tiers import only

# Prints, after the command, which of the heavy packages it has imported.
TRACED = """
import sys
from platform_assets.cli import main
try:
    main()
finally:
    heavy = ("dagster", "dagster_dlt", "dagster_dbt", "dlt", "dbt", "pyarrow", "pandas", "duckdb", "requests", "plotly")
    heavy += ("jinja2",)
    print("imported:", *(name for name in heavy if name in sys.modules), file=sys.stderr)
"""
NOTHING = set[str]()


def imported(args: Sequence[str], code: int) -> set[str]:
    done = command(*args, code=TRACED)
    assert done.returncode == code, done.stdout + done.stderr
    return set(done.stderr.splitlines()[-1].removeprefix("imported:").split())


HELP = [["--help"], ["--version"], *([name, "--help"] for name in ("sync", "status", "check", "verify", "dev"))]


@pytest.mark.parametrize("args", only([["--help"], ["--version"], ["sync", "--help"]], HELP, slow=HELP))
def test_help_and_version(args: list[str]) -> None:
    assert imported(args, 0) == NOTHING


@pytest.mark.parametrize(
    "args",
    [
        pytest.param(["sync", "--platform", "crn"], marks=pytest.mark.slow),
        ["sync", "--select", "crm/deel"],
        pytest.param(["sync", "--platform", "crm", "--select", "ci_analytics/builds"], marks=pytest.mark.slow),
        ["status", "--platform", "crn"],
        ["check", "--platform", "crn"],
        pytest.param(["verify", "--select", "crm/deel"], marks=pytest.mark.slow),
    ],
)
def test_a_misspelt_name(args: list[str]) -> None:
    assert imported(args, 1) <= {"requests"}


def test_status_without_a_warehouse() -> None:
    assert imported(["status"], 1) == NOTHING


def test_check_without_settings() -> None:
    assert imported(["check"], 1) <= {"requests"}


def test_status_and_check_of_a_loaded_warehouse(
    point_at: PointAt, sync_platform: Sync, shared_sandbox: SandboxServer, warehouse_file: Path
) -> None:
    point_at(shared_sandbox)
    sync_platform("load_testing")
    assert imported(["status"], 0) == {"duckdb"}
    assert imported(["check", "--platform", "load_testing"], 0) <= {"duckdb", "requests"}


@pytest.mark.slow
def test_dbt_by_hand() -> None:
    assert imported(["dbt", "--version"], 0) <= {"requests"}


def test_the_port_of_a_server_that_runs(shared_sandbox: SandboxServer) -> None:
    port = shared_sandbox.url.rsplit(":", 1)[1]
    for name in ("sandbox", "dev"):
        assert imported([name, "--port", port], 2) == NOTHING

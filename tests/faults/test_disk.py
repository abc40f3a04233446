"""A full disk: a clear error, existing rows unchanged, and a complete load once there is space again."""

import errno
import os
import resource
import subprocess
from collections.abc import Mapping
from pathlib import Path

import duckdb
import pytest

from platform_assets.platforms import platform_named
from platform_assets.sandbox import SandboxServer, expected_rows
from platform_assets.warehouse.load_errors import is_disk_full, reason
from tests.cli.command import command, warm_command
from tests.settings import sandbox_settings
from tests.warehouse_rows import differences, rows


def with_limited_disk(*args: str, bytes_per_file: int, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """The command in a process whose files cannot grow beyond a size, which fails like a full disk."""
    limit = (bytes_per_file, bytes_per_file)
    return command(*args, env=env, before_start=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit))


@pytest.mark.slow
def test_a_full_disk_leaves_existing_rows_unchanged(warehouse_file: Path, tmp_path: Path) -> None:
    with SandboxServer() as server:
        env = {**sandbox_settings(server), "DAGSTER_HOME": str(tmp_path / "home")}
        assert warm_command("sync", "--platform", "load_testing", "--no-models", env=env).returncode == 0
        before = rows(warehouse_file, "load_testing.tests")
        full = with_limited_disk("sync", "--platform", "crm", "--no-models", bytes_per_file=1_000_000, env=env)
        assert full.returncode != 0
        assert "crm: the load failed, nothing was recorded: the disk is full" in full.stdout
        assert "Traceback" not in full.stdout + full.stderr
        assert rows(warehouse_file, "load_testing.tests") == before
        assert warm_command("sync", "--platform", "crm", "--no-models", env=env).returncode == 0
        crm, expected = platform_named("crm"), expected_rows(server.backend)["crm"]
    for name in ("deals", "organizations", "deal_products"):
        assert differences(warehouse_file, crm, crm.resource(name), expected[name]) == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_named_as_the_cause(number: int) -> None:
    try:
        try:
            raise OSError(number, os.strerror(number))
        except OSError as cause:
            raise RuntimeError("Pipeline execution failed\nPending packages are left") from cause
    except RuntimeError as error:
        assert is_disk_full(error)
        assert reason(error).startswith("the disk is full (OSError: [Errno")


def test_other_causes_are_reported_in_one_line() -> None:
    error = duckdb.BinderException("no such column\nLINE 1: SELECT")
    assert not is_disk_full(error)
    assert reason(error) == "BinderException: no such column"

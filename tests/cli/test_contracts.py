"""The live vendors' contracts on the command line, without an account: `--contract vendor`, and what a vendor lacks."""

import os
import re
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from platform_assets.platforms import all_platforms
from tests.cli.command import MAIN, ROOT, command, warm_command

VENDOR = ("--sandbox", "--contract", "vendor")
LACKING = "version 6 has no organizations"


@contextmanager
def sandbox(*args: str) -> Iterator[dict[str, str]]:
    """`platform-assets sandbox` while it runs: the variables that its lines export, as a shell reads them."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    process = subprocess.Popen(
        [sys.executable, "-c", MAIN, "sandbox", "--port", port, *args],
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        deadline = time.monotonic() + 60
        while not is_listening(int(port)):
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.05)
        # It listens after it has printed everything.
        first, *exports = os.read(process.stdout.fileno(), 1 << 16).decode().splitlines()
        assert first.startswith("# ") and all(line.startswith("export ") for line in exports)
        words = [shlex.split(line)[1] for line in exports]
        variables = {name: value for name, _, value in (word.partition("=") for word in words)}
        yield variables
    finally:
        process.terminate()
        process.communicate(timeout=30)


def is_listening(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


def lines(text: str) -> dict[str, str]:
    """Asset -> its first line."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        if re.match(r"[a-z_]+/[a-z_]+ ", line):
            found.setdefault(line.split()[0], " ".join(line.split()))
    return found


def chosen_contracts(variables: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in variables.items() if name.endswith("__CONTRACT")}


def test_a_resource_that_the_contract_does_not_serve_is_said_to_be_so_by_sync_status_and_verify(
    warehouse_file: Path,
) -> None:
    synced = warm_command("sync", *VENDOR, "--no-models", "--platform", "load_testing", env={"COLUMNS": "300"})
    assert synced.returncode == 0, synced.stdout + synced.stderr
    said = [line for line in synced.stdout.splitlines() if LACKING in line]
    assert len(said) == 1 and said[0].startswith("load_testing/organizations is not served by the contract in use")
    status = warm_command("status", "--platform", "load_testing", env={"COLUMNS": "300"})
    assert f"not served: load_testing/organizations: {LACKING}: a stack takes their place" in status.stdout
    states = lines(status.stdout)
    assert states["load_testing/organizations"].startswith("load_testing/organizations not served ")
    assert states["load_testing/tests"].startswith("load_testing/tests ok ")
    verified = warm_command("verify", *VENDOR, "--platform", "load_testing", env={"COLUMNS": "300"})
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert lines(verified.stdout)["load_testing/organizations"].endswith(" 0 not served")
    assert LACKING in verified.stdout and "3 of 3 assets" in verified.stdout


@pytest.mark.slow
def test_nothing_is_said_where_everything_is_served(warehouse_file: Path) -> None:
    args = ("--platform", "load_testing")
    synced = warm_command("sync", "--sandbox", "--no-models", *args, env={"COLUMNS": "300"})
    status = command("status", *args, env={"COLUMNS": "300"})
    assert synced.returncode == status.returncode == 0
    assert "not served" not in synced.stdout + status.stdout


@pytest.mark.slow
def test_the_settings_that_the_sandbox_prints_for_the_vendors_load_from_it(warehouse_file: Path) -> None:
    with sandbox("--contract", "vendor") as variables:
        expected = {f"SOURCES__{one.name.upper()}__CONTRACT": next(iter(one.contracts)) for one in all_platforms()}
        assert {name: variables.get(name) for name in expected} == expected
        select = [f"--select={name}" for name in ("ci_analytics/builds", "crm/deals", "device_management/roles")]
        select += ["--select=error_tracking/projects", "--select=load_testing/tests"]
        checked = command("check", env=variables)
        assert checked.returncode == 0, checked.stdout + checked.stderr
        synced = warm_command("sync", "--no-models", *select, env={**variables, "COLUMNS": "300"})
        assert synced.returncode == 0, synced.stdout + synced.stderr
        verified = warm_command("verify", *select, env={**variables, "COLUMNS": "300"})
        assert verified.returncode == 0 and "5 of 5 assets" in verified.stdout, verified.stdout + verified.stderr


def test_without_the_option_the_sandbox_prints_the_settings_of_the_reference() -> None:
    with sandbox() as variables:
        assert chosen_contracts(variables) == {}
        assert {name.split("__")[1] for name in variables} == {one.name.upper() for one in all_platforms()}

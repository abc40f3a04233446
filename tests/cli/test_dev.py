"""`platform-assets dev` as a user runs it: which platforms come from the sandbox, and which stay off."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

from platform_assets.platforms import all_platforms
from platform_assets.sandbox import SandboxServer, sandbox_token
from tests.cli.command import MAIN, ROOT, warm_command
from tests.settings import sandbox_settings

NAMES = {platform.name for platform in all_platforms()}
pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="reads a process's variables on Linux")


@contextmanager
def dev(*args: str, env: Mapping[str, str]) -> Iterator[tuple[str, dict[str, str]]]:
    """What the command prints before the UI starts, and the environment variables that Dagster gets."""
    process = subprocess.Popen(
        [sys.executable, "-c", MAIN, "dev", "--port", free_port(), *args],
        cwd=ROOT,
        env={**os.environ, **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        lines: list[str] = []
        while not lines or not lines[-1].startswith("Starting the Dagster UI"):
            lines.append(process.stdout.readline())
            assert lines[-1], "".join(lines)
        yield "".join(lines), variables_of(child_of(process.pid))
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


@pytest.mark.slow
def test_a_build_of_models_by_the_sensor_is_two_lines(shared_sandbox: SandboxServer, tmp_path: Path) -> None:
    settings = sandbox_settings(shared_sandbox)
    env = {name: value for name, value in settings.items() if "LOAD_TESTING" in name}
    with (tmp_path / "printed").open("w+") as file:
        args = ["dev", "--no-sandbox", "--port", free_port()]
        process = subprocess.Popen(
            [sys.executable, "-c", MAIN, *args], cwd=ROOT, env={**os.environ, **env}, stdout=file, stderr=file
        )
        try:
            deadline = time.monotonic() + 300
            while " passed, " not in (printed := (tmp_path / "printed").read_text()):
                assert time.monotonic() < deadline and process.poll() is None, printed
                time.sleep(0.5)
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)
    lines = [line for line in printed.splitlines() if line.startswith("dbt: ")]
    assert lines[0].endswith(" models and tests ...") and lines[1].endswith(" 0 warned, 0 failed, 0 skipped")
    assert not re.search(r"^\d+ of \d+ |^Running with dbt|Registered adapter", printed, re.MULTILINE)


@pytest.mark.slow
def test_the_address_is_said_once_it_answers(warehouse_file: Path, tmp_path: Path) -> None:
    args = ["dev", "--no-sandbox", "--port", free_port()]
    environment = {**os.environ, "DAGSTER_HOME": str(tmp_path / "home"), "NO_COLOR": "1"}
    process = subprocess.Popen(
        [sys.executable, "-c", MAIN, *args],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert process.stdout is not None
        lines: list[str] = []
        while not lines or not lines[-1].startswith("Dagster UI: "):
            lines.append(process.stdout.readline())
            assert lines[-1], "".join(lines)
        with urlopen(lines[-1].removeprefix("Dagster UI: ").strip(), timeout=60) as page:
            assert page.status == 200
        printed = "".join(lines)
        assert "SupersessionWarning" not in printed and "dagster.yaml" not in printed and "\x1b[" not in printed
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return str(free.getsockname()[1])


def child_of(pid: int) -> int:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        # Between fork and exec the child still has its parent's variables and command.
        if found and "platform_assets.definitions" in Path(f"/proc/{found[0]}/cmdline").read_text().split("\0"):
            return int(found[0])
        time.sleep(0.02)
    raise AssertionError("the UI was not started")


def variables_of(pid: int) -> dict[str, str]:
    entries = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
    return dict(entry.split("=", 1) for entry in entries if "=" in entry)


def configured(variables: Mapping[str, str]) -> set[str]:
    return {name for name in NAMES if variables.get(f"SOURCES__{name.upper()}__BASE_URL")}


def test_the_sandbox_stays_off_if_any_platform_is_configured() -> None:
    """Otherwise the sensors would load the sandbox's rows beside the real ones within two minutes."""
    crm = {"SOURCES__CRM__BASE_URL": "http://127.0.0.1:9", "SOURCES__CRM__API_TOKEN": "mine"}
    with dev(env=crm) as (printed, variables):
        assert configured(variables) == {"crm"}
        assert "Not configured, so off: " in printed and "load_testing" in printed and "sandbox:" not in printed


def test_a_token_without_a_base_url_does_not_start_the_sandbox() -> None:
    with dev(env={"SOURCES__CRM__API_TOKEN": "mine"}) as (_, variables):
        assert configured(variables) == set()
        assert variables["SOURCES__CRM__API_TOKEN"] == "mine"


def test_the_sandbox_starts_and_is_announced_if_nothing_is_configured(warehouse_file: Path) -> None:
    with dev(env={}) as (printed, variables):
        assert configured(variables) == NAMES
        assert "sandbox: http://127.0.0.1:" in printed and str(warehouse_file) in printed and "--no-sandbox" in printed
        assert {
            name for name in NAMES if variables[f"SOURCES__{name.upper()}__API_TOKEN"] == sandbox_token(name)
        } == NAMES


def test_no_sandbox_leaves_unconfigured_platforms_off_and_sandbox_serves_them() -> None:
    with dev("--no-sandbox", env={}) as (_, variables):
        assert configured(variables) == set()
    crm = {"SOURCES__CRM__BASE_URL": "http://127.0.0.1:9", "SOURCES__CRM__API_TOKEN": "mine"}
    with dev("--sandbox", env=crm) as (printed, variables):
        assert configured(variables) == NAMES and variables["SOURCES__CRM__BASE_URL"] == "http://127.0.0.1:9"
        assert "configured: crm" in printed and "crm" not in printed.split("serves")[1].split(" into ")[0]


def test_sync_names_the_platforms_loaded_from_the_sandbox(warehouse_file: Path) -> None:
    with SandboxServer() as own:
        env = {"SOURCES__CRM__BASE_URL": own.base_url("crm"), "SOURCES__CRM__API_TOKEN": own.token("crm")}
        args = ["--no-models", "--select", "crm/roles", "--select", "load_testing/organizations"]
        done = warm_command("sync", "--sandbox", *args, env=env)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Open the UI: " in done.stdout
        line = next(line for line in done.stdout.splitlines() if line.startswith("sandbox:"))
        assert f"serves load_testing into {warehouse_file}; configured: crm" in line


def test_the_sandbox_can_speak_the_vendors_contracts() -> None:
    with dev("--contract", "vendor", env={}) as (text, passed):
        assert "Nothing is configured" in text
        chosen = {name.split("__")[1].lower(): value for name, value in passed.items() if name.endswith("__CONTRACT")}
    assert chosen == {one.name: next(iter(one.contracts)) for one in all_platforms()}

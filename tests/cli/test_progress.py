"""A sync on a terminal shows changing lines and leaves its tables; elsewhere it prints plain lines, each once."""

import pytest

from platform_assets.sandbox import Fault, SandboxServer
from tests.cli.command import command
from tests.cli.terminal import COLOUR, CONTROL, HIDDEN, SHOWN, on_terminal
from tests.settings import sandbox_settings

ASSETS = ("load_testing/organizations", "load_testing/projects", "load_testing/tests")


@pytest.mark.slow
def test_lines_that_change_and_vanish_before_the_tables(shared_sandbox: SandboxServer) -> None:
    env = {**sandbox_settings(shared_sandbox), "NO_COLOR": "1"}
    done = on_terminal("sync", "--platform", "load_testing", env=env)
    assert done.code == 0, done.output[-2000:]
    *frames, last = done.frames
    live = [frame for frame in frames if "load_testing" in frame]
    assert any("3/3" in frame and "landed" in frame for frame in live)
    assert any("dbt" in frame for frame in live), "the models are a line of it"
    assert all(len(line) <= 80 for frame in live for line in frame.split("\n"))
    for asset in ASSETS:
        assert last.count(asset) == 1, "once in the table; no line of a log beside the live one"
    assert "rows in table" not in done.output and "START" not in done.output
    assert "3 of 3 assets and" in last and " s: loading " in last and "Open the UI: " in last
    assert not COLOUR.search(done.output)
    assert done.output.rfind(SHOWN) > done.output.rfind(HIDDEN) >= 0


@pytest.mark.slow
def test_a_dumb_terminal_gets_plain_lines(shared_sandbox: SandboxServer) -> None:
    env = {**sandbox_settings(shared_sandbox), "TERM": "dumb"}
    done = on_terminal("sync", "--select", ASSETS[0], "--no-models", env=env)
    assert done.code == 0 and not CONTROL.search(done.output)
    assert done.output.count(f" {ASSETS[0]}: ") == 1


@pytest.mark.slow
def test_plain_lines_without_a_terminal_also_if_colours_are_forced(shared_sandbox: SandboxServer) -> None:
    env = {**sandbox_settings(shared_sandbox), "FORCE_COLOR": "1"}
    done = command("sync", "--platform", "load_testing", env=env)
    assert done.returncode == 0, done.stderr
    for asset in ASSETS:
        assert done.stderr.count(asset) == 1 and done.stdout.count(asset) == 1
    assert not CONTROL.search(done.stderr), "a log keeps no movements of a cursor"
    assert done.stderr.rstrip().endswith(", 0 warned"), "dbt's own lines are in Dagster's log of the run"
    assert not any(word in done.stdout + done.stderr for word in ("START", "PASS", "Registered adapter"))


@pytest.mark.slow
def test_a_wait_for_the_rate_limit_is_shown_and_ctrl_c_leaves_a_sane_terminal() -> None:
    fault = Fault("items=deal", status=429, times=None, headers={"Retry-After": "60"})
    with SandboxServer(faults=[fault]) as server:
        done = on_terminal(
            "sync",
            "--platform",
            "crm",
            "--no-models",
            env=sandbox_settings(server),
            interrupt_when=lambda output: "s for the rate limit" in output,
        )
    assert done.code == 130
    last = done.frames[-1]
    assert "0 of 26 assets had landed" in last and "Traceback" not in done.output
    assert "stopping" in done.output
    assert done.output.rfind(SHOWN) > done.output.rfind(HIDDEN) >= 0


@pytest.mark.slow
def test_a_failure_is_told_once_with_its_reason_first_and_what_to_do() -> None:
    with SandboxServer(faults=[Fault("/v2/roles", status=404, times=None)]) as server:
        done = on_terminal("sync", "--platform", "device_management", "--no-models", env=sandbox_settings(server))
    assert done.code == 1 and any("1 failed" in frame for frame in done.frames)
    assert done.output.count("answered 404") == 1 and COLOUR.search(done.output)
    (line,) = [line for line in done.frames[-1].splitlines() if line.startswith("failed: ")]
    assert line.startswith("failed: device_management/roles: GET /v2/roles: answered 404"), line
    assert "`platform-assets status`" in done.frames[-1] and "Open the UI" not in done.output
    assert "what to do: `platform-assets check --platform device_management`" in done.frames[-1]

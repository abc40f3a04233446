"""The processes of the UI: which of them end with which, and that none is left."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Timer
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest

from platform_assets.ui import processes
from platform_assets.ui.processes import Process, end, run_until_signalled, signalled
from tests.cli.command import MAIN, ROOT

FOREVER = "while True: time.sleep(60)"
LOST_ONCE = "signal.signal(2, lambda *_: signal.signal(2, signal.SIG_DFL))"
NEVER_ENDS = "signal.signal(2, signal.SIG_IGN)"


def started(name: str, code: str) -> Process:
    return Process(name, [sys.executable, "-c", f"import signal, time\n{code}"], sys.stdout.fileno())


@pytest.fixture(autouse=True)
def real_stdout(capfd: pytest.CaptureFixture[str]) -> None:
    """A stdout with a file descriptor."""


def test_a_signal_ends_all_of_them() -> None:
    code_server, webserver = started("the code server", FOREVER), started("the webserver", FOREVER)
    with signalled() as event:
        Timer(0.3, os.kill, (os.getpid(), signal.SIGTERM)).start()
        assert run_until_signalled(code_server, [webserver], event, lambda: None, lambda: True) == 0
    assert code_server.exit_code() is not None and webserver.exit_code() is not None


def test_one_that_ends_is_named_and_ends_the_others(capfd: pytest.CaptureFixture[str]) -> None:
    code_server, webserver = started("the code server", FOREVER), started("the webserver", "raise SystemExit(3)")
    assert run_until_signalled(code_server, [webserver], Event(), lambda: None, lambda: True) == 1
    assert code_server.exit_code() is not None
    assert "the webserver ended with exit code 3\n" in capfd.readouterr().err


def test_a_code_server_that_never_loads_ends_the_others(capfd: pytest.CaptureFixture[str]) -> None:
    code_server, webserver = started("the code server", "raise SystemExit(1)"), started("the webserver", FOREVER)
    assert run_until_signalled(code_server, [webserver], Event(), lambda: None, lambda: False) == 1
    assert webserver.exit_code() is not None
    assert "the code server ended with exit code 1\n" in capfd.readouterr().err


def test_a_code_server_that_had_loaded_is_started_again(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    starts, event = tmp_path / "starts", Event()
    file = f"open({str(starts)!r}, 'a')"
    again = f"while len(open({str(starts)!r}).read()) > 1: time.sleep(1)"
    code = f"{file}.write('x')\ntime.sleep(1)\n{again}"
    code_server, webserver = started("the code server", code), started("the webserver", FOREVER)

    def meanwhile() -> None:
        if starts.exists() and starts.read_text() == "xx":
            event.set()

    assert run_until_signalled(code_server, [webserver], event, meanwhile, starts.exists) == 0
    assert "the code server ended with exit code 0, and is started again\n" in capfd.readouterr().err


def test_an_interrupt_that_gets_lost_while_it_starts_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "INTERRUPT_SECONDS", 0.1)
    process = started("the webserver", f"{LOST_ONCE}\n{FOREVER}")
    time.sleep(1.0)
    end([process])
    assert process.exit_code() == -signal.SIGINT


def test_one_that_does_not_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "INTERRUPT_SECONDS", 0.1)
    monkeypatch.setattr(processes, "KILL_SECONDS", 0.5)
    process = started("the daemon", f"{NEVER_ENDS}\n{FOREVER}")
    time.sleep(1.0)
    end([process])
    assert process.exit_code() == -signal.SIGKILL


@contextmanager
def dev(home: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """`platform-assets dev` whose page responds, and the address of its UI."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    env = {**os.environ, "DAGSTER_HOME": str(home)}
    command = [sys.executable, "-c", MAIN, "dev", "--no-sandbox", "--port", port]
    process = subprocess.Popen(command, cwd=ROOT, env=env)
    try:
        eventually(lambda: responds(f"http://127.0.0.1:{port}"))
        yield process, f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(90)


def eventually(there: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not there():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def responds(url: str) -> bool:
    try:
        return urlopen(f"{url}/server_info", timeout=5).status == 200
    except (URLError, OSError):
        return False


def locations(url: str) -> dict[str, str]:
    """What each code location is, as the UI shows it: `RepositoryLocation`, or an error."""
    entry = "{name locationOrLoadError {__typename}}"
    data = ask(url, f"{{workspaceOrError {{... on Workspace {{locationEntries {entry}}}}}}}")
    entries = data["workspaceOrError"]["locationEntries"]
    return {entry["name"]: entry["locationOrLoadError"]["__typename"] for entry in entries}


def reloaded(url: str) -> str:
    """What the code location is after a reload, which goes through to the code server."""
    entry = "... on WorkspaceLocationEntry {locationOrLoadError {__typename}}"
    reload = f'reloadRepositoryLocation(repositoryLocationName: "platform_assets.definitions") {{{entry}}}'
    return ask(url, f"mutation {{{reload}}}")["reloadRepositoryLocation"]["locationOrLoadError"]["__typename"]


def ask(url: str, query: str) -> dict[str, Any]:
    body = json.dumps({"query": query}).encode()
    asked = Request(f"{url}/graphql", body, {"Content-Type": "application/json"})
    return json.loads(urlopen(asked, timeout=90).read())["data"]


def running(home: Path) -> dict[int, str]:
    """Command of each process that has this home."""
    found: dict[int, str] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                mine = f"DAGSTER_HOME={home}".encode() in (folder / "environ").read_bytes()
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if mine and command:
                found[int(folder.name)] = command
    return found


linux = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds processes by /proc")


@linux
@pytest.mark.slow
def test_none_is_left_when_the_command_is_killed(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with dev(home) as (process, url):
        # The first page already has the definitions.
        assert locations(url) == {"platform_assets.definitions": "RepositoryLocation"}
        assert len(running(home)) > 3
        process.kill()
        eventually(lambda: not running(home))


@linux
@pytest.mark.slow
def test_the_ui_finds_a_code_server_that_was_killed_and_started_again(tmp_path: Path) -> None:
    home = tmp_path / "home"

    def code_server() -> int | None:
        return next((pid for pid, command in running(home).items() if " code-server start " in command), None)

    with dev(home) as (process, url):
        first = code_server()
        assert first is not None
        os.kill(first, signal.SIGKILL)
        eventually(lambda: code_server() not in (None, first))
        eventually(lambda: reloaded(url) == "RepositoryLocation")
        assert process.poll() is None

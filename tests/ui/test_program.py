"""One of Dagster's programs: when it begins, and when it ends by itself."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from platform_assets.ui.program import DAEMON, WEBSERVER


def started(socket: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "platform_assets.ui.program", str(socket), *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "said"), [(WEBSERVER, "dagster-webserver, version"), (DAEMON, "dagster._daemon, version")]
)
def test_it_begins_when_the_socket_of_the_code_server_is_there(tmp_path: Path, module: str, said: str) -> None:
    socket = tmp_path / "code"
    process = started(socket, module, "--version")
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(8)
    socket.touch()
    assert process.wait(60) == 0
    assert process.stdout is not None and process.stdin is not None
    assert said in process.stdout.read()


def test_it_ends_without_a_word_when_what_started_it_is_gone(tmp_path: Path) -> None:
    process = started(tmp_path / "code", DAEMON, "--version")
    time.sleep(1)
    assert process.stdin is not None and process.stderr is not None
    process.stdin.close()
    assert process.wait(60) == 128 + signal.SIGINT
    assert process.stderr.read() == ""

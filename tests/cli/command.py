"""`platform-assets` in a separate process, as a user runs it."""

import atexit
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import orjson

ROOT = Path(__file__).parents[2]
MAIN = "from platform_assets.cli import main; main()"
SECONDS = 300


def command(
    *args: str,
    env: Mapping[str, str] | None = None,
    before_start: Callable[[], None] | None = None,
    cwd: Path = ROOT,
    code: str = MAIN,
) -> subprocess.CompletedProcess[str]:
    """Run the command, or other Python `code`, to its end; `before_start` is called in the process before it starts."""
    return subprocess.run(
        [sys.executable, "-c", code, *args],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
        preexec_fn=before_start,
    )


def warm_command(*args: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own that has imported Dagster and dlt already, half the CPU of a small sync.

    For tests that are not about how the command starts.
    """
    with socket.socket(socket.AF_UNIX) as connection, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        connection.settimeout(SECONDS)
        connection.connect(str(_warm_process()))
        socket.send_fds(connection, [b"."], [out.fileno(), err.fileno()])
        connection.sendall(orjson.dumps({"args": args, "environment": {**os.environ, **(env or {})}}) + b"\n")
        with connection.makefile("rb") as stream:
            pid = int(stream.readline())
            try:
                code = int(stream.readline())
            except TimeoutError:
                os.kill(pid, 9)
                raise
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode())
        return subprocess.CompletedProcess(args, code, *texts)


@cache
def _warm_process() -> Path:
    """The socket of this process's `tests.cli.warm`, once it listens."""
    folder = Path(tempfile.mkdtemp(prefix="warm-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = folder / "socket"
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.cli.warm", str(path)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    atexit.register(process.terminate)
    assert process.stdout is not None and process.stdout.readline() == b"ready\n", "the warm process did not start"
    return path

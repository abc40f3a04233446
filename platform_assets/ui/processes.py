"""Runs the processes of the UI until a signal or until one of them fails.

`dagster dev` does the same one after another: it imports Dagster, then starts the code server, and when that has loaded
the definitions, the webserver and the daemon, which import Dagster first. Started together they take two thirds of the
time until there is a page.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

from platform_assets.ui.program import CODE_SERVER, DAEMON, WEBSERVER

# The code location's name, which Dagster knows sensors and schedules by: what `dagster dev -m` calls it.
_DEFINITIONS = "platform_assets.definitions"
# The formats that are not `rich` write colours whatever they write to.
_LOGGING = ("--log-format", "rich")

# Seconds between checks for a signal, and of the processes.
_POLL_SECONDS = 0.2
# Seconds that a process has to end after an interrupt, until it gets another one. One can get lost during imports.
INTERRUPT_SECONDS = 20.0
# Seconds until a process that does not end is killed.
KILL_SECONDS = 60.0
# Seconds to wait for what was printed last.
_LAST_LINES = 2.0


def run_ui(host: str, port: int, show: Callable[[Iterable[str]], None], meanwhile: Callable[[], None]) -> int:
    """Run Dagster's UI, daemon and code server until SIGINT or SIGTERM; the exit code.

    Args:
        host: address of the UI.
        port: port of the UI.
        show: gets the lines that the processes and their runs print, in a thread.
        meanwhile: called several times a second.
    """
    with (
        tempfile.TemporaryDirectory(prefix="platform-assets-") as folder,
        _Output(show) as output,
        signalled() as event,
    ):
        socket = Path(folder, "code")
        workspace = Path(folder, "workspace.yaml")
        # JSON is YAML.
        workspace.write_text(json.dumps(_workspace(socket)))
        options = ["--workspace", str(workspace), *_LOGGING]
        webserver = ["--host", host, "--port", str(port), "--dagster-log-level", "warning", *options]
        daemon = ["run", "--log-level", "warning", *options]
        code_server = Process("the code server", _command(socket, CODE_SERVER, _code_server(socket)), output.end)
        others = [
            Process("the webserver", _command(socket, WEBSERVER, webserver), output.end),
            Process("the daemon", _command(socket, DAEMON, daemon), output.end),
        ]
        return run_until_signalled(code_server, others, event, meanwhile, socket.exists)


def _command(socket: Path, module: str, arguments: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "platform_assets.ui.program", str(socket), module, *arguments]


def _workspace(socket: Path) -> object:
    location = {"location_name": _DEFINITIONS, "socket": str(socket)}
    metadata = {"module_name": _DEFINITIONS, "working_directory": str(Path.cwd())}
    return {"load_from": [{"grpc_server": {**location, "additional_metadata": metadata}}]}


def _code_server(socket: Path) -> list[str]:
    location = ["--module-name", _DEFINITIONS, "--location-name", _DEFINITIONS, "--socket", str(socket)]
    # `.env` is read by the code server, as `dagster dev` makes it.
    return ["code-server", "start", *location, "--inject-env-vars-from-instance", "--log-level", "warning", *_LOGGING]


@contextmanager
def signalled() -> Iterator[Event]:
    """An event that SIGINT and SIGTERM set within the block."""
    event = Event()
    before = {number: signal.signal(number, lambda *_: event.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield event
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run_until_signalled(
    code_server: "Process",
    others: Sequence["Process"],
    event: Event,
    meanwhile: Callable[[], None],
    loaded: Callable[[], bool],
) -> int:
    """Wait for the event or the end of one of the processes, and end all of them; the exit code.

    Args:
        code_server: is started again if it ends after it had loaded, as `dagster dev` does. The others find it.
        others: end with it if it never loads, and it ends with them.
        event: ends all of them.
        meanwhile: called several times a second.
        loaded: whether the code server has loaded the definitions.
    """
    has_loaded = False
    try:
        while not event.wait(_POLL_SECONDS):
            meanwhile()
            has_loaded = has_loaded or loaded()
            for process in (*others, code_server):
                code = process.exit_code()
                if code is None:
                    continue
                if process is not code_server or not has_loaded:
                    print(f"{process.name} ended with exit code {code}", file=sys.stderr)
                    return 1
                print(f"{process.name} ended with exit code {code}, and is started again", file=sys.stderr)
                process.start()
        return 0
    finally:
        # The code server last: the others would report that it is gone.
        end(others)
        end([code_server])


def end(processes: Sequence["Process"]) -> None:
    """Interrupt the processes and wait until they have ended; those that go on are interrupted again, then killed."""
    began = time.monotonic()
    interrupt_at = began
    while running := [process for process in processes if process.exit_code() is None]:
        now = time.monotonic()
        if now >= interrupt_at:
            number = signal.SIGKILL if now >= began + KILL_SECONDS else signal.SIGINT
            for process in running:
                process.send(number)
            interrupt_at = now + INTERRUPT_SECONDS
        time.sleep(_POLL_SECONDS / 4)


class _Output:
    """A pipe for what all processes print, and the thread that shows it."""

    def __init__(self, show: Callable[[Iterable[str]], None]) -> None:
        read, self.end = os.pipe()
        lines = os.fdopen(read, errors="replace")
        self._reader = Thread(target=show, args=(lines,), name="stdout", daemon=True)

    def __enter__(self) -> "_Output":
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.end)
        # A run that outlives the UI keeps its stdout open.
        self._reader.join(_LAST_LINES)


class Process:
    """A process that runs, and can be started again.

    It has a process group of its own, which a terminal's Ctrl-C does not reach: a second interrupt would cut its end
    short. Its stdin is open as long as this process lives.
    """

    def __init__(self, name: str, command: Sequence[str], stdout: int) -> None:
        self.name = name
        self._command = command
        self._stdout = stdout
        self._process = self._started()

    def start(self) -> None:
        self._process = self._started()

    def exit_code(self) -> int | None:
        return self._process.poll()

    def send(self, number: int) -> None:
        self._process.send_signal(number)

    def _started(self) -> subprocess.Popen[bytes]:
        env = {**os.environ, "DAGSTER_IS_DEV_CLI": "1"}
        pipe = subprocess.PIPE
        return subprocess.Popen(self._command, stdin=pipe, stdout=self._stdout, process_group=0, env=env)

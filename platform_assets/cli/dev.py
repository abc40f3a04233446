"""`platform-assets dev`: the Dagster UI."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from threading import Event, Thread

import typer

from platform_assets.cli.dbt_lines import DbtLines
from platform_assets.cli.environment import (
    dagster_home,
    report_broken_platforms,
    sandbox_for,
    sandbox_line,
)
from platform_assets.cli.ports import check_port
from platform_assets.configuration import unknown_settings
from platform_assets.configuration.platform_settings import is_configured, is_loopback, is_mentioned
from platform_assets.declarations import REFERENCE
from platform_assets.platforms import all_platforms, broken_platforms

# `python -m dagster` without its warning about the dagster.yaml in this folder, which is for Dagster's own commands.
_START = """
import logging, runpy
said = "Found a dagster instance configuration value"
logging.getLogger("dagster").addFilter(lambda record: said not in record.getMessage())
runpy.run_module("dagster", run_name="__main__", alter_sys=True)
"""

# Dagster's warning that `dg dev` is the newer command, which loads only the project of the folder it runs in.
_SUPERSEDED = "Function `dev_command` is superseded"

# Seconds between checks for a signal.
_POLL_SECONDS = 0.2
# Seconds that `dagster dev` has to end after an interrupt, until it gets another one.
SHUTDOWN_SECONDS = 20.0
# Seconds to wait for what was printed last.
_LAST_LINES = 2.0


def open_ui(host: str, port: int, sandbox: bool | None, contract: str = REFERENCE) -> int:
    """Run `dagster dev` until it ends; its exit code.

    Args:
        host: address of the UI.
        port: port of the UI.
        sandbox: whether platforms that are not configured come from the sandbox, whose data the sensors then load by
            themselves. None means only if no setting of any platform exists.
        contract: what the sandbox speaks, as for `sandbox_for`.

    Raises PortUnavailable before anything is started.
    """
    check_port("the Dagster UI", host, port)
    report_broken_platforms()
    for problem in unknown_settings(all_platforms(), [name for broken in broken_platforms() for name in broken.names]):
        print(f"warning: {problem}", file=sys.stderr)
    home = dagster_home()
    platforms = all_platforms()
    configured = [platform.name for platform in platforms if is_configured(platform)]
    unconfigured = [platform.name for platform in platforms if not is_configured(platform)]
    wanted = not any(map(is_mentioned, platforms)) if sandbox is None else sandbox
    with sandbox_for(platforms, wanted, contract) as server:
        if server is not None:
            typer.echo(sandbox_line(unconfigured, configured, server.url))
            if sandbox is None:
                typer.echo("Nothing is configured, so everything comes from the sandbox; --no-sandbox turns it off.")
        elif unconfigured:
            typer.echo(f"Not configured, so off: {', '.join(unconfigured)} (--sandbox serves them from the sandbox)")
        typer.echo(f"Starting the Dagster UI (home: {home}) ...")
        if not is_loopback(host):
            typer.echo(f"Warning: the UI has no login: whoever can reach {host}:{port} can read and run everything.")
        command = [
            sys.executable,
            "-W",
            f"ignore:{_SUPERSEDED}",
            "-c",
            _START,
            "dev",
            "-m",
            "platform_assets.definitions",
            "-h",
            host,
            "-p",
            str(port),
            "--log-level",
            "warning",
            # The other format writes colours whatever it writes to.
            "--log-format",
            "rich",
        ]
        return run_until_signalled(command, _Announcement(host, port))


class _Announcement:
    """Says the address of the UI once it responds."""

    def __init__(self, host: str, port: int) -> None:
        self._host = "127.0.0.1" if host in ("0.0.0.0", "::") else host
        self._port = port
        self._made = False

    def __call__(self) -> None:
        if self._made:
            return
        connection = HTTPConnection(self._host, self._port, timeout=_POLL_SECONDS)
        try:
            connection.request("GET", "/server_info")
            self._made = connection.getresponse().status == HTTPStatus.OK
        except (OSError, HTTPException):
            return
        finally:
            connection.close()
        if self._made:
            typer.echo(f"Dagster UI: http://{self._host}:{self._port}")


def run_until_signalled(command: Sequence[str], meanwhile: Callable[[], None]) -> int:
    """Run a program until it ends or this process receives SIGINT or SIGTERM; its exit code.

    Calls `meanwhile` several times a second.

    `dagster dev` shuts down its daemon and code server on an interrupt only, and a second interrupt would cut that
    short. So it gets a process group of its own, which a terminal's Ctrl-C does not reach, and one interrupt from here;
    another one if it goes on, since an interrupt while it starts can get lost.
    """
    signalled = Event()
    before = {number: signal.signal(number, lambda *_: signalled.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    process = subprocess.Popen(command, process_group=0, stdout=subprocess.PIPE, text=True, errors="replace")
    reader = Thread(target=_show, args=(process.stdout,), name="stdout", daemon=True)
    reader.start()
    interrupt_at = 0.0
    try:
        while True:
            try:
                return process.wait(_POLL_SECONDS)
            except subprocess.TimeoutExpired:
                meanwhile()
                if signalled.is_set() and time.monotonic() >= interrupt_at:
                    process.send_signal(signal.SIGINT)
                    interrupt_at = time.monotonic() + SHUTDOWN_SECONDS
    finally:
        # A run that outlives the UI keeps its stdout open.
        reader.join(_LAST_LINES)
        for number, handler in before.items():
            signal.signal(number, handler)


def _show(lines: Iterable[str]) -> None:
    """Print what the runs print, which is dbt's most of all, in short."""
    dbt = DbtLines()
    for line in lines:
        shown = dbt.reduced(line.rstrip("\n"))
        if shown is not None:
            typer.echo(shown)

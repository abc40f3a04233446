"""`platform-assets dev`: the Dagster UI."""

import signal
import subprocess
import sys
from collections.abc import Sequence
from threading import Event

import typer

from platform_assets.cli.environment import (
    dagster_home,
    sandbox_for,
    say_what_the_sandbox_serves,
    tell_of_broken_platforms,
)
from platform_assets.configuration import unknown_settings
from platform_assets.configuration.platform_settings import is_configured, is_loopback, is_mentioned
from platform_assets.platforms import all_platforms, broken_platforms

_LOOK_EVERY = 0.2
"""Seconds between looks at whether we were told to end."""


def open_ui(host: str, port: int, sandbox: bool | None) -> int:
    """Run `dagster dev` until it ends; its exit code.

    `sandbox` says whether platforms that are not configured come from the sandbox, whose data the sensors load by
    themselves; None: only where nobody has set anything of any platform.
    """
    tell_of_broken_platforms()
    for problem in unknown_settings(all_platforms(), [broken.module for broken in broken_platforms()]):
        print(f"warning: {problem}", file=sys.stderr)
    home = dagster_home()
    platforms = all_platforms()
    configured = [platform.name for platform in platforms if is_configured(platform)]
    left = [platform.name for platform in platforms if not is_configured(platform)]
    wanted = not any(map(is_mentioned, platforms)) if sandbox is None else sandbox
    with sandbox_for(platforms, wanted) as server:
        if server is not None:
            typer.echo(say_what_the_sandbox_serves(left, configured, server.url))
            if sandbox is None:
                typer.echo("Nothing is configured, so all of it is the sandbox's; --no-sandbox leaves it off.")
        elif left:
            typer.echo(f"Not configured, so off: {', '.join(left)} (--sandbox serves them from the sandbox)")
        typer.echo(f"Dagster UI: http://{host}:{port}  (home: {home})")
        if not is_loopback(host):
            typer.echo(f"Warning: whoever reaches {host}:{port} may run and read everything: the UI has no login.")
        command = [
            sys.executable,
            "-m",
            "dagster",
            "dev",
            "-m",
            "platform_assets.definitions",
            "-h",
            host,
            "-p",
            str(port),
        ]
        return _run_until_told_to_end(command)


def _run_until_told_to_end(command: Sequence[str]) -> int:
    """Run a program until it ends or we are told to; its exit code.

    `dagster dev` takes its daemon and code server down with it on an interrupt only, and on one: a second would cut
    that short. So it has a process group of its own, which a terminal's Ctrl-C does not reach, and gets ours.
    """
    told = Event()
    before = {number: signal.signal(number, lambda *_: told.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    process = subprocess.Popen(command, process_group=0)
    forwarded = False
    try:
        while True:
            try:
                return process.wait(_LOOK_EVERY)
            except subprocess.TimeoutExpired:
                if told.is_set() and not forwarded:
                    process.send_signal(signal.SIGINT)
                    forwarded = True
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

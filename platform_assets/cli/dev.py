"""`platform-assets dev`: the Dagster UI."""

import signal
import subprocess
import sys
from pathlib import Path

import typer

from platform_assets.cli.surroundings import dagster_home, sandbox_for, tell_of_broken_platforms
from platform_assets.configuration import unknown_settings
from platform_assets.extraction.settings import is_loopback
from platform_assets.platforms import all_platforms, broken_platforms


def open_ui(host: str, port: int) -> int:
    """Run `dagster dev` until it ends; its exit code."""
    tell_of_broken_platforms()
    for problem in unknown_settings(all_platforms(), [broken.module for broken in broken_platforms()]):
        print(f"warning: {problem}", file=sys.stderr)
    home = dagster_home()
    with sandbox_for(all_platforms(), wanted=True) as server:
        if server is not None:
            typer.echo(f"sandbox: {server.url} (serves every platform without a base_url)")
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
        process = subprocess.Popen(command, cwd=Path.cwd())
        # `dagster dev` takes its daemon and code server down with it on an interrupt only.
        signal.signal(signal.SIGTERM, lambda *_: process.send_signal(signal.SIGINT))
        try:
            return process.wait()
        except KeyboardInterrupt:
            return process.wait()

"""`platform-assets` in a separate process, as a user runs it."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
MAIN = "from platform_assets.cli import main; main()"


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
        timeout=300,
        preexec_fn=before_start,
    )

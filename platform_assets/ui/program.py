"""One of Dagster's programs: `python -m platform_assets.ui.program SOCKET MODULE ARGUMENTS`.

Imports are most of the time that these programs need to start, so all of them import at once. The webserver and the
daemon begin to work when the code server's socket is there: earlier they would show a code location that failed.
"""

import os
import runpy
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from threading import Thread

from platform_assets.garbage import collect_less_often

WEBSERVER = "dagster_webserver"
DAEMON = "dagster._daemon"
# `dagster code-server start`
CODE_SERVER = "dagster"

# What takes long in each of them.
_IMPORTED: Mapping[str, Sequence[str]] = {
    WEBSERVER: ("dagster_webserver.cli",),
    DAEMON: ("dagster._daemon.cli",),
    CODE_SERVER: ("dagster._cli.code_server", "dagster._grpc.proxy_server"),
}
# Seconds between looks for the socket.
_POLL_SECONDS = 0.02


def main(socket: Path, module: str, arguments: Sequence[str]) -> None:
    """Run the module as a program with these arguments, once it is imported and, of the others, the socket exists."""
    collect_less_often()
    for name in _IMPORTED[module]:
        import_module(name)
    while module != CODE_SERVER and not socket.exists():
        time.sleep(_POLL_SECONDS)
    sys.argv[1:] = arguments
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _interrupt_when_abandoned() -> None:
    """Interrupt this process when the one that started it is gone, even killed: its end of our stdin is closed then."""
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGINT)


if __name__ == "__main__":
    Thread(target=_interrupt_when_abandoned, name="abandoned", daemon=True).start()
    try:
        main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
    except KeyboardInterrupt:
        raise SystemExit(128 + signal.SIGINT) from None

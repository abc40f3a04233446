"""`platform-assets` on a terminal of its own, 80 columns wide, as a person runs it."""

import fcntl
import os
import pty
import re
import struct
import sys
import termios
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.cli.command import MAIN, ROOT

CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
COLOUR = re.compile(r"\x1b\[(?:\d+;)*(?:3[0-7]|9[0-7]|38;[0-9;]+)(?:;\d+)*m")
ERASED = re.compile(r"\r?(?:\x1b\[2K(?:\x1b\[1A)?)+")
HIDDEN, SHOWN = "\x1b[?25l", "\x1b[?25h"


@dataclass(frozen=True)
class Ended:
    """What the terminal got: everything, as it came, and the exit code."""

    code: int
    output: str

    @property
    def frames(self) -> list[str]:
        """What stood on the screen between two erasures, without colours; what stays is in the last one."""
        return [CONTROL.sub("", frame).replace("\r\n", "\n") for frame in ERASED.split(self.output)]


def on_terminal(
    *args: str,
    env: Mapping[str, str],
    columns: int = 80,
    interrupt_when: Callable[[str], bool] = lambda output: False,
    typed: Sequence[tuple[str, str]] = (),
    cwd: Path = ROOT,
) -> Ended:
    """Run the command to its end; press Ctrl-C once when its output so far is such.

    Args:
        typed: (what has to be asked, the answer that is then typed), one after the other.
    """
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(cwd)
        os.execve(sys.executable, [sys.executable, "-c", MAIN, *args], {**os.environ, "TERM": "xterm-256color", **env})
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 30, columns, 0, 0))
    received, pressed, waiting = b"", False, list(typed)
    try:
        while data := _more(terminal):
            received += data
            if not pressed and interrupt_when(received.decode(errors="replace")):
                os.write(terminal, b"\x03")
                pressed = True
            if waiting and waiting[0][0] in received.decode(errors="replace"):
                os.write(terminal, waiting.pop(0)[1].encode() + b"\n")
    finally:
        os.close(terminal)
    return Ended(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), received.decode(errors="replace"))


def _more(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux says so when the last process has closed its end
        return b""

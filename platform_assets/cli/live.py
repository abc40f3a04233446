"""How `platform-assets sync` shows its progress: lines that change on a terminal, plain lines elsewhere."""

import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console, ConsoleRenderable, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from platform_assets.cli.json_log import is_json_log
from platform_assets.cli.live_lines import WORTH_SAYING, LiveLines
from platform_assets.cli.phases import PhaseClock
from platform_assets.cli.run_output import hide_dlts_tracebacks, own_stderr, stderr_by_lines, without_stdout
from platform_assets.http.client import RATE_LIMIT
from platform_assets.progress import Observer, observed_by

_PER_SECOND = 5

log = logging.getLogger(__name__)


class LoggedWaits(Observer):
    """Measures the phases, and logs why a platform waits for a retry; the sync logs a line per asset itself.

    Of the waits that many reads begin at once, one is logged.

    Args:
        phases: measures the phases.
        clock: seconds, only ever going forward; replaced by tests.
    """

    def __init__(self, phases: PhaseClock, clock: Callable[[], float] = time.monotonic) -> None:
        self.phase = phases.phase
        self._clock = clock
        self._until: dict[str, float] = {}
        self._lock = threading.Lock()

    def waiting(self, platform: str, seconds: float, why: str) -> None:
        # Within a declared rate limit, waits are the rule.
        if why == RATE_LIMIT or seconds < WORTH_SAYING:
            return
        now = self._clock()
        with self._lock:
            if now < self._until.get(platform, now):
                return
            self._until[platform] = now + seconds
        log.info("%s: waiting %.0f s %s", platform, seconds, why)


@contextmanager
def progress_shown(assets: Mapping[str, int], clock: PhaseClock) -> Iterator[None]:
    """Show on stderr what the runs inside the context do, and keep their stdout from the terminal.

    On a terminal, lines that change and then vanish, with warnings above them; elsewhere a plain line per asset.

    Args:
        assets: platform -> how many of its assets are to be loaded.
        clock: measures the phases.
    """
    with without_stdout():
        if can_move_cursor():
            with _live(assets, clock):
                yield
        else:
            if not is_json_log():
                _log_to(logging.StreamHandler(sys.stderr), logging.INFO)
            with observed_by(LoggedWaits(clock)):
                yield


def can_move_cursor() -> bool:
    """Whether stderr is a terminal on which lines can be written again."""
    return sys.stderr.isatty() and os.environ.get("TERM", "").lower() not in ("", "dumb", "unknown")


@contextmanager
def _live(assets: Mapping[str, int], clock: PhaseClock) -> Iterator[None]:
    lines = LiveLines(assets, clock)
    with own_stderr() as file:
        # Not left to rich, which would also paint where FORCE_COLOR is set.
        console = Console(file=file, force_terminal=True)

        def show(line: str) -> None:
            console.print(line, markup=False, highlight=False, soft_wrap=True)

        live = Live(
            get_renderable=lambda: rendered(lines),
            console=console,
            refresh_per_second=_PER_SECOND,
            transient=True,
            # By descriptor instead: Dagster and dbt are other processes, and Dagster wants real files.
            redirect_stdout=False,
            redirect_stderr=False,
        )
        _log_to(_Above(show), logging.WARNING)
        try:
            with live, stderr_by_lines(show), observed_by(lines):
                yield
        finally:
            _log_to(logging.StreamHandler(sys.stderr), logging.WARNING)


def rendered(lines: LiveLines) -> ConsoleRenderable:
    """A line per platform and a last one, each cut at the width of the terminal."""
    table = Table(box=None, pad_edge=False, expand=True, header_style="dim")
    table.add_column("platform", no_wrap=True)
    for name in ("assets", "pages", "rows"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True, overflow="ellipsis", ratio=1)
    for name, line, doing in lines.texts():
        style = "red" if line.failed else "yellow" if doing.startswith("waiting") else "green" if doing else "dim"
        count = f"{line.landed}/{line.assets}"
        table.add_row(name, count, str(line.pages), str(line.rows), Text(doing, style=style))
    return Group(table, Text(lines.last_line, no_wrap=True, overflow="ellipsis"))


class _Above(logging.Handler):
    """Prints warnings above the display; not failures, which the summary lists."""

    def __init__(self, show: Callable[[str], None]) -> None:
        super().__init__()
        self._show = show

    def emit(self, record: logging.LogRecord) -> None:
        if not getattr(record, "reported", False):
            self._show(self.format(record))


def _log_to(handler: logging.Handler, level: int) -> None:
    logger = logging.getLogger("platform_assets")
    logger.setLevel(level)
    logger.propagate = False
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    logger.handlers = [handler]
    hide_dlts_tracebacks()

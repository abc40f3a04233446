"""The state of a sync that a live display shows: one line per platform, and one for dbt."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from platform_assets.cli.phases import PhaseClock
from platform_assets.progress import Observer, Phase

# Seconds that a wait must still take to be worth a word.
WORTH_SAYING = 1.0


@dataclass
class PlatformLine:
    """What one platform does now.

    Attributes:
        assets: how many were asked for.
        landed, failed: of these.
        pages, rows: read so far.
        reads: resource -> how many reads the round has; one for each parent.
        ended: resource -> how many of these have ended.
        active: resource -> how many of these are under way, first begun first.
        waits_until: on the clock; the end of the longest wait.
        stage: "planning" before a round reads, "landing" when it writes what was read, else empty.
    """

    assets: int
    landed: int = 0
    failed: int = 0
    pages: int = 0
    rows: int = 0
    reads: Mapping[str, int] = field(default_factory=dict)
    ended: Counter[str] = field(default_factory=Counter)
    active: dict[str, int] = field(default_factory=dict)
    waits_until: float = 0.0
    waits_why: str = ""
    stage: str = ""

    def text(self, now: float) -> str:
        """What it does at `now`, e.g. `reading deal_products 17/420 and 2 more`; empty before it begins."""
        left = self.waits_until - now
        if self.stage:
            return self.stage
        if left >= WORTH_SAYING:
            return f"waiting {left:.0f} s {self.waits_why}"
        if self.active:
            first, *others = self.active
            reads = self.reads.get(first, 1)
            of = f" {self.ended[first]}/{reads}" if reads > 1 else ""
            return f"reading {first}{of}" + (f" and {len(others)} more" if others else "")
        if self.failed:
            return f"{self.failed} failed"
        return "landed" if self.landed >= self.assets else ""


class LiveLines(Observer):
    """Gathers what the display shows.

    Args:
        assets: platform -> how many of its assets were asked for; in the order of the lines.
        phases: measures the phases.
        clock: seconds, only ever going forward; replaced by tests.
    """

    def __init__(
        self, assets: Mapping[str, int], phases: PhaseClock, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.platforms = {name: PlatformLine(count) for name, count in assets.items()}
        self.dbt: tuple[int, int, str] | None = None
        self.phase = phases.phase
        self._phases = phases
        self._clock = clock
        self._lock = threading.Lock()
        self._has_begun = False

    def texts(self) -> Iterable[tuple[str, PlatformLine, str]]:
        """Of each platform: its name, its numbers, and what it does now."""
        now = self._clock()
        with self._lock:
            return [(name, line, line.text(now)) for name, line in self.platforms.items()]

    @property
    def last_line(self) -> str:
        """How long it takes so far, and what goes on that no platform's line tells."""
        seconds = sum(self._phases.seconds().values())
        doing = ""
        if self.dbt is not None:
            # In every phase: Dagster records what dbt has built while dbt goes on.
            done, total, name = self.dbt
            doing = f"dbt {done}/{total} {name}"
        elif self._phases.now is Phase.MODELS:
            doing = "dbt reads its project"
        elif self._phases.now is Phase.DAGSTER:
            doing = "Dagster records what was done" if self._has_begun else "Dagster loads its definitions"
        return f"{seconds:.0f} s  {doing}".rstrip()

    def planning(self, platform: str) -> None:
        with self._lock:
            self.platforms[platform].stage = "planning"

    def reads_planned(self, platform: str, reads: Mapping[str, int]) -> None:
        with self._lock:
            line = self.platforms[platform]
            line.reads, line.ended, line.stage = reads, Counter(), ""
            self._has_begun = True

    def read_began(self, platform: str, resource: str) -> None:
        with self._lock:
            active = self.platforms[platform].active
            active[resource] = active.get(resource, 0) + 1

    def page_read(self, platform: str, resource: str, rows: int) -> None:
        with self._lock:
            line = self.platforms[platform]
            line.pages += 1
            line.rows += rows

    def read_ended(self, platform: str, resource: str, reads: int) -> None:
        with self._lock:
            line = self.platforms[platform]
            line.ended[resource] += reads
            line.active[resource] -= 1
            if not line.active[resource]:
                del line.active[resource]

    def waiting(self, platform: str, seconds: float, why: str) -> None:
        until = self._clock() + seconds
        with self._lock:
            line = self.platforms[platform]
            if until > line.waits_until:
                line.waits_until, line.waits_why = until, why

    def landing(self, platform: str) -> None:
        with self._lock:
            line = self.platforms[platform]
            line.stage, line.waits_until = "landing", 0.0

    def landed(self, platform: str, resource: str, failed: bool) -> None:
        with self._lock:
            line = self.platforms[platform]
            line.stage = ""
            line.failed += failed
            line.landed += not failed

    def dbt_node(self, done: int, total: int, name: str) -> None:
        self.dbt = done, total, name

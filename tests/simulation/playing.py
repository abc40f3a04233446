"""Runs one history to its findings, and shrinks it to the fewest steps that still show one."""

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.simulation.findings import Finding
from tests.simulation.history import History, Sync, replay
from tests.simulation.play import Play
from tests.simulation.warehouse import DuckDBFile, Make


@dataclass
class Result:
    """The result of a history in a warehouse. `found` has the number of the step with each finding."""

    history: History
    found: list[tuple[int, Finding]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    warehouse: str = "duckdb"

    @property
    def kinds(self) -> set[tuple[str, str]]:
        return {(finding.kind, finding.where) for _, finding in self.found}


def play(
    history: History,
    kept: Iterable[int] | None = None,
    *,
    until: set[tuple[str, str]] | None = None,
    make_warehouse: Make = DuckDBFile,
) -> Result:
    """Run a history, or the kept steps of it; stop at the first finding (of the kinds in `until`)."""
    result = Result(history)
    steps = [(number, history.steps[number]) for number in (kept if kept is not None else range(len(history.steps)))]
    with TemporaryDirectory(prefix="simulation-") as folder, closing(make_warehouse(Path(folder))) as warehouse:
        result.warehouse = warehouse.name
        stage = Play(history.platform, history.resources, warehouse, page=history.page, size=history.size)
        stage.fill(history.rows)
        with stage.server:
            for number, step in steps:
                found = stage.sync(step) if isinstance(step, Sync) else stage.do(step)
                result.found += [(number, finding) for finding in found or ()]
                if _enough(result, until):
                    break
            else:
                result.found += [(len(history.steps), finding) for finding in stage.settle()]
        result.counts = stage.counts
    return result


def _enough(result: Result, until: set[tuple[str, str]] | None) -> bool:
    return bool(result.found) if until is None else bool(result.kinds & until)


def shrink(history: History, result: Result, seconds: float, *, make_warehouse: Make = DuckDBFile) -> list[int]:
    """Numbers of the steps that still show one of the findings, as few as can be found in the time."""
    deadline = time.monotonic() + seconds
    wanted = result.kinds
    last = max(number for number, _ in result.found)
    kept = [number for number in range(len(history.steps)) if number <= last]
    chunk = max(1, len(kept) // 2)
    while time.monotonic() < deadline:
        start, removed = 0, False
        while start < len(kept) and time.monotonic() < deadline:
            fewer = kept[:start] + kept[start + chunk :]
            if play(history, fewer, until=wanted, make_warehouse=make_warehouse).kinds & wanted:
                kept, removed = fewer, True
            else:
                start += chunk
        if chunk == 1 and not removed:
            break
        chunk = max(1, chunk // 2)
    return kept


def failure_report(result: Result, kept: Sequence[int] | None = None, shown: int = 8) -> str:
    """The report of a failed history: the command that replays it, the steps, the findings."""
    history = result.history
    numbers = kept if kept is not None else range(len(history.steps))
    reached = max((number for number, _ in result.found), default=0)
    lines = [
        replay(history, kept, result.warehouse),
        f"{history.platform}: {', '.join(history.resources)}; pages of {history.size} ({history.page} if not"
        f" requested), {history.rows} rows a list at the beginning",
        *(f"  {number:3d} {history.steps[number]}" for number in numbers if number <= reached),
        *(f"  -> after {number}: {finding}" for number, finding in result.found[:shown]),
    ]
    if len(result.found) > shown:
        lines.append(f"  -> and {len(result.found) - shown} more")
    return "\n".join(lines)

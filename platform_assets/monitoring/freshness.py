"""When is an asset due? Decided from what Dagster recorded and what a sensor remembers; no network in here.

An asset, or a partition of it, is stale once its last load is older than a part of its allowed lag. A stale
one is asked for, once; while that run is on its way nothing more is asked. If the run fails it is asked for
again after a while, longer each time; a day later where the server refuses the request itself. An asset that
brings nothing new is looked at less and less often, but never later than its allowed lag permits.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import Any, Self

FIRST_WAIT = 60.0
"""Seconds before a failed run is asked for again, doubling."""
LONGEST_WAIT = 3600.0
REFUSED_WAIT = 86_400.0
"""Seconds before what the server refuses is tried again: somebody has to change something first."""
LOST_AFTER = 900.0
"""Seconds after which a request that became no run counts as failed."""

WHOLE = ""
"""The one partition of an asset without partitions."""


class RunState(Enum):
    """What became of the run that was asked for last."""

    NONE = "none"
    UNDER_WAY = "under way"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass
class SensorState:
    """What a sensor remembers of one asset between ticks; becomes JSON in its cursor.

    Attributes:
        run_key: of the run that was asked for last, empty once its end was seen.
        asked_at: when, as POSIX time.
        asked: the partitions it was asked for.
        tries: partition -> [how often asked for since it last loaded, POSIX time before which it is left alone].
        loaded_at: POSIX time of the last load that was counted in `quiet`.
        quiet: loads and looks in a row that brought nothing.
        next_probe_at: POSIX time before which upstream is not asked.
    """

    run_key: str = ""
    asked_at: float = 0.0
    asked: list[str] = field(default_factory=list)
    tries: dict[str, list[float]] = field(default_factory=dict)
    loaded_at: float = 0.0
    quiet: int = 0
    next_probe_at: float = 0.0

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Self:
        """From what a cursor holds; what another version stored under other names is forgotten."""
        return cls(**{name: stored[name] for name in cls.__dataclass_fields__ if name in stored})

    def stored(self) -> dict[str, Any]:
        """As little as needed: only what differs from a fresh memory."""
        fresh = asdict(type(self)())
        return {name: value for name, value in asdict(self).items() if value != fresh[name]}


def record_load(memory: SensorState, loaded_at: float | None, rows_loaded: int) -> None:
    """Count a load of the whole asset that was not seen yet: rows end the quiet, none prolong it."""
    if loaded_at is not None and loaded_at > memory.loaded_at:
        memory.loaded_at = loaded_at
        memory.quiet = 0 if rows_loaded else memory.quiet + 1
        memory.next_probe_at = 0.0
        memory.tries = {}


def record_run(memory: SensorState, state: RunState, refused: Iterable[str], now: float) -> None:
    """Take note of the end of the run that was asked for. `refused`: its partitions that the server refused."""
    if not memory.run_key or state is RunState.UNDER_WAY:
        return
    if state is RunState.NONE and now - memory.asked_at < LOST_AFTER:
        return
    if state is not RunState.SUCCEEDED:
        refused = set(refused)
        for partition in memory.asked:
            attempts = memory.tries.get(partition, [0.0, 0.0])[0] + 1
            wait = REFUSED_WAIT if partition in refused else min(FIRST_WAIT * 2 ** (attempts - 1), LONGEST_WAIT)
            memory.tries[partition] = [attempts, now + wait]
    memory.run_key, memory.asked = "", []


def due(memory: SensorState, stale: Sequence[str], now: float) -> list[str]:
    """The stale partitions to ask for now. Forgets the tries of those that are stale no more."""
    memory.tries = {partition: tries for partition, tries in memory.tries.items() if partition in set(stale)}
    if memory.run_key:
        return []
    return [partition for partition in stale if memory.tries.get(partition, [0.0, 0.0])[1] <= now]


def attempt(memory: SensorState, partitions: Iterable[str]) -> int:
    """How often the most unlucky of the partitions was asked for since it last loaded."""
    return int(max((memory.tries.get(partition, [0.0])[0] for partition in partitions), default=0))


def ask(memory: SensorState, partitions: Sequence[str], run_key: str, now: float) -> None:
    """Remember a run that is asked for."""
    memory.run_key, memory.asked_at, memory.asked = run_key, now, list(partitions)


def reload_after(allowed_lag: float, quiet: int) -> float:
    """Seconds after a load until the next one, where only a load can tell whether anything is new."""
    return min(0.75 * allowed_lag, 0.25 * allowed_lag * 2**quiet)


def probe_after(allowed_lag: float, quiet: int) -> float:
    """Seconds after a look until the next one, where one request tells."""
    return min(0.5 * allowed_lag, allowed_lag / 16 * 2**quiet)

"""When is an asset due? Decided from what Dagster recorded and what a sensor stored; no network here.

An asset, or a partition of it, is stale once its last load is older than a part of its allowed lag. A stale one is
requested once; while that run is in flight nothing more is requested. If the run fails, it is requested again after a
backoff, or a day later if the server refuses the request itself. An asset that brings nothing new is probed less and
less often, but never later than its allowed lag permits.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import Enum
from math import ceil
from typing import Any, Self

# Seconds before a failed run is requested again; doubled by each failure, up to the longest.
FIRST_BACKOFF = 60.0
LONGEST_BACKOFF = 3600.0
# Seconds before what the server refuses is requested again: somebody has to change something first.
REFUSED_BACKOFF = 86_400.0
# Seconds after which a request that did not become a run counts as failed.
LOST_AFTER = 900.0

# The one partition of an asset without partitions.
WHOLE = ""

# Names that an earlier version stored in its cursor; an upgrade must not forget what is in flight or backing off.
_FORMER_NAMES = {
    "asked_at": "requested_at",
    "asked": "requested",
    "tries": "attempts",
    "quiet": "idle_streak",
    "look_at": "next_probe_at",
}


class RunState(Enum):
    """What became of the last requested run; NONE if Dagster has no run for the request."""

    NONE = "none"
    IN_FLIGHT = "in flight"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass
class SensorState:
    """What a sensor remembers of one asset between ticks, in its cursor (see sensor_cursor.py).

    Attributes:
        run_key: of the last requested run, empty once its end was recorded.
        requested_at: when it was requested (POSIX seconds).
        requested: the partitions it was requested for.
        attempts: partition -> [failed attempts since it last loaded, POSIX seconds before which it is not requested].
        loaded_at: the last load that was counted in `idle_streak` (POSIX seconds).
        idle_streak: loads and probes in a row that brought nothing new.
        next_probe_at: POSIX seconds before which upstream is not probed.
    """

    run_key: str = ""
    requested_at: float = 0.0
    requested: list[str] = field(default_factory=list)
    attempts: dict[str, list[float]] = field(default_factory=dict)
    loaded_at: float = 0.0
    idle_streak: int = 0
    next_probe_at: float = 0.0

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Self:
        """From what a cursor holds, also under the names of the version before; other names are ignored."""
        current = {_FORMER_NAMES.get(name, name): value for name, value in stored.items()}
        return cls(**{name: current[name] for name in cls.__dataclass_fields__ if name in current})

    def stored(self) -> dict[str, Any]:
        """What a cursor has to hold: only the values that differ from those of a new state."""
        fresh = asdict(type(self)())
        return {name: value for name, value in asdict(self).items() if value != fresh[name]}


def record_load(state: SensorState, loaded_at: float | None, rows_loaded: int) -> None:
    """Count a load of the whole asset that was not counted yet: rows end the idle streak, no rows extend it.

    Loads are told apart by the second, as the cursor holds them.
    """
    if loaded_at is not None and ceil(loaded_at) > state.loaded_at:
        state.loaded_at = float(ceil(loaded_at))
        state.idle_streak = 0 if rows_loaded else state.idle_streak + 1
        state.next_probe_at = 0.0
        state.attempts = {}


def record_run(state: SensorState, run: RunState, refused: Iterable[str], now: float) -> None:
    """Record the end of the requested run, if it ended. `refused` are its partitions that the server refused."""
    if not state.run_key or run is RunState.IN_FLIGHT:
        return
    if run is RunState.NONE and now - state.requested_at < LOST_AFTER:
        return
    if run is not RunState.SUCCEEDED:
        refused = set(refused)
        for partition in state.requested:
            failures = state.attempts.get(partition, [0.0, 0.0])[0] + 1
            backoff = min(FIRST_BACKOFF * 2 ** (failures - 1), LONGEST_BACKOFF)
            state.attempts[partition] = [failures, now + (REFUSED_BACKOFF if partition in refused else backoff)]
    state.run_key, state.requested = "", []


def due(state: SensorState, stale: Sequence[str], now: float) -> list[str]:
    """The stale partitions to request now. Forgets the attempts of partitions that are not stale any more."""
    state.attempts = {partition: entry for partition, entry in state.attempts.items() if partition in set(stale)}
    if state.run_key:
        return []
    return [partition for partition in stale if state.attempts.get(partition, [0.0, 0.0])[1] <= now]


def most_attempts(state: SensorState, partitions: Iterable[str]) -> int:
    """The most failed attempts since its last load that any of the partitions has."""
    return int(max((state.attempts.get(partition, [0.0])[0] for partition in partitions), default=0))


def mark_requested(state: SensorState, partitions: Sequence[str], run_key: str, now: float) -> None:
    """Remember a run that is requested now."""
    state.run_key, state.requested_at, state.requested = run_key, now, list(partitions)


def reload_after(allowed_lag: float, idle_streak: int) -> float:
    """Seconds after a load until the next one, if only a load can tell whether anything is new."""
    return min(0.75 * allowed_lag, 0.25 * allowed_lag * 2**idle_streak)


def probe_after(allowed_lag: float, idle_streak: int) -> float:
    """Seconds after a probe until the next one, if one request tells whether anything is new."""
    return min(0.5 * allowed_lag, allowed_lag / 16 * 2**idle_streak)

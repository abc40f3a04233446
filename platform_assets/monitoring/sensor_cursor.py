"""The cursor of a freshness sensor: what it remembers of each asset, in a form that its page in the UI can show.

Assets of which it remembers the same share an entry, and times are UTC in whole seconds:

    [{"loaded_at": "2026-01-31T23:59:59Z", "idle_streak": 2, "assets": ["deals", "stages"]}]

One object per asset, with times to the microsecond, filled the page of a platform of 26 assets.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from math import ceil
from typing import Any

from platform_assets.monitoring.freshness import SensorState

_ASSETS = "assets"
_ATTEMPTS = "attempts"
_TIMES = ("requested_at", "loaded_at", "next_probe_at")
_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def write_cursor(states: Mapping[str, SensorState]) -> str:
    """The cursor that holds the states; assets of which nothing is remembered are left out."""
    entries: dict[str, list[str]] = {}
    for asset, state in states.items():
        stored = _for_people(state.stored())
        if stored:
            entries.setdefault(json.dumps(stored), []).append(asset)
    return json.dumps([{**json.loads(entry), _ASSETS: assets} for entry, assets in entries.items()])


def read_cursor(cursor: str | None) -> dict[str, SensorState]:
    """Asset -> its state; also from a cursor of the version before, which held an object of assets."""
    found: Any = json.loads(cursor or "[]")
    if isinstance(found, dict):
        return {asset: _state(stored) for asset, stored in found.items()}
    return {asset: _state(entry) for entry in found for asset in entry[_ASSETS]}


def _for_people(stored: Mapping[str, Any]) -> dict[str, Any]:
    written = {name: _text(value) if name in _TIMES else value for name, value in stored.items()}
    attempts: Mapping[str, list[float]] = stored.get(_ATTEMPTS, {})
    if attempts:
        written[_ATTEMPTS] = {part: [int(count), _text(until)] for part, (count, until) in attempts.items()}
    return written


def _state(stored: Mapping[str, Any]) -> SensorState:
    state = SensorState.of(stored)
    for name in _TIMES:
        setattr(state, name, _seconds(getattr(state, name)))
    state.attempts = {part: [float(count), _seconds(until)] for part, (count, until) in state.attempts.items()}
    return state


def _text(seconds: float) -> str:
    """The next whole second, so that nothing comes sooner and no load is counted twice."""
    return datetime.fromtimestamp(ceil(seconds), UTC).strftime(_FORMAT)


def _seconds(written: str | float) -> float:
    """POSIX seconds of a time in either format, whole ones."""
    if isinstance(written, str):
        return datetime.strptime(written, _FORMAT).replace(tzinfo=UTC).timestamp()
    return float(ceil(written))

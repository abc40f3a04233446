"""The last tick of a sensor.

The kind of instigator that the instance's public methods ask for is not exported: see
tests/patches/test_private_modules.py for when this file can go.
"""

from typing import NamedTuple

import dagster as dg
from dagster._core.definitions.run_request import InstigatorType


class Tick(NamedTuple):
    """When a sensor ticked (POSIX seconds), and whether the tick failed."""

    timestamp: float
    failed: bool


def last_tick(instance: dg.DagsterInstance, sensor: str) -> Tick | None:
    """The last tick of a running sensor, None if it never ticked on this instance."""
    if instance.schedule_storage is None:
        return None  # an ephemeral instance keeps no ticks
    states = [
        state
        for state in instance.all_instigator_state(instigator_type=InstigatorType.SENSOR)
        if state.instigator_name == sensor and state.is_running
    ]
    ticks = [
        tick for state in states for tick in instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=1)
    ]
    if not ticks:
        return None
    newest = max(ticks, key=lambda tick: tick.timestamp)
    return Tick(newest.timestamp, newest.is_failure)

"""Whether the freshness sensors still tick: open-source Dagster tells nobody when one does not.

A check that a sensor itself would make could not tell; so every load of a platform makes it, and loads come
by schedule too.
"""

import time

import dagster as dg
from dagster._core.definitions.run_request import InstigatorType  # not exported where the other names are

from platform_assets.declarations import Platform

QUIET_FOR = 1800.0
"""Seconds without a tick from which on a sensor that is on counts as not ticking."""


def last_tick(instance: dg.DagsterInstance, sensor: str) -> tuple[float, bool] | None:
    """POSIX time of a sensor's last tick and whether it ended well; None where the sensor never ticked here."""
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
    return newest.timestamp, not newest.is_failure


def find_heartbeat(instance: dg.DagsterInstance, platform: Platform) -> tuple[bool, str, dict[str, float]]:
    """Whether the platform's freshness sensor ticks, in words, and the age of its last tick in seconds.

    An instance on which it never ticked (a laptop without the daemon) has nothing to complain of.
    """
    sensor = f"{platform.name}_freshness"
    found = last_tick(instance, sensor)
    if found is None:
        return True, f"{sensor} never ticked on this instance", {}
    age = time.time() - found[0]
    metadata = {"seconds_since_last_tick": round(age, 1)}
    if age > QUIET_FOR:
        return False, f"{sensor} is on, but its last tick was {age / 60:.0f} minutes ago", metadata
    if not found[1]:
        return False, f"the last tick of {sensor} failed", metadata
    return True, f"{sensor} ticks", metadata

"""Whether the freshness sensors still tick: open-source Dagster tells nobody when one does not.

A check that a sensor itself would make could not tell; so every load of a platform makes it, and loads come
by schedule too.
"""

import time

import dagster as dg

from platform_assets.declarations import Platform
from platform_assets.patches.sensor_ticks import last_tick

QUIET_FOR = 1800.0
"""Seconds without a tick from which on a sensor that is on counts as not ticking."""


def find_heartbeat(instance: dg.DagsterInstance, platform: Platform) -> tuple[bool, str, dict[str, float]]:
    """Whether the platform's freshness sensor ticks, in words, and the age of its last tick in seconds.

    An instance on which it never ticked (a laptop without the daemon) has nothing to complain of.
    """
    sensor = f"{platform.name}_freshness"
    tick = last_tick(instance, sensor)
    if tick is None:
        return True, f"{sensor} never ticked on this instance", {}
    age = time.time() - tick.timestamp
    metadata = {"seconds_since_last_tick": round(age, 1)}
    if age > QUIET_FOR:
        return False, f"{sensor} is on, but its last tick was {age / 60:.0f} minutes ago", metadata
    if tick.failed:
        return False, f"the last tick of {sensor} failed", metadata
    return True, f"{sensor} ticks", metadata

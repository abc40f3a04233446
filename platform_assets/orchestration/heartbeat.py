"""Whether the freshness sensors still tick; open-source Dagster raises no alert when one stops.

A sensor cannot report that it stopped itself. So every load of a platform checks it, and loads are started by schedules
as well. It is here and not in `monitoring`, because it is evaluated as an asset check by the op that loads.
"""

import time

import dagster as dg

from platform_assets.declarations import Platform
from platform_assets.patches.sensor_ticks import last_tick

# Seconds without a tick after which a running sensor counts as stopped.
LONGEST_SILENCE = 1800.0


def find_heartbeat(instance: dg.DagsterInstance, platform: Platform) -> tuple[bool, str, dict[str, float]]:
    """Whether the platform's freshness sensor ticks, a description, and the age of its last tick in seconds.

    Passes if it never ticked on this instance, such as a laptop without the daemon.
    """
    sensor = f"{platform.name}_freshness"
    tick = last_tick(instance, sensor)
    if tick is None:
        return True, f"{sensor} never ticked on this instance", {}
    age = time.time() - tick.timestamp
    metadata = {"seconds_since_last_tick": round(age, 1)}
    if age > LONGEST_SILENCE:
        return False, f"{sensor} is running, but its last tick was {age / 60:.0f} minutes ago", metadata
    if tick.failed:
        return False, f"the last tick of {sensor} failed", metadata
    return True, f"{sensor} ticks", metadata

"""The one rule for when a table is late, used by sensors, Dagster's freshness policies, checks, alerts and dbt.

A table is late (a warning) when its last load is older than its allowed lag, and too late (an error) when it is older
than twice that. The allowed lag is the platform's setting `allowed_lag`, or else as declared.
"""

from collections.abc import Iterable
from datetime import timedelta

from platform_assets.configuration.platform_settings import allowed_lag, lag_setting, setting_name
from platform_assets.declarations import Platform, Resource

# In allowed lags since the last load.
LATE_AFTER = 1
TOO_LATE_AFTER = 2

# Dagster's policies and dbt do not support a shorter time.
SHORTEST = timedelta(minutes=1)


def late_after(platform: Platform, resource: Resource) -> timedelta:
    """Age of the last load from which on the table is late."""
    return LATE_AFTER * allowed_lag(platform, resource)


def too_late_after(platform: Platform, resource: Resource) -> timedelta:
    """Age of the last load from which on the table is too late."""
    return TOO_LATE_AFTER * allowed_lag(platform, resource)


def lag_variables(platforms: Iterable[Platform]) -> dict[str, str]:
    """Environment variables that pass the configured allowed lags to dbt, in seconds; empty for an invalid one."""
    found = {setting_name(platform, "allowed_lag"): lag_setting(platform) for platform in platforms}
    return {name: "" if lag is None else f"{lag.total_seconds():g}" for name, (given, lag) in found.items() if given}

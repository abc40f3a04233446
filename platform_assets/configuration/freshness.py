"""When is a table late? One rule, by which sensors, Dagster's freshness policies, checks, alerts and dbt go.

A table is late, a warning, once its last load is older than its allowed lag, and too late, an error, once it is older
than twice that. The allowed lag is the setting `allowed_lag` of its platform, else as declared.
"""

from collections.abc import Iterable
from datetime import timedelta

from platform_assets.configuration.platform_settings import allowed_lag, lag_setting, setting_name
from platform_assets.declarations import Platform, Resource

LATE_AFTER = 1
TOO_LATE_AFTER = 2
"""Allowed lags since the last load."""

SHORTEST = timedelta(minutes=1)
"""Dagster's policies and dbt know no shorter one."""


def late_after(platform: Platform, resource: Resource) -> timedelta:
    """Age of the last load from which on it is late."""
    return LATE_AFTER * allowed_lag(platform, resource)


def too_late_after(platform: Platform, resource: Resource) -> timedelta:
    """Age of the last load from which on it is too late."""
    return TOO_LATE_AFTER * allowed_lag(platform, resource)


def lag_variables(platforms: Iterable[Platform]) -> dict[str, str]:
    """Variables by which dbt finds the allowed lags that are set, wherever they are; empty where one is unusable."""
    found = {setting_name(platform, "allowed_lag"): lag_setting(platform) for platform in platforms}
    return {name: "" if lag is None else f"{lag.total_seconds():g}" for name, (given, lag) in found.items() if given}

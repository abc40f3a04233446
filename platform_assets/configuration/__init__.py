"""Every setting of ours in one table, from which reading, checking and docs/settings.md come.

Settings follow dlt's scheme: environment variables first, then `.dlt/config.toml` and `.dlt/secrets.toml`.
"""

from platform_assets.configuration.environment import environment
from platform_assets.configuration.known import (
    ALERTS,
    ALLOW_HTTP,
    ALLOWED_LAG,
    ANSWER_TIMEOUT,
    BACKOFF_FACTOR,
    BASE_URL,
    CONTRACT,
    DESTINATION,
    LOCK_WAIT,
    MEMORY_LIMIT,
    PAGE_SIZE,
    PLATFORM_SETTINGS,
    READ_TIMEOUT,
    SECTIONS,
    START_DATE,
    THREADS,
    WAREHOUSE,
    WAREHOUSE_SETTINGS,
    WEBHOOK_URL,
    Setting,
    credential,
    platform_section,
    scope_setting,
    settings_of,
)
from platform_assets.configuration.reading import configured, read, variable
from platform_assets.configuration.unknown import unknown_settings

__all__ = [
    "ALERTS",
    "ALLOWED_LAG",
    "ALLOW_HTTP",
    "ANSWER_TIMEOUT",
    "BACKOFF_FACTOR",
    "BASE_URL",
    "CONTRACT",
    "DESTINATION",
    "LOCK_WAIT",
    "MEMORY_LIMIT",
    "PAGE_SIZE",
    "PLATFORM_SETTINGS",
    "READ_TIMEOUT",
    "SECTIONS",
    "START_DATE",
    "THREADS",
    "WAREHOUSE",
    "WAREHOUSE_SETTINGS",
    "WEBHOOK_URL",
    "Setting",
    "configured",
    "credential",
    "environment",
    "platform_section",
    "read",
    "scope_setting",
    "settings_of",
    "unknown_settings",
    "variable",
]

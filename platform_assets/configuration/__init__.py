"""Every setting of the project in one table, from which reading, checking and docs/settings.md are made.

Settings follow dlt's scheme: environment variables first, then `.dlt/config.toml` and `.dlt/secrets.toml`.

    known              the table: key, kind, meaning and default of each setting
    kinds              what a value must be, and how its text becomes one
    lookup             where a setting is found, without importing dlt for it
    reading            one setting, from where it is found to a value, or an error that names it
    platform_settings  all settings of one platform, as `Settings`
    unknown            keys that nothing reads, with the nearest right one
    freshness          the one rule for when a table is late
    reference          docs/settings.md

Why not dlt's `@configspec`: docs/decisions/settings-of-our-own.md.
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
    DETAILS,
    DOCS,
    DOCS_URL,
    EXCLUDE_FIELDS,
    FOLDER,
    LOCK_WAIT,
    LOG_FORMAT,
    LOGGING,
    MEMORY_LIMIT,
    METRICS,
    METRICS_FILE,
    PAGE_SIZE,
    PERSONAL_SALT,
    PLATFORM_SETTINGS,
    PLATFORMS,
    RATE_LIMIT,
    READ_TIMEOUT,
    SANDBOX,
    SANDBOX_DAY,
    SECTIONS,
    START_DATE,
    THREADS,
    WAREHOUSE,
    WAREHOUSE_SETTINGS,
    WEBHOOK_URL,
    Setting,
    all_credentials,
    contract_settings,
    credentials,
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
    "DETAILS",
    "DOCS",
    "DOCS_URL",
    "EXCLUDE_FIELDS",
    "FOLDER",
    "LOCK_WAIT",
    "LOGGING",
    "LOG_FORMAT",
    "MEMORY_LIMIT",
    "METRICS",
    "METRICS_FILE",
    "PAGE_SIZE",
    "PERSONAL_SALT",
    "PLATFORMS",
    "PLATFORM_SETTINGS",
    "RATE_LIMIT",
    "READ_TIMEOUT",
    "SANDBOX",
    "SANDBOX_DAY",
    "SECTIONS",
    "START_DATE",
    "THREADS",
    "WAREHOUSE",
    "WAREHOUSE_SETTINGS",
    "WEBHOOK_URL",
    "Setting",
    "all_credentials",
    "configured",
    "contract_settings",
    "credentials",
    "environment",
    "platform_section",
    "read",
    "scope_setting",
    "settings_of",
    "unknown_settings",
    "variable",
]

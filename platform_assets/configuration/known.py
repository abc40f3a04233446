"""The table of settings. A setting that is not in here does not exist: `check` and `sync` report it as an error."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from platform_assets.configuration.kinds import (
    BOOLEAN,
    COUNT,
    MOMENT,
    NUMBER,
    POSITIVE,
    SIZE,
    TEXT,
    TEXTS,
    URL,
    WHOLE,
    Kind,
    choice,
)
from platform_assets.declarations import ApiKeyAuth, Platform, Scope

T = TypeVar("T", covariant=True)

SOURCES, WAREHOUSE, ALERTS = "sources", "warehouse", "alerts"
# The project's sections; all others belong to dlt.
SECTIONS = (SOURCES, WAREHOUSE, ALERTS)


@dataclass(frozen=True)
class Setting(Generic[T]):
    """One key of a section.

    Attributes:
        key: its name below the section.
        kind: what its value must be.
        meaning: a sentence for the reference.
        default: what applies without it, in words.
        secret: its value appears in no message, and belongs in `.dlt/secrets.toml`.
    """

    key: str
    kind: Kind[T]
    meaning: str
    default: str = "-"
    secret: bool = False


BASE_URL = Setting(
    "base_url", URL, "Where the API is. https, or http on this machine; see `allow_http`.", "the sandbox, if asked"
)
CONTRACT = Setting("contract", TEXT, "Which contract the server speaks.", "`reference`")
START_DATE = Setting("start_date", MOMENT, "Lower bound of the first incremental read.", "everything")
PAGE_SIZE = Setting("page_size", WHOLE, "Records a page; never beyond the server's known maximum.", "as declared")
BACKOFF_FACTOR = Setting("backoff_factor", NUMBER, "Seconds of the first retry's wait, doubling.", "as declared (2)")
READ_TIMEOUT = Setting("read_timeout", POSITIVE, "Seconds of silence until a request is given up.", "60")
ANSWER_TIMEOUT = Setting("answer_timeout", POSITIVE, "Seconds of a whole answer until it is given up.", "120")
ALLOWED_LAG = Setting("allowed_lag", POSITIVE, "Seconds after which data count as stale.", "as declared")
ALLOW_HTTP = Setting("allow_http", BOOLEAN, "Send the credential in clear to another machine.", "false")

# What every platform has; its credential and scopes come from its declaration.
PLATFORM_SETTINGS: tuple[Setting[object], ...] = (
    BASE_URL,
    CONTRACT,
    START_DATE,
    PAGE_SIZE,
    BACKOFF_FACTOR,
    READ_TIMEOUT,
    ANSWER_TIMEOUT,
    ALLOWED_LAG,
    ALLOW_HTTP,
)

DESTINATION = Setting("destination", choice("duckdb", "postgres"), "Which warehouse rows land in.", "duckdb")
LOCK_WAIT = Setting("lock_wait", NUMBER, "Seconds to wait for another process that writes.", "600")
MEMORY_LIMIT = Setting("memory_limit", SIZE, "What DuckDB may take while we load.", "64MB, more for wide rows")
THREADS = Setting("threads", COUNT, "DuckDB's threads while we load.", "1")
WAREHOUSE_SETTINGS: tuple[Setting[object], ...] = (DESTINATION, LOCK_WAIT, MEMORY_LIMIT, THREADS)

WEBHOOK_URL = Setting("webhook_url", URL, "Failures and stale assets are posted here as `{text}`.", "off", secret=True)
ALERT_SETTINGS: tuple[Setting[object], ...] = (WEBHOOK_URL,)


def credential(platform: Platform) -> Setting[str]:
    """The setting with the platform's credential."""
    auth = platform.client.auth
    return Setting(auth.api_key if isinstance(auth, ApiKeyAuth) else auth.token, TEXT, "The credential.", secret=True)


def scope_setting(scope: Scope) -> Setting[tuple[str, ...]]:
    """The setting that narrows which parents are read."""
    return Setting(scope.setting, TEXTS, f"Read only `{scope.resource}` whose `{scope.field}` is one of these.", "all")


def settings_of(platform: Platform) -> tuple[Setting[object], ...]:
    """All settings under `[sources.<platform>]`."""
    return (*PLATFORM_SETTINGS, credential(platform), *map(scope_setting, platform.scopes))


def platform_section(platform: Platform) -> str:
    return f"{SOURCES}.{platform.name}"


def known_keys(platforms: Iterable[Platform]) -> dict[str, tuple[str, ...]]:
    """Section (`sources.crm`, `warehouse`, `alerts`) -> its keys."""
    return {
        WAREHOUSE: tuple(setting.key for setting in WAREHOUSE_SETTINGS),
        ALERTS: tuple(setting.key for setting in ALERT_SETTINGS),
        **{platform_section(platform): tuple(s.key for s in settings_of(platform)) for platform in platforms},
    }

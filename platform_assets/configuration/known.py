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
    RATE,
    SIZE,
    TEXT,
    TEXTS,
    URL,
    VALUES,
    WHOLE,
    Kind,
    choice,
)
from platform_assets.declarations import REFERENCE, Platform, Scope, secrets_of

T = TypeVar("T", covariant=True)

SOURCES, WAREHOUSE, ALERTS, SANDBOX = "sources", "warehouse", "alerts", "sandbox"
METRICS, LOGGING, PLATFORMS, DOCS = "metrics", "logging", "platforms", "docs"
# Resources that a setting's meaning names, at most.
_NAMED = 3
# The project's sections; all others belong to dlt.
SECTIONS = (SOURCES, WAREHOUSE, ALERTS, METRICS, LOGGING, PLATFORMS, DOCS, SANDBOX)


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
    "base_url", URL, "Where the API is. https, or http on this machine; see `allow_http`.", "the vendor's"
)
CONTRACT = Setting("contract", TEXT, "Which contract the server speaks.", "`reference`")
START_DATE = Setting("start_date", MOMENT, "Lower bound of the first incremental read.", "everything")
PAGE_SIZE = Setting("page_size", WHOLE, "Records a page; never beyond the server's known maximum.", "as declared")
BACKOFF_FACTOR = Setting("backoff_factor", NUMBER, "Seconds of the first retry's wait, doubling.", "as declared (2)")
READ_TIMEOUT = Setting("read_timeout", POSITIVE, "Seconds of silence until a request is given up.", "60")
ANSWER_TIMEOUT = Setting("answer_timeout", POSITIVE, "Seconds of a whole answer until it is given up.", "120")
RATE_LIMIT = Setting("rate_limit", RATE, "What your plan grants, in place of all declared limits.", "as declared")
EXCLUDE_FIELDS = Setting(
    "exclude_fields", TEXTS, "Fields that are not loaded, each as `<resource>.<field>`, e.g. `persons.emails`.", "none"
)
PERSONAL_SALT = Setting(
    "personal_salt", TEXT, "Loads personal fields as hashes that are keyed with this text.", "as they are", secret=True
)
DETAILS = Setting(
    "details",
    BOOLEAN,
    "Send the requests per row that a contract declares for fields which its list lacks; no effect without such.",
    "false",
)
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
    RATE_LIMIT,
    EXCLUDE_FIELDS,
    PERSONAL_SALT,
    DETAILS,
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

METRICS_FILE = Setting(
    "file",
    TEXT,
    "Where each `platform-assets sync` writes its metrics for Prometheus, e.g. `/var/lib/node_exporter/sync.prom`.",
    "off",
)
METRICS_SETTINGS: tuple[Setting[object], ...] = (METRICS_FILE,)

LOG_FORMAT = Setting(
    "format",
    choice("text", "json"),
    "What `platform-assets sync` logs: plain lines, or a JSON object a line.",
    "text",
)
LOGGING_SETTINGS: tuple[Setting[object], ...] = (LOG_FORMAT,)

FOLDER = Setting(
    "folder",
    TEXT,
    "Folder with platform files of your own, beside those of the package; from the working folder on.",
    "`platforms`, if there is such a folder",
)
PLATFORM_FILE_SETTINGS: tuple[Setting[object], ...] = (FOLDER,)

DOCS_URL = Setting(
    "url",
    URL,
    "Where you serve the site that `make docs` builds: each asset in the UI then links to its table's page.",
    "assets name the file",
)
DOCS_SETTINGS: tuple[Setting[object], ...] = (DOCS_URL,)

SANDBOX_DAY = Setting(
    "day",
    MOMENT,
    "When the sandbox's records end; they then stay as they are.",
    "today, and days are added as they pass",
)
SANDBOX_SETTINGS: tuple[Setting[object], ...] = (SANDBOX_DAY,)


def credentials(platform: Platform) -> tuple[Setting[str], ...]:
    """The settings with the credentials of a platform whose contract is applied: one, or e.g. a client's id and secret.

    Those of single endpoints name what they are for.
    """
    own = platform.client.auth.secrets
    return tuple(
        Setting(
            name,
            TEXT,
            "The credential." if name in own else f"The credential for {_served_with(platform, name)}.",
            "another of the credential's settings" if is_optional else "-",
            True,
        )
        for name, is_optional in secrets_of(platform.auths).items()
    )


def _served_with(platform: Platform, secret: str) -> str:
    """The resources whose own credential has a secret."""
    names = [
        f"`{resource.name}`"
        for resource in platform.resources
        if any(one.auth is not None and secret in one.auth.secrets for one in resource.endpoint.lists)
    ]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def all_credentials(platform: Platform) -> tuple[Setting[str], ...]:
    """The credentials of all contracts, each once."""
    applied = map(platform.with_contract, platform.contract_names)
    return tuple({setting.key: setting for one in applied for setting in credentials(one)}.values())


def contract_settings(platform: Platform) -> tuple[Setting[object], ...]:
    """The settings that not all contracts have: the region, and what their requests are filled with."""
    found: dict[str, Setting[object]] = {}
    listed = {key for name in platform.contract_names for key in platform.listed_of(name)}
    known = {*(scope.setting for scope in platform.scopes), *(setting.key for setting in PLATFORM_SETTINGS)}
    for key in platform.configured_of(REFERENCE):
        if key not in known:
            kind = TEXTS if key in listed else VALUES
            found[key] = Setting(key, kind, "Required: the platform's declaration is filled with it.")
    for name, contract in platform.contracts.items():
        regions = ", ".join(contract.regions)
        if contract.regions:
            meaning = f"Where the account is, for the contract `{name}`: {regions}."
            found["region"] = Setting("region", choice(*contract.regions), meaning, "as the contract says")
        for key in platform.configured_of(name):
            if key not in known and key not in found:
                found[key] = Setting(key, TEXTS if key in listed else VALUES, f"Required for the contract `{name}`.")
    for name in platform.contract_names:
        for key in platform.optional_of(name):
            if key not in known and key not in found:
                found[key] = Setting(key, VALUES, "The platform's declaration is filled with it.", "as declared")
    return tuple(found.values())


def scope_setting(scope: Scope) -> Setting[tuple[str, ...]]:
    """The setting that narrows which parents are read."""
    return Setting(scope.setting, TEXTS, f"Read only `{scope.resource}` whose `{scope.field}` is one of these.", "all")


def settings_of(platform: Platform) -> tuple[Setting[object], ...]:
    """All settings under `[sources.<platform>]`."""
    return (
        *PLATFORM_SETTINGS,
        *all_credentials(platform),
        *map(scope_setting, platform.scopes),
        *contract_settings(platform),
    )


def platform_section(platform: Platform) -> str:
    return f"{SOURCES}.{platform.name}"


def known_keys(platforms: Iterable[Platform]) -> dict[str, tuple[str, ...]]:
    """Section (`sources.crm`, `warehouse`, `alerts`, ...) -> its keys."""
    return {
        WAREHOUSE: tuple(setting.key for setting in WAREHOUSE_SETTINGS),
        ALERTS: tuple(setting.key for setting in ALERT_SETTINGS),
        METRICS: tuple(setting.key for setting in METRICS_SETTINGS),
        LOGGING: tuple(setting.key for setting in LOGGING_SETTINGS),
        PLATFORMS: tuple(setting.key for setting in PLATFORM_FILE_SETTINGS),
        DOCS: tuple(setting.key for setting in DOCS_SETTINGS),
        SANDBOX: tuple(setting.key for setting in SANDBOX_SETTINGS),
        **{platform_section(platform): tuple(s.key for s in settings_of(platform)) for platform in platforms},
    }

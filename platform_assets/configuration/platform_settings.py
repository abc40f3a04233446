"""All settings of one platform: `[sources.<platform>]` or `SOURCES__<PLATFORM>__...`, read and checked together."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from ipaddress import ip_address
from typing import TypeVar
from urllib.parse import urlsplit

from platform_assets import configuration
from platform_assets.configuration import Setting, credentials, platform_section
from platform_assets.configuration.kinds import TEXTS, VALUES
from platform_assets.declarations import (
    REFERENCE,
    Auth,
    Configured,
    Contract,
    Platform,
    RateLimit,
    Resource,
    SettingsError,
    Template,
    secrets_of,
)

T = TypeVar("T")

# Setting -> its values.
Values = Mapping[str, tuple[str, ...]]
# Gives what a template of an address comes to. Templates are rendered by a room above this one (http/base_urls.py).
RenderAddress = Callable[[Template, Values], str]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One platform's settings.

    Args:
        base_url: without trailing slash.
        token: the credential; not part of `repr`. If it has several parts, or some endpoints another one, all of them,
            one a line.
        secrets: name of each part of the credentials -> its value.
        contract: name of the contract that the server speaks.
        start_date: UTC lower bound of the first incremental read; None for everything.
        page_size: records a page, instead of the declared size (never beyond the server's maximum).
        backoff_factor: seconds, instead of the declared factor.
        read_timeout: seconds without a byte after which a request fails.
        answer_timeout: seconds for a whole answer after which a request fails.
        rate_limit: what the account's plan grants, instead of every declared limit.
        exclude_fields: `<resource>.<field>` of what is not loaded.
        personal_salt: key of the hashes that personal fields are loaded as; None loads them as they are.
        details: whether the contract's requests per row are sent.
        scopes: setting name -> allowed values, of the platform's declared scopes that are set.
        configured: setting name -> values, of those that the contract's addresses, paths, parameters and headers are
            filled with; without those that are not set and that templates can do without.
        is_redirected: whether the setting `base_url` says where everything is, also what endpoints declare otherwise.
    """

    base_url: str
    token: str = field(repr=False)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    contract: str = REFERENCE
    start_date: datetime | None = None
    page_size: int | None = None
    backoff_factor: float | None = None
    read_timeout: float | None = None
    answer_timeout: float | None = None
    rate_limit: RateLimit | None = None
    exclude_fields: tuple[str, ...] = ()
    personal_salt: str | None = field(default=None, repr=False)
    details: bool = False
    scopes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    configured: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    is_redirected: bool = False

    @property
    def secret_values(self) -> tuple[str, ...]:
        """Every text that no message may hold."""
        return tuple(self.secrets.values()) or (self.token,)

    def token_of(self, auth: Auth) -> str:
        """One credential: all of its parts that are set, one a line."""
        if not self.secrets:
            return self.token
        return "\n".join(self.secrets[name] for name in auth.secrets if name in self.secrets)


def allowed_lag(platform: Platform, resource: Resource) -> timedelta:
    """How old a resource's last load may be: the setting `allowed_lag` (seconds), or else as declared.

    An invalid setting is logged and the declared lag applies; `read_settings` raises for it.
    """
    _, lag = lag_setting(platform)
    return platform.freshness_of(resource).allowed_lag if lag is None else lag


def lag_setting(platform: Platform) -> tuple[bool, timedelta | None]:
    """Whether `allowed_lag` is set for the platform, and its value; None if it is not set or invalid."""
    try:
        lag = _lag(platform)
    except Exception as error:
        # A wrong settings file must not stop definitions from loading or sensors from ticking.
        _log_once(str(error) if isinstance(error, SettingsError) else f"{platform.name}: settings cannot be read")
        return True, None
    return lag is not None, lag


@cache
def _log_once(text: str) -> None:
    logging.getLogger(__name__).warning("%s; the declared allowed lag holds", text)


def _lag(platform: Platform) -> timedelta | None:
    seconds = _read(platform, configuration.ALLOWED_LAG)
    return None if seconds is None else timedelta(seconds=seconds)


def read_settings(platform: Platform, render: RenderAddress | None = None) -> Settings:
    """Read all of the platform's settings from the environment and `.dlt/*.toml`.

    Raises SettingsError naming the first one that is missing or invalid, even one that a sync does not use.

    Args:
        render: renders an address that is a template; without it a platform with one cannot be read.
    """
    contract = _contract(platform)
    is_redirected = _read(platform, configuration.BASE_URL) is not None

    def configured() -> dict[str, tuple[str, ...]]:
        return _configured(platform, contract, is_located=is_redirected)

    base_url = _base_url(platform, contract, configured, render)
    applied = platform.with_contract(contract)
    optional = secrets_of(applied.auths)
    secrets = {
        setting.key: value
        for setting in credentials(applied)
        if (value := _read(platform, setting) if optional[setting.key] else _required(platform, setting))
    }
    found = Settings(
        base_url=base_url,
        token="\n".join(secrets.values()),
        secrets=secrets,
        contract=contract,
        start_date=_read(platform, configuration.START_DATE),
        page_size=_read(platform, configuration.PAGE_SIZE),
        backoff_factor=_read(platform, configuration.BACKOFF_FACTOR),
        read_timeout=_read(platform, configuration.READ_TIMEOUT),
        answer_timeout=_read(platform, configuration.ANSWER_TIMEOUT),
        rate_limit=_rate_limit(platform),
        exclude_fields=_read(platform, configuration.EXCLUDE_FIELDS) or (),
        personal_salt=_read(platform, configuration.PERSONAL_SALT),
        details=_read(platform, configuration.DETAILS) or False,
        scopes={
            scope.setting: values
            for scope in platform.scopes
            if (values := _read(platform, configuration.scope_setting(scope)))
        },
        configured=configured(),
        is_redirected=is_redirected,
    )
    _lag(platform)
    return found


def chosen_contract(platform: Platform) -> str:
    """The contract that the settings choose, for those who only show it.

    The reference if the setting cannot be used: `read_settings` raises for it.
    """
    try:
        return _contract(platform)
    except Exception:
        # A wrong settings file must not stop definitions from loading.
        return REFERENCE


def platform_secrets(platform: Platform) -> tuple[str, ...]:
    """Names of the settings with the credentials; `platform` has its contract applied."""
    return tuple(secrets_of(platform.auths))


def is_configured(platform: Platform) -> bool:
    """Whether it is said where the platform's data comes from: by a `base_url`, or by a contract that has one."""
    section = platform_section(platform)
    if configuration.configured(f"{section}.base_url"):
        return True
    chosen = str(configuration.configured(f"{section}.contract") or REFERENCE)
    if chosen == REFERENCE:
        return platform.base_url is not None
    contract = platform.contracts.get(chosen)
    return contract is not None and bool(contract.base_url or contract.regions)


def not_configured(platform: Platform) -> str:
    """Why nothing is read of a platform that is not configured."""
    names = setting_name(platform, "base_url"), setting_name(platform, "contract")
    return f"Not configured: neither {names[0]} nor {names[1]} says where it is."


def is_mentioned(platform: Platform) -> bool:
    """Whether anything says where the platform's data comes from, even if settings are missing."""
    if platform.base_url is not None:
        return True
    section = platform_section(platform)
    keys = ("base_url", "contract", *(setting.key for setting in configuration.all_credentials(platform)))
    return any(configuration.configured(f"{section}.{key}") for key in keys)


def setting_name(platform: Platform, key: str) -> str:
    """The environment variable of a setting, e.g. `SOURCES__CRM__BASE_URL`."""
    return configuration.variable(platform_section(platform), key)


def _read(platform: Platform, setting: Setting[T]) -> T | None:
    return configuration.read(platform_section(platform), setting)


def _rate_limit(platform: Platform) -> RateLimit | None:
    rate = _read(platform, configuration.RATE_LIMIT)
    return None if rate is None else RateLimit(requests=rate[0], seconds=rate[1])


def _required(platform: Platform, setting: Setting[str], instead: str = "") -> str:
    """The setting's value; `instead` is another way to have one, for the error if it is missing."""
    value = _read(platform, setting)
    if not value:
        file = ".dlt/secrets.toml" if setting.secret else ".dlt/config.toml"
        raise SettingsError(
            f"{platform.name}: setting `{setting.key}` is missing: set {instead}{setting_name(platform, setting.key)},"
            f" or `{setting.key}` under [sources.{platform.name}] in {file}, or use the sandbox (`--sandbox`)"
        )
    return value


def _base_url(platform: Platform, contract: str, configured: Callable[[], Values], render: RenderAddress | None) -> str:
    located = [name for name, one in platform.contracts.items() if one.base_url or one.regions]
    instead = ""
    if contract == REFERENCE and located:
        instead = f"{setting_name(platform, 'contract')} to {' or '.join(f'`{name}`' for name in located)}, or "
    declared = _vendor_url(platform, contract)
    name = setting_name(platform, "base_url")
    if isinstance(declared, Template):
        if render is None:
            raise SettingsError(f"{platform.name}: the address is a template: set {name}")
        declared = render(declared, configured())
        name = f"the address {declared[:100]!r} of its template"
    url = (declared or _required(platform, configuration.BASE_URL, instead)).rstrip("/")
    url = _without_version(url, platform.contracts.get(contract))
    check_address(platform, url, name)
    return url


def check_address(platform: Platform, url: str, name: str) -> None:
    """Raise SettingsError for an address that no request may be sent to.

    Args:
        name: what says the address, for the message.
    """
    parts = urlsplit(url)
    if parts.username or parts.password or parts.query or parts.fragment:
        raise SettingsError(f"{platform.name}: {name} must hold no user, query or fragment")
    allow_http = _read(platform, configuration.ALLOW_HTTP)
    if parts.scheme == "http" and not is_loopback(parts.hostname or "") and not allow_http:
        raise SettingsError(
            f"{platform.name}: {name} is plain http to another machine, which would send the credential in clear:"
            f" use https, or set {setting_name(platform, 'allow_http')}=true"
        )


def _without_version(url: str, contract: Contract | None) -> str:
    """The URL without what the contract's paths begin with: vendors' documents give bases such as `https://…/api/0`."""
    if contract is None:
        return url
    segments = [endpoint.path.split("/")[1:] for endpoint in contract.endpoints.values()]
    beginnings = {"/" + "/".join(parts[:count]) for parts in segments for count in (1, 2)}
    ends = [beginning for beginning in beginnings if urlsplit(url).path.endswith(beginning)]
    return url.removesuffix(max(ends, key=len)) if ends else url


def _vendor_url(platform: Platform, contract: str) -> str | Template | None:
    """Where the contract's vendor serves the account; None if the setting `base_url` must say."""
    chosen = platform.contracts.get(contract)
    if _read(platform, configuration.BASE_URL):
        return None
    if chosen is None:
        return platform.base_url
    region = configuration.configured(f"{platform_section(platform)}.region")
    if chosen.regions and region:
        if region not in chosen.regions:
            known = ", ".join(chosen.regions)
            name = setting_name(platform, "region")
            raise SettingsError(f"{platform.name}: {name} must be one of {known}, not {str(region)[:60]!r}")
        return chosen.regions[region]
    if chosen.regions and not chosen.base_url:
        name = setting_name(platform, "region")
        raise SettingsError(
            f"{platform.name}: setting `region` is missing: set {name} to where the account is: one of"
            f" {', '.join(chosen.regions)}"
        )
    return chosen.base_url


def _configured(platform: Platform, contract: str, *, is_located: bool) -> dict[str, tuple[str, ...]]:
    """What the contract's addresses, paths, parameters and headers are filled with.

    Raises SettingsError for a missing one. Those that templates can do without are left out if they are not set.
    """
    client = platform.with_contract(contract).client
    required = platform.configured_of(contract, is_located=is_located)
    optional = (*platform.configured_of(contract), *platform.optional_of(contract))
    listed = platform.listed_of(contract)
    found: dict[str, tuple[str, ...]] = {}
    for key in dict.fromkeys((*required, *optional)):
        setting = Setting(key, TEXTS if key in listed else VALUES, f"Required for the contract `{contract}`.")
        values = _read(platform, setting)
        if not values and key not in required:
            continue
        if not values:
            needs = "" if contract == REFERENCE else f", which the contract {contract} needs"
            raise SettingsError(
                f"{platform.name}: setting `{key}` is missing{needs}:"
                f" set {setting_name(platform, key)}, or `{key}` under [sources.{platform.name}] in .dlt/config.toml"
            )
        if len(values) > 1 and Configured(key) in client.headers.values():
            raise SettingsError(f"{platform.name}: {setting_name(platform, key)} must be one value, not {len(values)}")
        found[key] = values
    return found


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine, without a DNS lookup."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _contract(platform: Platform) -> str:
    contract = _read(platform, configuration.CONTRACT) or REFERENCE
    if contract not in platform.contract_names:
        raise SettingsError(
            f"{platform.name}: contract {contract!r} is not known; there is {', '.join(platform.contract_names)}"
        )
    return contract

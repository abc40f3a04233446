"""Settings of a platform, by dlt's own scheme: `[sources.<platform>]` or `SOURCES__<PLATFORM>__...`."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from ipaddress import ip_address
from typing import TypeVar
from urllib.parse import urlsplit

from platform_assets import configuration
from platform_assets.configuration import Setting, credential, platform_section
from platform_assets.declarations import REFERENCE, Platform, Resource, SettingsError

T = TypeVar("T")

_LONGEST_LAG = 10 * 365 * 86_400.0


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One platform's settings.

    Args:
        base_url: without trailing slash.
        token: the credential; `repr` leaves it out.
        start_date: UTC lower bound of the first incremental read, None for everything.
        page_size: overrides the declared page size (never beyond the server's maximum).
        backoff_factor: overrides the declared one, in seconds.
        read_timeout: seconds of silence after which a request is given up.
        answer_timeout: seconds after which a request is given up, however busy the server is.
        scopes: setting name -> allowed values, for the platform's declared scopes that are set.
    """

    base_url: str
    token: str = field(repr=False)
    contract: str = REFERENCE
    start_date: datetime | None = None
    page_size: int | None = None
    backoff_factor: float | None = None
    read_timeout: float | None = None
    answer_timeout: float | None = None
    scopes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def allowed_lag(platform: Platform, resource: Resource) -> timedelta:
    """How old a resource's last load may be: the setting `allowed_lag` (seconds), else as declared.

    A setting that cannot be used is logged, and then the declared one holds; `read_settings` refuses it.
    """
    _, lag = lag_setting(platform)
    return platform.freshness_of(resource).allowed_lag if lag is None else lag


def lag_setting(platform: Platform) -> tuple[bool, timedelta | None]:
    """Whether `allowed_lag` is set for the platform, and what it is; None where it is not, or cannot be used."""
    try:
        lag = _lag(platform)
    except Exception as error:
        # Definitions load, and sensors tick, whatever is in a settings file.
        _log_once(str(error) if isinstance(error, SettingsError) else f"{platform.name}: settings cannot be read")
        return True, None
    return lag is not None, lag


@cache
def _log_once(text: str) -> None:
    logging.getLogger(__name__).warning("%s; the declared allowed lag holds", text)


def _lag(platform: Platform) -> timedelta | None:
    seconds = _read(platform, configuration.ALLOWED_LAG)
    if seconds is not None and seconds > _LONGEST_LAG:
        raise SettingsError(f"{platform.name}: {setting_name(platform, 'allowed_lag')} must be less than ten years")
    return None if seconds is None else timedelta(seconds=seconds)


def read_settings(platform: Platform) -> Settings:
    """Read all of the platform's settings from the environment and `.dlt/*.toml`.

    Raises SettingsError naming the first one that is missing or unusable, also where a sync itself does not use it.
    """
    found = Settings(
        base_url=_base_url(platform),
        token=_required(platform, credential(platform)),
        contract=_contract(platform),
        start_date=_read(platform, configuration.START_DATE),
        page_size=_read(platform, configuration.PAGE_SIZE),
        backoff_factor=_read(platform, configuration.BACKOFF_FACTOR),
        read_timeout=_read(platform, configuration.READ_TIMEOUT),
        answer_timeout=_read(platform, configuration.ANSWER_TIMEOUT),
        scopes={
            scope.setting: values
            for scope in platform.scopes
            if (values := _read(platform, configuration.scope_setting(scope)))
        },
    )
    _lag(platform)
    return found


def platform_secret(platform: Platform) -> str:
    """Name of the platform's credential setting."""
    return credential(platform).key


def is_configured(platform: Platform) -> bool:
    """Whether somebody set a `base_url` for the platform."""
    return bool(configuration.configured(f"{platform_section(platform)}.base_url"))


def is_mentioned(platform: Platform) -> bool:
    """Whether somebody set anything that says where the platform's data comes from, even if not all it takes."""
    section = platform_section(platform)
    keys = ("base_url", "contract", platform_secret(platform))
    return any(configuration.configured(f"{section}.{key}") for key in keys)


def setting_name(platform: Platform, key: str) -> str:
    """The environment variable of a setting, e.g. `SOURCES__CRM__BASE_URL`."""
    return configuration.variable(platform_section(platform), key)


def _read(platform: Platform, setting: Setting[T]) -> T | None:
    return configuration.read(platform_section(platform), setting)


def _required(platform: Platform, setting: Setting[str]) -> str:
    value = _read(platform, setting)
    if not value:
        file = ".dlt/secrets.toml" if setting.secret else ".dlt/config.toml"
        raise SettingsError(
            f"{platform.name}: setting `{setting.key}` is missing: set {setting_name(platform, setting.key)},"
            f" or `{setting.key}` under [sources.{platform.name}] in {file}, or use the sandbox (`--sandbox`)"
        )
    return value


def _base_url(platform: Platform) -> str:
    url = _required(platform, configuration.BASE_URL).rstrip("/")
    name = setting_name(platform, "base_url")
    parts = urlsplit(url)
    if parts.username or parts.password or parts.query or parts.fragment:
        raise SettingsError(f"{platform.name}: {name} must hold no user, query or fragment")
    allow_http = _read(platform, configuration.ALLOW_HTTP)
    if parts.scheme == "http" and not is_loopback(parts.hostname or "") and not allow_http:
        raise SettingsError(
            f"{platform.name}: {name} is plain http to another machine, which would send the credential in clear:"
            f" use https, or set {setting_name(platform, 'allow_http')}=true"
        )
    return url


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine, by its name alone."""
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

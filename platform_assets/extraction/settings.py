"""Settings of a platform, by dlt's own scheme: `[sources.<platform>]` or `SOURCES__<PLATFORM>__...`."""

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from platform_assets.extraction.configuration import configured
from platform_assets.extraction.errors import SettingsError
from platform_assets.vocabulary import REFERENCE, Platform, Resource

SANDBOX_VARIABLE = "PLATFORM_ASSETS_SANDBOX"
"""Platform -> `base_url`, as JSON, of what a command of ours serves from its sandbox; its children inherit it."""

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
    seconds = _number(platform, "allowed_lag")
    if seconds is not None and seconds > _LONGEST_LAG:
        raise SettingsError(f"{platform.name}: {setting_name(platform, 'allowed_lag')} must be less than ten years")
    return None if seconds is None else timedelta(seconds=seconds)


def read_settings(platform: Platform) -> Settings:
    """Read the platform's settings from the environment and `.dlt/*.toml`.

    Raises SettingsError naming the first one that is missing or unusable.
    """
    _lag(platform)
    return Settings(
        base_url=_base_url(platform),
        token=_required(platform, platform_secret(platform), secret=True),
        contract=_contract(platform),
        start_date=_start_date(platform),
        page_size=_positive_int(platform, "page_size"),
        backoff_factor=_number(platform, "backoff_factor"),
        read_timeout=_number(platform, "read_timeout"),
        answer_timeout=_number(platform, "answer_timeout"),
        scopes={
            scope.setting: values for scope in platform.scopes if (values := _texts(_read(platform, scope.setting)))
        },
    )


def platform_secret(platform: Platform) -> str:
    """Name of the platform's credential setting."""
    auth = platform.client.auth
    return getattr(auth, "token", None) or getattr(auth, "api_key", "api_token")


def is_configured(platform: Platform) -> bool:
    """Whether somebody set a `base_url` for the platform."""
    return bool(_read(platform, "base_url"))


def is_mentioned(platform: Platform) -> bool:
    """Whether somebody set anything that says where the platform's data comes from, even if not all it takes."""
    return any(_read(platform, key) for key in ("base_url", "contract", platform_secret(platform)))


def sandbox_serves(platform: Platform) -> bool:
    """Whether the platform's `base_url` is the sandbox of the command that this process belongs to."""
    try:
        served = json.loads(os.environ.get(SANDBOX_VARIABLE) or "{}")
    except json.JSONDecodeError:
        return False
    url = served.get(platform.name) if isinstance(served, dict) else None
    return url is not None and url == _read(platform, "base_url")


def setting_name(platform: Platform, key: str) -> str:
    """The environment variable of a setting, e.g. `SOURCES__CRM__BASE_URL`."""
    return f"SOURCES__{platform.name}__{key}".upper()


def _read(platform: Platform, key: str) -> Any:
    return configured(f"sources.{platform.name}.{key}")


def _required(platform: Platform, key: str, *, secret: bool = False) -> str:
    value = _read(platform, key)
    if value is None or not str(value).strip():
        file = ".dlt/secrets.toml" if secret else ".dlt/config.toml"
        raise SettingsError(
            f"{platform.name}: setting `{key}` is missing: set {setting_name(platform, key)},"
            f" or `{key}` under [sources.{platform.name}] in {file}, or use the sandbox (`--sandbox`)"
        )
    return str(value).strip()


def _base_url(platform: Platform) -> str:
    url = _required(platform, "base_url").rstrip("/")
    name = setting_name(platform, "base_url")
    try:
        parts = urlsplit(url)
        has_place = bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise SettingsError(f"{platform.name}: {name} is not an http(s) URL with a host") from None
    if parts.scheme not in ("http", "https") or not has_place:
        raise SettingsError(f"{platform.name}: {name} is not an http(s) URL with a host")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise SettingsError(f"{platform.name}: {name} must hold no user, query or fragment")
    if parts.scheme == "http" and not is_loopback(parts.hostname or "") and not _truth(_read(platform, "allow_http")):
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


def _truth(value: Any) -> bool:
    return str(value).lower() in ("1", "true", "yes")


def _contract(platform: Platform) -> str:
    contract = str(_read(platform, "contract") or REFERENCE)
    if contract not in platform.contract_names:
        raise SettingsError(
            f"{platform.name}: contract {contract!r} is not known; there is {', '.join(platform.contract_names)}"
        )
    return contract


def _start_date(platform: Platform) -> datetime | None:
    value = _read(platform, "start_date")
    if value is None or value == "":
        return None
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        raise SettingsError(
            f"{platform.name}: {setting_name(platform, 'start_date')} must be an ISO date or datetime, not {value!r}"
        ) from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _positive_int(platform: Platform, key: str) -> int | None:
    value = _read(platform, key)
    if value is None or value == "":
        return None
    try:
        number = int(str(value))
    except ValueError:
        number = 0
    if number < 1:
        raise SettingsError(
            f"{platform.name}: {setting_name(platform, key)} must be a whole number from 1, not {value!r}"
        )
    return number


def _number(platform: Platform, key: str) -> float | None:
    value = _read(platform, key)
    if value is None or value == "":
        return None
    try:
        number = float(str(value))
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise SettingsError(f"{platform.name}: {setting_name(platform, key)} must be a number from 0, not {value!r}")
    return number


def _texts(value: Any) -> tuple[str, ...]:
    """A text, a comma-separated text, or a list of texts."""
    if value is None:
        return ()
    items = value if isinstance(value, list | tuple) else str(value).strip("[]").split(",")
    return tuple(text for item in items if (text := str(item).strip().strip("\"'")))

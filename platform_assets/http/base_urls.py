"""Where requests go: the address of an account, and of an endpoint that is served elsewhere.

Imports Jinja2 only for an address that is a template, so that what only shows settings starts at once.
"""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from platform_assets.configuration.platform_settings import Settings, check_address, read_settings
from platform_assets.declarations import Endpoint, Platform, SettingsError, Template
from platform_assets.http.errors import AnswerError

_ADDRESS = re.compile(r"https?://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?(?:/[^?#\s]*)?")


def account_settings(platform: Platform) -> Settings:
    """All settings of a platform, as `read_settings` reads them, also if its address is a template."""
    return read_settings(platform, lambda declared, configured: _rendered(platform, declared, configured))


def base_url_of(platform: Platform, endpoint: Endpoint | None, settings: Settings) -> str:
    """What an endpoint's path is relative to, without a trailing slash.

    Raises SettingsError for an address that no request may be sent to.

    Args:
        endpoint: None for the client's own requests.
    """
    declared = endpoint.base_url if endpoint is not None else None
    if declared is None:
        return settings.base_url
    url = declared if isinstance(declared, str) else _rendered(platform, declared, settings.configured)
    url = url.rstrip("/")
    if settings.is_redirected:
        # A test's server, or a proxy, gets what would go to any server of the vendor.
        at = urlsplit(settings.base_url)
        url = urlsplit(url)._replace(scheme=at.scheme, netloc=at.netloc).geturl()
    check_address(platform, url, f"`base_url` {url[:100]!r} of an endpoint")
    return url


def _rendered(platform: Platform, declared: Template, configured: Mapping[str, tuple[str, ...]]) -> str:
    """The address that a template comes to. Raises SettingsError if it is none."""
    from platform_assets.declarations.template_problems import FUNCTIONS, SETTINGS
    from platform_assets.http.templates import Rendered, settings_values

    try:
        found = Rendered(declared, SETTINGS | FUNCTIONS, "`base_url`").value({"config": settings_values(configured)})
    except AnswerError as error:
        raise SettingsError(f"{platform.name}: {error}") from None
    if not isinstance(found, str) or not _ADDRESS.fullmatch(found.strip()):
        named = ", ".join((*declared.configured, *declared.optional))
        problem = f"comes to {str(found)[:100]!r}, which is no address: check the settings {named}"
        raise SettingsError(f"{platform.name}: `base_url` {problem}")
    return found.strip()

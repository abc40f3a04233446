"""A platform joined with its settings: everything that is needed to send it a request.

A declared platform holds the reference contract and knows no credential. `connect` reads the settings, applies the
contract that they choose, and returns both as one `Connection`:

    declared platform -> connect -> Connection(platform, settings) -> ApiClient -> pages of records

Every path that reads an API starts here (a sync, the verification, `check`, the sensors). The alternative, each
caller combining settings and contract by itself, had one caller that used the reference contract by mistake.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from platform_assets.configuration.platform_settings import Settings
from platform_assets.declarations import Client, Platform, PlatformAssetsError, SettingsError
from platform_assets.declarations.job_requests import as_endpoint
from platform_assets.extraction.privacy import excluded_fields
from platform_assets.http.base_urls import account_settings, base_url_of
from platform_assets.http.client import ApiClient
from platform_assets.http.errors import AnswerError
from platform_assets.http.shared_limits import SharedLimits
from platform_assets.http.urls import fill_path


@dataclass(frozen=True)
class Connection:
    """One account of one platform.

    Args:
        platform: the platform with the configured contract applied: its client and endpoints are those to use.
        settings: the settings that were read, with the credential.
    """

    platform: Platform
    settings: Settings

    def open_client(
        self,
        *,
        retries: bool = True,
        on_wait: Callable[[float, str], None] = lambda seconds, why: None,
        limits: SharedLimits | None = None,
    ) -> ApiClient:
        """A client for the platform; use it as a context manager, so that its connections are closed.

        Args:
            retries: False gives up at the first transient fault, for callers that must answer within seconds.
            on_wait: called before every wait with its seconds and why.
            limits: where other processes know of the declared limits: files of this machine by default.
        """
        return ApiClient(self.platform, self.settings, retries=retries, on_wait=on_wait, limits=limits)


def connect(platform: Platform) -> Connection:
    """Read the settings of a declared platform and apply the contract they choose. Sends no request.

    Raises SettingsError naming the first setting that is missing or invalid.
    """
    settings = account_settings(platform)
    for resource in platform.resources:
        excluded_fields(platform, resource, settings.exclude_fields)
    applied = platform.with_contract(settings.contract)
    if settings.configured:
        applied = replace(applied, client=_with_filled_paths(applied.client, settings))
    for endpoint in (one for resource in applied.resources for one in resource.endpoint.lists):
        base_url_of(applied, endpoint, settings)
        for request in endpoint.job.requests.values() if endpoint.job else ():
            base_url_of(applied, as_endpoint(request, endpoint), settings)
    return Connection(applied, settings)


def as_served(platform: Platform) -> Platform:
    """The platform with the contract that the settings choose, which decides what can be filtered and probed.

    If the settings cannot be used, as declared: a run then says what is wrong with them.
    """
    try:
        return connect(platform).platform
    except PlatformAssetsError:
        return platform


def _with_filled_paths(client: Client, settings: Settings) -> Client:
    """A client whose own two requests, of the probe and of the account, name the first value of each setting."""
    first = {name: values[0] for name, values in settings.configured.items()}
    try:
        account = client.account and replace(client.account, path=fill_path(client.account.path, first))
        return replace(client, probe=fill_path(client.probe, first), account=account)
    except AnswerError as error:
        raise SettingsError(str(error)) from None

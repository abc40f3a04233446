"""The `requests` session of a client: credential, headers, proxies, certificates, and connections with a deadline."""

from collections.abc import Callable, Mapping
from functools import partial

import requests
from requests.auth import AuthBase, HTTPBasicAuth

from platform_assets.configuration.platform_settings import Settings
from platform_assets.declarations import (
    ApiKeyAuth,
    BearerAuth,
    Configured,
    HttpBasicAuth,
    OAuth2ClientCredentials,
    Platform,
)
from platform_assets.http.deadline import DeadlineAdapter
from platform_assets.http.oauth import TokenSource

# Seconds without a byte until a token request is given up.
_TOKEN_TIMEOUT = 30.0


def open_session(
    platform: Platform, settings: Settings, on_token: Callable[[str], None], clock: Callable[[], float]
) -> requests.Session:
    """A session that sends the credential with every request. Close it after use.

    It uses the proxies and certificates that the environment names now: requests would read them again for every
    request. It ignores `.netrc`, which would replace the `Authorization` header.

    Args:
        platform: the platform, with its contract applied.
        settings: its credential, and what its headers are filled with.
        on_token: is given each access token that the session buys, to keep it out of messages.
        clock: seconds, by which access tokens age.
    """
    session = _Session()
    session.auth = _credential(platform, settings, session, on_token, clock)
    adapter = DeadlineAdapter(pool_connections=2, pool_maxsize=max(8, platform.client.max_concurrency))
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.headers.update({"Accept": "application/json", "User-Agent": "platform-assets"})
    session.headers.update(_headers(platform.client.headers, settings))
    environment = session.merge_environment_settings(settings.base_url, {}, None, None, None)
    session.proxies.update(environment["proxies"])
    session.verify = environment["verify"]
    session.trust_env = False
    return session


class _Session(requests.Session):
    """Ignores redirects: requests would read a redirect's whole body, unbounded, even if told not to follow it."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        return None


def _headers(declared: Mapping[str, str | Configured], settings: Settings) -> dict[str, str]:
    """The declared headers, with the settings that they name."""
    return {
        name: settings.configured[value.setting][0] if isinstance(value, Configured) else value
        for name, value in declared.items()
    }


def _credential(
    platform: Platform,
    settings: Settings,
    session: requests.Session,
    on_token: Callable[[str], None],
    clock: Callable[[], float],
) -> AuthBase:
    """What adds the credential to a request, where the contract wants it."""
    auth = platform.client.auth
    if isinstance(auth, BearerAuth):
        return _Header("Authorization", f"Bearer {settings.token}")
    if isinstance(auth, HttpBasicAuth):
        return HTTPBasicAuth(*(settings.secrets[name].encode() for name in auth.secrets))
    if isinstance(auth, OAuth2ClientCredentials):
        post = partial(_post, session)
        source = TokenSource(platform.name, auth, settings.base_url, settings.secrets, post, on_token, clock=clock)
        return BoughtToken(source)
    return _Header(auth.name, settings.token) if auth.location == "header" else _Query(auth, settings.token)


class _Header(AuthBase):
    """A header that never changes."""

    def __init__(self, name: str, value: str) -> None:
        self._name = name
        self._value = value

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        r.headers[self._name] = self._value
        return r


class _Query(AuthBase):
    """A query parameter."""

    def __init__(self, auth: ApiKeyAuth, token: str) -> None:
        self._name = auth.name
        self._token = token

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        r.prepare_url(r.url or "", {self._name: self._token})
        return r


class BoughtToken(AuthBase):
    """`Authorization: Bearer` with a token that expires."""

    def __init__(self, source: TokenSource) -> None:
        self.source = source

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        r.headers["Authorization"] = f"Bearer {self.source.token()}"
        return r

    def reject(self, request: requests.PreparedRequest) -> None:
        """Forget the token that a request was sent with."""
        self.source.reject(str(request.headers.get("Authorization", "")).removeprefix("Bearer "))


def _post(session: requests.Session, url: str, form: Mapping[str, str]) -> requests.Response:
    """Send a form without the session's credential, and without following redirects."""
    no_auth: Callable[[requests.PreparedRequest], requests.PreparedRequest] = _unchanged
    return session.post(url, data=dict(form), auth=no_auth, allow_redirects=False, timeout=_TOKEN_TIMEOUT, stream=True)


def _unchanged(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request

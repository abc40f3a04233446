"""The `requests` session of a client: credential, headers, proxies, certificates, and connections with a deadline."""

from collections.abc import Callable, Mapping
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.auth import AuthBase, HTTPBasicAuth
from requests.utils import get_environ_proxies

from platform_assets.configuration.platform_settings import Settings
from platform_assets.declarations import (
    ApiKeyAuth,
    Auth,
    BearerAuth,
    Configured,
    HttpBasicAuth,
    NoAuth,
    OAuth2ClientCredentials,
    OAuth2RefreshToken,
    Platform,
    SessionToken,
    SettingsError,
    Template,
    TemplateAuth,
)
from platform_assets.http.deadline import DeadlineAdapter
from platform_assets.http.login import login
from platform_assets.http.oauth import Post, TokenEndpoint, TokenSource, client_credentials
from platform_assets.http.refresh_token import refresh_token
from platform_assets.http.urls import origin, without_params

# Seconds without a byte until a token request is given up.
_TOKEN_TIMEOUT = 30.0


def open_session(
    platform: Platform, settings: Settings, on_token: Callable[[str], None], clock: Callable[[], float]
) -> "ApiSession":
    """A session with the platform's credentials. Close it after use.

    It uses the proxies and certificates that the environment names now: requests would read them again for every
    request. It ignores `.netrc`, which would replace the `Authorization` header.

    Args:
        platform: the platform, with its contract applied.
        settings: its credentials, and what its headers are filled with.
        on_token: is given each access token that the session buys, to keep it out of messages.
        clock: seconds, by which access tokens age.
    """
    session = ApiSession()
    for auth in platform.auths:
        session.credentials.append((auth, _credential(platform, auth, settings, session, on_token, clock)))
    adapter = DeadlineAdapter(pool_connections=2, pool_maxsize=max(8, platform.client.max_concurrency))
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.headers.update({"Accept": "application/json", "User-Agent": "platform-assets"})
    session.headers.update(_headers(platform.client.headers, settings))
    environment = session.merge_environment_settings(settings.base_url, {}, None, None, None)
    session.proxies_of(settings.base_url)
    session.verify = environment["verify"]
    session.trust_env = False
    return session


def open_bare_session(beside: requests.Session, connections: int) -> requests.Session:
    """A session for servers that are not the API's: no credential, no declared header, no cookie. Close it after use.

    Args:
        beside: the API's session, whose certificates are trusted here too.
        connections: at a time, at most.
    """
    session = ApiSession()
    session.auth = _Nothing()
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    adapter = DeadlineAdapter(pool_connections=2, pool_maxsize=max(8, connections))
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.headers.update({"Accept": "application/json", "User-Agent": "platform-assets"})
    session.verify = beside.verify
    session.trust_env = False
    return session


class ApiSession(requests.Session):
    """Ignores redirects: requests would read a redirect's whole body, unbounded, even if told not to follow it.

    Reads the proxies of each server once.

    Attributes:
        credentials: each declared credential, with what adds it to a request.
    """

    def __init__(self) -> None:
        super().__init__()
        self._proxies: dict[str, dict[str, str]] = {}
        self.credentials: list[tuple[Auth, AuthBase]] = []

    def credential(self, auth: Auth) -> AuthBase:
        """What adds one of the platform's credentials to a request."""
        return next(found for declared, found in self.credentials if declared == auth)

    def proxies_of(self, url: str) -> dict[str, str]:
        """The proxies that the environment names for a URL's server."""
        server = origin(url)
        if server not in self._proxies:
            self._proxies[server] = dict(get_environ_proxies(url))
        return self._proxies[server]

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        return super().merge_environment_settings(url, proxies or self.proxies_of(url), stream, verify, cert)

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
    auth: Auth,
    settings: Settings,
    session: requests.Session,
    on_token: Callable[[str], None],
    clock: Callable[[], float],
) -> AuthBase:
    """What adds the credential to a request, where the contract wants it."""
    secrets, token = settings.secrets, settings.token_of(auth)
    if isinstance(auth, NoAuth):
        return _Nothing()
    if isinstance(auth, BearerAuth):
        return _Header("Authorization", f"Bearer {token}")
    if isinstance(auth, HttpBasicAuth):
        username = auth.username_constant if auth.username is None else secrets[auth.username]
        password = auth.password_constant if auth.password is None else secrets[auth.password]
        return HTTPBasicAuth(username.encode(), password.encode())
    if isinstance(auth, ApiKeyAuth):
        if auth.location == "cookie":
            return _Cookie(platform.name, auth, token)
        key = auth.prefix + token
        return _Header(auth.name, key) if auth.location == "header" else _Query(auth, key)
    if isinstance(auth, TemplateAuth):
        return _of_templates(platform, auth, secrets, on_token)
    beside = None if auth.beside is None else _of_templates(platform, auth.beside, secrets, on_token)
    if isinstance(auth, SessionToken):
        path = _address(platform, auth.login_path, settings)
        url = settings.base_url + path if path.startswith("/") else path
        headers = _filled_in(platform, auth.login_headers, settings, on_token)
        post: Post = lambda url, fields: _post(session, url, json=fields, headers=headers)  # noqa: E731
        buy = login(platform.name, auth, url, secrets, post)
        header = auth.header or "Authorization"
        source = TokenSource(buy, on_token, clock=clock)
        return BoughtToken(source, header, "" if auth.header else "Bearer ", beside=beside)
    endpoint = _token_endpoint(platform, auth, settings, session, on_token)
    if isinstance(auth, OAuth2RefreshToken):
        buy = refresh_token(endpoint, auth, secrets, on_token)
    else:
        buy = client_credentials(endpoint, auth, secrets)
    return BoughtToken(TokenSource(buy, on_token, clock=clock), beside=beside)


def _of_templates(
    platform: Platform, auth: TemplateAuth, secrets: Mapping[str, str], on_secret: Callable[[str], None]
) -> AuthBase:
    # Jinja2 is imported only where a template is used.
    from platform_assets.http.template_auth import TemplateCredential

    return TemplateCredential(platform, auth, secrets, on_secret)


def _token_endpoint(
    platform: Platform,
    auth: OAuth2ClientCredentials | OAuth2RefreshToken,
    settings: Settings,
    session: requests.Session,
    on_secret: Callable[[str], None],
) -> TokenEndpoint:
    """The token endpoint, with its templates filled in."""
    headers = _filled_in(platform, auth.access_token_request_headers, settings, on_secret)
    return TokenEndpoint(
        platform.name,
        auth,
        _address(platform, auth.access_token_url, settings),
        settings.base_url,
        _filled_in(platform, auth.access_token_request_data, settings, on_secret),
        lambda url, fields: _post(session, url, data=fields, headers=headers),
    )


def _filled_in(
    platform: Platform, declared: Mapping[str, str | Template], settings: Settings, on_secret: Callable[[str], None]
) -> dict[str, str]:
    """Values with the secrets that they name."""
    found = {name: value for name, value in declared.items() if isinstance(value, str)}
    for name, value in declared.items():
        if isinstance(value, Template):
            from platform_assets.http.template_auth import filled

            found[name] = str(filled(platform, value, settings.secrets, on_secret, name))
    return found


def _address(platform: Platform, declared: str | Template, settings: Settings) -> str:
    """The path or whole address at which a token is asked for."""
    if isinstance(declared, str):
        return declared
    from platform_assets.http.template_auth import filled_address

    return filled_address(platform, declared, settings.configured)


class _Nothing(AuthBase):
    """No credential."""

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        return r


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
        r.prepare_url(without_params(r.url or "", {self._name}), {self._name: self._token})
        return r


class _Cookie(AuthBase):
    """A cookie, beside those that the server has set."""

    def __init__(self, platform: str, auth: ApiKeyAuth, token: str) -> None:
        if any(not "!" <= char <= "~" or char in '",;\\' for char in token):
            raise SettingsError(f"{platform}: `{auth.api_key}` has a character that no cookie can hold")
        self._cookie = f"{auth.name}={token}"

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        others = r.headers.get("Cookie")
        r.headers["Cookie"] = f"{others}; {self._cookie}" if others else self._cookie
        return r


class BoughtToken(AuthBase):
    """A header with a token that expires; `Authorization: Bearer` by default.

    Args:
        beside: adds what is sent with the token.
    """

    def __init__(
        self,
        source: TokenSource,
        header: str = "Authorization",
        prefix: str = "Bearer ",
        *,
        beside: AuthBase | None = None,
    ) -> None:
        self.source = source
        self._beside = beside or _Nothing()
        self._header = header
        self._prefix = prefix

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        r = self._beside(r)
        r.headers[self._header] = f"{self._prefix}{self.source.token()}"
        return r

    def reject(self, request: requests.PreparedRequest) -> None:
        """Forget the token that a request was sent with."""
        self.source.reject(str(request.headers.get(self._header, "")).removeprefix(self._prefix))


def _post(
    session: requests.Session,
    url: str,
    *,
    data: Mapping[str, Any] | None = None,
    json: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> requests.Response:
    """Send a form or JSON without the session's credential, and without following redirects."""
    form = None if data is None else dict(data)
    return session.post(
        url,
        data=form,
        json=json,
        headers=headers,
        auth=_Nothing(),
        allow_redirects=False,
        timeout=_TOKEN_TIMEOUT,
        stream=True,
    )

"""The `requests` session of a client: credential, headers, proxies, certificates, and connections with a deadline."""

import requests
from requests.auth import AuthBase

from platform_assets.configuration.platform_settings import Settings
from platform_assets.declarations import ApiKeyAuth, Platform
from platform_assets.declarations.platform import Auth
from platform_assets.http.deadline import DeadlineAdapter


def open_session(platform: Platform, settings: Settings) -> requests.Session:
    """A session that sends the credential with every request. Close it after use.

    It uses the proxies and certificates that the environment names now: requests would read them again for every
    request. It ignores `.netrc`, which would replace the `Authorization` header.
    """
    session = _Session()
    session.auth = _Credential(platform.client.auth, settings.token)
    adapter = DeadlineAdapter(pool_connections=2, pool_maxsize=max(8, platform.client.max_concurrency))
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.headers.update({"Accept": "application/json", "User-Agent": "platform-assets"})
    session.headers.update(platform.client.headers)
    environment = session.merge_environment_settings(settings.base_url, {}, None, None, None)
    session.proxies.update(environment["proxies"])
    session.verify = environment["verify"]
    session.trust_env = False
    return session


class _Session(requests.Session):
    """Ignores redirects: requests would read a redirect's whole body, unbounded, even if told not to follow it."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        return None


class _Credential(AuthBase):
    """Adds the credential to a request where the contract wants it."""

    def __init__(self, auth: Auth, token: str) -> None:
        self._auth = auth
        self._token = token

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        if not isinstance(self._auth, ApiKeyAuth):
            r.headers["Authorization"] = f"Bearer {self._token}"
        elif self._auth.location == "query":
            r.prepare_url(r.url or "", {self._auth.name: self._token})
        else:
            r.headers[self._auth.name] = self._token
        return r

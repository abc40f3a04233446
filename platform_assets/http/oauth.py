"""Bearer tokens that a client's own id and secret buy (OAuth 2.0 client credentials, RFC 6749 section 4.4).

    Credential (session.py) -> TokenSource.token -> POST access_token_url, if there is none that is still good

A token is kept in memory only, shared by all threads of a client. Every run is a process of its own and buys its own:
a file would be a secret on disk.
"""

import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
import requests

from platform_assets.declarations import OAuth2ClientCredentials
from platform_assets.http.errors import RequestFailed
from platform_assets.http.retry import TransientFault
from platform_assets.http.retry_delay import retry_delay

# Seconds before a token expires from which on it counts as expired: a request that takes long must not outlive it.
MARGIN = 60.0

# A token with less than this many seconds counts as good for half its life, or it would be bought for each request.
_SHORT_LIFE = 2 * MARGIN

# Bytes of an answer of the token endpoint.
_LONGEST_ANSWER = 1 << 20


class TokenSource:
    """The access token of one client.

    Args:
        platform: its name, for messages.
        auth: the declared token endpoint.
        base_url: what its path is relative to.
        secrets: values of the secrets that `auth` names.
        post: sends the token request and leaves the body to be read; takes the URL and the form's fields.
        on_token: is given each new token, to keep it out of messages.
        clock: seconds, only ever going forward; replaced by tests.
    """

    def __init__(
        self,
        platform: str,
        auth: OAuth2ClientCredentials,
        base_url: str,
        secrets: Mapping[str, str],
        post: Callable[[str, Mapping[str, str]], requests.Response],
        on_token: Callable[[str], None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._platform = platform
        self._auth = auth
        self._url = base_url + auth.access_token_url
        self._form = {
            "grant_type": "client_credentials",
            "client_id": secrets[auth.client_id],
            "client_secret": secrets[auth.client_secret],
            **auth.access_token_request_data,
        }
        self._post = post
        self._on_token = on_token
        self._clock = clock
        self._lock = threading.Lock()
        self._token = ""
        self._good_until = 0.0

    def token(self) -> str:
        """A token that is good for the next request; buys one if there is none.

        Raises:
            RequestFailed: the token endpoint refuses the id or the secret, or cannot be used.
            TransientFault: it may be asked again.
        """
        with self._lock:
            if not self._token or self._clock() >= self._good_until:
                self._buy()
            return self._token

    def reject(self, token: str) -> None:
        """Forget a token that the API has refused, unless another thread has renewed it already."""
        with self._lock:
            if token == self._token:
                self._token = ""

    def _buy(self) -> None:
        bought_at = self._clock()
        with self._post(self._url, self._form) as response:
            content = _read(response)
        answer = _answer(content)
        token = answer.get("access_token")
        if response.status_code != 200 or not isinstance(token, str) or not token:
            raise _refusal(self._platform, self._auth, response, content)
        life = answer.get("expires_in")
        seconds = float(life) if isinstance(life, int | float) and life > 0 else self._auth.default_token_expiration
        self._on_token(token)
        self._token = token
        self._good_until = bought_at + (seconds - MARGIN if seconds > _SHORT_LIFE else seconds / 2)


def _read(response: requests.Response) -> bytes:
    """The body, up to a length that no answer with a token has."""
    content = b""
    for chunk in response.iter_content(_LONGEST_ANSWER):
        content += chunk
        if len(content) > _LONGEST_ANSWER:
            return b""
    return content


def _answer(content: bytes) -> dict[str, Any]:
    try:
        body = orjson.loads(content)
    except orjson.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}


def _refusal(platform: str, auth: OAuth2ClientCredentials, response: requests.Response, content: bytes) -> Exception:
    status = response.status_code
    problem = f"{platform}: POST {auth.access_token_url}: answered {status} without an access token"
    if status in (400, 401, 403, 404):
        # NinjaOne: 404 means an unknown client, or a client of another region. It is no word about what was asked for,
        # so that no parent may be skipped for it.
        return RequestFailed(
            f"{problem}: check `{auth.client_id}`, `{auth.client_secret}` and where the account is", status=401
        )
    failure = RequestFailed(problem, status=status)
    delay = retry_delay(status, response.headers, content, datetime.now(UTC))
    # NinjaOne: a throttle may be an HTML page with status 200.
    is_throttle = status == 429 or (status == 200 and not _answer(content))
    return TransientFault(failure, delay) if is_throttle or status >= 500 else failure

"""Bearer tokens that are bought, and are good for an hour or so.

    Credential (session.py) -> TokenSource.token -> buy, if there is no token that is still good
                                                     client_credentials (RFC 6749 section 4.4)   here
                                                     refresh_token (RFC 6749 section 6)          refresh_token.py
                                                     a login                                     login.py

A token is kept in memory only, shared by all threads of a client. Every run is a process of its own and buys its own:
a file would be a secret on disk. Only a server that replaces the refresh token leaves no choice.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol

import orjson
import requests

from platform_assets.declarations import OAuth2ClientCredentials, OAuth2RefreshToken
from platform_assets.declarations.auth import client_is_in_header
from platform_assets.http.errors import RequestFailed
from platform_assets.http.retry import TransientFault
from platform_assets.http.retry_delay import retry_delay

# Seconds before a token expires from which on it counts as expired: a request that takes long must not outlive it.
MARGIN = 60.0

# A token with less than this many seconds counts as good for half its life, or it would be bought for each request.
_SHORT_LIFE = 2 * MARGIN

# From here on a number of seconds is a Unix time: no token is good for thirty years.
_EPOCH = 1_000_000_000

# Bytes of an answer of the token endpoint.
_LONGEST_ANSWER = 1 << 20


class Bought(NamedTuple):
    """A token and the seconds that it is good for, from when it was asked for."""

    token: str
    seconds: float


class Buy(Protocol):
    """Buys a token. Takes the last one if the API has refused it, else an empty text."""

    def __call__(self, refused: str, /) -> Bought: ...


# Sends a POST without the credential and leaves the body to be read; takes the URL and the form's or JSON's fields.
Post = Callable[[str, Mapping[str, Any]], requests.Response]


class TokenSource:
    """The token of one client.

    Args:
        buy: buys a token. Raises RequestFailed or TransientFault.
        on_token: is given each new token, to keep it out of messages.
        clock: seconds, only ever going forward; replaced by tests.
    """

    def __init__(
        self, buy: Buy, on_token: Callable[[str], None], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._buy = buy
        self._on_token = on_token
        self._clock = clock
        self._lock = threading.Lock()
        self._token = ""
        self._refused = ""
        self._good_until = 0.0

    def token(self) -> str:
        """A token that is good for the next request; buys one if there is none.

        Raises:
            RequestFailed: the token endpoint refuses the credential, or cannot be used.
            TransientFault: it may be asked again.
        """
        with self._lock:
            if not self._token or self._clock() >= self._good_until:
                bought_at = self._clock()
                token, seconds = self._buy(self._refused)
                self._on_token(token)
                self._token, self._refused = token, ""
                self._good_until = bought_at + (seconds - MARGIN if seconds > _SHORT_LIFE else seconds / 2)
            return self._token

    def reject(self, token: str) -> None:
        """Forget a token that the API has refused, unless another thread has renewed it already."""
        with self._lock:
            if token == self._token:
                self._token, self._refused = "", token


@dataclass(frozen=True)
class TokenEndpoint:
    """A token endpoint as RFC 6749 has it.

    Args:
        platform: its name, for messages.
        auth: the declared token endpoint.
        url: where it is: a path, or a whole URL.
        base_url: what a path is relative to.
        data: further fields of the form.
        post: sends a form.
    """

    platform: str
    auth: OAuth2ClientCredentials | OAuth2RefreshToken
    url: str
    base_url: str
    data: Mapping[str, str]
    post: Post

    def ask(self, form: Mapping[str, str]) -> tuple[Bought, Mapping[str, Any]]:
        """The token that a grant buys, and the whole answer."""
        url = self.url
        with self.post(self.base_url + url if url.startswith("/") else url, form) as response:
            content = read_answer(response)
        answer = json_object(content)
        token = answer.get(self.auth.access_token_name)
        if response.status_code != 200 or not isinstance(token, str) or not token:
            asked = url if url.startswith("/") else "the token endpoint"
            problem = f"{self.platform}: POST {asked}: answered {response.status_code} without an access token"
            # NinjaOne: 404 means an unknown client, or a client of another region.
            names = ", ".join(f"`{name}`" for name in self.auth.secrets)
            raise refusal(problem, f"check {names} and where the account is", response, content)
        return Bought(token, life(answer.get(self.auth.expires_in_name), self.auth.default_token_expiration)), answer


def life(stated: Any, default: float) -> float:
    """The seconds that an answer states, as a number, in digits, or by when they are over."""
    if isinstance(stated, str) and stated.isdecimal():
        stated = int(stated)
    if isinstance(stated, str):
        try:
            stated = datetime.fromisoformat(stated).astimezone(UTC).timestamp()
        except (ValueError, OverflowError):
            return default
    if isinstance(stated, int | float) and stated >= _EPOCH:
        stated -= time.time()
    return float(stated) if isinstance(stated, int | float) and stated > 0 else default


def client_credentials(endpoint: TokenEndpoint, auth: OAuth2ClientCredentials, secrets: Mapping[str, str]) -> Buy:
    """Buys with the client's own id and secret."""
    form = {"grant_type": "client_credentials", **endpoint.data}
    if not client_is_in_header(auth):
        form = {
            auth.client_id_name: secrets[auth.client_id],
            auth.client_secret_name: secrets[auth.client_secret],
            **form,
        }
    return lambda _: endpoint.ask(form)[0]


def read_answer(response: requests.Response) -> bytes:
    """The body, up to a length that no answer with a token has."""
    content = b""
    for chunk in response.iter_content(_LONGEST_ANSWER):
        content += chunk
        if len(content) > _LONGEST_ANSWER:
            return b""
    return content


def json_object(content: bytes) -> dict[str, Any]:
    """The object that a body is; empty for anything else."""
    try:
        body = orjson.loads(content)
    except orjson.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}


def refusal(problem: str, advice: str, response: requests.Response, content: bytes) -> Exception:
    """The exception for an answer without a token. Quotes nothing of the answer, which may repeat the credential.

    Args:
        problem: what was asked and how it was answered.
        advice: what to check if the credential is refused.
    """
    status = response.status_code
    if status in (400, 401, 403, 404):
        # It is no word about what was asked for, so that no parent may be skipped for it.
        return RequestFailed(f"{problem}: {advice}", status=401)
    failure = RequestFailed(problem, status=status)
    delay = retry_delay(status, response.headers, content, datetime.now(UTC))
    # NinjaOne: a throttle may be an HTML page with status 200.
    is_throttle = status == 429 or (status == 200 and not json_object(content))
    return TransientFault(failure, delay) if is_throttle or status >= 500 else failure

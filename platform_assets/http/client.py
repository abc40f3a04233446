"""One HTTP session per platform and run: authentication, retries, waits, bounds, redaction."""

import json
import logging
import math
import re
import ssl
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Self
from urllib.parse import parse_qs, quote, urljoin, urlsplit

import orjson
import requests
from tenacity import RetryCallState, Retrying, retry_if_exception_type
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, ReadTimeoutError

from platform_assets.cancellation import current
from platform_assets.configuration.platform_settings import Settings, platform_secret, setting_name
from platform_assets.declarations import ApiKeyAuth, ErrorHandler, Platform
from platform_assets.http.deadline import Deadline, DeadlineAdapter
from platform_assets.http.errors import AnswerError, LimitExhausted, RequestFailed
from platform_assets.http.rate_limiter import Limiter, limit_file
from platform_assets.http.redaction import RedactingFilter, Redactor
from platform_assets.http.selection import as_json, from_json

CONNECT_TIMEOUT = 10.0
READ_TIMEOUT = 60.0
"""Seconds of silence; `[sources.<platform>] read_timeout` overrides it."""
ANSWER_TIMEOUT = 120.0
"""Seconds a whole exchange may take, from connecting to the last byte; `[sources.<platform>] answer_timeout`
overrides it."""
MAX_BODY = 256 * 1024 * 1024
MAX_REDIRECTS = 5
MAX_TOLD_WAITS = 100
_CHUNK = 1 << 18
_EXCERPT = 160

_RESET_HEADERS = ("RateLimit-Reset", "RateLimit-User-Reset", "x-ratelimit-reset", "X-Sentry-Rate-Limit-Reset")
_EPOCH_FROM = 1_000_000_000
"""A reset value from here on is a moment in UTC epoch seconds, below it a number of seconds to wait."""
_MILLISECONDS_FROM = 100_000_000_000
"""From here on it is a moment in milliseconds."""
_LONGEST = 10 * 365 * 86400
"""Seconds; who asks to wait longer is told apart no more."""


@dataclass(frozen=True)
class Answer:
    """A JSON answer: its parsed body and its headers."""

    body: Any
    headers: Mapping[str, str]


class _Transient(Exception):
    """A fault worth another try. `told` is the wait the server asked for, in seconds."""

    def __init__(self, failure: RequestFailed, told: float | None) -> None:
        super().__init__(str(failure))
        self.failure = failure
        self.told = told


class ApiClient:
    """GETs JSON from one platform. Safe to use from several threads.

    Raises from `get`: RequestFailed (no usable answer, or a 4xx), LimitExhausted, AnswerError (not JSON), and
    Cancelled, also while it waits, once what was current when it was made is cancelled. No message of theirs
    holds the credential.
    """

    def __init__(
        self,
        platform: Platform,
        settings: Settings,
        *,
        sleep: Callable[[float], None] | None = None,
        retries: bool = True,
    ) -> None:
        self.platform = platform
        self.settings = settings
        self.redact = Redactor([settings.token])
        self._cancellation = current()
        self._sleep = sleep or self._cancellation.sleep
        self._retries = retries
        self._origin = origin(settings.base_url)
        limit = platform.client.rate_limit
        self._limiter = Limiter(limit, limit_file(self._origin, settings.token), sleep=self._sleep) if limit else None
        self._answered = False
        self._unreachable: RequestFailed | None = None
        self._session = self._open_session()
        self._log_filter = RedactingFilter(self.redact)
        logging.getLogger("urllib3.connectionpool").addFilter(self._log_filter)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._session.close()
        logging.getLogger("urllib3.connectionpool").removeFilter(self._log_filter)

    def get(
        self, path: str, params: Mapping[str, str | int] | None = None, counts: Counter[str] | None = None
    ) -> Answer:
        """GET `base_url + path`, as often as the error handler allows. `path` is already encoded.

        Adds to `counts`: `requests`, `retries`, `waited_ms`.
        """
        counts = Counter() if counts is None else counts
        if self._unreachable is not None:
            raise self._unreachable
        patience = _RetryBudget(self._handler, self.settings.backoff_factor, self._retries)
        retrying = Retrying(
            retry=retry_if_exception_type(_Transient),
            stop=patience.is_over,
            wait=patience.wait,
            sleep=lambda seconds: self._pause(seconds, counts),
            reraise=True,
        )
        try:
            return retrying(self._get_once, path, dict(params or {}), counts)
        except _Transient as fault:
            if fault.failure.unreachable and not self._answered:
                self._unreachable = fault.failure
            raise fault.failure from None

    def _open_session(self) -> requests.Session:
        session = _Session()
        # Proxies are honoured; .netrc is not, since it would replace our Authorization header.
        session.auth = self._authorize
        adapter = DeadlineAdapter(pool_connections=2, pool_maxsize=max(8, self.platform.client.max_concurrency))
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        session.headers.update({"Accept": "application/json", "User-Agent": "platform-assets"})
        session.headers.update(self.platform.client.headers)
        # Proxies and certificates as the environment has them now; requests would look again for every request.
        surroundings = session.merge_environment_settings(self.settings.base_url, {}, None, None, None)
        session.proxies.update(surroundings["proxies"])
        session.verify = surroundings["verify"]
        session.trust_env = False
        return session

    def _authorize(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        auth = self.platform.client.auth
        if isinstance(auth, ApiKeyAuth) and auth.location == "query":
            request.prepare_url(request.url or "", {auth.name: self.settings.token})
        elif isinstance(auth, ApiKeyAuth):
            request.headers[auth.name] = self.settings.token
        else:
            request.headers["Authorization"] = f"Bearer {self.settings.token}"
        return request

    @property
    def _handler(self) -> ErrorHandler:
        return self.platform.client.error_handler

    def _pause(self, seconds: float, counts: Counter[str]) -> None:
        counts["retries"] += 1
        counts["waited_ms"] += int(seconds * 1000)
        self._sleep(seconds)

    def _get_once(self, path: str, params: dict[str, str | int], counts: Counter[str]) -> Answer:
        url, asked = self.settings.base_url + path, params
        hops = 0
        while True:
            self._cancellation.check()
            if self._limiter is not None:
                counts["waited_ms"] += int(self._limiter.wait() * 1000)
            counts["requests"] += 1
            response, content = self._exchange(url, params, path)
            if response.status_code not in (301, 302, 303, 307, 308):
                return self._classify(response, content, path)
            if hops == MAX_REDIRECTS:
                raise RequestFailed(self._say(path, f"more than {hops} redirects"), status=response.status_code)
            hops += 1
            url, params = self._redirected(response, url, path, asked), {}

    def _exchange(self, url: str, params: dict[str, str | int], path: str) -> tuple[requests.Response, bytes]:
        """One request, its whole body read within the bounds of size and time."""
        deadline = Deadline(self.settings.answer_timeout or ANSWER_TIMEOUT)
        try:
            with (
                deadline,
                self._cancellation.calling(deadline.end),
                self._session.get(
                    url,
                    params=params,
                    timeout=(CONNECT_TIMEOUT, self.settings.read_timeout or READ_TIMEOUT),
                    allow_redirects=False,
                    stream=True,
                ) as response,
            ):
                self._answered = True
                content = self._read_body(response, path)
            if deadline.passed:
                raise requests.Timeout
            return response, content
        except requests.exceptions.ContentDecodingError:
            raise AnswerError(self._say(path, "the answer's compression is broken")) from None
        except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
            fault = requests.Timeout() if deadline.passed else error
            distrust = _cause(fault, ssl.SSLCertVerificationError)
            if distrust is not None:
                name = setting_name(self.platform, "base_url")
                reason = getattr(distrust, "verify_message", "") or "it cannot be verified"
                raise RequestFailed(
                    f"{self.platform.name}: the certificate of {self._origin} is refused: {reason}; check {name},"
                    " or name a file of trusted certificates in REQUESTS_CA_BUNDLE"
                ) from None
            raise _Transient(self._no_answer(path, fault), None) from None
        except requests.RequestException as error:
            raise RequestFailed(self._say(path, f"cannot be requested ({type(error).__name__})")) from None

    def _read_body(self, response: requests.Response, path: str) -> bytes:
        chunks: list[bytes] = []
        size = 0
        for chunk in response.iter_content(_CHUNK):
            chunks.append(chunk)
            size += len(chunk)
            if size > MAX_BODY:
                raise AnswerError(self._say(path, f"the answer is larger than {MAX_BODY} bytes"))
        return b"".join(chunks)

    def _no_answer(self, path: str, error: requests.RequestException) -> RequestFailed:
        if not self._answered and _cause(error, NewConnectionError, ConnectTimeoutError) is not None:
            name = setting_name(self.platform, "base_url")
            return RequestFailed(
                f"{self.platform.name}: cannot reach {self._origin}: check {name}, and that the server is up",
                unreachable=True,
            )
        if isinstance(error, requests.Timeout) or _cause(error, ReadTimeoutError) is not None:
            return RequestFailed(self._say(path, "no complete answer in time"))
        return RequestFailed(self._say(path, "the connection broke before the answer was complete"))

    def _redirected(self, response: requests.Response, url: str, path: str, asked: Mapping[str, str | int]) -> str:
        """Where a redirect leads: the same origin, with every parameter that was sent."""
        location = response.headers.get("Location", "")
        try:
            target = urljoin(url, location)
            place = origin(target)
        except ValueError:
            target, place = "", "no URL"
        if place != self._origin:
            raise RequestFailed(
                self._say(path, f"redirects to another origin ({place}), which is refused"),
                status=response.status_code,
            )
        given = parse_qs(urlsplit(target).query, keep_blank_values=True)
        changed = [name for name, value in asked.items() if given.get(name) != [str(value)]]
        if changed:
            raise AnswerError(
                self._say(path, f"redirects without the parameters `{'`, `'.join(changed)}` as they were sent")
            )
        return target

    def _classify(self, response: requests.Response, content: bytes, path: str) -> Answer:
        """Turn a status into an answer, a fault worth a retry, or a failure."""
        status = response.status_code
        if status == 200:
            return Answer(self._parse(response, content, path), response.headers)
        if 200 <= status < 300:
            raise AnswerError(self._say(path, f"answered {status} where 200 with a JSON body is the contract"))
        failure = RequestFailed(self._say(path, self._describe(status, response, content)), status=status)
        if status not in self._handler.retry_on_status_codes:
            raise failure
        told = retry_delay(status, response.headers, content, datetime.now(UTC))
        if told is not None and told > self._handler.wait_budget:
            back = datetime.now(UTC) + timedelta(seconds=min(told, _LONGEST))
            raise LimitExhausted(
                self._say(path, f"the rate limit is spent; come back at {back:%Y-%m-%d %H:%M:%S} UTC"), status=status
            )
        raise _Transient(failure, told)

    def _parse(self, response: requests.Response, content: bytes, path: str) -> Any:
        try:
            body = from_json(content.removeprefix(_BYTE_ORDER_MARK))
            repeated = _repeated_key(body, content)
            if repeated is not None:
                raise AnswerError(self._say(path, f"the body has `{repeated}` twice in one object: which one counts?"))
            return body
        except ValueError:
            kind = response.headers.get("Content-Type", "no content type")
            shown = self._excerpt(content) or "an empty body"
            text = self._say(path, f"status {response.status_code}, {kind}: not JSON: {shown}")
        if _tells_its_length(response):
            raise AnswerError(text)
        # Without a length, a connection that broke looks like the answer's end.
        raise _Transient(RequestFailed(f"{text} (or cut off: the answer does not tell its length)"), None)

    def _describe(self, status: int, response: requests.Response, content: bytes) -> str:
        if status == 401:
            name = setting_name(self.platform, platform_secret(self.platform))
            return f"401: the credential is refused: check {name}"
        return f"answered {status}: {self._excerpt(content) or response.reason}"

    def _excerpt(self, content: bytes) -> str:
        return " ".join(self.redact.excerpt(content[:_CHUNK].decode("utf-8", "replace"), _EXCERPT).split())

    def _say(self, path: str, what: str) -> str:
        return self.redact(f"{self.platform.name}: GET {path}: {what}")


class _Session(requests.Session):
    """Looks at no redirect by itself: requests would read its whole body, unbounded, also where it follows none."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        return None


class _RetryBudget:
    """What one request has spent: tries without a hint, and seconds waited as told."""

    def __init__(self, handler: ErrorHandler, backoff_factor: float | None, retries: bool) -> None:
        self._handler = handler
        self._factor = handler.backoff_factor if backoff_factor is None else backoff_factor
        self._retries = retries
        self._untold = 0
        self._told = 0
        self._told_seconds = 0.0

    def wait(self, state: RetryCallState) -> float:
        """Seconds until the next try. Counts the fault; tenacity asks this before `is_over`."""
        told = _told(state)
        if told is None:
            self._untold += 1
            return self._factor * 2.0 ** (self._untold - 1)
        self._told += 1
        self._told_seconds += told
        return told

    def is_over(self, state: RetryCallState) -> bool:
        return (
            not self._retries
            or self._untold > self._handler.max_retries
            or self._told > MAX_TOLD_WAITS
            or self._told_seconds > self._handler.wait_budget
        )


def _told(state: RetryCallState) -> float | None:
    fault = state.outcome.exception() if state.outcome else None
    return fault.told if isinstance(fault, _Transient) else None


_ESCAPED_KEY = re.compile(rb'\\u[0-9a-fA-F]{4}[^"\\]*"\s*:')
_ENVELOPE_DEPTH = 3
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def _repeated_key(body: Any, content: bytes) -> str | None:
    """A key of the body's envelope that the text has more often than the parsed body, None where there is none.

    The envelope is the outermost object and the objects in it, not those in its lists. Parsers keep the last of
    two equal keys: rows under the first would be lost without a word.
    """
    if not isinstance(body, dict):
        return None
    if _ESCAPED_KEY.search(content):
        return _repeated_as_parsed(content)
    kept: bytes | None = None
    waiting: list[tuple[dict[str, Any], tuple[bytes, ...]]] = [(body, ())]
    for found, path in waiting:
        keys = [(name, as_json(name, "a key")) for name in found]
        text = _behind(content, path)
        if not all(text.count(key) == 1 for _, key in keys):
            kept = as_json(body, "the body") if kept is None else kept
            parsed = _behind(kept, path)
            repeated = next((name for name, key in keys if text.count(key) > parsed.count(key)), None)
            if repeated is not None:
                return repeated
        if len(path) < _ENVELOPE_DEPTH - 1:
            waiting += [(one, (*path, key)) for name, key in keys if isinstance(one := found[name], dict)]
    return None


def _behind(text: bytes, path: tuple[bytes, ...]) -> bytes:
    """The text from where the keys of `path` stand for the first time, one after the other."""
    for key in path:
        text = text[text.find(key) + len(key) :]
    return text


def _repeated_as_parsed(content: bytes) -> str | None:
    """As above, by a slow parser that sees both of two equal keys, however they are written."""
    repeating: list[tuple[dict[str, Any], str]] = []

    def noting(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            repeating.append((found, next(name for name, times in Counter(n for n, _ in pairs).items() if times > 1)))
        return found

    try:
        level = [json.loads(content.removeprefix(_BYTE_ORDER_MARK), object_pairs_hook=noting)]
    except RecursionError:
        raise AnswerError("the body is nested too deep to look for repeated keys") from None
    for _ in range(_ENVELOPE_DEPTH):
        for one in level:
            for found, name in repeating:
                if found is one:
                    return name
        level = [value for one in level for value in one.values() if isinstance(value, dict)]
    return None


def _cause(error: BaseException, *kinds: type[BaseException]) -> BaseException | None:
    """The exception of one of `kinds` that requests and urllib3 have wrapped, None where it is another fault."""
    seen: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        one = waiting.pop()
        if isinstance(one, kinds):
            return one
        if isinstance(one, BaseException) and one not in seen:
            seen.append(one)
            waiting += [*one.args, getattr(one, "reason", None), one.__cause__, one.__context__]
    return None


def _tells_its_length(response: requests.Response) -> bool:
    return "Content-Length" in response.headers or "Transfer-Encoding" in response.headers


def origin(url: str) -> str:
    """Scheme, host and port of a URL, e.g. `https://api.example.com:443`. Raises ValueError for what is none."""
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return f"{parts.scheme}://{parts.hostname}:{port}"


def fill_path(path: str, values: Mapping[str, object]) -> str:
    """Put path values in, each kept inside its own segment: `a/b?c` becomes `a%2Fb%3Fc`.

    Raises AnswerError for a value that no encoding keeps in its segment: empty, `.` or `..`
    (clients and servers remove dot segments, percent-encoded or not).
    """
    for name, value in values.items():
        text = str(value)
        if text in ("", ".", ".."):
            raise AnswerError(f"path value {text!r} for {{{name}}} in {path} cannot be a path segment: refused")
        path = path.replace(f"{{{name}}}", quote(text, safe=""))
    return path


def retry_delay(status: int, headers: Mapping[str, str], content: bytes, now: datetime) -> float | None:
    """Seconds that the server asks to wait, or None where it does not say.

    `Retry-After` (seconds or HTTP date) counts for any status; the reset headers (RateLimit-Reset and
    x-ratelimit-reset: delta seconds; X-Sentry-Rate-Limit-Reset: UTC epoch seconds) and Buildkite's body
    `reset` count for 429 only, since they are sent with good answers too.
    """
    found = [_retry_after(headers.get("Retry-After"), now)]
    if status == 429:
        found += [_reset(headers.get(name), now) for name in _RESET_HEADERS]
        if all(wait is None for wait in found):
            found.append(_body_reset(content, now))
    waits = [wait for wait in found if wait is not None]
    return max(waits) if waits else None


def _retry_after(value: str | None, now: datetime) -> float | None:
    if value is None:
        return None
    try:
        number = float(value)
        return max(0.0, number) if math.isfinite(number) else None
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(value)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
        return max(0.0, (moment - now).total_seconds())
    except (ValueError, OverflowError):
        return None


def _reset(value: object, now: datetime) -> float | None:
    try:
        number = float(str(value))
    except ValueError:
        return None
    if not math.isfinite(number):
        return None
    if number >= _MILLISECONDS_FROM:
        number /= 1000
    return max(0.0, number - now.timestamp() if number >= _EPOCH_FROM else number)


def _body_reset(content: bytes, now: datetime) -> float | None:
    try:
        body = orjson.loads(content)
    except orjson.JSONDecodeError:
        return None
    return _reset(body.get("reset"), now) if isinstance(body, dict) else None

"""Sends requests to one platform and returns parsed answers.

One request (outgoing.py) goes through these modules:

    ApiClient.send         retries within a budget (retry.py)
      request_limits.py    waits until the declared limits allow a request
      session.py           adds credential, headers, proxies
      exchange.py          sends it, and bounds size and time of what comes back
      responses.py         turns status and body into an Answer, a transient fault or a failure
      connection_errors.py does the same for an exchange without a response

Redirects are followed here, within the same origin and only with all parameters kept: requests would send the
credential on to another server, and a server that drops `page=2` would serve page 1 again and again. Files of reports
may be elsewhere (file_addresses.py): no other server gets the credential.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from typing import BinaryIO, Self
from urllib.parse import urljoin, urlsplit

import requests
from requests.auth import AuthBase
from tenacity import RetryCallState, Retrying, retry_if_exception_type

from platform_assets.cancellation import Cancellation, current
from platform_assets.configuration.platform_settings import Settings
from platform_assets.declarations import Endpoint, Platform, Template
from platform_assets.http.ageing import Notice, notice
from platform_assets.http.answer import Answer
from platform_assets.http.base_urls import base_url_of
from platform_assets.http.errors import AnswerError, LimitExhausted, RequestFailed
from platform_assets.http.exchange import Exchange
from platform_assets.http.file_addresses import refusal, signatures
from platform_assets.http.job_places import JobPlaces
from platform_assets.http.messages import Messages
from platform_assets.http.outgoing import Outgoing
from platform_assets.http.pagination.stated_ends import TotalProof
from platform_assets.http.redaction import RedactingFilter, Redactor
from platform_assets.http.redirects import redirect_target
from platform_assets.http.request_limits import LimitsOfCredentials
from platform_assets.http.responses import ResponseClassifier
from platform_assets.http.retry import RetryBudget, TransientFault
from platform_assets.http.session import BoughtToken, open_bare_session, open_session
from platform_assets.http.shared_limits import LimitFiles, SharedLimits
from platform_assets.http.urls import ParamValue, origin

# Bytes of a decompressed body.
MAX_BODY = 256 * 1024 * 1024

MAX_REDIRECTS = 5

# Why a request waits whose server, or whose declared limit, asks for it.
RATE_LIMIT = "for the rate limit"


class ApiClient:
    """GETs JSON from one platform. Safe to use from several threads; use it as a context manager.

    Args:
        platform: the platform, with its contract applied.
        settings: its base URL, credential and timeouts.
        sleep: replaces the waits between tries, for tests; takes seconds. By default a cancellation ends a wait.
        retries: False gives up at the first transient fault.
        clock: seconds, only ever going forward, by which access tokens age; replaced by tests.
        on_wait: called before every wait with its seconds and why, e.g. "for the rate limit"; from several threads.
        limits: where other processes know of the declared limits: files of this machine by default.

    Once the run that made the client is cancelled, `get` raises Cancelled, even while it waits or reads.
    """

    def __init__(
        self,
        platform: Platform,
        settings: Settings,
        *,
        sleep: Callable[[float], None] | None = None,
        retries: bool = True,
        clock: Callable[[], float] = time.monotonic,
        on_wait: Callable[[float, str], None] = lambda seconds, why: None,
        limits: SharedLimits | None = None,
    ) -> None:
        self.platform = platform
        self.settings = settings
        self.redact = Redactor(settings.secret_values)
        self._messages = Messages(platform.name, self.redact)
        self._responses = ResponseClassifier(platform, self._messages, settings.configured)
        self._cancellation = current()
        self._sleep = sleep or self._cancellation.sleep
        self._retries = retries
        self._on_wait = on_wait
        self._limits = LimitsOfCredentials(platform, settings, self._wait_for_limit, limits or LimitFiles())
        # Declared address of endpoints -> the address to use.
        self._base_urls: dict[str | Template | None, str] = {None: settings.base_url}
        # Origins that could not be reached.
        self._unreachable: dict[str, RequestFailed] = {}
        # Path of an endpoint -> what responses said about its end.
        self.notices: dict[str, Notice] = {}
        # For requests that a reader has many of at once. It is shared, so that many readers do not start many pools.
        self.pool = ThreadPoolExecutor(platform.client.max_concurrency, thread_name_prefix="requests")
        self._total_proofs: dict[str, TotalProof] = {}
        self._lock = threading.Lock()
        self._session = open_session(platform, settings, self.redact.add, clock)
        self._bare_session = open_bare_session(self._session, platform.client.max_concurrency)
        self._exchange = Exchange(platform, settings, self._messages)
        self.clock = clock
        self.job_places = JobPlaces(platform.client.max_jobs, self._cancellation)
        self._log_filter = RedactingFilter(self.redact)
        logging.getLogger("urllib3.connectionpool").addFilter(self._log_filter)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """End what is still requested, and close the connections."""
        self.pool.shutdown(cancel_futures=True)
        self._limits.close()
        self._session.close()
        self._bare_session.close()
        logging.getLogger("urllib3.connectionpool").removeFilter(self._log_filter)

    def total_proof(self, endpoint: Endpoint) -> TotalProof:
        """What the answers of an endpoint have shown about its totals, for every walk through it."""
        # Two lists may have one path and differ by their bodies, or their servers.
        key = f"{endpoint.method} {endpoint.base_url} {endpoint.path} {endpoint.json!r} {endpoint.data!r}"
        with self._lock:
            return self._total_proofs.setdefault(key, TotalProof())

    def get(
        self,
        path: str,
        params: Mapping[str, ParamValue] | None = None,
        counts: Counter[str] | None = None,
        endpoint: Endpoint | None = None,
        *,
        text: bool = False,
    ) -> Answer:
        """GET the endpoint's `base_url + path`; see `send`.

        Args:
            path: begins with a slash, already percent-encoded (see `fill_path`).
            params: the query.
        """
        return self.send(Outgoing(path, dict(params or {})), counts, endpoint, text=text)

    def send(
        self,
        outgoing: Outgoing,
        counts: Counter[str] | None = None,
        endpoint: Endpoint | None = None,
        *,
        text: bool = False,
        into: BinaryIO | None = None,
    ) -> Answer:
        """Send a request, with retries as the platform's error handler allows, whatever its method: all of them read.

        A server that could not be reached with all retries is not tried again: every later call to it fails at once.

        Args:
            counts: incremented by `requests`, `retries` and `waited_ms` (milliseconds).
            endpoint: whose limits apply beside the client's.
            text: whether the body is a text, not JSON; then the answer's body is a str, None if it is no text.
            into: takes the body as it was sent, whole and undamaged, for `batches_in`; then the answer has none.

        Raises:
            RequestFailed: no usable answer with all retries, or a status that is not retried.
            LimitExhausted: the server asks for a longer wait than the declared budget, or the day's budget is spent:
                the server refuses, or its last answer left fewer tokens than the request costs, and nothing is sent.
            ResponseIgnored: the declaration says to ignore the response.
            AnswerError: the answer breaks the contract, e.g. is not JSON, or the link is to another server and not
                that of a file.
            SettingsError: the endpoint has an address of its own that no request may be sent to.
            Cancelled: the run was cancelled.

        No message contains the credential.
        """
        counts = Counter() if counts is None else counts
        server = origin(outgoing.link if outgoing.is_file and outgoing.link else self._base_url(endpoint))
        if server in self._unreachable:
            raise self._unreachable[server]
        budget = RetryBudget(self.platform.error_handler_of(endpoint), self.settings.backoff_factor, self._retries)
        retrying = Retrying(
            retry=retry_if_exception_type(TransientFault),
            stop=budget.is_spent,
            wait=budget.wait,
            sleep=lambda seconds: self._wait_for_retry(seconds, counts),
            before_sleep=self._say_why,
            reraise=True,
        )
        try:
            return retrying(self._send_once, outgoing, counts, endpoint, text, into)
        except TransientFault as fault:
            if fault.failure.unreachable and server not in self._exchange.has_responded:
                self._unreachable[server] = fault.failure
            raise fault.failure from None

    def send_last(self, outgoing: Outgoing, endpoint: Endpoint) -> None:
        """Send a request once, also if the run is cancelled: it ends what would stay at the server.

        It waits for no limit, and has a few seconds. Raises RequestFailed if the server does not take it.
        """
        url, query = self._base_url(endpoint) + outgoing.path, outgoing.params
        if outgoing.link is not None:
            url, query = self._checked_link(outgoing, origin(url)), {}
        credential = self._credential(outgoing, endpoint)
        session = self._bare_session if credential is None else self._session
        try:
            response, content = self._exchange.send(
                session, url, query, outgoing, {}, Cancellation(), credential=credential, most=MAX_BODY, is_last=True
            )
        except TransientFault as fault:
            raise fault.failure from None
        if not 200 <= response.status_code < 300:
            shown = self._messages.excerpt(content) or response.reason
            problem = f"answered {response.status_code}: {shown}"
            raise RequestFailed(self._messages.about(outgoing.name, problem), status=response.status_code)

    def wait(self, seconds: float, why: str, counts: Counter[str]) -> None:
        """Wait, and say so. Raises Cancelled as soon as the run is cancelled."""
        self._on_wait(seconds, why)
        counts["waited_ms"] += int(seconds * 1000)
        self._sleep(seconds)

    def _say_why(self, state: RetryCallState) -> None:
        fault = state.outcome.exception() if state.outcome else None
        status, cause = (fault.failure.status, fault.why) if isinstance(fault, TransientFault) else (None, "")
        after = f" after a {status}" if status else f": {cause}" if cause else ""
        why = RATE_LIMIT if status == 429 else f"to try again{after}"
        self._on_wait(state.upcoming_sleep, why)

    def _wait_for_limit(self, seconds: float) -> None:
        if seconds:
            self._on_wait(seconds, RATE_LIMIT)
        self._sleep(seconds)

    def _wait_for_retry(self, seconds: float, counts: Counter[str]) -> None:
        counts["retries"] += 1
        counts["waited_ms"] += int(seconds * 1000)
        self._sleep(seconds)

    def _send_once(
        self,
        outgoing: Outgoing,
        counts: Counter[str],
        endpoint: Endpoint | None,
        text: bool,
        into: BinaryIO | None = None,
    ) -> Answer:
        """One try, redirects and one renewed access token included."""
        name, path = outgoing.name, outgoing.path
        url, query = self._base_url(endpoint) + path, outgoing.params
        home = origin(url)
        if outgoing.is_file and outgoing.link is not None:
            url = self._file_address(outgoing, outgoing.link)
        elif outgoing.link is not None:
            url, query = self._checked_link(outgoing, home), {}
        redirects, renewed = 0, False
        declared = self._credential(outgoing, endpoint)
        while True:
            is_home = not outgoing.is_file or origin(url) in (home, origin(self.settings.base_url))
            credential = declared if is_home else None
            response, content = self._sent(
                url, query, outgoing, counts, endpoint, text, into, credential, is_home=is_home
            )
            if response.status_code == 401 and isinstance(credential, BoughtToken) and not renewed:
                credential.reject(response.request)
                renewed = True
                continue
            if response.status_code not in (301, 302, 303, 307, 308):
                if is_home:
                    self._end_if_spent(response, name, endpoint)
                    self._note_ageing(response, path, endpoint)
                answer = self._responses.classify(
                    response, content, name, endpoint, text=text, most=MAX_BODY, into=into
                )
                return replace(answer, url=url.partition("?")[0])
            if redirects == MAX_REDIRECTS:
                problem = f"more than {redirects} redirects"
                raise RequestFailed(self._messages.about(name, problem), status=response.status_code)
            if response.status_code not in (307, 308) and not outgoing.can_be_redirected:
                problem = f"redirects by {response.status_code}, which would lose the body: declare where it leads to"
                raise RequestFailed(self._messages.about(name, problem), status=response.status_code)
            redirects += 1
            # The redirect's URL holds the query already.
            if outgoing.is_file:
                url = self._file_address(outgoing, urljoin(url, response.headers.get("Location", "")))
            else:
                url = redirect_target(response, url, outgoing, self._messages)
            query = {}

    def _sent(
        self,
        url: str,
        query: Mapping[str, ParamValue],
        outgoing: Outgoing,
        counts: Counter[str],
        endpoint: Endpoint | None,
        text: bool,
        into: BinaryIO | None,
        credential: AuthBase | None,
        *,
        is_home: bool,
    ) -> tuple[requests.Response, bytes]:
        """One exchange, once the limits allow it. Another server has neither our limits nor our credential."""
        self._cancellation.check()
        self._end_if_too_few_left(outgoing.name, endpoint)
        with self._limits.of(endpoint).slot(endpoint) if is_home else nullcontext(0.0) as waited:
            counts["waited_ms"] += int(waited * 1000)
            # Others may have spent some meanwhile.
            self._end_if_too_few_left(outgoing.name, endpoint)
            counts["requests"] += 1
            return self._exchange.send(
                self._bare_session if credential is None else self._session,
                url,
                query,
                outgoing,
                self._accepted(endpoint, text=text),
                self._cancellation,
                credential=credential,
                most=MAX_BODY,
                into=into,
            )

    def _credential(self, outgoing: Outgoing, endpoint: Endpoint | None) -> AuthBase | None:
        """What adds the credential to a request to the API's own server; None if it wants none."""
        return self._session.credential(self.platform.auth_of(endpoint)) if outgoing.credential else None

    def _base_url(self, endpoint: Endpoint | None) -> str:
        declared = endpoint.base_url if endpoint is not None else None
        if declared not in self._base_urls:
            self._base_urls[declared] = base_url_of(self.platform, endpoint, self.settings)
        return self._base_urls[declared]

    def _file_address(self, outgoing: Outgoing, link: str) -> str:
        """The address of a file, whose signatures no message will have. Raises AnswerError for one that is refused."""
        problem = refusal(link, self.settings.base_url)
        if problem is not None:
            raise AnswerError(self._messages.about(outgoing.name, f"the file {problem}"))
        for value in signatures(link):
            self.redact.add(value)
        return link.partition("#")[0]

    def _checked_link(self, outgoing: Outgoing, server: str) -> str:
        """A link to a next page on the list's own server. Raises AnswerError for one to another server."""
        link = outgoing.link or ""
        try:
            target = origin(link)
        except ValueError:
            target = "not a URL"
        if target != server or "@" in urlsplit(link).netloc:
            what = "the address" if outgoing.label else "the next page"
            problem = f"{what} is on another origin ({target}), which is refused"
            raise AnswerError(self._messages.about(outgoing.name, problem))
        return link.partition("#")[0]

    def _note_ageing(self, response: requests.Response, path: str, endpoint: Endpoint | None) -> None:
        found = notice(response.headers)
        if found is not None:
            self.notices[endpoint.path if endpoint else path] = found

    def _end_if_spent(self, response: requests.Response, name: str, endpoint: Endpoint | None) -> None:
        """Raise LimitExhausted, now and for every later request, if the day's budget is spent."""
        limits = self._limits.of(endpoint)
        limits.note_left(response.headers)
        budget, refused = self.platform.client.daily_budget, response.status_code == 429
        if budget is None or not limits.is_spent(response.headers, endpoint, refused=refused):
            return
        problem = f"the day's budget of requests is spent; it is renewed at {budget.renewed}"
        limits.note_spent(LimitExhausted(f"{self.platform.name}: {problem}", status=response.status_code))
        raise LimitExhausted(self._messages.about(name, problem), status=response.status_code)

    def _end_if_too_few_left(self, name: str, endpoint: Endpoint | None) -> None:
        """Raise LimitExhausted before a request that the day's budget does not cover, by what the last answer said."""
        budget, left = self.platform.client.daily_budget, self._limits.of(endpoint).too_few_left(endpoint)
        if budget is not None and left is not None:
            problem = (
                f"the day's budget of requests is spent: {left} tokens are left, fewer than this request costs;"
                f" it is renewed at {budget.renewed}"
            )
            raise LimitExhausted(self._messages.about(name, problem), status=429)

    def _accepted(self, endpoint: Endpoint | None, *, text: bool) -> dict[str, str]:
        """The header of a request whose answer is not JSON, unless the client declares it."""
        is_declared = any(name.lower() == "accept" for name in self.platform.client.headers)
        is_other = text or (endpoint is not None and endpoint.response_format is not None and not is_declared)
        return {"Accept": "*/*"} if is_other else {}

"""All that bounds when one client may send a request: declared rate limits, concurrency, and the day's budget.

ApiClient takes a slot for each request, of the credential that it is sent with: RequestLimits.slot(endpoint) waits for
each declared limit, and holds a lock where an endpoint takes few requests at a time. Other processes know of both
(shared_limits.py).
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager

from platform_assets.configuration.platform_settings import Settings
from platform_assets.declarations import Client, Endpoint, Platform, RateLimit
from platform_assets.http.errors import LimitExhausted
from platform_assets.http.shared_limits import SharedLimits, limit_name
from platform_assets.http.urls import origin

# Refusals in a row, of all requests and in so many seconds, from which on the day's budget counts as spent although no
# header says so: a limit of requests a second lets some through meanwhile.
REFUSALS = 10
REFUSED_SECONDS = 20.0

# Seconds for which an answer's word on what is left of the day's budget holds: a new day may have begun since.
WORD_SECONDS = 300.0


class LimitsOfCredentials:
    """The limits of each credential of a platform; what is in flight at once is counted for all of them together.

    Args:
        platform: with its contract applied.
        sleep: waits; takes seconds.
        shared: where other processes know of them.
    """

    def __init__(
        self, platform: Platform, settings: Settings, sleep: Callable[[float], None], shared: SharedLimits
    ) -> None:
        client, server = platform.client, origin(settings.base_url)
        places = threading.BoundedSemaphore(client.max_concurrency)
        self._platform = platform
        self._shared = shared
        self._limits = [
            (
                auth,
                RequestLimits(client, settings.rate_limit, (server, settings.token_of(auth)), sleep, shared, places),
            )
            for auth in platform.auths
        ]

    def of(self, endpoint: Endpoint | None) -> "RequestLimits":
        """Those of an endpoint's credential, or of the client's own requests."""
        auth = self._platform.auth_of(endpoint)
        return next(limits for declared, limits in self._limits if declared == auth)

    def close(self) -> None:
        """Let go of what the limits hold open."""
        self._shared.close()


class RequestLimits:
    """The limits of one credential at one server.

    Args:
        client: the contract's declared limits.
        granted: the limit of the account's plan, in place of all declared ones; None for those.
        of: origin and credential that the limits hold for, across all processes that share them.
        sleep: waits; takes seconds.
        shared: where other processes know of them.
        places: of requests in flight at once, which all credentials share.
    """

    def __init__(
        self,
        client: Client,
        granted: RateLimit | None,
        of: tuple[str, str],
        sleep: Callable[[float], None],
        shared: SharedLimits,
        places: threading.BoundedSemaphore,
    ) -> None:
        self._client = client
        self._granted = granted
        self._key = of
        self._sleep = sleep
        self._shared = shared
        self._lock = threading.Lock()
        self._places = places
        self._common = _named((granted,) if granted else client.rate_limits, "")
        self._gates: dict[str, threading.Semaphore] = {}
        self._spent: LimitExhausted | None = None
        self._refusals = 0
        self._refused_since = 0.0
        # Tokens that the last answer has said to be left, and when it came; None if it did not say.
        self._left: tuple[int, float] | None = None

    @contextmanager
    def slot(self, endpoint: Endpoint | None) -> Iterator[float]:
        """Wait until the next request is allowed, and hold its place. Yields the seconds waited.

        Raises:
            LimitExhausted: the day's budget is spent.
        """
        if self._spent is not None:
            raise self._spent
        with ExitStack() as held:
            if endpoint is not None and endpoint.max_concurrency is not None:
                held.enter_context(self._gate(endpoint))
                if endpoint.max_concurrency == 1:
                    # Of one at a time, other processes have to know as well.
                    name = limit_name(*self._key, endpoint.path)
                    held.enter_context(self._shared.one_at_a_time(name, self._sleep))
            named = [(limit_name(*self._key, what), limit) for what, limit in self._of(endpoint)]
            waited = sum(self._shared.wait(name, limit, self._sleep) for name, limit in named)
            held.enter_context(self._places)
            yield waited

    def note_spent(self, failure: LimitExhausted) -> None:
        """Fail every later request at once: the day's budget is spent, and asking again would not help."""
        self._spent = failure

    def note_left(self, headers: Mapping[str, str]) -> None:
        """Remember what an answer says is left of the day's budget. A new day's answer says more than the last one."""
        budget = self._client.daily_budget
        left = None if budget is None else _number(headers.get(budget.remaining_header))
        self._left = None if left is None else (left, time.monotonic())

    def too_few_left(self, endpoint: Endpoint | None) -> int | None:
        """The tokens that are left, if the last answer has said that they are fewer than a request costs; else None."""
        if self._left is None:
            return None
        left, said_at = self._left
        is_stale = time.monotonic() - said_at > WORD_SECONDS
        return left if left < _cost(endpoint) and not is_stale else None

    def is_spent(self, headers: Mapping[str, str], endpoint: Endpoint | None, *, refused: bool) -> bool:
        """Whether a response says that the day's budget does not suffice for another request.

        Args:
            refused: whether the response is a 429.
        """
        budget = self._client.daily_budget
        if budget is None:
            return False
        is_refused_for_long = self._is_refused_for_long(refused=refused)
        left = _number(headers.get(budget.remaining_header))
        return is_refused_for_long if left is None else refused and left < _cost(endpoint)

    def _is_refused_for_long(self, *, refused: bool) -> bool:
        """Whether every request has been refused for some time, although they waited as told."""
        with self._lock:
            if not refused:
                self._refusals = 0
                return False
            if not self._refusals:
                self._refused_since = time.monotonic()
            self._refusals += 1
            return self._refusals >= REFUSALS and time.monotonic() - self._refused_since >= REFUSED_SECONDS

    def _of(self, endpoint: Endpoint | None) -> list[tuple[str, RateLimit]]:
        """The limits that a request is under, with what tells them apart."""
        if endpoint is None or endpoint.rate_limit is None or self._granted is not None:
            return self._common
        return [*_named((endpoint.rate_limit,), endpoint.path), *self._common]

    def _gate(self, endpoint: Endpoint) -> threading.Semaphore:
        with self._lock:
            return self._gates.setdefault(endpoint.path, threading.Semaphore(endpoint.max_concurrency or 1))


def _named(limits: tuple[RateLimit, ...], path: str) -> list[tuple[str, RateLimit]]:
    return [
        (f"{path} {limit.requests}/{limit.seconds}" if path or number else "", limit)
        for number, limit in enumerate(limits)
    ]


def _cost(endpoint: Endpoint | None) -> int:
    """Tokens that a request costs; one where it is not declared."""
    return (endpoint.cost if endpoint else None) or 1


def _number(text: str | None) -> int | None:
    try:
        return int(text or "")
    except ValueError:
        return None

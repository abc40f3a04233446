"""How often and after how long a request is sent again.

Two budgets apply to one request. Without a delay from the server, e.g. after a plain 503, the wait doubles from
`backoff_factor` seconds on, for up to `max_retries` retries. With a delay from the server (see retry_delay.py) the
request waits exactly that long, and those retries count against `wait_budget` seconds instead: a rate limit that
resets every minute must not use up the retries that are meant for faults.
"""

from tenacity import RetryCallState

from platform_assets.declarations import ErrorHandler
from platform_assets.http.errors import RequestFailed

# Retries of one request after a delay from the server, however short: a delay of 0 seconds uses up no wait budget.
MAX_SERVER_DELAYS = 100


class TransientFault(Exception):
    """A fault that is worth a retry.

    Args:
        failure: what is raised if no retry is left.
        delay: seconds that the server asks to wait, None if it does not say.
        once_after: seconds after which one more try is worth it, and no further one.
        why: for whoever waits meanwhile, e.g. "it cannot be reached"; empty if the failure's status says it.
    """

    def __init__(
        self, failure: RequestFailed, delay: float | None, *, once_after: float | None = None, why: str = ""
    ) -> None:
        super().__init__(str(failure))
        self.why = why
        self.failure = failure
        self.delay = delay
        self.once_after = once_after


class RetryBudget:
    """The waits of one request, as `wait` and `stop` of a tenacity `Retrying`.

    Args:
        handler: the declared limits.
        backoff_factor: replaces the declared one, in seconds; None keeps it.
        retries: False allows none.
    """

    def __init__(self, handler: ErrorHandler, backoff_factor: float | None, retries: bool) -> None:
        self._handler = handler
        self._backoff_factor = handler.backoff_factor if backoff_factor is None else backoff_factor
        self._retries = retries
        self._backoffs = 0
        self._server_delays = 0
        self._delayed_seconds = 0.0
        self._single_retries = 0

    def wait(self, state: RetryCallState) -> float:
        """Seconds until the next try. Counts the fault: tenacity calls it before `is_spent`, once per fault."""
        fault = state.outcome.exception() if state.outcome else None
        delay = fault.delay if isinstance(fault, TransientFault) else None
        if isinstance(fault, TransientFault) and fault.once_after is not None:
            self._single_retries += 1
            declared = self._handler.backoff_factor
            return fault.once_after * (self._backoff_factor / declared if declared else 1.0)
        if delay is None:
            self._backoffs += 1
            return self._backoff_factor * 2.0 ** (self._backoffs - 1)
        self._server_delays += 1
        self._delayed_seconds += delay
        return delay

    def is_spent(self, state: RetryCallState) -> bool:
        """Whether the request has failed for good."""
        return (
            not self._retries
            or self._single_retries > 1
            or self._backoffs > self._handler.max_retries
            or self._server_delays > MAX_SERVER_DELAYS
            or self._delayed_seconds > self._handler.wait_budget
        )

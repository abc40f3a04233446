"""What a response means besides an answer: which are retried, after how long, ignored, or failures."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from platform_assets.declarations.strict import strict
from platform_assets.declarations.template import Template


@strict
@dataclass(frozen=True)
class ConstantBackoff:
    """The same wait before each retry.

    Args:
        seconds: the setting `backoff_factor` scales them as it scales the error handler's.
    """

    seconds: float


@strict
@dataclass(frozen=True)
class ExponentialBackoff:
    """A wait that doubles with each retry.

    Args:
        factor: seconds of the first wait; the setting `backoff_factor` replaces them.
    """

    factor: float = 2.0


@strict
@dataclass(frozen=True)
class HeaderBackoff:
    """The seconds that a response's header says.

    Args:
        header: name, in any case.
        regex: what of the header's first 256 characters is the number: its first group. No repeats inside of repeats.
    """

    header: str
    regex: str | None = None


@strict
@dataclass(frozen=True)
class HeaderUntil:
    """The moment that a response's header says, in seconds since 1970.

    Args:
        header, regex: as for `HeaderBackoff`.
        min_wait: seconds to wait at least.
    """

    header: str
    regex: str | None = None
    min_wait: float = 0.0


Backoff = ConstantBackoff | ExponentialBackoff | HeaderBackoff | HeaderUntil


@strict
@dataclass(frozen=True, kw_only=True)
class ResponseAction:
    """What is done about responses that meet all of its conditions. Keys and `ignore` are named as in dlt.

    Args:
        action: `ignore` ends the list there: what was read before lands, but the read counts as skipped, so that no
            cursor moves and no row counts as removed, and it is due again. `retry` sends the request again.
            `rate_limited` does the same after the wait that a 429 would ask for. `fail` fails what was to be read, also
            where a parent would be skipped. `success` takes the body as an answer, whatever the status.
        status_code: HTTP statuses.
        content: a part of the body, as it is written there.
        condition: a template about `response` (the parsed body, an empty object if it is not JSON), `headers`,
            `status` and `config`.
        error_message: what people are told, instead of the beginning of the body.
    """

    action: Literal["ignore", "retry", "fail", "rate_limited", "success"]
    status_code: int | tuple[int, ...] | None = None
    content: str | None = None
    condition: Template | None = None
    error_message: str | None = None

    @property
    def statuses(self) -> tuple[int, ...]:
        """Empty for every status."""
        if self.status_code is None:
            return ()
        return self.status_code if isinstance(self.status_code, tuple) else (self.status_code,)


@strict
@dataclass(frozen=True, kw_only=True)
class ErrorHandler:
    """Which faults are retried, and how often.

    Args:
        retry_on_status_codes: HTTP statuses that are retried; connection faults always are.
        max_retries: retries of one request. A wait that the server asks for (`Retry-After`, reset headers) replaces
            the backoff and does not count as a retry.
        backoff_factor: seconds of the first retry's wait, doubling with each retry.
        wait_budget: seconds that one request may wait in total before it fails.
        retry_once_after: HTTP status -> seconds after which a request is sent once more. For a refusal that is over
            soon (Sentry: a deprecated endpoint answers 410 for a minute a day). The setting `backoff_factor` scales it.
        retry_not_json: whether a body that is not JSON, with status 200 or 403, is a throttle page of something before
            the API, neither a broken contract nor a missing permission (NinjaOne; Cloudflare before Pipedrive).
        response_actions: looked through for every response; the first whose conditions are met says what is done. A
            response that meets none is judged by its status.
        backoff: how long a retry waits: the first that says anything. What the server asks for in its own ways
            (`Retry-After`) comes before the waits that are computed, and after those of headers that are named here.
    """

    retry_on_status_codes: tuple[int, ...] = (429, 500, 502, 503, 504)
    max_retries: int = 3
    backoff_factor: float = 2.0
    wait_budget: float = 900.0
    retry_once_after: Mapping[int, float] = field(default_factory=dict)
    retry_not_json: bool = False
    response_actions: tuple[ResponseAction, ...] = ()
    backoff: tuple[Backoff, ...] = ()

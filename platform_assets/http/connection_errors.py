"""What an exchange without a complete response means: a transient fault, or a failure that no retry fixes."""

import ssl
from collections.abc import Iterator

import requests
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, ReadTimeoutError

from platform_assets.configuration.platform_settings import setting_name
from platform_assets.declarations import Platform, PlatformAssetsError
from platform_assets.http.errors import AnswerError, RequestFailed
from platform_assets.http.messages import Messages
from platform_assets.http.retry import TransientFault

_TOO_LATE = "no complete answer in time"


def classify_connection_error(
    error: requests.RequestException,
    path: str,
    *,
    timed_out: bool,
    platform: Platform,
    origin: str,
    messages: Messages,
    responded_before: bool,
) -> PlatformAssetsError | TransientFault:
    """The exception to raise for `error`.

    Args:
        error: what requests raised.
        path: the path that was requested, for messages.
        timed_out: whether the connection was broken because the whole exchange took too long.
        platform: names the settings to check.
        origin: the server, for messages.
        messages: makes the texts of errors.
        responded_before: whether the server has responded to any request of this client. Until then, a connection
            that cannot be made points to a wrong `base_url`.
    """
    if isinstance(error, requests.exceptions.ContentDecodingError):
        return AnswerError(messages.about(path, "the answer's compression is broken"))
    if not isinstance(error, requests.ConnectionError | requests.Timeout | requests.exceptions.ChunkedEncodingError):
        return RequestFailed(messages.about(path, f"cannot be requested ({type(error).__name__})"))
    if timed_out:
        return TransientFault(RequestFailed(messages.about(path, _TOO_LATE)), None, why=_TOO_LATE)
    untrusted = _find_cause(error, ssl.SSLCertVerificationError)
    base_url = setting_name(platform, "base_url")
    if untrusted is not None:
        reason = getattr(untrusted, "verify_message", "") or "it cannot be verified"
        return RequestFailed(
            f"{platform.name}: the certificate of {origin} is refused: {reason}; check {base_url},"
            " or name a file of trusted certificates in REQUESTS_CA_BUNDLE"
        )
    if not responded_before and _find_cause(error, NewConnectionError, ConnectTimeoutError) is not None:
        text = f"{platform.name}: cannot reach {origin}: check {base_url}, and that the server is up"
        return TransientFault(RequestFailed(text, unreachable=True), None, why=f"cannot reach {origin}")
    if isinstance(error, requests.Timeout) or _find_cause(error, ReadTimeoutError) is not None:
        return TransientFault(RequestFailed(messages.about(path, _TOO_LATE)), None, why=_TOO_LATE)
    broken = "the connection broke before the answer was complete"
    return TransientFault(RequestFailed(messages.about(path, broken)), None, why="the connection broke")


def _find_cause(error: BaseException, *kinds: type[BaseException]) -> BaseException | None:
    """The exception of one of `kinds` that requests and urllib3 have wrapped in `error`, None if there is none."""
    return next((wrapped for wrapped in _wrapped(error) if isinstance(wrapped, kinds)), None)


def _wrapped(error: BaseException) -> Iterator[BaseException]:
    """`error` and all exceptions in it: as arguments, as `reason`, as cause or as context."""
    seen: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        found = waiting.pop()
        if isinstance(found, BaseException) and found not in seen:
            seen.append(found)
            yield found
            waiting += [*found.args, getattr(found, "reason", None), found.__cause__, found.__context__]

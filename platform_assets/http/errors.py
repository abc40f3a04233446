"""What can go wrong between a setting and a page of records.

RequestFailed     no usable response
  LimitExhausted  the server asks for too long a wait
  ResponseIgnored a response that the declaration says to ignore
AnswerError       a response that breaks the contract
"""

import re

from platform_assets.declarations import PlatformAssetsError, SettingsError

__all__ = ["AnswerError", "LimitExhausted", "RequestFailed", "ResponseIgnored", "SettingsError"]

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


# Statuses of what was removed upstream or is not visible to us.
NOT_VISIBLE = (403, 404, 410)


class RequestFailed(PlatformAssetsError):
    """A request has no usable response, with all retries.

    Args:
        message: names the platform and the path.
        status: the last HTTP status, None without a response.
        unreachable: whether no connection could be made at all.
        blocked: whether a gateway keeps the client out (Pipedrive: after too many requests), whatever was asked for.
        declared: whether the declaration says that it is a failure, whatever the status usually means.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        unreachable: bool = False,
        blocked: bool = False,
        declared: bool = False,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.unreachable = unreachable
        self.blocked = blocked
        self.declared = declared

    @property
    def permanent(self) -> bool:
        """Whether the server refuses the request itself (a 4xx), so that a retry cannot succeed.

        Not 408, 425 and 429, which invite a retry, nor 410, which vendors answer during brownouts, nor a block.
        """
        if self.blocked:
            return False
        return self.status is not None and 400 <= self.status < 500 and self.status not in (408, 410, 425, 429)

    @property
    def not_visible(self) -> bool:
        """Whether what was requested was removed upstream or is not visible to us: others like it may well be."""
        return self.status in NOT_VISIBLE and not self.blocked and not self.declared


class LimitExhausted(RequestFailed):
    """The server asks for a longer wait than the declared budget allows; the text says when to come back."""


class ResponseIgnored(RequestFailed):
    """A response that the declaration says to ignore (`ResponseAction`): it proves nothing about what is there."""

    @property
    def not_visible(self) -> bool:
        return True


class AnswerError(PlatformAssetsError):
    """An answer that breaks the contract: not JSON, no records at the selector, a page that repeats.

    Its text may quote the answer, so it has U+FFFD for what logs and warehouses cannot store.
    """

    def __init__(self, message: str) -> None:
        super().__init__(_UNSTORABLE.sub("\ufffd", message))

"""How many requests an API takes."""

from dataclasses import dataclass

from platform_assets.declarations.strict import strict


@strict
@dataclass(frozen=True, kw_only=True)
class RateLimit:
    """At most `requests` in any window of `seconds`, across all threads and processes that use the credential."""

    requests: int
    seconds: float

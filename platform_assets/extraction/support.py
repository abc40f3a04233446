"""How long the vendor still serves an endpoint: what its declaration says, and what responses announced."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from platform_assets.declarations import Endpoint, Resource
from platform_assets.http.ageing import Notice

# How long before its end an endpoint is reported.
AHEAD = timedelta(days=30)


@dataclass(frozen=True)
class Support:
    """What is known about the end of a resource's endpoints.

    Attributes:
        deprecated: paths that the vendor has deprecated.
        ends: the first day on which one of them may stop to respond; None if none is named.
        replacement: what the vendor offers instead of the first of them.
    """

    deprecated: tuple[str, ...] = ()
    ends: date | None = None
    replacement: str | None = None

    def ends_soon(self, today: date) -> bool:
        return self.ends is not None and self.ends - today <= AHEAD


def support(resource: Resource, notices: Mapping[str, Notice]) -> Support:
    """What is known about a resource, as the contract in use serves it.

    Args:
        resource: the resource with the contract applied.
        notices: path of an endpoint -> what responses said, from the client that has requested it.
    """
    endpoints = [
        one
        for listed in resource.endpoint.lists
        for one in (listed, *(Endpoint(path=detail.path) for detail in listed.details))
    ]
    deprecated = [one for one in endpoints if one.deprecation or one.path in notices]
    days = [day for one in deprecated for day in _days(one, notices.get(one.path))]
    words = [word for one in deprecated for word in _replacements(one, notices.get(one.path))]
    paths = tuple(dict.fromkeys(one.path for one in deprecated))
    return Support(paths, min(days, default=None), next(iter(words), None))


def _days(endpoint: Endpoint, announced: Notice | None) -> list[date]:
    declared = endpoint.deprecation.sunset if endpoint.deprecation else None
    days = [date.fromisoformat(declared)] if declared else []
    return [*days, *([announced.sunset] if announced and announced.sunset else [])]


def _replacements(endpoint: Endpoint, announced: Notice | None) -> list[str]:
    declared = endpoint.deprecation.replacement if endpoint.deprecation else None
    return [word for word in (declared, announced.replacement if announced else None) if word]

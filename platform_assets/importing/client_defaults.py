"""What most lists of an API share: it becomes the client's, and the lists do not say it again."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from platform_assets.declarations import Endpoint, Paginator, Resource, SinglePage


@dataclass(frozen=True)
class Shared:
    """How most lists are paged, and where they have their records."""

    paginator: Paginator
    data_selector: str

    def left_out(self, resource: Resource) -> Resource:
        """The resource without what the client says too."""
        endpoint = resource.endpoint
        if endpoint.job is not None:
            # Files of a report are not what the client's lists are.
            is_one = isinstance(endpoint.paginator, SinglePage)
            own = replace(
                endpoint,
                paginator=None if is_one else endpoint.paginator,
                data_selector=endpoint.data_selector or None,
            )
            return replace(resource, endpoint=own)
        return replace(
            resource,
            endpoint=replace(
                endpoint,
                paginator=None if endpoint.paginator == self.paginator else endpoint.paginator,
                data_selector=None if endpoint.data_selector == self.data_selector else endpoint.data_selector,
            ),
        )


def shared_by_most(endpoints: Sequence[Endpoint]) -> Shared:
    """What most of some lists, at least one, share; files of reports are none."""
    endpoints = [one for one in endpoints if one.job is None] or list(endpoints)
    paginators = [one.paginator for one in endpoints if one.paginator is not None]
    return Shared(
        paginator=max(paginators, key=paginators.count) if paginators else SinglePage(),
        data_selector=Counter(one.data_selector or "" for one in endpoints).most_common(1)[0][0],
    )

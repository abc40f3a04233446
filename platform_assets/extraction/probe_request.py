"""The cheap request that proves the settings and the credential."""

from platform_assets.configuration.platform_settings import Settings
from platform_assets.declarations import Endpoint, Platform
from platform_assets.extraction.queries import FROM_THE_BEGINNING, NO_PARENT, queries
from platform_assets.http.errors import AnswerError
from platform_assets.http.outgoing import Outgoing
from platform_assets.http.pagination.pager import pager


def probe_request(platform: Platform, settings: Settings) -> Outgoing:
    """The one request of `check`: a GET of `Client.probe`, or that of a list at this path that is sent with a body.

    Args:
        platform: with its contract applied, and its paths filled in.
    """
    path = platform.client.probe
    for resource in platform.resources:
        endpoint = resource.endpoint
        if endpoint.method == "GET" or endpoint.parents or endpoint.base_url is not None:
            continue
        try:
            query = next(queries(resource, (NO_PARENT,), FROM_THE_BEGINNING, settings.configured, lambda _: ()), None)
        except AnswerError:
            # What is wrong with another list's templates is said when that one is read.
            continue
        if query is not None and query.path == path:
            return query.request(pager(platform.paginator_of(resource), settings.page_size).first())
    return Outgoing(path)


def probed_list(platform: Platform) -> Endpoint | None:
    """The list at the path of the one request of `check`, if its answers are not JSON; None for any other."""
    lists = (one for resource in platform.resources for one in resource.endpoint.lists)
    found = (one for one in lists if one.path == platform.client.probe and one.response_format is not None)
    return next(found, None)

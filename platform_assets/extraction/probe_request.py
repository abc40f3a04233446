"""The cheap requests that prove the settings and the credentials."""

from collections.abc import Iterator
from typing import NamedTuple

from platform_assets.configuration.platform_settings import Settings
from platform_assets.declarations import Auth, Endpoint, NoAuth, Platform, Resource
from platform_assets.extraction.queries import FROM_THE_BEGINNING, NO_PARENT, Query, queries
from platform_assets.http.errors import AnswerError
from platform_assets.http.outgoing import Outgoing
from platform_assets.http.pagination.pager import pager


class Probe(NamedTuple):
    """A request, and the list that it is of, if its limits, credential or format are that list's."""

    outgoing: Outgoing
    endpoint: Endpoint | None


def probes(platform: Platform, settings: Settings) -> Iterator[Probe]:
    """One request for each credential that can be asked without a parent's rows or a job: the client's probe first.

    Args:
        platform: with its contract applied, and its paths filled in.
    """
    yield Probe(probe_request(platform, settings), probed_list(platform))
    for auth in platform.auths[1:]:
        probe = None if isinstance(auth, NoAuth) else _first_of(platform, settings, auth)
        if probe is not None:
            yield probe


def unasked(platform: Platform, settings: Settings) -> tuple[Auth, ...]:
    """The credentials that no request of `probes` has: each of their lists is read for a parent, or a report."""
    others = (auth for auth in platform.auths[1:] if not isinstance(auth, NoAuth))
    return tuple(auth for auth in others if _first_of(platform, settings, auth) is None)


def probe_request(platform: Platform, settings: Settings) -> Outgoing:
    """The one request of `check`: a GET of `Client.probe`, or that of a list at this path that is sent with a body.

    Args:
        platform: with its contract applied, and its paths filled in.
    """
    path = platform.client.probe
    for resource in platform.resources:
        endpoint = resource.endpoint
        if endpoint.method == "GET" or endpoint.base_url is not None or endpoint.auth is not None:
            continue
        query = _query(resource, settings)
        if query is not None and query.path == path:
            return _first_page(platform, settings, resource, query)
    return Outgoing(path)


def probed_list(platform: Platform) -> Endpoint | None:
    """The list at the path of the client's probe, if its answers are not JSON; None for any other."""
    lists = (one for resource in platform.resources for one in resource.endpoint.lists if one.auth is None)
    found = (one for one in lists if one.path == platform.client.probe and one.response_format is not None)
    return next(found, None)


def _first_of(platform: Platform, settings: Settings, auth: Auth) -> Probe | None:
    """The first page of a list with a credential; None if each of them is read for a parent, or a report."""
    for resource in platform.resources:
        if resource.endpoint.auth == auth and resource.name not in platform.unserved:
            query = _query(resource, settings)
            if query is not None:
                return Probe(_first_page(platform, settings, resource, query), resource.endpoint)
    return None


def _query(resource: Resource, settings: Settings) -> Query | None:
    """The first query of a resource; None for a child, for a report, and for one that cannot be filled in.

    A report's request creates a job, which `check` must not. What is wrong with templates is said when a list is read.
    """
    if resource.endpoint.parents or resource.endpoint.job is not None:
        return None
    try:
        return next(queries(resource, (NO_PARENT,), FROM_THE_BEGINNING, settings.configured, lambda _: ()), None)
    except AnswerError:
        return None


def _first_page(platform: Platform, settings: Settings, resource: Resource, query: Query) -> Outgoing:
    return query.request(pager(platform.paginator_of(resource), settings.page_size).first())

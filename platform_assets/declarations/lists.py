"""Checks of an endpoint's lists: what several lists of one table, batches of parents and shaped records need to run."""

import re
from collections.abc import Iterator
from datetime import date

from platform_assets.declarations.incremental import Incremental
from platform_assets.declarations.places import leaves
from platform_assets.declarations.portions import ListedPortions
from platform_assets.declarations.resource import Configured, Endpoint, FanOut, Listed, Resolve, Resource
from platform_assets.declarations.template import Template

_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")

# (key, what is wrong and how to fix it)
Found = tuple[str, str]


def list_problems(resource: Resource, names: set[str]) -> Iterator[Found]:
    """What is wrong with the lists of a resource, beside what is wrong with each of them alone.

    Args:
        resource: as a contract serves it.
        names: the platform's resources.
    """
    endpoint = resource.endpoint
    if endpoint.follow_up:
        yield "follow_up", "the first list of a resource is always read; only one in `also` can be left out"
    for other in endpoint.also:
        if not other.path.startswith("/"):
            yield "path", f"{other.path!r} must start with `/`"
        if other.also:
            yield "also", "a list in `also` cannot have others"
        if other.parents != endpoint.parents:
            yield "also", f"{other.path!r} has other parents than the first list"
    for one in endpoint.lists:
        yield from _problems(one, names)
        if isinstance(one.portions, ListedPortions) and one.portions.resource not in names - {resource.name}:
            yield "portions", f"names are listed from {one.portions.resource!r}, which is not another resource"


def _problems(endpoint: Endpoint, names: set[str]) -> Iterator[Found]:
    incremental = endpoint.incremental
    if incremental is not None and incremental.newest_first and incremental.server_side:
        yield (
            "incremental",
            "`newest_first` is for a list without a filter; leave out it or `start_param`",
        )
    yield from _order_problems(incremental) if incremental is not None else ()
    yield from _body_problems(endpoint)
    for name, value in endpoint.values.items():
        if isinstance(value, Listed) and value.resource not in names:
            yield "params", f"`{name}` is listed from {value.resource!r}, which is not a resource"
        if isinstance(value, tuple) and not value:
            yield "params", f"`{name}` has no value"
    for field, parameter in (endpoint.record.from_path if endpoint.record else {}).items():
        if parameter not in endpoint.values:
            yield "record", f"{field!r} is taken from {parameter!r}, which is not in `params`"
    yield from _batch_problems(endpoint)
    if endpoint.max_concurrency is not None and endpoint.max_concurrency < 1:
        yield "max_concurrency", "must be at least 1"
    if endpoint.rate_limit is not None and (endpoint.rate_limit.requests < 1 or endpoint.rate_limit.seconds <= 0):
        yield "rate_limit", "needs at least one request in a positive number of seconds"
    for day in (endpoint.deprecation.since, endpoint.deprecation.sunset) if endpoint.deprecation else ():
        if day is not None and not _is_day(day):
            yield "deprecation", f"{day!r} is not a day: write `YYYY-MM-DD`"


def _body_problems(endpoint: Endpoint) -> Iterator[Found]:
    if endpoint.json is not None and endpoint.data is not None:
        yield "json", "a request has one body: leave out `json` or `data`"
    if endpoint.data is not None and endpoint.method == "GET":
        yield "data", 'a form is sent by `method="POST"`'
    for path, value in leaves(endpoint.json or {}):
        if not isinstance(value, str | int | float | Resolve | FanOut | Listed | Configured | Template | None):
            yield "json", f"`{path}` is {type(value).__name__}, which JSON does not have"
    for name in endpoint.headers:
        if not _HEADER.fullmatch(name):
            yield "headers", f"{name!r} cannot be a header's name"


def _order_problems(incremental: Incremental) -> Iterator[Found]:
    has_upper, order = incremental.end_param is not None, incremental.row_order
    if incremental.end_required and not has_upper:
        yield "incremental", "`end_required` needs the `end_param` that is sent with each lower bound"
    if order == "desc" and not has_upper:
        yield "incremental", '`row_order` "desc" needs `end_param`: what is older is asked for by an upper bound'
    if order == "asc" and not incremental.server_side:
        yield "incremental", '`row_order` "asc" needs `start_param`: what is newer is asked for by a lower bound'
    if incremental.too_deep is not None and order != "desc":
        yield "incremental", '`too_deep` needs `row_order` "desc": the read goes on below the oldest cursor'


def _batch_problems(endpoint: Endpoint) -> Iterator[Found]:
    if endpoint.batch is None:
        return
    incremental = endpoint.incremental
    resolved = [name for name, value in endpoint.params.items() if isinstance(value, Resolve)]
    if len(resolved) != 1 or resolved[0] in endpoint.placeholders:
        yield "batch", "needs one query parameter that is a Resolve(...): it takes the values of all parents"
    if endpoint.batch.size < 1:
        yield "batch", "`size` must be at least 1"
    if incremental is not None and incremental.partial:
        yield "batch", "each parent has a cursor of its own, so a list of several cannot be read in part"


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True

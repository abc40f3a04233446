"""Keys that another key of the same declaration makes unread, or that would make it do harm."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from platform_assets.declarations.auth import ApiKeyAuth, Auth, templates_of
from platform_assets.declarations.incremental import Incremental
from platform_assets.declarations.paginator import Cursor, Paginator, SingleObject, SinglePage, UnsizedPages
from platform_assets.declarations.places import BODY
from platform_assets.declarations.platform import Platform
from platform_assets.declarations.resource import Endpoint, OnRemoval, Resource
from platform_assets.declarations.template import Template
from platform_assets.declarations.time_format import format_problem, parse_moment, resolution

Found = tuple[str, str]
"""(key, what is wrong and how to mend it)"""


def contradictions(platform: Platform, resource: Resource) -> Iterator[Found]:
    """What a resource's keys say that its other keys, its parents or its client do not let come true."""
    yield from _incremental(resource.endpoint.incremental)
    yield from _removal(resource)
    yield from _exclusion(platform, resource)
    yield from _key(resource)
    paginator = platform.paginator_of(resource)
    yield from _sent_twice(resource, paginator, platform.auth_of(resource.endpoint))
    if isinstance(paginator, Cursor) and not paginator.counts_records:
        yield from _uncounted(paginator)


def _uncounted(paginator: Cursor) -> Iterator[Found]:
    """Keys that are read only where positions are numbers."""
    if paginator.limit is None and paginator.maximum is not None:
        yield "paginator", "`maximum` does nothing without `limit` and `limit_param`"
    for key in ("start_echo_path", "limit_echo_path"):
        if getattr(paginator, key) is not None:
            yield "paginator", f"`{key}` does nothing without `counts_records=True`"


def _incremental(incremental: Incremental | None) -> Iterator[Found]:
    if incremental is None:
        return
    if incremental.start_param == "":
        yield "incremental", "`start_param` is empty; leave it out where the server does not filter"
    if incremental.start_param is not None and incremental.bounded:
        yield "incremental", "`bounded` is for a list that the server does not filter; leave out it or `start_param`"
    problem = format_problem(incremental.format)
    if incremental.start_param is not None and problem is not None:
        yield "incremental", f"`format` {problem}"
    elif incremental.step is not None:
        yield from _windows(incremental, incremental.step)
    if incremental.granularity and incremental.step is None:
        yield "incremental", "`granularity` does nothing without `step`"
    if not incremental.reopen and incremental.reopen_limit != timedelta(days=30):
        yield "incremental", "`reopen_limit` does nothing without `reopen`"
    for field, values in incremental.reopen.items():
        if not values:
            yield "incremental", f"`reopen` names no values of {field!r}, so it does nothing"


def _windows(incremental: Incremental, step: timedelta) -> Iterator[Found]:
    if incremental.start_param is None or incremental.end_param is None:
        yield "incremental", "`step` needs `start_param` and `end_param`, which ask for one window"
    if step < max(resolution(incremental.format), timedelta(seconds=1)):
        yield "incremental", f"`step` {step} is less than `format` {incremental.format!r} can say"
    if not timedelta(0) <= incremental.granularity <= step:
        yield "incremental", "`granularity` must be at most `step`, and not negative"
    for key in ("row_order", "newest_first", "too_deep", "end_required"):
        if getattr(incremental, key):
            yield "incremental", f"`step` and `{key}` both say in which parts the list is read: leave out one"
    if incremental.initial_value is None:
        yield "incremental", "`step` needs an `initial_value`: where the first window begins"
        return
    if isinstance(incremental.initial_value, Template):
        return
    try:
        parse_moment(incremental.initial_value, incremental.format)
    except (ValueError, OverflowError):
        found = f"{incremental.initial_value!r} is not of the `format` {incremental.format!r}"
        yield "incremental", f"`initial_value` {found}"


def _removal(resource: Resource) -> Iterator[Found]:
    """A filtered list lacks every row that has not changed: none of them is gone."""
    incremental = resource.endpoint.incremental
    if (
        resource.on_removal in (OnRemoval.SOFT_DELETE, OnRemoval.HARD_DELETE)
        and incremental is not None
        and incremental.partial
    ):
        yield (
            "on_removal",
            f"`{resource.on_removal}` takes each row that the filtered list leaves out for gone:"
            " leave out `on_removal`, or `start_param`",
        )
    elif resource.on_removal is OnRemoval.HARD_DELETE and resource.parent is None:
        yield (
            "on_removal",
            "`HARD_DELETE` is for a parent's list: a cut answer would delete the whole table; use `SOFT_DELETE`",
        )


def _exclusion(platform: Platform, resource: Resource) -> Iterator[Found]:
    """A field that is not loaded is none that anything can be read from."""
    resolved = {
        resolve.field
        for other in platform.resources
        for resolve in other.endpoint.parents.values()
        if resolve.resource == resource.name
    }
    for path in resource.personal:
        if path in (*platform.primary_key_of(resource), *resolved):
            yield "personal", f"{path!r} is a key, or in the paths of children: a hash would be another one"
    for path in resource.exclude:
        if path in resource.columns:
            yield "exclude", f"{path!r} is a declared column too; leave it out of one of them"
        elif path in resolved:
            yield "exclude", f"{path!r} is in the paths of children"


def _key(resource: Resource) -> Iterator[Found]:
    key = resource.primary_key
    if key == "":
        yield "primary_key", "is empty; leave it out to use the platform's, or write `()` if records have none"
    if isinstance(key, tuple) and len(set(key)) < len(key):
        yield "primary_key", "names a column twice"


def _sent_twice(resource: Resource, paginator: Paginator, auth: Auth) -> Iterator[Found]:
    """Of two values for one query parameter, one is never sent."""
    endpoint = resource.endpoint
    names = [name for name in endpoint.values if name not in endpoint.placeholders]
    sent: list[str] = []
    if endpoint.incremental is not None:
        sent += [name for name in (endpoint.incremental.start_param, endpoint.incremental.end_param) if name]
    if not isinstance(paginator, SinglePage | SingleObject):
        is_inside = isinstance(paginator, UnsizedPages) and paginator.sent_as is None
        keys = ("limit_key",) if is_inside else ("position_key", "limit_key")
        sent += [name for key in keys if (name := getattr(paginator, key, None))]
    for name in sent:
        yield from _body_place(endpoint, name)
    names += sent
    if isinstance(auth, ApiKeyAuth) and auth.location == "query":
        names.append(auth.name)
    names += templates_of(auth)
    for name, count in Counter(names).items():
        if count > 1:
            place = f"`{name}` of the request" if ":" in name else f"the query parameter `{name}`"
            yield "params", f"{place} has two meanings here: only one of them would be sent"


def _body_place(endpoint: Endpoint, name: str) -> Iterator[Found]:
    """What keeps a position or a filter from its place in the body."""
    if not name.startswith(BODY) or endpoint.data is not None:
        return
    if endpoint.method == "GET" and endpoint.json is None:
        yield "paginator", 'a position in the body needs `method="POST"`, or a `json` that it is in'
    place = name.removeprefix(BODY)
    json: Any = endpoint.json or {}
    for key in place.split(".")[:-1]:
        json = json.get(key, {}) if isinstance(json, Mapping) else None
    if not isinstance(json, Mapping):
        yield "json", f"`{place}` leads into a value of the body that is no object"

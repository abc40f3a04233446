"""Checks of an endpoint's details: each must be a request of its own per row, for columns that nothing else fills."""

from collections.abc import Iterator

from platform_assets.declarations.detail import Detail, Every, Newest
from platform_assets.declarations.paginator import Paginator, SingleObject
from platform_assets.declarations.places import BODY
from platform_assets.declarations.platform import Platform
from platform_assets.declarations.resource import Endpoint, Resource

# (key, what is wrong and how to fix it)
Found = tuple[str, str]


def paginator_of(platform: Platform, detail: Detail) -> Paginator:
    """How a detail's list is paged."""
    return detail.paginator or platform.client.paginator


def detail_problems(platform: Platform, resource: Resource, endpoint: Endpoint) -> Iterator[Found]:
    """What is wrong with the details of one of a resource's lists, beside their paginators."""
    filled: set[str] = set()
    paths = [detail.path for detail in endpoint.details]
    for detail in endpoint.details:
        if paths.count(detail.path) > 1:
            yield "details", f"{detail.path!r} would be requested twice for every row: fill all fields from one"
        yield from _path(resource, detail)
        yield from _fields(platform, resource, endpoint, detail)
        for name in detail.fields:
            if name in filled:
                yield "details", f"{name!r} is filled by two details: only the last one would count"
        filled.update(detail.fields)
        if detail.is_text:
            yield from _text(detail)
        else:
            yield from _records(resource, detail, paginator_of(platform, detail))


def _path(resource: Resource, detail: Detail) -> Iterator[Found]:
    if not detail.path.startswith("/"):
        yield "details", f"{detail.path!r} must start with `/`"
    if not detail.placeholders:
        yield "details", f"{detail.path!r} has no `{{field}}`: it would be the same request for every row"
    for name in detail.placeholders:
        if name.split(".")[0] not in resource.columns:
            yield "details", f"placeholder `{{{name}}}` of {detail.path!r} is not a declared column"


def _fields(platform: Platform, resource: Resource, endpoint: Endpoint, detail: Detail) -> Iterator[Found]:
    if not detail.fields:
        yield "details", f"{detail.path!r} fills no field: nothing would be loaded from it"
    cursors = [one.incremental.cursor_path for one in endpoint.lists if one.incremental]
    needed = {*platform.primary_key_of(resource), *cursors, *detail.placeholders}
    for name in detail.fields:
        if name in (*resource.exclude, *endpoint.exclude):
            yield "details", f"{name!r} is in `exclude`: it would be requested and never loaded"
        elif name not in resource.columns:
            yield "details", f"{name!r} is not a declared column"
        elif name in needed:
            yield "details", f"{name!r} is a key, the cursor or in the path: the list must have it"


def _text(detail: Detail) -> Iterator[Found]:
    if len(detail.fields) > 1:
        yield "details", f"{detail.path!r} is one text, so it can fill one field only"
    if detail.paginator is not None or detail.data_selector is not None:
        yield "details", f"`paginator` and `data_selector` do nothing for {detail.path!r}: its body is a text"


def _records(resource: Resource, detail: Detail, paginator: Paginator) -> Iterator[Found]:
    single = isinstance(paginator, SingleObject)
    for name, source in detail.fields.items():
        if isinstance(source, str) and not single:
            yield "details", f"{name!r} is a path in one object: use `SingleObject()`, or Every(...) or Newest(...)"
        elif isinstance(source, Every | Newest) and single:
            yield "details", f"{name!r} is taken from a list, but `SingleObject` is one object: use a path in it"
        if isinstance(source, Every) and resource.columns.get(name, "json") != "json":
            yield "details", f"{name!r} gets a list of values, so it must be a `json` column"
    sent = [str(getattr(paginator, key, None)) for key in ("position_key", "limit_key")]
    if any(name.startswith(BODY) for name in sent):
        yield "details", f"{detail.path!r} is a GET: its paginator cannot have the position in a body"
    for name in detail.params:
        if name in sent:
            yield "details", f"the query parameter `{name}` of {detail.path!r} is the paginator's"

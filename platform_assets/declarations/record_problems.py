"""Checks of what an endpoint declares for its records: a filter, fields that are added, flattened and removed."""

from collections.abc import Iterator

from platform_assets.declarations.paginator import SingleObject
from platform_assets.declarations.resource import Endpoint, Resource
from platform_assets.declarations.template import Template

# (key, what is wrong and how to fix it)
Found = tuple[str, str]


def record_problems(
    resource: Resource, endpoint: Endpoint, key: tuple[str, ...], secrets: tuple[str, ...]
) -> Iterator[Found]:
    """What is wrong with what one of a resource's lists declares for its records.

    Args:
        key: the resource's primary key.
        secrets: settings with the client's credential, which no template may name.
    """
    yield from _template_problems(endpoint, secrets)
    if isinstance(endpoint.paginator, SingleObject) and "*" in (endpoint.data_selector or ""):
        yield "data_selector", "`*` finds many records where `SingleObject` expects one: leave out one of them"
    shape = endpoint.record
    if shape is None:
        return
    for name in shape.added:
        if not all(name.split(".")):
            yield "record", f"`added` field {name!r} has an empty part"
        elif name in (*shape.renamed, *shape.constants, *shape.from_path):
            yield "record", f"{name!r} is in `added`, and renamed, a constant or from the path too"
    for flattened in shape.flattened:
        if not all(flattened.path.split(".")):
            yield "record", f"`flattened` path {flattened.path!r} has an empty part"
        elif "*" in flattened.path and flattened.path != "*":
            yield "record", f"`flattened` path {flattened.path!r}: `*` stands alone, for every object of the record"
    needed = {*key, *(one.incremental.cursor_path for one in (endpoint,) if one.incremental)}
    for path in shape.removed:
        if not all(path.split(".")) or path in ("*", "**"):
            yield "record", f"`removed` path {path!r} names no field"
        elif path in needed or (path.split(".")[0] in ("*", "**") and path.split(".")[-1] in needed):
            yield "record", f"`removed` path {path!r} drops a key or the cursor of {resource.name!r}"


def _template_problems(endpoint: Endpoint, secrets: tuple[str, ...]) -> Iterator[Found]:
    added = endpoint.record.added if endpoint.record else {}
    templates = {name: value for name, value in added.items() if isinstance(value, Template)}
    if endpoint.record_filter is None and not templates:
        return
    # Jinja2 is imported only where a template is used.
    from platform_assets.declarations.template_problems import CLOCKS, CONTEXT, FUNCTIONS, problem_of

    if endpoint.record_filter is not None:
        problem = problem_of(endpoint.record_filter, CONTEXT | FUNCTIONS | CLOCKS, secrets)
        if problem is not None:
            yield "record_filter", problem
    for name, template in templates.items():
        problem = problem_of(template, CONTEXT | FUNCTIONS, secrets)
        if problem is not None:
            yield "record", f"`added` field {name!r}: {problem}"

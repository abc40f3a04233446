"""Checks of what an endpoint declares for its records: a filter, fields that are added, flattened and removed."""

from collections.abc import Iterator

from platform_assets.declarations.paginator import SingleObject
from platform_assets.declarations.record_shape import (
    AddFields,
    Flatten,
    RecordShape,
    RecordStep,
    RemoveFields,
    RenameKeys,
)
from platform_assets.declarations.resource import Endpoint, Resource
from platform_assets.declarations.selectors import selector_parts
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
    if selector_parts(endpoint.data_selector or "") is None:
        yield (
            "data_selector",
            f"{endpoint.data_selector!r} is no path: write `data.items`, or `['a.b']` for a key with dots",
        )
    shape = endpoint.record
    if shape is None:
        return
    for name in shape.added:
        if not all(name.split(".")):
            yield "record", f"`added` field {name!r} has an empty part"
        elif name in (*shape.renamed, *shape.constants, *shape.from_path):
            yield "record", f"{name!r} is in `added`, and renamed, a constant or from the path too"
    for flattened in (*shape.flattened, *(one for one in shape.steps if isinstance(one, Flatten))):
        if not all(flattened.path.split(".")):
            yield "record", f"`flattened` path {flattened.path!r} has an empty part"
        elif "*" in flattened.path and flattened.path != "*":
            yield "record", f"`flattened` path {flattened.path!r}: `*` stands alone, for every object of the record"
        elif flattened.path == "*" and flattened.replaces:
            yield "record", "`replaces` needs the `path` of one object"
    needed = {*key, *(one.incremental.cursor_path for one in (endpoint,) if one.incremental)}
    for path in shape.removed:
        if not all(path.split(".")) or path in ("*", "**"):
            yield "record", f"`removed` path {path!r} names no field"
        elif path in needed or (path.split(".")[0] in ("*", "**") and path.split(".")[-1] in needed):
            yield "record", f"`removed` path {path!r} drops a key or the cursor of {resource.name!r}"

    for step in shape.steps:
        yield from _step_problems(step)
    yield from _dropped_by_steps(shape, needed, resource.name)


def _step_problems(step: RecordStep) -> Iterator[Found]:
    if isinstance(step, AddFields | RemoveFields) and not step.fields:
        yield "record", f"a step `{type(step).__name__}` has no `fields`"
    for path in step.fields if isinstance(step, AddFields | RemoveFields) else ():
        if not all(path.split(".")):
            yield "record", f"`steps` path {path!r} has an empty part"
        elif path.split(".").count("**") > 1:
            yield "record", f"`steps` path {path!r} has `**` more than once"
    if isinstance(step, RemoveFields) and step.condition is None and {"*", "**"} & set(step.fields):
        yield "record", "`steps` remove every field"
    if isinstance(step, RenameKeys) and bool(step.old) is (step.case is not None):
        yield "record", "a step `RenameKeys` needs one of `old` and `case`"


def _dropped_by_steps(shape: RecordShape, needed: set[str], name: str) -> Iterator[Found]:
    """Keys that the last steps drop, so that nothing makes them anew."""
    for step in reversed(shape.steps):
        if not isinstance(step, RemoveFields):
            return
        for path in step.fields if step.condition is None else ():
            if path in needed:
                yield "record", f"`steps` path {path!r} drops a key or the cursor of {name!r}"


def _template_problems(endpoint: Endpoint, secrets: tuple[str, ...]) -> Iterator[Found]:
    shape = endpoint.record or RecordShape()
    added = [
        *shape.added.items(),
        *(one for step in shape.steps if isinstance(step, AddFields) for one in step.fields.items()),
    ]
    templates = [(name, value) for name, value in added if isinstance(value, Template)]
    conditions = [one for one in shape.steps if isinstance(one, AddFields | RemoveFields) and one.condition is not None]
    if endpoint.record_filter is None and not templates and not conditions:
        return
    # Jinja2 is imported only where a template is used.
    from platform_assets.declarations.clock_use import is_of_the_clock
    from platform_assets.declarations.template_problems import CLOCKS, CONTEXT, FUNCTIONS, SETTINGS, problem_of

    if endpoint.record_filter is not None:
        problem = problem_of(endpoint.record_filter, CONTEXT | FUNCTIONS | CLOCKS, secrets)
        if problem is not None:
            yield "record_filter", problem
    for name, template in templates:
        problem = problem_of(template, CONTEXT | FUNCTIONS | CLOCKS, secrets)
        if problem is None and is_of_the_clock(template.text):
            problem = "`now_utc` and the like would change every row in every read; `_loaded_at` has when it was loaded"
        if problem is not None:
            yield "record", f"`added` field {name!r}: {problem}"
    for step in conditions:
        own = CONTEXT | {"value"} if isinstance(step, AddFields) else SETTINGS | {"property"}
        problem = problem_of(step.condition, own | FUNCTIONS | CLOCKS, secrets) if step.condition else None
        if problem is not None:
            yield "record", f"`condition` of `{type(step).__name__}`: {problem}"

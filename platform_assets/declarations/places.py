"""Where a value goes in a request, as the text that names it beside the others.

    page              the query parameter `page`, or `{page}` in the path
    body:filter.page  `page` inside `filter` of the JSON body; a form's field `filter.page`
    header:X-Page     the header `X-Page`
    value:page        not sent: templates have it as `parent.page`, or `interval.start` of a filter's bound

A list's values are one mapping of such names, whatever part of the request they are in: paths, parents, fan-outs,
paging and the guard against circles need not know the difference. Only `http/outgoing.py` takes them apart.
"""

from collections.abc import Iterator, Mapping
from typing import Any

BODY, HEADER, VALUE = "body:", "header:", "value:"
# What stands in a text for the position of a page.
POSITION = "{}"


def in_body(path: str) -> str:
    """The name of a place in the body; `path` is dotted."""
    return BODY + path


def in_header(name: str) -> str:
    """The name of a header's value."""
    return HEADER + name


def seen_as(place: str) -> str:
    """The name that templates have a value by."""
    return place.removeprefix(VALUE)


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted path and value of everything in a JSON body that is no object or list; places in a list are numbers."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from leaves(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple):
        for place, inner in enumerate(value):
            yield from leaves(inner, f"{path}.{place}" if path else str(place))
    else:
        yield path, value

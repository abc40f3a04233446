"""Checks of what a list's answers are written in, and of where records and positions are in them."""

from collections.abc import Iterator

from platform_assets.declarations.paginator import Paginator, SingleObject
from platform_assets.declarations.platform import Client
from platform_assets.declarations.resource import Endpoint
from platform_assets.declarations.response_format import JsonLines, inner_format, is_list, response_format_problems

# (key, what is wrong and how to fix it)
Found = tuple[str, str]

# Keys of paginators that are places in an answer's body.
_IN_THE_BODY_TEXT = "cursor_path more_path start_echo_path limit_echo_path next_url_path next_link_path total_path"
_IN_THE_BODY = tuple(_IN_THE_BODY_TEXT.split())


def format_problems(client: Client, endpoint: Endpoint) -> Iterator[Found]:
    """What is wrong with the format of one of a resource's lists."""
    if endpoint.response_format is None:
        return
    for problem in response_format_problems(endpoint.response_format):
        yield "response_format", problem
    if endpoint.details:
        yield "details", "the answers of `details` are JSON; leave out them or `response_format`"
    if is_list(endpoint.response_format):
        selector = client.data_selector_of(endpoint)
        yield from _list_problems(endpoint, client.paginator_of(endpoint), selector)


def _list_problems(endpoint: Endpoint, paginator: Paginator, selector: str) -> Iterator[Found]:
    """A body that is a list of rows has no place for anything beside them."""
    declared = inner_format(endpoint.response_format) if endpoint.response_format else None
    name = type(declared).__name__
    inside = isinstance(declared, JsonLines) and selector.startswith(("*", "[*]"))
    if selector and not inside:
        hint = ', or `"*.data"` for what each line has at `data`' if isinstance(declared, JsonLines) else ""
        yield "data_selector", f'{selector!r} is not in a body of `{name}`, which is a list: use `""`{hint}'
    if isinstance(paginator, SingleObject):
        yield "paginator", f"`SingleObject` expects one object, and a body of `{name}` is a list"
    for key in _IN_THE_BODY:
        if getattr(paginator, key, None):
            yield "paginator", f"`{key}` is a place in a body of JSON or XML; a body of `{name}` is a list of rows"

"""Checks of one paginator: it must end, and send what it says."""

from collections.abc import Iterator

from platform_assets.declarations.paginator import (
    ComputedCursor,
    Cursor,
    HeaderCursor,
    HeaderLink,
    JsonLink,
    Offset,
    PageNumber,
    Paginator,
    RecordCursor,
    SingleObject,
    SinglePage,
    UnsizedPages,
)


def paginator_problems(paginator: Paginator) -> Iterator[str]:
    """What is wrong with a paginator and how to fix it."""
    if isinstance(paginator, SinglePage | SingleObject):
        return
    if isinstance(paginator, PageNumber | Offset | RecordCursor) and (paginator.limit < 1 or not paginator.limit_key):
        yield "has no stop rule: a short page ends it, so it needs `limit` and `limit_param`"
    if isinstance(paginator, Cursor):
        yield from _cursor_problems(paginator)
    if isinstance(paginator, ComputedCursor):
        yield from _computed_problems(paginator)
    if isinstance(paginator, Cursor | ComputedCursor | HeaderCursor | JsonLink | HeaderLink):
        if (paginator.limit is None) != (paginator.limit_key is None):
            yield "`limit` and `limit_param` belong together: one without the other is not sent"
        if paginator.limit is not None and paginator.limit < 1:
            yield "`limit` must be at least 1"
    positions = {
        PageNumber: "page_param",
        UnsizedPages: "page_param",
        Offset: "offset_param",
        HeaderCursor: "cursor_param",
        RecordCursor: "cursor_param",
    }
    name = positions.get(type(paginator))
    if name is not None and not getattr(paginator, "position_key", None):
        yield f"`{name}` is empty"
    if isinstance(paginator, UnsizedPages) and (paginator.sent_as or "{}").count("{}") != 1:
        yield "`sent_as` needs one `{}`, where the position stands"
    if isinstance(paginator, UnsizedPages) and paginator.sent_as is None and not paginator.base_is_sent:
        yield "without `sent_as` the first request needs its position too: leave `base_is_sent` true"
    if isinstance(paginator, JsonLink) and not paginator.next_url_path:
        yield "has no stop rule: it needs `next_url_path`"
    if isinstance(paginator, HeaderLink) and not paginator.links_next_key:
        yield "has no stop rule: it needs `links_next_key`"
    if isinstance(paginator, Offset) and paginator.next_link_path is not None and paginator.offset_body_path:
        yield "`next_link_path` has the position in its query: it does not go with `offset_body_path`"
    maximum, limit = getattr(paginator, "maximum", None), paginator.limit
    if maximum is not None and limit is not None and limit > maximum:
        yield f"`limit` {limit} is over the server's `maximum` {maximum}"


def _cursor_problems(paginator: Cursor) -> Iterator[str]:
    if not (paginator.cursor_path or paginator.cursor_header) or not paginator.position_key:
        yield "has no stop rule: it needs `cursor_path` and `cursor_param`"
    if paginator.cursor_path and paginator.cursor_header:
        yield "`cursor_path` and `cursor_header` are two places for one position: leave out one"
    sent = (paginator.cursor_param, paginator.cursor_body_path, paginator.cursor_in_header)
    if len([place for place in sent if place]) > 1:
        yield "the position is sent once: leave one of `cursor_param`, `cursor_body_path` and `cursor_in_header`"


def _computed_problems(paginator: ComputedCursor) -> Iterator[str]:
    # Jinja2 is imported where there is a template.
    from platform_assets.declarations.template_problems import FUNCTIONS, PAGE, problem_of

    for key, template in (("cursor", paginator.cursor), ("stop", paginator.stop)):
        problem = problem_of(template, PAGE | FUNCTIONS) if template is not None else None
        if problem is not None:
            yield f"`{key}`: {problem}"
    sent = (paginator.cursor_param, paginator.cursor_body_path, paginator.cursor_in_header, paginator.is_link)
    if len([place for place in sent if place]) != 1:
        yield "needs one of `cursor_param`, `cursor_body_path`, `cursor_in_header` and `is_link`"

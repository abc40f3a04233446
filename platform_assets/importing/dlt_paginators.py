"""dlt's paginators, as texts, objects or instances, as ours."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from platform_assets.declarations import (
    Cursor,
    HeaderCursor,
    HeaderLink,
    JsonLink,
    Offset,
    PageNumber,
    Paginator,
    SinglePage,
)
from platform_assets.importing.findings import Findings
from platform_assets.importing.selectors import plain
from platform_assets.importing.values import Called

# dlt's classes by the words for them, with their positional arguments.
_CLASSES = {
    "PageNumberPaginator": ("page_number", ("base_page", "page", "page_param", "total_path", "maximum_page")),
    "OffsetPaginator": ("offset", ("limit", "offset", "offset_param", "limit_param", "total_path", "maximum_offset")),
    "JSONLinkPaginator": ("json_link", ("next_url_path",)),
    "JSONResponsePaginator": ("json_link", ("next_url_path",)),
    "HeaderLinkPaginator": ("header_link", ("links_next_key",)),
    "HeaderCursorPaginator": ("header_cursor", ("cursor_key", "cursor_param")),
    "JSONResponseCursorPaginator": ("cursor", ("cursor_path", "cursor_param", "cursor_body_path")),
    "SinglePagePaginator": ("single_page", ()),
}
_KEYS = {
    "page_number": (
        "base_page page page_param total_path maximum_page stop_after_empty_page has_more_path page_body_path"
    ),
    "offset": (
        "limit offset offset_param limit_param total_path maximum_offset stop_after_empty_page has_more_path"
        " offset_body_path limit_body_path"
    ),
    "cursor": "cursor_path cursor_param cursor_body_path stop_after_empty_page has_more_path",
    "json_link": "next_url_path",
    "header_link": "links_next_key",
    "header_cursor": "cursor_key cursor_param",
    "single_page": "",
    "auto": "",
}
# Ends that ours finds by itself: a page without records, or what the answers say.
_IMPLIED = ("stop_after_empty_page", "total_path", "page", "offset")
# Parameters that are page sizes where a paginator names none.
SIZE_PARAMS = ("per_page", "page_size", "pageSize", "limit", "size", "count", "max_results", "pagelen", "perPage")
# A request's size where nobody named one; the server's own default is not known.
ASSUMED_SIZE = 100


@dataclass(frozen=True)
class Paged:
    """How a list is paged.

    Attributes:
        paginator: ours.
        taken: query parameters that became part of it.
    """

    paginator: Paginator
    taken: tuple[str, ...] = ()


def as_object(paginator: Any) -> dict[str, Any] | None:
    """A paginator as an object with `type`; None if it is none of dlt's."""
    if isinstance(paginator, str):
        return {"type": paginator}
    if isinstance(paginator, Called) and paginator.name in _CLASSES:
        word, positions = _CLASSES[paginator.name]
        return {"type": word, **dict(zip(positions, paginator.args, strict=False)), **paginator.kwargs}
    return {"type": "auto", **paginator} if isinstance(paginator, Mapping) else None


def convert_paginator(
    written: Any, params: Mapping[str, Any], resource: str | None, findings: Findings
) -> Paged | None:
    """A paginator as written, as ours; None if there is none or it cannot be carried, which is a finding.

    Args:
        params: query parameters as written, of which one may be the page size.
    """
    given = as_object(written)
    if given is None:
        if written is not None:
            findings.not_carried(resource, "paginator", f"a {_kind_of(written)} is not a paginator of dlt's")
        return None
    kind = {"json_response": "json_link"}.get(str(given["type"]), str(given["type"]))
    if kind not in _KEYS:
        findings.not_carried(resource, "paginator", f"`{kind}` is not a paginator of dlt's")
        return None
    return _CONVERTERS[kind](_Given(given, kind, params, resource, findings))


def _kind_of(written: Any) -> str:
    return f"`{written.name}(...)`" if isinstance(written, Called) else type(written).__name__


class _Given:
    """A paginator's keys, each taken once; what is left over at the end is said."""

    def __init__(
        self, keys: Mapping[str, Any], kind: str, params: Mapping[str, Any], resource: str | None, findings: Findings
    ) -> None:
        self.keys = {key: value for key, value in keys.items() if key != "type" and value is not None}
        self.kind = kind
        self.params = params
        self.resource = resource
        self.findings = findings
        self.known = _KEYS[kind].split()
        # dlt refuses the configuration for them, so it never ran with its defaults.
        self.was_refused = any(key not in self.known for key in self.keys)

    def text(self, key: str, default: str) -> str:
        value = self.keys.pop(key, default)
        return value if isinstance(value, str) and value else default

    def number(self, key: str) -> int | None:
        value = self.keys.pop(key, None)
        if isinstance(value, str) and value.isdigit():
            value = int(value)
        return value if type(value) is int else None

    def mended(self, key: str, why: str) -> None:
        self.findings.mended(self.resource, f"paginator.{key}", why)

    def assumed(self, key: str, why: str) -> None:
        self.findings.assumed(self.resource, f"paginator.{key}", why)

    def suspected(self, key: str, why: str) -> None:
        self.findings.suspected(self.resource, f"paginator.{key}", why)

    def not_carried(self, key: str, why: str) -> None:
        self.findings.not_carried(self.resource, f"paginator.{key}", why)

    def size(self) -> tuple[str, int, tuple[str, ...]] | None:
        """Parameter and number of the page size, and the query parameter that it was."""
        limit, name = self.number("limit"), self.text("limit_param", "")
        if limit is not None and name:
            if "limit_param" not in self.known:
                self.mended("limit_param", f"dlt has no page size here and refuses the key; `{name}={limit}` is sent")
            return name, limit, (name,) if name in self.params else ()
        for param in (name, *SIZE_PARAMS) if name else SIZE_PARAMS:
            value = self.params.get(param)
            if isinstance(value, str) and value.isdigit():
                value = int(value)
            if type(value) is int and value > 0:
                return param, value, (param,)
        if limit is not None:
            return "", limit, ()
        return (name, ASSUMED_SIZE, ()) if name else None

    def end(self) -> None:
        """Say what was left over."""
        for key in self.keys:
            if key in _IMPLIED:
                continue
            why = (
                "lists are read to their end"
                if key.startswith("maximum")
                else ("not in our vocabulary" if key in self.known else f"dlt's `{self.kind}` has no such key")
            )
            self.not_carried(key, why)


def _page_number(given: _Given) -> Paged:
    page_param = given.text("page_param", "page")
    base = given.number("base_page")
    first = given.number("page")
    base = base if base is not None else first
    size = given.size()
    if base is None and given.was_refused:
        base = 1
        given.assumed(
            "base_page", "pages are counted from 1, which nothing says; dlt counts from 0 without `base_page`"
        )
    elif base is None:
        base = 0
        given.suspected(
            "base_page",
            "pages are counted from 0, since dlt does so without `base_page`; where a server counts from 1, page 0 is"
            " refused, or is page 1 once more",
        )
    limit_param, limit, taken = size or ("", ASSUMED_SIZE, ())
    if not limit_param:
        limit_param = "per_page"
        given.assumed(
            "limit_param",
            f"nobody says how a page size is asked for: `{limit_param}={limit}` is sent, which most servers ignore if"
            " they do not know it",
        )
    _without_more(given, "has_more_path")
    body_path = given.text("page_body_path", "") or None
    given.end()
    paged = PageNumber(
        page_param=page_param, limit_param=limit_param, limit=limit, base_page=base, page_body_path=body_path
    )
    return Paged(paged, taken)


def _offset(given: _Given) -> Paged:
    offset_param = given.text("offset_param", "offset")
    size = given.size()
    start = given.keys.pop("offset", None)
    if isinstance(start, int) and start != 0:
        given.not_carried("offset", f"lists are read from their beginning, not from {start}")
    limit_param, limit, taken = size or ("", ASSUMED_SIZE, ())
    if size is None:
        given.assumed("limit", f"dlt requires it; {ASSUMED_SIZE} records a page are asked for")
    _without_more(given, "has_more_path")
    offset_path, limit_path = given.text("offset_body_path", "") or None, given.text("limit_body_path", "") or None
    given.end()
    paged = Offset(
        offset_param=offset_param,
        limit_param=limit_param or "limit",
        limit=limit,
        offset_body_path=offset_path,
        limit_body_path=limit_path,
    )
    return Paged(paged, taken)


def _without_more(given: _Given, key: str) -> None:
    if given.keys.pop(key, None) is not None:
        given.mended(key, "not needed: a list ends where a page has no more records")


def _cursor(given: _Given) -> Paged | None:
    path = given.keys.pop("cursor_path", "cursors.next")
    if isinstance(path, str) and path.startswith(("headers.link.", "headers.Link.")):
        return _link_cursor(given)
    cursor_path = plain(path)
    if not cursor_path:
        given.not_carried("cursor_path", f"`{path}` means more than one place in a body")
        return None
    body_path = plain(given.keys.pop("cursor_body_path", None))
    cursor_param = given.text("cursor_param", "" if body_path else "cursor")
    limit = given.keys.get("limit")
    size = given.size()
    limit_param, number, taken = size or ("", 0, ())
    if not limit_param and limit is not None:
        given.suspected(
            "limit",
            f"the page size {limit} is assumed and never sent: no parameter is named for it, so the server's applies",
        )
    more_path = plain(given.keys.pop("has_more_path", None))
    counts = _counts_records(cursor_path, cursor_param)
    if counts:
        given.assumed(
            "cursor_path",
            f"`{cursor_path}` is a number of records to skip, sent as `{cursor_param}`, and not an opaque text",
        )
    given.end()
    paged = Cursor(
        cursor_path=cursor_path,
        cursor_param=cursor_param,
        cursor_body_path=body_path,
        limit_param=limit_param or None,
        limit=number if limit_param else None,
        counts_records=counts,
        more_path=more_path or None,
    )
    return Paged(paged, taken)


def _counts_records(cursor_path: str, cursor_param: str) -> bool:
    """`next_start` for `start`, `next_offset` for `offset`."""
    last = cursor_path.rpartition(".")[2].lower()
    param = cursor_param.lower()
    return param in ("start", "offset", "skip", "startat") and param in last


def _link_cursor(given: _Given) -> Paged:
    """A position in the `Link` header, as a low-code connector writes it."""
    given.keys.pop("stop_condition", None)
    given.mended("cursor_path", "dlt reads bodies only; the position is in the `Link` header's `rel=next` entry")
    size, cursor_param = given.size(), given.text("cursor_param", "cursor")
    given.end()
    limit_param, limit, taken = size if size and size[0] else ("", 0, ())
    paged = HeaderCursor(
        cursor_param=cursor_param,
        limit_param=limit_param or None,
        limit=limit if limit_param else None,
    )
    return Paged(paged, taken)


def _json_link(given: _Given) -> Paged | None:
    written = given.keys.pop("next_url_path", "next")
    path = plain(written)
    if not path:
        given.not_carried("next_url_path", f"`{written}` means more than one place in a body")
        return None
    given.end()
    return Paged(JsonLink(next_url_path=path))


def _header_link(given: _Given) -> Paged:
    key = given.text("links_next_key", "next")
    given.end()
    return Paged(HeaderLink(links_next_key=key))


def _header_cursor(given: _Given) -> Paged:
    header, param = given.text("cursor_key", "next"), given.text("cursor_param", "cursor")
    given.end()
    return Paged(Cursor(cursor_header=header, cursor_param=param))


def _single_page(given: _Given) -> Paged:
    given.end()
    return Paged(SinglePage())


def _auto(given: _Given) -> Paged | None:
    given.end()
    return None


_CONVERTERS = {
    "page_number": _page_number,
    "offset": _offset,
    "cursor": _cursor,
    "json_link": _json_link,
    "header_link": _header_link,
    "header_cursor": _header_cursor,
    "single_page": _single_page,
    "auto": _auto,
}

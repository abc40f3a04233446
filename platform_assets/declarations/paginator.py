"""Ways to page through a list, each with its stop rule. Names follow dlt's paginators.

`limit` is the page size that we request, `maximum` the largest that the server is known to grant. Without a known
maximum a short page may have been cut short by the server, so it is the last only if a request for what follows it
returns nothing.

Position and size are query parameters (`..._param`) or, if the body is to have them, at a dotted path in it
(`..._body_path`, which replaces the parameter).

If positions count records (PageNumber, Offset, Cursor with `counts_records`), each page begins with the last row of
the page before, so that rows that move while the list is read are noticed and read again.
"""

from dataclasses import dataclass

from platform_assets.declarations.places import in_body, in_header
from platform_assets.declarations.strict import strict
from platform_assets.declarations.template import Template


@strict
@dataclass(frozen=True, kw_only=True)
class PageNumber:
    """`?page=1&per_page=100`. Stops at a page with fewer records than the server grants a page.

    Args:
        link_header: the `Link` header has a `rel="next"` entry as long as there are more pages (Buildkite). Its address
            is never requested: the number of the next page is known, and the address may be another host's.
        total_path: where the body says how many records the whole list has.
        only_grows: no record leaves the list, so that others can only move away from the pages that were read: pages
            need not overlap.
    """

    page_param: str = "page"
    page_body_path: str | None = None
    limit_param: str = "per_page"
    limit_body_path: str | None = None
    limit: int
    maximum: int | None = None
    base_page: int = 1
    link_header: bool = False
    total_path: str | None = None
    only_grows: bool = False

    @property
    def position_key(self) -> str:
        """The place of the position in a request (`places`)."""
        return in_body(self.page_body_path) if self.page_body_path else self.page_param

    @property
    def limit_key(self) -> str:
        return in_body(self.limit_body_path) if self.limit_body_path else self.limit_param


@strict
@dataclass(frozen=True, kw_only=True)
class Offset:
    """`?after=40&limit=20`: `offset_param` counts records to skip. Stops at fewer than the server grants.

    Args:
        next_link_path: where the body has the address of the next page as long as there is one (k6: `@nextLink`). Only
            the position in its query is used.
    """

    offset_param: str = "offset"
    offset_body_path: str | None = None
    limit_param: str = "limit"
    limit_body_path: str | None = None
    limit: int
    maximum: int | None = None
    next_link_path: str | None = None

    @property
    def position_key(self) -> str:
        """The place of the position in a request (`places`)."""
        return in_body(self.offset_body_path) if self.offset_body_path else self.offset_param

    @property
    def limit_key(self) -> str:
        return in_body(self.limit_body_path) if self.limit_body_path else self.limit_param


@strict
@dataclass(frozen=True, kw_only=True)
class HeaderCursor:
    """The `Link` header's `rel="next"` entry carries `cursor="..."` and `results="true|false"`.

    Sentry: `next` is always present; stops at `results="false"`, or where the first page has no `Link` header.

    Args:
        limit_param, limit: page size to request; None if the list takes none.
        stable: rows cannot move over a page's edge, since positions are values that the list is sorted by.
    """

    cursor_param: str = "cursor"
    limit_param: str | None = None
    limit: int | None = None
    stable: bool = False

    @property
    def position_key(self) -> str:
        """The place of the position in a request (`places`)."""
        return self.cursor_param

    @property
    def limit_key(self) -> str | None:
        return self.limit_param


@strict
@dataclass(frozen=True, kw_only=True)
class JsonLink:
    """The body has the address of the next page at `next_url_path`. Stops when it is absent, null or empty.

    The address is requested as it is, also if it is relative; the parameters of the first request count only if they
    are in it. One to another server is refused, and so is one that was requested before.

    Args:
        next_url_path: dotted path to the address.
        limit_param, limit: page size of the first request; None if the list takes none.
        stable: rows cannot move over a page's edge, since positions are values that the list is sorted by.
    """

    next_url_path: str = "next"
    limit_param: str | None = None
    limit: int | None = None
    stable: bool = False

    @property
    def limit_key(self) -> str | None:
        return self.limit_param


@strict
@dataclass(frozen=True, kw_only=True)
class HeaderLink:
    """The `Link` header has the address of the next page under `rel="next"` (GitHub). Stops when it has none.

    What holds for the address of `JsonLink` holds here.

    Args:
        links_next_key: the `rel` of the entry.
        limit_param, limit: page size of the first request; None if the list takes none.
        stable: rows cannot move over a page's edge, since positions are values that the list is sorted by.
    """

    links_next_key: str = "next"
    limit_param: str | None = None
    limit: int | None = None
    stable: bool = False

    @property
    def limit_key(self) -> str | None:
        return self.limit_param


class _CursorPlaces:
    """Where a cursor and the page's size are sent, of paginators whose cursor may be anywhere in a request."""

    cursor_param: str
    cursor_body_path: str | None
    cursor_in_header: str | None
    limit_param: str | None
    limit_body_path: str | None

    @property
    def position_key(self) -> str:
        """The place of the position in a request (`places`)."""
        if self.cursor_body_path:
            return in_body(self.cursor_body_path)
        return in_header(self.cursor_in_header) if self.cursor_in_header else self.cursor_param

    @property
    def limit_key(self) -> str | None:
        return in_body(self.limit_body_path) if self.limit_body_path else self.limit_param


@strict
@dataclass(frozen=True, kw_only=True)
class Cursor(_CursorPlaces):
    """The answer names the next page at `cursor_path` of its body, or in its header. Stops when that is absent or null.

    Args:
        cursor_path: where the body has the position of the next page.
        cursor_header: the header that has it, instead of the body. There it ends the list if it is empty, too.
        cursor_param, cursor_body_path, cursor_in_header: the query parameter, place in the body or header that the
            position is sent as; one of them.
        base: sent on the first request where the contract starts counting explicitly.
        counts_records: the position is a number of records to skip (Pipedrive's `start`), not an opaque text.
        more_path: where the body says `true` as long as there are more pages, and `false` on the last one.
        start_echo_path, limit_echo_path: where the body repeats the position and the limit that it answers.
        implied: the body may leave the next position out although there is more (Pipedrive: roles, mail threads). Then
            the next page begins after what came: if `more_path` is true, or if it is absent too and the page was full.
        stable: rows cannot move over a page's edge, since positions are values that the list is sorted by.
    """

    cursor_path: str = ""
    cursor_header: str | None = None
    cursor_param: str = ""
    cursor_body_path: str | None = None
    cursor_in_header: str | None = None
    base: int | None = None
    limit_param: str | None = None
    limit_body_path: str | None = None
    limit: int | None = None
    maximum: int | None = None
    counts_records: bool = False
    more_path: str | None = None
    start_echo_path: str | None = None
    limit_echo_path: str | None = None
    implied: bool = False
    stable: bool = False


@strict
@dataclass(frozen=True, kw_only=True)
class RecordCursor:
    """`?after=17`: the next page begins after a record of the page before. Stops at a page without records.

    A page with fewer records than requested is no end, since the server may grant less. Rows cannot move over a page's
    edge: the list is sorted by the field that positions are made of.

    Args:
        cursor_param: query parameter of the position.
        field: the records' field that positions are made of; numbers.
        newest_first: the list is in descending order, so that a page's smallest value leads on (NinjaOne activities).
            Otherwise its last does.
    """

    cursor_param: str = "after"
    cursor_body_path: str | None = None
    field: str = "id"
    newest_first: bool = False
    limit_param: str = "limit"
    limit_body_path: str | None = None
    limit: int
    maximum: int | None = None

    @property
    def position_key(self) -> str:
        """The place of the position in a request (`places`)."""
        return in_body(self.cursor_body_path) if self.cursor_body_path else self.cursor_param

    @property
    def limit_key(self) -> str:
        return in_body(self.limit_body_path) if self.limit_body_path else self.limit_param


@strict
@dataclass(frozen=True, kw_only=True)
class UnsizedPages:
    """`?page=1` or `?offset=0`, of a size that the server chooses and no request says. Stops at a page without records.

    Pages cannot overlap, so a list that changes while it is read is read again where that matters.

    Args:
        page_param, page_body_path: the query parameter, or the place in the body, of the page's number.
        base_page: number of the first page.
        base_is_sent: whether the first request has its number.
        counts_records: positions are numbers of records to skip, so that the next one is how many have come.
        sent_as: a text with the position in place of `{}`, where it is only a part of the value: `{},50`. None if the
            list's own value at that place is such a text, a template: `... OFFSET {} LIMIT {{ config.most }}`.
    """

    page_param: str = "page"
    page_body_path: str | None = None
    base_page: int = 1
    base_is_sent: bool = True
    counts_records: bool = False
    sent_as: str | None = "{}"

    limit = None

    @property
    def position_key(self) -> str:
        """The place of the position in a request (`places`)."""
        return in_body(self.page_body_path) if self.page_body_path else self.page_param


@strict
@dataclass(frozen=True, kw_only=True)
class ComputedCursor(_CursorPlaces):
    """The position of the next page is what a template makes of an answer. Stops when that is nothing, or `stop` holds.

    For positions that `Cursor` and `RecordCursor` do not find. Templates have `response` (the body), `headers` (by
    names in small letters; `headers.link.next.url` of the `Link` header), `last_record` and `last_page_size`.

    Args:
        cursor: comes to the position. An empty text, null and false are none.
        stop: whether this was the last page, whatever `cursor` comes to.
        cursor_param, cursor_body_path, cursor_in_header: the query parameter, place in the body or header that the
            position is sent as; one of them.
        is_link: the position is the address of the next page instead (see `JsonLink`).
        limit_param, limit_body_path, limit: page size to request; None if the list takes none.
    """

    cursor: Template
    stop: Template | None = None
    cursor_param: str = ""
    cursor_body_path: str | None = None
    cursor_in_header: str | None = None
    is_link: bool = False
    limit_param: str | None = None
    limit_body_path: str | None = None
    limit: int | None = None


@strict
@dataclass(frozen=True, kw_only=True)
class SinglePage:
    """One request, one list. Sends no paging parameter."""


@strict
@dataclass(frozen=True, kw_only=True)
class SingleObject:
    """One request whose selected value is one object, loaded as one row."""


Paginator = (
    PageNumber
    | UnsizedPages
    | Offset
    | HeaderCursor
    | JsonLink
    | HeaderLink
    | Cursor
    | RecordCursor
    | ComputedCursor
    | SinglePage
    | SingleObject
)

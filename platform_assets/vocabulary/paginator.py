"""Ways to page through a list, each with its stop rule. Names follow dlt's paginators.

`page_size` is what we ask for, `maximum` what the server is known to grant: asking for more than the
server grants would make a full page look like a short (last) one.
"""

from platform_assets.vocabulary.declaration import declaration


@declaration
class PageNumber:
    """`?page=1&per_page=100`. Stops at a page with fewer than `per_page` records."""

    page_param: str = "page"
    limit_param: str = "per_page"
    limit: int
    maximum: int | None = None
    base_page: int = 1


@declaration
class Offset:
    """`?after=40&limit=20`: `offset_param` counts records to skip. Stops at fewer than `limit` records."""

    offset_param: str
    limit_param: str = "limit"
    limit: int
    maximum: int | None = None


@declaration
class HeaderCursor:
    """The `Link` header's `rel="next"` entry carries `cursor="..."` and `results="true|false"`.

    Sentry: `next` is always present; stops at `results="false"` or where there is no `Link` header.
    """

    cursor_param: str = "cursor"


@declaration
class Cursor:
    """The body names the next page at `cursor_path`. Stops when that is absent or null.

    `base` is sent on the first request where the contract starts counting explicitly.
    """

    cursor_path: str
    cursor_param: str
    base: int | None = None
    limit_param: str | None = None
    limit: int | None = None
    maximum: int | None = None


@declaration
class SinglePage:
    """One request, one list. Sends no paging parameter."""


@declaration
class SingleObject:
    """One request whose selected value is one object, loaded as one row."""


Paginator = PageNumber | Offset | HeaderCursor | Cursor | SinglePage | SingleObject

"""Pages whose answers have the address of the next one, in the body or in the `Link` header.

What an address holds only the server understands, so what is true of opaque cursors is true here: pages do not overlap,
the pager is `blind` from the second page on, and guards against circles. The client refuses an address of another
server (http/client.py); here it is only resolved.
"""

from dataclasses import dataclass, field
from urllib.parse import urljoin

from platform_assets.declarations import HeaderLink, JsonLink
from platform_assets.http.answer import Answer
from platform_assets.http.errors import AnswerError
from platform_assets.http.outgoing import LINK
from platform_assets.http.pagination.grids import Params
from platform_assets.http.pagination.link_header import link_entries, link_header
from platform_assets.http.pagination.opaque_cursors import OpaquePager, size_of
from platform_assets.http.selection import get_path


def link_position(answer: Answer, link: str) -> Params:
    """The position that a link, absolute or relative to its page, leads to. Raises AnswerError if it is no address."""
    try:
        return {LINK: urljoin(answer.url, link)}
    except ValueError:
        raise AnswerError("the link to the next page is no address") from None


@dataclass
class LinkPager(OpaquePager):
    """Follows addresses, absolute or relative to the page that has them."""

    declared: JsonLink | HeaderLink = field(kw_only=True)
    limit: int | None = field(kw_only=True)

    def first(self) -> Params:
        return size_of(self.declared.limit_key, self.limit)

    def _next(self, answer: Answer) -> Params | None:
        link = self._link(answer)
        return None if link is None else link_position(answer, link)

    def _link(self, answer: Answer) -> str | None:
        if isinstance(self.declared, HeaderLink):
            found = link_header(answer)
            # Servers leave the header out of a list's only page, and some out of its last one.
            self.unproven = not found
            entry = link_entries(found or "").get(self.declared.links_next_key.lower())
            return None if entry is None else entry["url"] or None
        path = self.declared.next_url_path
        # The name of the key may have dots of its own, as `@odata.nextLink` has.
        named = isinstance(answer.body, dict) and path in answer.body
        link = answer.body[path] if named else get_path(answer.body, path)
        if link is not None and not isinstance(link, str):
            raise AnswerError(f"`{path}` is of type {type(link).__name__}, not an address")
        return link or None

    @property
    def _is_stable(self) -> bool:
        return self.declared.stable

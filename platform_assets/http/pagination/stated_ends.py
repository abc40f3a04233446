"""Walks by position whose answers say whether there are more pages: a link, or the number of all records.

Only whether there is a link and the position in it are used. Its address is never requested: it is the server's idea of
its own address, which need not be where we may send the credential.
"""

from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from platform_assets.declarations import Offset
from platform_assets.http.answer import Answer
from platform_assets.http.errors import AnswerError
from platform_assets.http.pagination.link_header import link_entries, link_header
from platform_assets.http.pagination.positions import Walk
from platform_assets.http.selection import get_path


@dataclass
class LinkHeaderWalk(Walk):
    """The `Link` header has `rel="next"` until the last page (Buildkite)."""

    _had_links: bool = False

    def _says_it_is_last(self, answer: Answer) -> bool:
        header = link_header(answer)
        if header is None:
            # By contract a list of one page has no links. Later on a missing header proves nothing.
            return not self._had_links and len(answer.items) < self._current.size
        self._had_links = True
        return "next" not in link_entries(header)

    def _says_there_is_more(self, answer: Answer) -> bool:
        return "next" in link_entries(link_header(answer) or "")

    def _stated_end(self, answer: Answer) -> int | None:
        is_empty = not answer.items and self._says_there_is_more(answer)
        return self._current.offset + self._current.size if is_empty else None


@dataclass
class TotalWalk(Walk):
    """The body has the number of all records at `total_path` (k6)."""

    total_path: str = field(kw_only=True)

    def _says_it_is_last(self, answer: Answer) -> bool:
        # Some servers count the page's records there, so that a first page that they cut short seems to be all.
        return self._total(answer) == self._end > len(answer.items)

    def _says_there_is_more(self, answer: Answer) -> bool:
        total = self._total(answer)
        return total is not None and total > self._end

    def _total(self, answer: Answer) -> int | None:
        total = get_path(answer.body, self.total_path)
        return total if isinstance(total, int) and not isinstance(total, bool) else None


@dataclass
class NextLinkWalk(Walk):
    """The body has a link to the next page until the last one (k6: `@nextLink`)."""

    declared: Offset = field(kw_only=True)

    def _says_it_is_last(self, answer: Answer) -> bool:
        return self._link(answer) is None

    def _stated_end(self, answer: Answer) -> int | None:
        link = self._link(answer)
        if link is None:
            return None
        positions = parse_qs(urlsplit(link).query).get(self.declared.offset_param, [""])
        if not positions[-1].isdecimal():
            raise AnswerError(f"`{self.declared.next_link_path}` has no position `{self.declared.offset_param}`")
        return int(positions[-1])

    def _link(self, answer: Answer) -> str | None:
        # The name of the key may have dots of its own, as `@odata.nextLink` has.
        name = self.declared.next_link_path or ""
        link = answer.body.get(name) if isinstance(answer.body, dict) else None
        if link is not None and not isinstance(link, str):
            raise AnswerError(f"`{name}` is {str(link)[:40]!r}, not an address")
        return link or None

"""Walks by position whose answers say whether there are more pages: a link, or the number of all records.

Only whether there is a link and the position in it are used. Its address is never requested: it is the server's idea of
its own address, which need not be where we may send the credential.
"""

from dataclasses import dataclass, field
from threading import Event
from urllib.parse import parse_qs, urlsplit

from platform_assets.declarations import Offset
from platform_assets.http.answer import Answer
from platform_assets.http.errors import AnswerError
from platform_assets.http.pagination.grids import PageRequest, Params
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


class TotalProof:
    """What one endpoint's answers have shown about the number at `total_path`. Shared by all walks of a client.

    Some servers count the page's records there, so that a page that they cut short seems to be all. A number above the
    page's own records shows that it counts the list: from then on an answer with all of them needs no second one. Each
    of a hundred short lists would otherwise be closed by more requests than it has pages. Safe for threads.
    """

    def __init__(self) -> None:
        self._given = Event()

    @property
    def given(self) -> bool:
        """Whether the number is known to count the list."""
        return self._given.is_set()

    def note(self, total: int | None, items: int) -> None:
        """Learn from an answer: the number that it states, None if it states none, and its records."""
        if total is not None and total > items:
            self._given.set()


@dataclass
class TotalWalk(Walk):
    """The body has the number of all records at `total_path` (k6)."""

    total_path: str = field(kw_only=True)
    proof: TotalProof = field(kw_only=True, default_factory=TotalProof)

    # Whether one answer had as many records as it says that there are.
    _had_all: bool = False

    def take(self, answer: Answer, keys: list[int]) -> Params | None:
        following = super().take(answer, keys)
        if not (self._had_all and self.proof.given):
            return following
        # What was asked for since has shown that the answer was the whole list.
        self.doubtful = self.blind = False
        return None

    def _check(self, request: PageRequest, answer: Answer) -> None:
        total, items = self._total(answer), len(answer.items)
        self.proof.note(total, items)
        self._had_all = self._had_all or (not request.offset and total == items)

    def _says_it_is_last(self, answer: Answer) -> bool:
        return self.proof.given and self._total(answer) == self._end

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

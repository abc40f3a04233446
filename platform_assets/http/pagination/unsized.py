"""Pages by number whose size nobody says."""

from dataclasses import dataclass, field

from platform_assets.declarations import UnsizedPages
from platform_assets.declarations.places import POSITION
from platform_assets.http.answer import Answer
from platform_assets.http.pagination.grids import Params
from platform_assets.http.pagination.opaque_cursors import OpaquePager


@dataclass
class UnsizedPager(OpaquePager):
    """Counts pages until one has no record: a page with fewer than the one before may have been cut short."""

    declared: UnsizedPages = field(kw_only=True)
    _read: int = 0

    def first(self) -> Params:
        return self._at(self.declared.base_page) if self.declared.base_is_sent else {}

    def take(self, answer: Answer, keys: list[int]) -> Params | None:
        # An empty page is the end, also after one of which every row had come before: a row has moved there.
        return super().take(answer, keys) if answer.items else None

    def _next(self, answer: Answer) -> Params | None:
        self._read += len(answer.items) if self.declared.counts_records else 1
        return self._at(self.declared.base_page + self._read)

    def _at(self, position: int) -> Params:
        text = self.declared.sent_as
        sent = position if text in (None, POSITION) else text.replace(POSITION, str(position))
        return {self.declared.position_key: sent}

"""Sentry's pages: cursors of three forms, a Link header that always has `next`, and rows filtered out after paging."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from platform_assets.sandbox.backend import Record
from platform_assets.sandbox.vendors.times import any_moment

Form = Literal["time", "offset", "page"]


@dataclass(frozen=True)
class Page:
    """Rows of a page; `cursors` and `more` are (previous, next)."""

    rows: list[Record]
    cursors: tuple[str, str]
    more: tuple[bool, bool]

    def link(self, url: str, query: str) -> str:
        """The Link header for the server's own address of the list."""
        entries = [
            f'<{url}?{query}&cursor={cursor}>; rel="{name}"; results="{str(more).lower()}"; cursor="{cursor}"'
            for name, cursor, more in zip(("previous", "next"), self.cursors, self.more, strict=True)
        ]
        return ", ".join(entries)


class Pages:
    """A list in the order in which it is paged.

    Args:
        records: all rows, sorted.
        keep: which of them the reader sees; the others take up room in a page, as rows filtered out after paging do.
        hidden: how many further rows, never seen, stand in the middle.
        form: how cursors look. Sentry: `1541455200000:0:0` (time), `0:100:0` (offset) and `100:1:0` (page) all occur.
        time: the field by which the list is sorted, newest first; needed for form "time".
    """

    def __init__(
        self,
        records: Sequence[Record],
        *,
        keep: Callable[[Record], bool] = lambda record: True,
        hidden: int = 0,
        form: Form,
        time: str = "",
    ) -> None:
        middle = len(records) // 2 if len(records) > 1 else 0
        shown = [one if keep(one) else None for one in records]
        padding = [None] * (hidden if middle else 0)
        self._slots = [*shown[:middle], *padding, *shown[middle:]]
        self._form = form
        self._times: list[int] = []
        if form == "time":
            times = [_milliseconds(any_moment(one[time])) for one in records]
            self._times = [*times[:middle], *times[middle - 1 : middle] * len(padding), *times[middle:]]

    def page(self, cursor: str | None, size: int) -> Page | None:
        """The page that a cursor stands for; None if the cursor is not one of ours."""
        start = 0 if cursor is None else self._start(cursor, size)
        if start is None:
            return None
        end = min(start + size, len(self._slots))
        rows = [slot for slot in self._slots[start:end] if slot is not None]
        before = max(0, start - size)
        return Page(
            rows, (self._cursor(before, size, 1), self._cursor(end, size, 0)), (start > 0, end < len(self._slots))
        )

    def _start(self, cursor: str, size: int) -> int | None:
        match = re.fullmatch(r"(\d{1,15}):(\d{1,9}):([01])", cursor)
        if match is None:
            return None
        value, offset = int(match[1]), int(match[2])
        if self._form == "offset":
            return min(offset, len(self._slots))
        if self._form == "page":
            return min(offset * (value or size), len(self._slots))
        first = next((place for place, time in enumerate(self._times) if time <= value), len(self._slots))
        return min(first + offset, len(self._slots))

    def _cursor(self, start: int, size: int, back: int) -> str:
        if self._form == "offset":
            return f"0:{start}:{back}"
        if self._form == "page":
            return f"{size}:{-(-start // size)}:{back}"
        if not self._times:
            return f"0:0:{back}"
        if start >= len(self._times):
            # Past the last row: its time, and how many rows of that time were read.
            return f"{self._times[-1]}:{len(self._times) - self._times.index(self._times[-1])}:{back}"
        return f"{self._times[start]}:{start - self._times.index(self._times[start])}:{back}"


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)

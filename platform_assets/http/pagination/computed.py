"""Positions that templates make of answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from platform_assets.declarations import ComputedCursor
from platform_assets.declarations.template_problems import FUNCTIONS, PAGE
from platform_assets.http.answer import Answer
from platform_assets.http.errors import AnswerError
from platform_assets.http.pagination.grids import Params
from platform_assets.http.pagination.link_header import link_entries, link_header
from platform_assets.http.pagination.links import link_position
from platform_assets.http.pagination.opaque_cursors import OpaquePager, size_of
from platform_assets.http.templates import Rendered


@dataclass
class ComputedPager(OpaquePager):
    """Follows the positions that a template makes of each answer."""

    declared: ComputedCursor = field(kw_only=True)
    limit: int | None = field(kw_only=True)
    _following: Params | None = None

    def first(self) -> Params:
        return size_of(self.declared.limit_key, self.limit)

    def take(self, answer: Answer, keys: list[int]) -> Params | None:
        self.doubtful = False
        return super().take(answer, keys)

    def confirm(self) -> Params:
        assert self._following is not None
        self._guard.check_position(self._following)
        self.blind = True
        return self._following

    def _next(self, answer: Answer) -> Params | None:
        values = _values(answer)
        if self._stop is not None and self._stop.holds(values):
            if self._is_of_size and answer.items:
                # A server may grant less than was asked for: what follows is looked at where that matters.
                self._following = self._position(answer, values)
                self.doubtful = self._following is not None
            return None
        return self._position(answer, values)

    def _position(self, answer: Answer, values: dict[str, object]) -> Params | None:
        position = self._cursor.value(values)
        # CDK: 0 is no position either.
        if not position:
            return None
        if not isinstance(position, str | int | float) or isinstance(position, bool):
            raise AnswerError(
                f"the position of the next page is of type {type(position).__name__}, not a text or number"
            )
        if self.declared.is_link:
            return link_position(answer, str(position))
        return {self.declared.position_key: position, **self.first()}

    @property
    def _is_of_size(self) -> bool:
        """Whether the end is told by a page's size alone, and not by what the server says."""
        text = self.declared.stop.text if self.declared.stop is not None else ""
        return "last_page_size" in text and "response" not in text and "headers" not in text

    @cached_property
    def _cursor(self) -> Rendered:
        return Rendered(self.declared.cursor, PAGE | FUNCTIONS, "`cursor`")

    @cached_property
    def _stop(self) -> Rendered | None:
        return None if self.declared.stop is None else Rendered(self.declared.stop, PAGE | FUNCTIONS, "`stop`")


def _values(answer: Answer) -> dict[str, object]:
    return {
        "response": answer.body,
        "headers": _headers(answer),
        "last_record": answer.items[-1] if answer.items else None,
        "last_page_size": len(answer.items),
    }


def _headers(answer: Answer) -> Mapping[str, Any]:
    """By names in small letters, and as the server writes them; `link` by the `rel` of its entries."""
    found: dict[str, Any] = {**answer.headers, **{name.lower(): value for name, value in answer.headers.items()}}
    return {**found, "link": link_entries(link_header(answer) or "")}

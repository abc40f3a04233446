"""Positions that templates make of answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urljoin

from platform_assets.declarations import ComputedCursor
from platform_assets.declarations.template_problems import FUNCTIONS, PAGE
from platform_assets.http.answer import Answer
from platform_assets.http.errors import AnswerError
from platform_assets.http.outgoing import LINK
from platform_assets.http.pagination.grids import Params
from platform_assets.http.pagination.link_header import link_entries, link_header
from platform_assets.http.pagination.opaque_cursors import OpaquePager
from platform_assets.http.templates import Rendered


@dataclass
class ComputedPager(OpaquePager):
    """Follows the positions that a template makes of each answer."""

    declared: ComputedCursor = field(kw_only=True)
    limit: int | None = field(kw_only=True)

    def first(self) -> Params:
        if self.declared.limit_key is None or self.limit is None:
            return {}
        return {self.declared.limit_key: self.limit}

    def _next(self, answer: Answer) -> Params | None:
        values = _values(answer)
        if self._stop is not None and self._stop.holds(values):
            return None
        position = self._cursor.value(values)
        if position is None or position is False or position in ("", [], {}):
            return None
        if not isinstance(position, str | int | float) or isinstance(position, bool):
            raise AnswerError(
                f"the position of the next page is of type {type(position).__name__}, not a text or number"
            )
        if not self.declared.is_link:
            return {self.declared.position_key: position, **self.first()}
        try:
            return {LINK: urljoin(answer.url, str(position))}
        except ValueError:
            raise AnswerError("the link to the next page is no address") from None

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
    """By names in small letters; `link` by the `rel` of its entries."""
    found: dict[str, Any] = {name.lower(): value for name, value in answer.headers.items()}
    return {**found, "link": link_entries(link_header(answer) or "")}

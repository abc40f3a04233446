"""A cursor that counts rows: the body names the position of the next page, and the end by naming none."""

from dataclasses import dataclass, field

from platform_assets.declarations import Cursor
from platform_assets.http.answer import Answer
from platform_assets.http.errors import AnswerError
from platform_assets.http.pagination.grids import PageRequest
from platform_assets.http.pagination.link_header import header
from platform_assets.http.pagination.positions import Walk
from platform_assets.http.selection import get_path


@dataclass
class CountedCursorWalk(Walk):
    """A walk that compares each answer with the position and size it states."""

    declared: Cursor = field(kw_only=True)

    def _check(self, request: PageRequest, answer: Answer) -> None:
        expected = (self.declared.base or 0) + request.offset
        start = _number(answer, self.declared.start_echo_path)
        if start is not None and start != expected:
            raise AnswerError(f"asked for the rows from position {expected}, the answer says that it begins at {start}")
        limit = _number(answer, self.declared.limit_echo_path)
        if limit is not None and 0 < request.size < limit:
            raise AnswerError(f"asked for {request.size} rows a page, the answer says that it has up to {limit}")

    def _stated_end(self, answer: Answer) -> int | None:
        stated = next_position(self.declared, answer)
        if stated is None:
            return None
        if isinstance(stated, str) and not stated.isdecimal():
            raise AnswerError(f"next page at `{self.declared.cursor_path}` is {stated[:40]!r}, not a position")
        return int(stated) - (self.declared.base or 0)

    def _says_it_is_last(self, answer: Answer) -> bool:
        if next_position(self.declared, answer) is not None:
            return False
        return not self.declared.implied or self._more(answer) is False

    def _says_there_is_more(self, answer: Answer) -> bool:
        return self.declared.implied and self._more(answer) is True

    def _more(self, answer: Answer) -> object:
        return None if self.declared.more_path is None else get_path(answer.body, self.declared.more_path)


def next_position(declared: Cursor, answer: Answer) -> str | int | None:
    """The next page's position from the body or the declared header, None at the end.

    Raises:
        AnswerError: if it is not a position, or absent although the body says that there is more.
    """
    cursor, where = get_path(answer.body, declared.cursor_path), declared.cursor_path
    if declared.cursor_header is not None:
        cursor, where = header(answer, declared.cursor_header) or None, declared.cursor_header
    if cursor is None:
        more = declared.more_path is not None and get_path(answer.body, declared.more_path) is True
        if more and not declared.implied:
            raise AnswerError(f"`{declared.more_path}` says that there is more, without `{where}`")
        return None
    if not isinstance(cursor, str | int) or isinstance(cursor, bool):
        raise AnswerError(f"next page at `{where}` is {cursor!r}, not a position")
    return cursor


def _number(answer: Answer, path: str | None) -> int | None:
    value = None if path is None else get_path(answer.body, path)
    return value if isinstance(value, int) and not isinstance(value, bool) else None

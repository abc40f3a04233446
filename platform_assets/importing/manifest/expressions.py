"""A template's text as pieces, so that names in its expressions can be replaced without touching anything else.

    text -> pieces (Jinja2's own lexer; joined again they are the text) -> paths of a name in them

Nothing is evaluated here (computing.py does).
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, TemplateError

# Of a text that is looked into; a template has 4,000 at most (declarations/template_problems.py).
MAX_TEXT = 100_000
# Pieces of one `.get(...)`: each is looked through once for each that is in it.
_LONGEST_CALL = 200

Keys = tuple[str | int, ...]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BEGINS = ("variable_begin", "block_begin")
_ENDS = ("variable_end", "block_end")


@dataclass(frozen=True)
class Piece:
    """A part of a template.

    Attributes:
        kind: Jinja2's name of the token.
        text: as written.
        is_new: whether it was put in place of what was written.
        is_value: whether it stands for `value` as a whole.
    """

    kind: str
    text: str
    is_new: bool = False
    is_value: bool = False
    value: Any = None


@dataclass(frozen=True)
class Path:
    """A name and what is asked of it: `config['a'].get('b', 1)`.

    Attributes:
        keys: texts and numbers, in order.
        start, end: places of its first piece, and of the one behind its last.
        defaults: pieces of the second argument of the last `.get`; None if the last key has no `.get`, empty if `.get`
            has one argument.
    """

    keys: Keys
    start: int
    end: int
    defaults: tuple[Piece, ...] | None = None


@cache
def _lexer() -> Environment:
    # Kept as written: a newline at the end belongs to the text.
    return Environment(keep_trailing_newline=True)  # noqa: S701 -- only its lexer is used


def has_template(text: str) -> bool:
    """Whether there is anything in a text that Jinja2 looks at."""
    return "{{" in text or "{%" in text


def pieces_of(text: str) -> list[Piece] | None:
    """The pieces of a template, which joined are the text; None if it is no template, too long, or broken."""
    if not has_template(text) or len(text) > MAX_TEXT:
        return None
    try:
        found = [Piece(kind, value) for _, kind, value in _lexer().lex(text)]
    except (TemplateError, RecursionError, ValueError):
        return None
    if sum((piece.kind in _BEGINS) - (piece.kind in _ENDS) for piece in found):
        return None
    # `{{-` takes the space before it away, which makes no difference to what it means.
    return found if "".join(joined(found).split()) == "".join(text.split()) else None


def joined(pieces: Iterable[Piece]) -> str:
    return "".join(piece.text for piece in pieces)


def paths_of(pieces: Sequence[Piece], name: str, *, longest: Callable[[Keys], int] | None = None) -> list[Path]:
    """Where a name is used in expressions, and what is asked of it, in the order of the text.

    Args:
        longest: of the keys that are asked for one after the other, how many belong to the name; None for all.
    """
    found: list[Path] = []
    at, inside = 0, False
    while at < len(pieces):
        piece = pieces[at]
        inside = piece.kind in _BEGINS or (inside and piece.kind not in _ENDS)
        if inside and piece.kind == "name" and piece.text == name and _is_variable(pieces, at):
            path = _path(pieces, at, longest)
            found.append(path)
            at = path.end
        else:
            at += 1
    return found


def _is_variable(pieces: Sequence[Piece], at: int) -> bool:
    """Whether a name stands for itself: it is no field (`x.config`), no argument's name and no key of a loop."""
    before, after = _behind(pieces, at, -1), _behind(pieces, at, 1)
    if before is not None and pieces[before].text in (".", "|"):
        return False
    return after is None or pieces[after].text != "=" or (before is not None and pieces[before].text not in "(,")


def _behind(pieces: Sequence[Piece], at: int, step: int) -> int | None:
    """The next piece in a direction that is no space; None at the end of the expression."""
    at += step
    while 0 <= at < len(pieces) and pieces[at].kind == "whitespace":
        at += step
    if 0 <= at < len(pieces) and pieces[at].kind not in (*_BEGINS, *_ENDS):
        return at
    return None


def following(pieces: Sequence[Piece], at: int) -> str:
    """The text of the first piece from a place on that is no space; empty at the end of the expression."""
    found = _behind(pieces, at - 1, 1)
    return "" if found is None else pieces[found].text


def preceding(pieces: Sequence[Piece], at: int) -> list[int]:
    """Places of up to five pieces before a place, the nearest first, spaces left out."""
    return _neighbours(pieces, at, -1)


def _path(pieces: Sequence[Piece], start: int, longest: Callable[[Keys], int] | None) -> Path:
    # The path as far as each of its keys.
    found: list[Path] = []
    begin, end = start, start + 1
    while (step := _step(pieces, end)) is not None or (found and _wrapped_until(pieces, start, begin, end)):
        if step is None:
            # `(config.get('a') or {}).get('b')` asks for the same as `config.get('a').get('b')`.
            begin, end = _neighbours(pieces, begin, -1)[0], _wrapped_until(pieces, start, begin, end)
            continue
        key, end, defaults = step
        found.append(Path((*(found[-1].keys if found else ()), key), begin, end, defaults))
    count = len(found) if longest is None or not found else longest(found[-1].keys)
    return found[count - 1] if count else Path((), start, start + 1)


def _wrapped_until(pieces: Sequence[Piece], start: int, begin: int, end: int) -> int:
    """The place behind the brackets around a path with `or {}`, or the name again, in them, and asked for more; else 0.

    `(config.get('a') or config).get('b')`, of users from before there was an `a`, has one flat name too.
    """
    before, after = _neighbours(pieces, begin, -1), _neighbours(pieces, end - 1, 1)
    if not before or pieces[before[0]].text != "(":
        return 0
    texts = [pieces[place].text for place in after]
    for instead in (["{", "}"], [pieces[start].text]):
        around = ["or", *instead, ")", "."]
        if texts[: len(around)] == around:
            return after[len(around) - 2] + 1
    return 0


def _neighbours(pieces: Sequence[Piece], at: int, step: int) -> list[int]:
    """Places of up to five pieces beside a place, the nearest first, spaces left out."""
    found: list[int] = []
    place: int | None = at
    while len(found) < 5 and (place := _behind(pieces, place, step)) is not None:
        found.append(place)
    return found


def _step(pieces: Sequence[Piece], at: int) -> tuple[str | int, int, tuple[Piece, ...] | None] | None:
    """The next `.key`, `['key']`, `[0]` or `.get('key'[, default])`: key, place behind it, default."""
    first = _behind(pieces, at - 1, 1)
    if first is None:
        return None
    second = _behind(pieces, first, 1)
    if second is None:
        return None
    if pieces[first].text == "[":
        return _item(pieces, second)
    if pieces[first].text != "." or not _NAME.fullmatch(pieces[second].text):
        return None
    third = _behind(pieces, second, 1)
    if third is None or pieces[third].text != "(":
        return pieces[second].text, second + 1, None
    return _got(pieces, third) if pieces[second].text == "get" else None


def _item(pieces: Sequence[Piece], at: int) -> tuple[str | int, int, None] | None:
    """The key in `['key']`, also of `['sort_' + 'by']` and `[none or 'key']`; `at` is the place behind the bracket."""
    while pieces[at].text in ("none", "None") and following(pieces, at + 1) == "or":
        # What a parameter that nobody gives comes to.
        second = _behind(pieces, at, 1)
        third = None if second is None else _behind(pieces, second, 1)
        if third is None:
            return None
        at = third
    key = literal(pieces[at])
    while key is not None and (after := _behind(pieces, at, 1)) is not None:
        if pieces[after].text == "]":
            return key, after + 1, None
        second = _behind(pieces, after, 1)
        more = literal(pieces[second]) if second is not None and pieces[after].text in "+~" else None
        if second is None or not isinstance(more, str):
            return None
        key, at = f"{key}{more}", second
    return None


def _got(pieces: Sequence[Piece], opened: int) -> tuple[str | int, int, tuple[Piece, ...]] | None:
    """The key and the default of `.get(...)`, whose bracket is at `opened`."""
    first = _behind(pieces, opened, 1)
    key = None if first is None else literal(pieces[first])
    if first is None or key is None:
        return None
    depth, comma = 1, None
    for at in range(opened + 1, min(len(pieces), opened + _LONGEST_CALL)):
        text, kind = pieces[at].text, pieces[at].kind
        if kind in _ENDS:
            return None
        if kind != "operator":
            continue
        depth += (text in "([{") - (text in ")]}")
        if depth == 1 and text == "," and comma is None:
            comma = at
        if depth == 0:
            end = at if comma is None else comma
            if any(piece.kind != "whitespace" for piece in pieces[first + 1 : end]):
                return None
            return key, at + 1, () if comma is None else tuple(pieces[comma + 1 : at])
    return None


def literal(piece: Piece) -> str | int | None:
    """The text or number that a piece is; None for anything else."""
    if piece.is_value:
        is_key = isinstance(piece.value, str | int) and not isinstance(piece.value, bool)
        return piece.value if is_key else None
    if piece.kind == "integer" and len(piece.text) < 10 and piece.text.isdigit():
        return int(piece.text)
    if piece.kind == "string" and "\\" not in piece.text:
        return piece.text[1:-1]
    return None

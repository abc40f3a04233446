"""Values in templates: how they are written there, and what a template comes to that needs nothing from outside.

Only Jinja2's sandbox computes (http/templates.py).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jinja2 import TemplateError, nodes

from platform_assets.declarations import Template
from platform_assets.declarations.template_problems import FUNCTIONS, MAX_CHARACTERS, parsed
from platform_assets.http.errors import AnswerError
from platform_assets.http.templates import Rendered
from platform_assets.importing.manifest.expressions import Piece, joined


def value_piece(value: Any) -> Piece:
    """A piece that is a value, written as in a template."""
    return Piece("value", written(value), is_new=True, is_value=True, value=value)


def weight(value: Any, most: int) -> int:
    """About how many characters a value has as it is written; stops counting above `most`."""
    found, left = 0, [value]
    while left and found <= most:
        one = left.pop()
        if isinstance(one, Mapping):
            found += 2 + sum(map(len, one))
            left += one.values()
        elif isinstance(one, list | tuple):
            found += 2
            left += one
        else:
            found += len(one) if isinstance(one, str) else 8
    return found


def written(value: Any) -> str:
    """A value as it is written in an expression."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{written(str(key))}: {written(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(written, value)) + "]"
    return repr(value)


def computed(pieces: Sequence[Piece], render: Callable[[str], Any]) -> Any:
    """A template's value or text with everything computed that has no free names and a value put in.

    A template that is one value is that value, whatever it is.

    Args:
        render: what a template with something new in it comes to (`rendered`), or the template itself.
    """
    if not any(piece.kind == "block_begin" for piece in pieces):
        outputs = _outputs(pieces)
        if len(outputs) == 1 and isinstance(outputs[0], list):
            return _computed_output(outputs[0], render)
        return "".join(part if isinstance(part, str) else _in_text(_computed_output(part, render)) for part in outputs)
    text = joined(pieces)
    return render(text) if any(piece.is_new for piece in pieces) else text


def _outputs(pieces: Sequence[Piece]) -> list[str | list[Piece]]:
    """A template without statements as texts and `{{ }}`s, those with their brackets."""
    found: list[str | list[Piece]] = []
    current: list[Piece] | None = None
    for piece in pieces:
        if piece.kind == "variable_begin":
            current = [piece]
            found.append(current)
        elif current is not None:
            current.append(piece)
            if piece.kind == "variable_end":
                current = None
        elif piece.text:
            found.append(piece.text)
    return found


def _computed_output(pieces: Sequence[Piece], render: Callable[[str], Any]) -> Any:
    inner = [piece for piece in pieces[1:-1] if piece.kind != "whitespace"]
    if len(inner) == 1 and inner[0].is_value:
        return inner[0].value
    text = joined(pieces)
    return render(text) if any(piece.is_new for piece in inner) else text


def _in_text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def _is_closed(text: str) -> bool:
    """Whether an expression needs nothing from outside: no name but those of functions that always say the same."""
    if len(text) > MAX_CHARACTERS:
        return False
    try:
        names = list(parsed(text).find_all(nodes.Name))
    except (TemplateError, RecursionError, MemoryError, ValueError):
        return False
    own = {one.name for one in names if one.ctx != "load"}
    return all(one.name in FUNCTIONS or one.name in own or one.name == "loop" for one in names)


def rendered(text: str) -> Any:
    """What a template comes to; the template itself if it has free names, or the sandbox refuses it."""
    if not _is_closed(text):
        return text
    try:
        found = Rendered(Template(text), FUNCTIONS, "a parameter").value({})
    except AnswerError:
        return text
    return "" if found is None else found

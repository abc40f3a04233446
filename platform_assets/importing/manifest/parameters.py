"""Puts values in place of names in templates: `{{ parameters['path'] }}` becomes the path.

CDK: a component's templates see its `$parameters` as `parameters`; one that is missing is an empty text.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from platform_assets.importing.manifest.computing import computed, rendered, value_piece, weight
from platform_assets.importing.manifest.expressions import Path, Piece, following, has_template, paths_of, pieces_of
from platform_assets.importing.values import TooLarge

# The legacy name, and today's.
_NAMES = ("parameters", "options")
# Parameters may name parameters; CDK looks once.
_ROUNDS = 3
# Characters that are looked into or made, in all of a manifest; and in one value.
MAX_MADE = 5_000_000
MAX_VALUE = 500_000
# Expressions that are computed; more of them stay as they are, and are computed when they are used.
MAX_COMPUTED = 1_000

_MISSING = object()


class Parameters:
    """Replaces `parameters` in templates, and for dynamic streams other names; counts what that makes."""

    def __init__(self) -> None:
        self._made = 0
        self._computed: dict[str, Any] = {}

    def replaced(self, text: str, parameters: Mapping[str, Any]) -> Any:
        """A text, or the value that a template of nothing but a parameter has.

        Raises TooLarge if replacing makes too much.
        """
        if not has_template(text) or not any(name in text for name in _NAMES):
            return text
        found: Any = text
        for _ in range(_ROUNDS):
            found, is_changed = self.with_values(found, dict.fromkeys(_NAMES, parameters))
            if not is_changed or not isinstance(found, str):
                return found
        return self.with_values(found, {name: {} for name in _NAMES})[0]

    def with_values(self, text: str, values: Mapping[str, Any]) -> tuple[Any, bool]:
        """The text with names replaced by what they are, and whether one was there."""
        self._spend(len(text))
        pieces = pieces_of(text)
        if pieces is None:
            return text, False
        is_changed = False
        for name, value in values.items():
            if name in text:
                pieces, changed = self._with_value(pieces, name, value)
                is_changed = is_changed or changed
        return (computed(pieces, self._rendered) if is_changed else text), is_changed

    def _with_value(self, pieces: Sequence[Piece], name: str, value: Any) -> tuple[list[Piece], bool]:
        found: list[Piece] = []
        at = 0
        paths = paths_of(pieces, name)
        for path in paths:
            found += pieces[at : path.start]
            found += self._pieces(pieces, path, value)
            at = path.end
        return [*found, *pieces[at:]], bool(paths)

    def _pieces(self, pieces: Sequence[Piece], path: Path, value: Any) -> list[Piece]:
        asked = _at(value, path.keys)
        if asked is not _MISSING:
            self._spend(weight(asked, MAX_VALUE))
            return [value_piece(asked)]
        if path.defaults:
            return [Piece("operator", "(", is_new=True), *path.defaults, Piece("operator", ")")]
        if path.defaults is not None:
            return [value_piece(None)]
        # These ask whether it is there, so it must not be an empty text.
        if following(pieces, path.end) in ("is", "|"):
            return [Piece("value", "{}['missing']", is_new=True)]
        return [value_piece("")]

    def _spend(self, characters: int) -> None:
        self._made += characters
        if self._made > MAX_MADE or characters > MAX_VALUE:
            raise TooLarge("its parameters make texts without end")

    def _rendered(self, text: str) -> Any:
        if text not in self._computed:
            if len(self._computed) >= MAX_COMPUTED:
                return text
            self._computed[text] = rendered(text)
        return self._computed[text]


def _at(value: Any, keys: Sequence[str | int]) -> Any:
    for key in keys:
        if isinstance(value, Mapping) and str(key) in value:
            value = value[str(key)]
        elif isinstance(value, list | tuple) and isinstance(key, int) and 0 <= key < len(value):
            value = value[key]
        else:
            return _MISSING
    return value

"""Gives each component its type, and the parameters of the components around it.

CDK: a component that names no type has the one that its place assumes. Its parameters are its own `$parameters` before
those of the components around it. A parameter is also the value of the component's field of that name, unless the
field has a value.
"""

from collections.abc import Mapping
from typing import Any

from platform_assets.importing.manifest.legacy import modernized, with_own_type
from platform_assets.importing.manifest.measured import MAX_STREAM_DEPTH, PARAMETERS, Shared
from platform_assets.importing.manifest.vocabulary import ASSUMED, ASSUMED_OWN, FIELDS
from platform_assets.importing.values import TooLarge

# Values that are looked at, in all of a manifest.
MAX_VISITED = 1_000_000

# Is no component, whatever words are in it.
_SCHEMA = ("InlineSchemaLoader", "schema")


class Propagation:
    """Makes components of plain data, each with `type` and `$parameters`.

    Args:
        shared: makes what is returned, and made what is given.
        parameters: those of the whole manifest.
    """

    def __init__(self, shared: Shared, parameters: Mapping[str, Any] | None = None) -> None:
        self._shared = shared
        self._outermost = shared.mapping(parameters or {})
        self._known: dict[tuple[Any, ...], Any] = {}
        self._visited = 0

    def component(self, value: dict[str, Any], place: str, *, outer_wins: bool = False) -> dict[str, Any]:
        """A component with all in it.

        Args:
            value: made by `shared`.
            place: `<component>.<field>` where it stands.
            outer_wins: whether a parameter of a component around another wins over that one's own.
        """
        return self._component(value, place, self._outermost, outer_wins, 0)

    def _component(
        self, value: dict[str, Any], place: str, outer: dict[str, Any], outer_wins: bool, depth: int
    ) -> dict[str, Any]:
        key = (id(value), place, id(outer), outer_wins)
        known = self._known.get(key)
        if known is not None:
            return known
        self._visited += 1
        if self._visited > MAX_VISITED:
            raise TooLarge(f"its components have more than {MAX_VISITED:,} parts")
        if depth > MAX_STREAM_DEPTH:
            raise TooLarge(f"its components are nested more than {MAX_STREAM_DEPTH} deep")
        found = self._shared.mapping(self._made(value, place, outer, outer_wins, depth))
        self._known[key] = found
        return found

    def _made(
        self, value: dict[str, Any], place: str, outer: dict[str, Any], outer_wins: bool, depth: int
    ) -> dict[str, Any]:
        found = with_own_type(value)
        if "type" not in found:
            assumed = ASSUMED_OWN if "class_name" in found else ASSUMED
            if place in assumed:
                found["type"] = assumed[place]
        found = modernized(found)
        own = found.pop(PARAMETERS, None)
        own = own if isinstance(own, dict) else {}
        parameters = {**own, **outer} if outer_wins else {**outer, **own}
        kind = found.get("type")
        if kind is None:
            return self._parts_of_object(found, place, parameters, outer_wins, depth)
        # A JSON schema, whose `type` is `object`, several types, or a field that is called so.
        if not isinstance(kind, str) or kind == "object":
            return found
        for name, parameter in parameters.items():
            if name in FIELDS.get(kind, ()):
                found[name] = found.get(name) or parameter
        for name, part in found.items():
            if isinstance(part, dict | list) and (kind, name) != _SCHEMA:
                found[name] = self._field(part, f"{kind}.{name}", name, parameters, outer_wins, depth + 1)
        if parameters:
            found[PARAMETERS] = self._shared.mapping(parameters)
        return found

    def _field(
        self, value: Any, place: str, name: str, parameters: dict[str, Any], outer_wins: bool, depth: int
    ) -> Any:
        # What became a field by its name is no parameter of that field.
        inner = self._shared.mapping({key: part for key, part in parameters.items() if key != name})
        if isinstance(value, dict):
            return self._component(value, place, inner, outer_wins, depth)
        return self._shared.list(
            [
                self._component(part, place, inner, outer_wins, depth) if isinstance(part, dict) else part
                for part in value
            ]
        )

    def _parts_of_object(
        self, found: dict[str, Any], place: str, parameters: dict[str, Any], outer_wins: bool, depth: int
    ) -> dict[str, Any]:
        """An object that is no component, with the components that it holds."""
        inner = self._shared.mapping(parameters)
        for name, part in found.items():
            if isinstance(part, dict) and part.get("type"):
                found[name] = self._component(part, place, inner, outer_wins, depth + 1)
        return found

"""Names settings in templates by their flat names: `config['credentials']['client_id']` -> `config['client_id']`."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from platform_assets.importing.manifest.computing import written
from platform_assets.importing.manifest.expressions import (
    Keys,
    Path,
    Piece,
    following,
    has_template,
    joined,
    literal,
    paths_of,
    pieces_of,
    preceding,
)

# Of an object of settings, as many are named where a template asks whether the object is there.
_MOST_MEMBERS = 20


class Settings(Protocol):
    """What flattening asks of a manifest's settings (settings.ConfigSettings)."""

    def name(self, path: tuple[str, ...]) -> str: ...

    def is_required(self, name: str) -> bool: ...

    def is_secret(self, name: str) -> bool: ...

    def default(self, name: str) -> object: ...

    def leaf(self, keys: Keys) -> int: ...

    def members(self, path: tuple[str, ...]) -> tuple[str, ...]: ...


def flattened(text: str, settings: Settings) -> str:
    """The text with every setting under its flat name; unchanged if it is no template."""
    if not has_template(text):
        return text
    pieces = pieces_of(text)
    if pieces is None:
        return text
    found: list[str] = []
    at = 0
    for path in paths_of(pieces, "config", longest=settings.leaf):
        place, replaced = _replaced(pieces, path, settings)
        if place < at:
            continue
        found += [joined(pieces[at:place]), replaced]
        at = path.end
    return "".join([*found, joined(pieces[at:])])


def settings_asked_for(written: Any) -> tuple[tuple[str, ...], ...]:
    """The paths of settings that the templates of a manifest's data ask for, each once: `("credentials", "key")`."""
    found: dict[tuple[str, ...], None] = {}
    for text in dict.fromkeys(_templates(written)):
        for path in paths_of(pieces_of(text) or [], "config"):
            number = next((at for at, key in enumerate(path.keys) if not isinstance(key, str)), len(path.keys))
            found[_texts(path.keys[:number])] = None
    return tuple(found)


def _templates(written: Any) -> Iterator[str]:
    """Templates with settings in them. Each value is looked into once, wherever YAML's aliases have it."""
    waiting, seen = [written], set[int]()
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            if "config" in value and has_template(value):
                yield value
        elif isinstance(value, Mapping | list) and id(value) not in seen:
            seen.add(id(value))
            waiting += reversed(list(value.values() if isinstance(value, Mapping) else value))


def _replaced(pieces: list[Piece], path: Path, settings: Settings) -> tuple[int, str]:
    """Place of the first piece to be replaced, and what takes the place of it and those up to the path's end."""
    as_written = joined(pieces[path.start : path.end])
    asked = _asked(pieces, path)
    if asked is not None:
        place, key, word = asked
        return place, f"{written(settings.name((*_texts(path.keys), key)))} {word} config"
    keys = _texts(path.keys)
    if not keys or len(keys) != len(path.keys):
        return path.start, as_written
    members = settings.members(keys)
    if members:
        return path.start, _is_there(members, settings) or as_written
    name = settings.name(keys)
    if path.defaults:
        # A setting in the default is named by its flat name, too.
        default = flattened("{{" + joined(path.defaults) + "}}", settings)[2:-2].strip()
        return path.start, f"config.get({written(name)}, {default})"
    # These ask whether it is there, and a `get` would say that it is.
    if settings.is_required(name) or following(pieces, path.end) == "is" or _has_default(pieces, path.end):
        return path.start, f"config[{written(name)}]"
    default = settings.default(name)
    if isinstance(default, str | int | float) and path.defaults is None:
        return path.start, f"config.get({written(name)}, {written(default)})"
    return path.start, f"config.get({written(name)})"


def _texts(keys: Keys) -> tuple[str, ...]:
    return tuple(key for key in keys if isinstance(key, str))


def _asked(pieces: list[Piece], path: Path) -> tuple[int, str, str] | None:
    """Of `'key' in config['group']` the key's place, the key and `in` or `not in`; None for anything else."""
    before = preceding(pieces, path.start)
    words = [pieces[place].text for place in before]
    if words[:1] != ["in"]:
        return None
    word, key = ("not in", before[2:3]) if words[1:2] == ["not"] else ("in", before[1:2])
    found = literal(pieces[key[0]]) if key else None
    return (key[0], found, word) if isinstance(found, str) else None


def _has_default(pieces: list[Piece], end: int) -> bool:
    if following(pieces, end) != "|":
        return False
    words = [piece.text for piece in pieces[end : end + 4] if piece.kind != "whitespace"]
    return words[1:2] in (["default"], ["d"])


def _is_there(members: tuple[str, ...], settings: Settings) -> str:
    """What is true if one of an object's settings is there; credentials last, which templates may not have."""
    plain = [name for name in members if not settings.is_secret(name)] or list(members)
    if len(plain) > _MOST_MEMBERS:
        return ""
    return "(" + " or ".join(f"config.get({written(name)})" for name in plain) + ")"

"""The settings that a manifest asks its user for (`spec`), under flat names."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from platform_assets.configuration.known import PLATFORM_SETTINGS, START_DATE
from platform_assets.importing.names import snake_case

Keys = tuple[str, ...]

# Ours, which a manifest's setting of the same name would change; a start date means the same for both.
_OWN = frozenset(setting.key for setting in PLATFORM_SETTINGS) - {START_DATE.key}
_OWN_PREFIX = "source"
_SECRET = "airbyte_secret"  # noqa: S105 -- a word of the language
_CHOICES = ("oneOf", "anyOf")
_MAX_DEPTH = 12
_MAX_SETTINGS = 2_000
# The end of a key that is a credential, where nothing else says so.
_CREDENTIAL = re.compile(
    r"((api|secret|access|private|auth)[\W_]*key|token|secret|password|passphrase)s?$", re.IGNORECASE
)


@dataclass(frozen=True)
class _Declared:
    """A setting as the specification has it; several of one path, in options of a choice, are one setting."""

    is_secret: bool
    is_required: bool
    default: Any


class ConfigSettings:
    """The settings of `spec.connection_specification`, which may be nested, as flat names in snake_case.

    Args:
        specification: a JSON schema of an object; None for a manifest without `spec`.
        named: paths that templates ask for. Those into an object that the specification lacks are settings too.
        plain: flat names of settings that are no secrets, whatever else says that they are.
    """

    def __init__(
        self, specification: Mapping[str, Any] | None = None, named: Iterable[Keys] = (), plain: Iterable[str] = ()
    ) -> None:
        self._specification, self._named, self._plain = specification, tuple(named), frozenset(plain)
        self._declared: dict[Keys, _Declared] = {}
        self._groups: set[Keys] = set()
        for path, declared in _settings(specification or {}, (), True, 0):
            known = self._declared.get(path)
            if known is None and len(self._declared) >= _MAX_SETTINGS:
                break
            self._declared[path] = declared if known is None else _either(known, declared)
            self._groups |= {path[:length] for length in range(1, len(path))}
        tops = {path[0] for path in self._declared}
        inner = [path for path in self._named if len(path) > 1 and path[0] not in tops]
        self._groups |= {path[:length] for path in inner for length in range(1, len(path))}
        for path in inner[:_MAX_SETTINGS]:
            if path not in self._groups:
                self._declared[path] = _Declared(_is_credential(path[-1]), is_required=False, default=None)
        self._names = _names(tuple(self._declared))
        self._by_name = {name: self._declared[path] for path, name in self._names.items()}

    @property
    def all(self) -> tuple[str, ...]:
        """Every setting's flat name, in the order of the specification."""
        return tuple(self._by_name)

    def name(self, path: Keys) -> str:
        """The flat name of the setting at a path, e.g. `("credentials", "client_id")` -> `client_id`.

        Also for one that no specification has: manifests read settings that they never declare. At the top level it is
        the declared one of that name, as older users have it there; elsewhere its keys are joined.
        """
        return self._names.get(path) or _free("_".join(path))

    def is_secret(self, name: str) -> bool:
        """Whether it is marked as a secret (`airbyte_secret`); by its name in a manifest without a specification."""
        declared = self._by_name.get(name)
        if name in self._plain:
            return False
        if declared is None:
            return not self._specification and _is_credential(name)
        return declared.is_secret

    def is_asked_for(self, name: str) -> bool:
        """Whether the manifest asks its user for it; of one without a specification, whatever templates name."""
        return name in self._by_name or not self._specification

    def with_plain(self, names: Iterable[str]) -> "ConfigSettings":
        """The same settings, of which these are no secrets."""
        return ConfigSettings(self._specification, self._named, names)

    def is_required(self, name: str) -> bool:
        """Whether the manifest always has it: required, and so is every object around it."""
        declared = self._by_name.get(name)
        return declared is not None and declared.is_required

    def default(self, name: str) -> Any:
        """Its declared default; None if it has none."""
        declared = self._by_name.get(name)
        return None if declared is None else declared.default

    def flattened(self, text: str) -> str:
        """A template's text that names settings by their flat names.

        `config['credentials']['client_id']` -> `config['client_id']`, and
        `config['region']` of one that is not required -> `config.get('region', DEFAULT)`.
        """
        if "config" not in text:
            return text
        # Jinja2 is imported when the first template is looked into.
        from platform_assets.importing.manifest.config_paths import flattened

        return flattened(text, self)

    def leaf(self, keys: tuple[str | int, ...]) -> int:
        """How many of the keys that a template asks for lead to a setting: `config.tags[0]` has one."""
        path = tuple(key for key in keys if isinstance(key, str))
        for length in range(1, len(path) + 1):
            if path[:length] in self._declared:
                return length
            if path[:length] not in self._groups:
                return length
        return len(path)

    def members(self, path: Keys) -> tuple[str, ...]:
        """Names of the settings in an object of settings; empty if the path is one setting."""
        if path not in self._groups or path in self._declared:
            return ()
        return tuple(name for keys, name in self._names.items() if keys[: len(path)] == path)


def _settings(schema: Mapping[str, Any], path: Keys, required: bool, depth: int) -> Iterator[tuple[Keys, _Declared]]:
    """Path and declaration of everything in an object's schema, its choices too."""
    if depth > _MAX_DEPTH:
        return
    named = schema.get("required")
    needed = [key for key in named if isinstance(key, str)] if isinstance(named, list) else []
    properties = schema.get("properties")
    for key, part in properties.items() if isinstance(properties, Mapping) else ():
        if isinstance(part, Mapping):
            yield from _setting(part, (*path, str(key)), required and key in needed, depth)
    for word in _CHOICES:
        stated = schema.get(word)
        choices = [one for one in stated if isinstance(one, Mapping)] if isinstance(stated, list) else []
        for one in choices:
            yield from _settings(one, path, required and len(choices) == 1, depth + 1)


def _setting(part: Mapping[str, Any], path: Keys, required: bool, depth: int) -> Iterator[tuple[Keys, _Declared]]:
    inner = list(_settings(part, path, required, depth + 1))
    if inner:
        yield from inner
        return
    default = part.get("default", part.get("const"))
    yield path, _Declared(part.get(_SECRET) is True, required, default)


def _either(one: _Declared, other: _Declared) -> _Declared:
    """A setting of several options: each may have it, so none of them alone requires it, or says its default."""
    default = one.default if one.default == other.default else None
    return _Declared(one.is_secret or other.is_secret, one.is_required and other.is_required, default)


def _names(paths: tuple[Keys, ...]) -> dict[Keys, str]:
    """The flat name of each path: its last key, or all of them where two paths would have one name."""
    last = Counter(_free(path[-1]) for path in paths)
    found: dict[Keys, str] = {}
    taken: set[str] = set()
    # Those at the top have their names first.
    for path in sorted(paths, key=len):
        name = _free(path[-1])
        if last[name] > 1:
            name = _free("_".join(path))
        number, free = 2, name
        while free in taken:
            free, number = f"{name}_{number}", number + 1
        taken.add(free)
        found[path] = free
    return {path: found[path] for path in paths}


def _is_credential(key: str) -> bool:
    """Whether a key's name says that it is a credential: `api_key`, `clientSecret`."""
    return _CREDENTIAL.search(key) is not None


def _free(text: str) -> str:
    """A setting's name of a key; not one of ours."""
    name = snake_case(text) or "setting"
    return f"{_OWN_PREFIX}_{name}" if name in _OWN else name

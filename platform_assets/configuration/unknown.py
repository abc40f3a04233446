"""Finds settings that nothing reads: misspelt keys, platforms and sections, each with the nearest right name.

A misspelt setting would otherwise do nothing, silently. Values are never shown: they may be secrets.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from platform_assets.configuration.known import SECTIONS, SOURCES, known_keys
from platform_assets.configuration.lookup import settings_files
from platform_assets.configuration.reading import configured, variable
from platform_assets.declarations import Platform
from platform_assets.declarations.nearest import edits, nearest

# How many words a section has: `sources.crm`, `warehouse`.
_DEPTH = {section: 2 if section == SOURCES else 1 for section in SECTIONS}
# dlt's own variables that say which warehouse it is.
_DESTINATIONS = ("DESTINATION__DUCKDB__CREDENTIALS", "DESTINATION__POSTGRES__CREDENTIALS")


def unknown_settings(platforms: Iterable[Platform], broken: Iterable[str] = ()) -> list[str]:
    """A line for each environment variable and TOML key in the project's sections that nothing reads.

    Args:
        broken: names of platforms whose file is broken, so that their settings are not known.

    Raises SettingsError if a settings file cannot be read.
    """
    keys = _KnownKeys(known_keys(platforms), frozenset(broken))
    return [*_in_variables(keys), *_in_files(keys)]


class _KnownKeys:
    def __init__(self, known: Mapping[str, tuple[str, ...]], broken: frozenset[str]) -> None:
        self._known = known
        self._platforms = [
            section.removeprefix(f"{SOURCES}.") for section in known if section.startswith(f"{SOURCES}.")
        ]
        self._broken = broken

    def problem_with(self, words: list[str]) -> tuple[str, list[str] | None] | None:
        """What is wrong with a key, and the nearest right key if there is one; None if the key is right or not ours.

        Args:
            words: the key from its section on, e.g. `["sources", "crm", "base_url"]`.
        """
        section = _section_near(words[0])
        if section is None:
            return None
        wrong = None if section == words[0] else f"no section is called {words[0]!r}"
        platform = words[1] if section == SOURCES and len(words) > 1 else None
        if platform is not None and platform in self._broken:
            return (wrong, [section, *words[1:]]) if wrong else None
        right = [section]
        if platform is not None:
            if platform not in self._platforms:
                wrong = wrong or f"no platform is called {platform!r}"
                platform = nearest(platform, self._platforms)
            if platform is None:
                return (wrong or "", None)
            right.append(platform)
        depth = _DEPTH[section]
        key = "__".join(words[depth:])
        if not key:
            return (wrong or "a value stands where a section should", None)
        keys = self._known[".".join(right)]
        if key not in keys:
            wrong = wrong or f"there is no setting {key!r}"
            key = nearest(key, keys)
        return None if wrong is None else (wrong, [*right, key] if key else None)

    def variables(self) -> Iterator[str]:
        """The environment variables of all settings."""
        yield from (variable(section, key) for section, keys in self._known.items() for key in keys)

    def existing_names(self, words: list[str]) -> str:
        """The existing names, for a key that nothing is near to."""
        if words[0] == SOURCES and (len(words) < 2 or words[1] not in self._platforms):
            return f"; there are {', '.join(self._platforms)}"
        keys = self._known.get(".".join(words[: _DEPTH.get(words[0], 1)]))
        return f"; there are {', '.join(keys)}" if keys else ""


def _section_near(word: str) -> str | None:
    """The project's section that a word means: at most one edit away, or two with the same first letter."""
    for section in SECTIONS:
        distance = edits(word.lower(), section)
        if distance <= 1 or (distance == 2 and word[:1].lower() == section[0]):
            return section
    return None


def _letters(name: str) -> str:
    return name.upper().replace("_", "")


def _destination_near(name: str) -> str | None:
    """The variable of a warehouse's credentials that a name misspells: rows would land in another warehouse."""
    return next((right for right in _DESTINATIONS if 0 < edits(name, right) <= 2), None)


def _in_variables(known: _KnownKeys) -> Iterator[str]:
    by_letters = {_letters(right): right for right in (*known.variables(), *_DESTINATIONS)}
    for name in sorted(os.environ):
        words = name.lower().split("__")
        if len(words) < 2 or not all(words):
            right = by_letters.get(_letters(name))
            if right is not None:
                yield f"{name}: two underscores stand between its words, and nowhere else; did you mean {right}?"
            continue
        found = known.problem_with(words)
        if found is not None:
            problem, right = found
            instead = f"; did you mean {'__'.join(right).upper()}?" if right else known.existing_names(words)
            yield f"{name}: {problem}{instead}"
        elif (destination := _destination_near(name)) is not None:
            yield f"{name}: no destination has it; did you mean {destination}?"
        elif name != name.upper() and _section_near(words[0]):
            yield f"{name}: names of variables are in capitals; did you mean {name.upper()}?"


def _in_files(known: _KnownKeys) -> Iterator[str]:
    configured(SOURCES)  # Reads the files; raises SettingsError for one that cannot be read.
    for file, document in settings_files():
        for words in _leaves(document):
            found = known.problem_with(words)
            if found is not None:
                problem, right = found
                instead = f"; did you mean {_as_toml(right)}?" if right else known.existing_names(words)
                yield f"{file}: {_as_toml(words)}: {problem}{instead}"


def _leaves(table: Mapping[str, Any]) -> Iterator[list[str]]:
    """The words of each key that has a value."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from ([name, *rest] for rest in _leaves(value))
        else:
            yield [name]


def _as_toml(words: list[str]) -> str:
    return f"`{words[-1]}` under [{'.'.join(words[:-1])}]" if len(words) > 1 else f"`{words[0]}`"

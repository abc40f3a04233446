"""Which settings a declaration is filled with: those of `Configured` values and of templates, wherever they stand."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from platform_assets.declarations.template import Template


def settings_named(*declared: object) -> tuple[str, ...]:
    """Keys of the settings that are needed, each once, in the order of the declarations."""
    return tuple(dict.fromkeys(key for one in declared for key in _keys(one)))


def optional_settings(*declared: object) -> tuple[str, ...]:
    """Keys of the settings that templates name and none of the declarations needs, each once."""
    needed = settings_named(*declared)
    found = (key for one in declared for value in _values(one) if isinstance(value, Template) for key in value.optional)
    return tuple(dict.fromkeys(key for key in found if key not in needed))


def listed_settings(*declared: object) -> tuple[str, ...]:
    """Keys of the settings that a value is sent once for each of, if there are several."""
    keys = (getattr(value, "setting", None) for one in declared for value in _values(one))
    return tuple(dict.fromkeys(key for key in keys if isinstance(key, str)))


def _keys(declared: object) -> Iterator[str]:
    for value in _values(declared):
        # By its key: its class is in a module that imports this one's callers.
        setting = getattr(value, "setting", None)
        if isinstance(value, Template):
            yield from value.configured
        elif isinstance(setting, str):
            yield setting


def _values(declared: Any) -> Iterator[Any]:
    """A declaration and everything in it but templates of secrets."""
    yield declared
    if is_dataclass(declared) and not isinstance(declared, type):
        for key in fields(declared):
            if key.metadata.get("secret"):
                continue
            yield from _values(getattr(declared, key.name))
    elif isinstance(declared, Mapping):
        for value in declared.values():
            yield from _values(value)
    elif isinstance(declared, list | tuple):
        for value in declared:
            yield from _values(value)

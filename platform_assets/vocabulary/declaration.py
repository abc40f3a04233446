"""Frozen dataclasses whose unknown keys are reported with platform and resource, not by a bare TypeError."""

import functools
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar, dataclass_transform

from platform_assets.vocabulary.errors import PlatformAssetsError

T = TypeVar("T")

_UNKNOWN = "_unknown_keys"


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
def declaration(cls: type[T]) -> type[T]:
    """Make `cls` a frozen, keyword-only dataclass that remembers unknown keys for `validate`.

    The declaration that holds a misspelt key does not know its platform yet; `validate` does.
    """
    decorated: Any = dataclass(frozen=True, kw_only=True)(cls)
    known = {item.name for item in fields(decorated)}
    generated = decorated.__init__

    @functools.wraps(generated)
    def __init__(self: Any, **given: Any) -> None:
        unknown = tuple(key for key in given if key not in known)
        try:
            generated(self, **{key: value for key, value in given.items() if key in known})
        except TypeError as error:
            label = given.get("name") or given.get("path") or "?"
            problem = str(error).partition("() ")[2] or str(error)
            raise PlatformAssetsError(f"{cls.__name__} {label!r}: {problem}") from None
        object.__setattr__(self, _UNKNOWN, unknown)

    decorated.__init__ = __init__
    return decorated


def unknown_keys(declared: object) -> tuple[str, ...]:
    """Keys that were given to `declared` and that its class does not have."""
    return getattr(declared, _UNKNOWN, ())

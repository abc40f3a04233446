"""Values of a configuration that are no plain data: settings that it reads, and what only running it would tell."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# Bounds of what is read: a real configuration is far below each.
MAX_DEPTH = 60
MAX_NODES = 200_000


@dataclass(frozen=True)
class Setting:
    """A value that the configuration takes from outside: `dlt.secrets["api_token"]`, `os.environ["TOKEN"]`.

    Attributes:
        name: of the setting; empty for `dlt.secrets.value`, which is named by where it stands.
        secret: whether it was read as a secret.
    """

    name: str
    secret: bool = False


@dataclass(frozen=True)
class Joined:
    """A text with settings in it: `f"Bearer {dlt.secrets['token']}"`.

    Attributes:
        parts: texts and settings in their order.
    """

    parts: tuple[str | Setting, ...]


@dataclass(frozen=True)
class Unreadable:
    """An expression that has no value without being run.

    Attributes:
        source: the expression, cut short.
        line: where it stands in the file; 0 if that is not known.
    """

    source: str
    line: int

    def __str__(self) -> str:
        where = f": line {self.line}" if self.line else ""
        return f"cannot be read without running it{where}"


@dataclass(frozen=True)
class Called:
    """A call of a class of dlt's, e.g. `PageNumberPaginator(base_page=1)`.

    Attributes:
        name: the class, without its module.
        args, kwargs: values of its arguments.
        line: where it stands.
    """

    name: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    line: int


class TooLarge(Exception):
    """A document is nested too deep or has too many values."""


def check_bounds(value: Any) -> None:
    """Raise TooLarge for a value that is too deep or has too many parts; an alias counts as often as it stands."""
    count = 0
    left = [(value, 0)]
    while left:
        one, depth = left.pop()
        count += 1
        if depth > MAX_DEPTH:
            raise TooLarge(f"it is nested more than {MAX_DEPTH} deep")
        if count > MAX_NODES:
            raise TooLarge(f"it has more than {MAX_NODES:,} values")
        if isinstance(one, Mapping):
            left += [(part, depth + 1) for part in one.values()]
        elif isinstance(one, list | tuple):
            left += [(part, depth + 1) for part in one]


def unreadable_parts(value: Any, path: str = "") -> Iterator[tuple[str, Unreadable]]:
    """Dotted path and expression of everything in a value that could not be read."""
    if isinstance(value, Unreadable):
        yield path, value
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield from unreadable_parts(part, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple):
        for index, part in enumerate(value):
            yield from unreadable_parts(part, f"{path}[{index}]")
    elif isinstance(value, Called):
        yield from unreadable_parts([*value.args, *value.kwargs.values()], path)


def without_unreadable(value: Any) -> Any:
    """The value without what could not be read; a list or object without such parts."""
    if isinstance(value, Mapping):
        return {key: without_unreadable(part) for key, part in value.items() if not isinstance(part, Unreadable)}
    if isinstance(value, Called):
        return Called(value.name, without_unreadable(value.args), without_unreadable(value.kwargs), value.line)
    if isinstance(value, tuple):
        # Places of arguments have a meaning.
        return tuple(None if isinstance(part, Unreadable) else without_unreadable(part) for part in value)
    if isinstance(value, list):
        return [without_unreadable(part) for part in value if not isinstance(part, Unreadable)]
    return value

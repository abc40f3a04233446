"""One file per platform, each with a `PLATFORM`: what is loaded, never how. Files are found by themselves.

`vendors` has the contracts of the live vendors, which the platforms' files name.

A file that is broken leaves out its own platform only; every command reports it.
"""

import importlib
import pkgutil
import traceback
from dataclasses import dataclass
from functools import cache
from types import ModuleType

from platform_assets.declarations import DeclarationError, MisspeltError, Platform, SettingsError
from platform_assets.declarations.errors import short_path
from platform_assets.declarations.nearest import did_you_mean
from platform_assets.declarations.validation import validate_beside


@dataclass(frozen=True)
class BrokenPlatform:
    """A platform file that cannot be used.

    Attributes:
        module: the file's name without `.py`.
        place: `<file>:<line>`, or the file alone if the fault has no line.
        reason: what is wrong, in one line.
    """

    module: str
    place: str
    reason: str

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}"


def all_platforms() -> tuple[Platform, ...]:
    """Every platform that can be used, in the alphabetical order of the files."""
    return _load_all()[0]


def broken_platforms() -> tuple[BrokenPlatform, ...]:
    """The platform files that cannot be used, each with its first problem."""
    return _load_all()[1]


def platform_named(name: str) -> Platform:
    """The platform called `name`. Raises SettingsError if it does not exist or its file cannot be used."""
    for platform in all_platforms():
        if platform.name == name:
            return platform
    for broken in broken_platforms():
        if broken.module == name:
            raise SettingsError(f"the platform {name!r} cannot be used: {broken}")
    names = [platform.name for platform in all_platforms()]
    raise SettingsError(f"no platform is called {name!r}; there are {', '.join(names)}{did_you_mean(name, names)}")


@cache
def _load_all() -> tuple[tuple[Platform, ...], tuple[BrokenPlatform, ...]]:
    platforms: list[Platform] = []
    broken: list[BrokenPlatform] = []
    for name in sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.ispkg):
        found = _load(name, platforms)
        if isinstance(found, Platform):
            platforms.append(found)
        else:
            broken.append(found)
    return tuple(platforms), tuple(broken)


def _load(name: str, others: list[Platform]) -> Platform | BrokenPlatform:
    """The platform of a file, or why it cannot be used beside the `others`."""
    try:
        module = importlib.import_module(f"{__name__}.{name}")
    except MisspeltError as error:
        return BrokenPlatform(name, error.place, error.problem)
    except SyntaxError as error:
        return BrokenPlatform(name, f"{short_path(error.filename or name)}:{error.lineno}", f"syntax: {error.msg}")
    except Exception as error:
        # Whatever a file raises on import, it must leave out its own platform only.
        reason = next(iter(str(error).splitlines()), "")
        return BrokenPlatform(name, _place(error, name), f"{type(error).__name__}: {reason}".rstrip(": "))
    platform = getattr(module, "PLATFORM", None)
    if not isinstance(platform, Platform):
        return BrokenPlatform(name, _file(module), "has no `PLATFORM = Platform(...)`")
    try:
        validate_beside(platform, others)
    except DeclarationError as error:
        return BrokenPlatform(name, f"{_file(module)}:{error.line}" if error.line else _file(module), str(error))
    return platform


def _file(module: ModuleType) -> str:
    return short_path(str(module.__file__))


def _place(error: Exception, name: str) -> str:
    """The innermost line of the platform's file in an error's traceback."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.endswith(f"/{name}.py")]
    return f"{short_path(frames[-1].filename)}:{frames[-1].lineno}" if frames else f"{name}.py"

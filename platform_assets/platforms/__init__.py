"""One file per platform, each with a `PLATFORM`: what is loaded, never how. Files are found by themselves.

`vendors` has the contracts of the live vendors, which the platforms' files name. Beside the files in here are those of
the folder that `[platforms] folder` names: `platforms` in the working folder, if nothing is set.

A file that is broken leaves out its own platform only; every command reports it.
"""

import importlib
import pkgutil
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from platform_assets import configuration
from platform_assets.configuration.lookup import look_up_early
from platform_assets.declarations import Platform, SettingsError
from platform_assets.declarations.errors import short_path
from platform_assets.declarations.nearest import did_you_mean
from platform_assets.platform_files.loading import BrokenPlatform, files_in, load_file, load_module

DEFAULT_FOLDER = "platforms"


# Path, time of change, size and inode of each file.
_Versions = tuple[tuple[Path, int, int, int], ...]


@dataclass(frozen=True)
class _Found:
    """All platform files, and what became of them.

    Attributes:
        replaced: name of a platform of this package -> the file that replaces it.
    """

    platforms: tuple[Platform, ...]
    broken: tuple[BrokenPlatform, ...]
    replaced: dict[str, str] = field(default_factory=dict)


def all_platforms() -> tuple[Platform, ...]:
    """Every platform that can be used: those of this package in alphabetical order, then those of the user's folder."""
    return _find().platforms


def shipped_platforms() -> tuple[Platform, ...]:
    """The platforms of this package, whatever the user's folder has."""
    return _load_all()[0]


def broken_platforms() -> tuple[BrokenPlatform, ...]:
    """The platform files that cannot be used, each with its first problem."""
    return _find().broken


def replaced_platforms() -> dict[str, str]:
    """Name of each platform of this package that a file of the user's replaces -> that file."""
    return _find().replaced


def platform_named(name: str) -> Platform:
    """The platform called `name`. Raises SettingsError if it does not exist or its file cannot be used."""
    for platform in all_platforms():
        if platform.name == name:
            return platform
    for broken in broken_platforms():
        if name in broken.names:
            raise SettingsError(f"the platform {name!r} cannot be used: {broken}")
    names = [platform.name for platform in all_platforms()]
    raise SettingsError(f"no platform is called {name!r}; there are {', '.join(names)}{did_you_mean(name, names)}")


def user_folder() -> Path:
    """The folder of the user's own platform files, absolute; it need not exist."""
    # Not by `read`: a settings file that cannot be read must not stop definitions from loading.
    folder = look_up_early(f"{configuration.PLATFORMS}.{configuration.FOLDER.key}")
    return Path.cwd() / (str(folder) if folder else DEFAULT_FOLDER)


def _find() -> _Found:
    shipped, broken = _load_all()
    folder = user_folder()
    files = files_in(folder)
    if not files:
        missing = () if folder.is_dir() or folder == Path.cwd() / DEFAULT_FOLDER else (_missing(folder),)
        return _Found(shipped, (*broken, *missing))
    # Read again after an edit: a process may outlive what its files said when it began.
    return _cached(shipped, broken, tuple((path, *_version(path)) for path in files))


def _missing(folder: Path) -> BrokenPlatform:
    name = configuration.variable(configuration.PLATFORMS, configuration.FOLDER.key)
    return BrokenPlatform(configuration.PLATFORMS, name, f"there is no folder {short_path(str(folder))}")


def _version(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except OSError:
        return 0, 0, 0
    return found.st_mtime_ns, found.st_size, found.st_ino


# The files that were read last, what they were read beside, and what was found.
_last: list[tuple[_Versions, tuple[Platform, ...], _Found]] = []


def _cached(shipped: tuple[Platform, ...], broken: tuple[BrokenPlatform, ...], files: _Versions) -> _Found:
    for known, beside, found in _last:
        if known == files and beside is shipped:
            return found
    found = _beside(shipped, broken, [path for path, *_ in files])
    _last[:] = [(files, shipped, found)]
    return found


def _beside(shipped: tuple[Platform, ...], broken: tuple[BrokenPlatform, ...], files: list[Path]) -> _Found:
    """The platforms of this package with those of the user's files, which replace those of their names."""
    by_name = {platform.name: platform for platform in shipped}
    own = set(by_name)
    refused: list[BrokenPlatform] = []
    files_of: dict[str, str] = {}
    for path in files:
        found = load_file(path, by_name.values())
        if isinstance(found, Platform) and found.name in files_of:
            reason = f"{found.name}: `name`: {files_of[found.name]} has it too"
            found = BrokenPlatform(path.stem, short_path(str(path)), reason, found.name)
        if isinstance(found, Platform):
            files_of[found.name] = short_path(str(path))
            by_name[found.name] = found
        else:
            refused.append(found)
    # What was to be replaced is not read from where it was not meant to be.
    meant = {name for one in refused for name in one.names} - files_of.keys()
    usable = [platform for name, platform in by_name.items() if name not in meant]
    return _Found(tuple(usable), (*broken, *refused), {name: files_of[name] for name in own & files_of.keys()})


@cache
def _load_all() -> tuple[tuple[Platform, ...], tuple[BrokenPlatform, ...]]:
    """The platforms of this package, and its files that cannot be used."""
    platforms: list[Platform] = []
    broken: list[BrokenPlatform] = []
    for name in sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.ispkg):
        found = load_module(lambda name=name: importlib.import_module(f"{__name__}.{name}"), name, platforms)
        if isinstance(found, Platform):
            platforms.append(found)
        else:
            broken.append(found)
    return tuple(platforms), tuple(broken)

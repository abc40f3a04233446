"""A platform file as a Platform, or why it cannot be used. A broken one affects no other."""

import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import CodeType, ModuleType

from platform_assets.declarations import DeclarationError, MisspeltError, Platform
from platform_assets.declarations.errors import short_path
from platform_assets.declarations.validation import validate_beside

_YAML = (".yaml", ".yml")
_PYTHON = ".py"
# What a Dagster project has in a component's folder, where declarations may be, too.
_COMPONENTS = ("component.py", "defs.yaml", "defs.yml")
# What every platform file in Python imports. A file without it is not run: `platforms` is a common name for folders.
_IMPORTED = b"platform_assets"


@dataclass(frozen=True)
class BrokenPlatform:
    """A platform file that cannot be used.

    Attributes:
        module: the file's name without `.py` or `.yaml`.
        place: `<file>:<line>`, or the file alone if the fault has no line.
        reason: what is wrong, in one line.
        name: the platform's name, if that is known.
    """

    module: str
    place: str
    reason: str
    name: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """What the platform may be called: its name, or what the file is called after."""
        return (self.module,) if self.name is None else (self.module, self.name)

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}"


def files_in(folder: Path) -> list[Path]:
    """The platform files of a folder, sorted by name. Empty if it cannot be read.

    Files that begin with `_` or `.`, Python files that import nothing of ours, and Dagster's of a component are none.
    """
    try:
        found = [path for path in folder.iterdir() if path.suffix in (*_YAML, _PYTHON) and path.name[0] not in "._"]
        found = [path for path in found if path.name not in _COMPONENTS]
        return sorted(path for path in found if path.suffix in _YAML or _imports_ours(path))
    except OSError:
        return []


def load_file(path: Path, others: Iterable[Platform], *, replacing: bool = True) -> Platform | BrokenPlatform:
    """The platform of a file, or why it cannot be used beside the `others`.

    Args:
        replacing: whether the platform may replace one of its name.
    """
    if path.suffix not in _YAML:
        return load_module(lambda: _run(path), path.stem, others, replacing=replacing)
    try:
        # Only now: a project without such files need not import a reader of YAML.
        from platform_assets.platform_files.reader import read_platform

        platform = read_platform(path)
    except MisspeltError as error:
        return BrokenPlatform(path.stem, error.place, error.problem)
    except DeclarationError as error:
        return BrokenPlatform(path.stem, _placed(str(path), error.line), str(error), error.platform)
    return _checked(platform, path.stem, str(path), others, replacing=replacing)


def load_module(
    load: Callable[[], ModuleType], name: str, others: Iterable[Platform], *, replacing: bool = False
) -> Platform | BrokenPlatform:
    """The `PLATFORM` of a Python file, or why it cannot be used beside the `others`.

    Args:
        load: runs the file.
        name: the file's name without `.py`.
        replacing: whether the platform may replace one of its name.
    """
    try:
        module = load()
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
        return BrokenPlatform(name, short_path(str(module.__file__)), "has no `PLATFORM = Platform(...)`")
    return _checked(platform, name, str(module.__file__), others, replacing=replacing)


def _checked(
    platform: Platform, module: str, file: str, others: Iterable[Platform], *, replacing: bool
) -> Platform | BrokenPlatform:
    try:
        validate_beside(platform, [one for one in others if not (replacing and one.name == platform.name)])
    except DeclarationError as error:
        return BrokenPlatform(module, _placed(file, error.line), str(error), platform.name)
    return platform


def _run(path: Path) -> ModuleType:
    """The module that a file is, under a name that no import finds."""
    loader = _Uncached(f"platform_assets_file_{path.stem}", str(path))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


class _Uncached(SourceFileLoader):
    """Leaves no `__pycache__` in the folder, which would also hide an edit within the same second."""

    def get_code(self, fullname: str) -> CodeType:
        return self.source_to_code(self.get_data(self.path), self.path)


def _imports_ours(path: Path) -> bool:
    return path.is_file() and _IMPORTED in path.read_bytes()


def _placed(file: str, line: int | None) -> str:
    return f"{short_path(file)}:{line}" if line else short_path(file)


def _place(error: Exception, name: str) -> str:
    """The innermost line of the platform's file in an error's traceback."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.endswith(f"/{name}.py")]
    return f"{short_path(frames[-1].filename)}:{frames[-1].lineno}" if frames else f"{name}.py"

"""The errors that the project raises on purpose: one line each, safe to print."""

from pathlib import Path


class PlatformAssetsError(Exception):
    """Base of every error of ours. Its text is one line, names what and where, and holds no secret."""


class SettingsError(PlatformAssetsError):
    """A setting is missing or cannot be used; the text names it and how to mend it."""


class DeclarationError(PlatformAssetsError):
    """A platform file says something that cannot be run; raised when the definitions load.

    `line` is where it stands in its file, None where that is not known.
    """

    def __init__(self, platform: str, resource: str | None, key: str, problem: str, line: int | None = None) -> None:
        self.platform = platform
        self.resource = resource
        self.key = key
        self.line = line
        where = f"{platform}.{resource}" if resource else platform
        super().__init__(f"{where}: `{key}`: {problem}")


class MisspeltError(PlatformAssetsError, TypeError):
    """A declaration has a key or a value that its class does not know; raised where the declaration stands.

    `key` is None where no one key is wrong; `place` is `<file>:<line>`.
    """

    def __init__(self, file: str, line: int, declared: str, key: str | None, problem: str) -> None:
        self.line = line
        self.key = key
        self.place = f"{short_path(file)}:{line}"
        self.problem = f"{declared}: {f'`{key}`: ' if key else ''}{problem}"
        super().__init__(f"{self.place}: {self.problem}")


def short_path(file: str) -> str:
    """A file's path as one would type it here: relative where it is below the working folder."""
    path, here = Path(file), Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)

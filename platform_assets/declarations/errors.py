"""The errors that the project raises deliberately: one line each, safe to print and to log."""

from pathlib import Path


class PlatformAssetsError(Exception):
    """Base of the project's errors. The text is one line, says what is wrong and where, and holds no secret."""


class SettingsError(PlatformAssetsError):
    """A setting is missing or invalid; the text names it and says how to fix it."""


class DeclarationError(PlatformAssetsError):
    """A platform is declared in a way that cannot run; raised when the definitions load.

    Attributes:
        platform, resource: names; `resource` is None if the platform itself is wrong.
        key: the wrong key.
        line: of the declaration in its file; None if unknown.
    """

    def __init__(self, platform: str, resource: str | None, key: str, problem: str, line: int | None = None) -> None:
        self.platform = platform
        self.resource = resource
        self.key = key
        self.line = line
        where = f"{platform}.{resource}" if resource else platform
        super().__init__(f"{where}: `{key}`: {problem}")


class MisspeltError(PlatformAssetsError, TypeError):
    """A declaration has a key that does not exist, or a value of a wrong type; raised when it is made.

    Attributes:
        line: of the declaration in its file.
        key: the wrong key; None if it is not a single one.
        place: `<file>:<line>`.
        problem: the text without the place.
    """

    def __init__(self, file: str, line: int, declared: str, key: str | None, problem: str) -> None:
        self.line = line
        self.key = key
        self.place = f"{short_path(file)}:{line}"
        self.problem = f"{declared}: {f'`{key}`: ' if key else ''}{problem}"
        super().__init__(f"{self.place}: {self.problem}")


def about(asset: str, reason: str) -> str:
    """`<asset>: <reason>`, each name once: reasons begin with their platform, some with their asset.

    Args:
        asset: `<platform>/<resource>`, with the partition in brackets if it is one.
    """
    reason = without_platform(asset.partition("/")[0], reason)
    return reason if reason.startswith(asset) else f"{asset}: {reason}"


def without_platform(platform: str, reason: str) -> str:
    """The reason without the platform's name before it, for a line that has named it already."""
    return reason.removeprefix(f"{platform}: ")


def short_path(file: str) -> str:
    """A file's path as one would type it here: relative if it is below the current folder."""
    path, here = Path(file), Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)

"""The errors that the project raises on purpose: one line each, safe to print."""


class PlatformAssetsError(Exception):
    """Base of every error of ours. Its text is one line, names what and where, and holds no secret."""


class DeclarationError(PlatformAssetsError):
    """A platform file says something that cannot be run; raised when the definitions load."""

    def __init__(self, platform: str, resource: str | None, key: str, problem: str) -> None:
        self.platform = platform
        self.resource = resource
        self.key = key
        where = f"{platform}.{resource}" if resource else platform
        super().__init__(f"{where}: `{key}`: {problem}")

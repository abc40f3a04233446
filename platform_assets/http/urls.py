"""URLs: the origin that requests must stay on, and paths with values filled in."""

from collections.abc import Mapping
from urllib.parse import quote, urlsplit

from platform_assets.http.errors import AnswerError

# A query parameter's value; a tuple is sent as `name=a&name=b`.
ParamValue = str | int | tuple[str, ...]


def origin(url: str) -> str:
    """Scheme, host and port of a URL, e.g. `https://api.example.com:443`.

    Raises:
        ValueError: if `url` is not a URL.
    """
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return f"{parts.scheme}://{parts.hostname}:{port}"


def fill_path(path: str, values: Mapping[str, object]) -> str:
    """A path with its `{name}` placeholders filled in, each value percent-encoded: `a/b?c` becomes `a%2Fb%3Fc`.

    Raises:
        AnswerError: for a value that no encoding keeps in its own segment: empty, `.` or `..`. Clients and servers
            remove dot segments, percent-encoded or not.
    """
    for name, value in values.items():
        text = str(value)
        if text in ("", ".", ".."):
            raise AnswerError(f"path value {text!r} for {{{name}}} in {path} cannot be a path segment: refused")
        path = path.replace(f"{{{name}}}", quote(text, safe=""))
    return path

"""URLs: the origin that requests must stay on, and paths with values filled in."""

from collections.abc import Container, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from platform_assets.http.errors import AnswerError

# A value that is sent; a tuple as `name=a&name=b`. Inside a JSON body it may be anything of JSON's.
ParamValue = str | int | float | tuple[str, ...] | list[Any] | dict[str, Any]


def origin(url: str) -> str:
    """Scheme, host and port of a URL, e.g. `https://api.example.com:443`.

    Raises:
        ValueError: if `url` is not a URL.
    """
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return f"{parts.scheme}://{parts.hostname}:{port}"


def without_params(url: str, names: Container[str]) -> str:
    """A URL without parameters that it may have already: a redirect or a link to a next page repeats credentials."""
    parts = urlsplit(url)
    given = parse_qsl(parts.query, keep_blank_values=True)
    kept = [pair for pair in given if pair[0] not in names]
    return url if kept == given else urlunsplit(parts._replace(query=urlencode(kept)))


def below(url: str, base_url: str | None) -> str:
    """The path of a URL that is below a base URL; another one as it is."""
    return url.removeprefix(base_url) if base_url and url.startswith(f"{base_url}/") else url


def fill_path(path: str, values: Mapping[str, object]) -> str:
    """A path with its placeholders filled in, percent-encoded.

    `a/b?c` for `{name}` becomes `a%2Fb%3Fc`, and for `{+name}` `a/b%3Fc`; a slash that it begins with is left out
    after one of the path.

    Raises:
        AnswerError: for a value that no encoding keeps in its own segments: empty, `.` or `..`. Clients and servers
            remove dot segments, percent-encoded or not.
    """
    for name, value in values.items():
        text = str(value)
        whole, parts = f"{{{name}}}", f"{{+{name}}}"
        if whole not in path and parts not in path:
            continue
        is_empty = (text.strip("/") if parts in path else text) == ""
        if is_empty or any(segment in (".", "..") for segment in (text.split("/") if parts in path else [text])):
            raise AnswerError(f"path value {text!r} for {{{name}}} in {path} cannot be a path segment: refused")
        segments = quote(text, safe="/")
        path = path.replace(f"/{parts}", "/" + segments.lstrip("/")).replace(parts, segments)
        path = path.replace(whole, quote(text, safe=""))
    return path

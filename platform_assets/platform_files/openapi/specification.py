"""A specification's file within bounds, its references, and one form for what OpenAPI 3 and Swagger 2 say."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from platform_assets.declarations import PlatformAssetsError
from platform_assets.declarations.errors import short_path
from platform_assets.platform_files import document
from platform_assets.platform_files.document import Bounds, Node, Scalar
from platform_assets.platform_files.reader import plain_value

_BOUNDS = Bounds(size=20_000_000, depth=100, nodes=2_000_000)
# References that lead to references; more are a circle.
_MAX_HOPS = 20
_MAX_OPERATIONS = 5000

Object = Mapping[str, Any]


class Unresolved(PlatformAssetsError):
    """A reference that leads out of the file, or nowhere."""


@dataclass(frozen=True)
class Parameter:
    """One parameter of an operation.

    Attributes:
        place: `query`, `path`, `header` or another word of the specification.
        schema: what its values are; empty if that is not said.
    """

    name: str
    place: str
    required: bool
    schema: Object


@dataclass(frozen=True)
class Operation:
    """What one `GET` of a path takes and answers.

    Attributes:
        answer: schema of the JSON body of a 200; None if there is none.
    """

    path: str
    summary: str
    parameters: tuple[Parameter, ...]
    answer: Object | None

    def query(self) -> dict[str, Parameter]:
        return {one.name: one for one in self.parameters if one.place == "query"}


class Specification:
    """A specification in either version. References are followed inside the file only."""

    def __init__(self, content: Object, file: str) -> None:
        self._content = content
        self.file = file
        # The fields of each schema that was looked at, by its identity: many lists may refer to one large schema.
        self.fields_of: dict[int, dict[str, Object]] = {}
        self.is_swagger = str(content.get("swagger", "")).startswith("2")
        if not self.is_swagger and not str(content.get("openapi", "")).startswith("3"):
            raise PlatformAssetsError(f"{file}: is no OpenAPI 3.x or Swagger 2 specification")

    @property
    def title(self) -> str:
        return _text(_object(self._content.get("info")).get("title"))

    @property
    def base_url(self) -> str | None:
        """The first server's address; None if the file names no whole one."""
        if self.is_swagger:
            schemes = self._content.get("schemes") or ["https"]
            scheme = "https" if "https" in schemes else str(schemes[0])
            host = _text(self._content.get("host"))
            url = f"{scheme}://{host}{_text(self._content.get('basePath'))}" if host else ""
        else:
            servers = self._content.get("servers")
            server = _object(servers[0]) if isinstance(servers, list) and servers else {}
            url = _text(server.get("url"))
            for name, variable in _object(server.get("variables")).items():
                url = url.replace(f"{{{name}}}", _text(_object(variable).get("default")))
        parts = urlsplit(url)
        return url.rstrip("/") if parts.scheme in ("http", "https") and parts.netloc and "{" not in url else None

    def security_schemes(self) -> list[Object]:
        """The ways to authenticate, those that the file requires everywhere first."""
        components = _object(self._content.get("components"))
        found = self._content.get("securityDefinitions") if self.is_swagger else components.get("securitySchemes")
        schemes = {name: self.resolved(scheme) for name, scheme in _object(found).items()}
        required = self._content.get("security")
        names = (
            [name for one in required if isinstance(one, dict) for name in one] if isinstance(required, list) else []
        )
        return [schemes[name] for name in dict.fromkeys([*names, *schemes]) if name in schemes]

    def operations(self) -> Iterator[tuple[str, Operation | str]]:
        """Each path with its `GET`, or why that cannot be read, in the file's order.

        Raises PlatformAssetsError if there are too many.
        """
        paths = _object(self._content.get("paths"))
        if len(paths) > _MAX_OPERATIONS:
            raise PlatformAssetsError(f"{self.file}: has more than {_MAX_OPERATIONS} paths")
        for path, item in paths.items():
            try:
                found = self.resolved(item)
                get = _object(found.get("get"))
                operation = self._operation(str(path), found, get) if get else None
            except Unresolved as error:
                operation = str(error)
            if operation is not None:
                yield str(path), operation

    def resolved(self, value: Any) -> Object:
        """An object, or the one that its `$ref` leads to. Raises Unresolved."""
        found = _object(value)
        for _ in range(_MAX_HOPS):
            reference = found.get("$ref")
            if not isinstance(reference, str):
                return found
            found = _object(self._at(reference))
        raise Unresolved("a reference leads in a circle")

    def _at(self, reference: str) -> Any:
        if not reference.startswith("#/"):
            raise Unresolved(f"the reference {reference[:100]!r} leads out of the file")
        found: Any = self._content
        for word in reference[2:].split("/"):
            key = unquote(word).replace("~1", "/").replace("~0", "~")
            if not isinstance(found, dict) or key not in found:
                raise Unresolved(f"the reference {reference[:100]!r} leads nowhere")
            found = found[key]
        return found

    def _operation(self, path: str, item: Object, get: Object) -> Operation:
        shared, own = item.get("parameters"), get.get("parameters")
        given = [*(shared if isinstance(shared, list) else []), *(own if isinstance(own, list) else [])]
        parameters = {(one.place, one.name): one for one in map(self._parameter, given)}
        summary = _text(get.get("summary")) or _text(get.get("description"))
        return Operation(path, summary, tuple(parameters.values()), self._answer(get))

    def _parameter(self, value: Any) -> Parameter:
        found = self.resolved(value)
        schema = self.resolved(found.get("schema")) if "schema" in found else found
        return Parameter(_text(found.get("name")), _text(found.get("in")), found.get("required") is True, schema)

    def _answer(self, get: Object) -> Object | None:
        responses = _object(get.get("responses"))
        found = next((responses[code] for code in ("200", "2XX", "default") if code in responses), None)
        response = self.resolved(found)
        if self.is_swagger:
            return self.resolved(response["schema"]) if "schema" in response else None
        for kind, media in _object(response.get("content")).items():
            if "json" in str(kind) or kind == "*/*":
                return self.resolved(_object(media).get("schema"))
        return None


def read_specification(path: Path) -> Specification:
    """The specification that a JSON or YAML file holds. Raises PlatformAssetsError if it cannot be read."""
    file = short_path(str(path))
    text = document.read_text(path, _BOUNDS)
    if text.lstrip().startswith("{"):
        try:
            content = json.loads(text)
        except (ValueError, RecursionError) as error:
            reason = "is nested too deep" if isinstance(error, RecursionError) else str(error)
            raise PlatformAssetsError(f"{file}: is not valid JSON: {reason}") from None
    else:
        content = _plain(document.parse(text, str(path), _BOUNDS))
    return Specification(content, file)


def _plain(node: Node) -> Any:
    if isinstance(node, Scalar):
        return plain_value(node)
    if isinstance(node, document.List):
        return [_plain(item) for item in node.items]
    return {name: _plain(value) for name, (_, value) in node.entries.items()}


def _object(value: Any) -> Object:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""

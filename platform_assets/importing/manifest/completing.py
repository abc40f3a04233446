"""Puts a component into its last form: parameters and schemas in their places, in today's words."""

from collections.abc import Mapping
from typing import Any

from platform_assets.importing.findings import Findings
from platform_assets.importing.manifest.legacy import settled
from platform_assets.importing.manifest.measured import MAX_STREAM_DEPTH, PARAMETERS, Shared
from platform_assets.importing.manifest.parameters import Parameters
from platform_assets.importing.manifest.schema_files import SchemaFiles, UnreadableSchema
from platform_assets.importing.values import TooLarge

MAX_VISITED = 1_000_000

_INLINE = "InlineSchemaLoader"
_FROM_FILE = "JsonFileSchemaLoader"


class Completion:
    """Completes components that have their types and parameters.

    Args:
        shared: makes what is returned, and made what is given.
        parameters: replaces parameters in texts.
        schemas: the files beside the manifest, and the manifest's own `schemas`.
        findings: gets what is assumed.
    """

    def __init__(self, shared: Shared, parameters: Parameters, schemas: SchemaFiles, findings: Findings) -> None:
        self._shared = shared
        self._parameters = parameters
        self._schemas = schemas
        self._findings = findings
        self._empty = shared.mapping({})
        self._known: dict[tuple[int, int], Any] = {}
        self._visited = 0

    def completed(self, component: Mapping[str, Any]) -> Any:
        """The component without `$parameters` and with everything in its place. Raises TooLarge."""
        return self._value(component, self._empty, 0)

    def _value(self, value: Any, parameters: dict[str, Any], depth: int) -> Any:
        if isinstance(value, str):
            found = self._parameters.replaced(value, parameters)
            # What a parameter is was made by `shared`, what was computed was not.
            return found if isinstance(found, str) else self._shared.all_of(found)
        if not isinstance(value, dict | list):
            return value
        key = (id(value), id(parameters))
        if key in self._known:
            return self._known[key]
        self._visited += 1
        if self._visited > MAX_VISITED:
            raise TooLarge(f"its components have more than {MAX_VISITED:,} parts")
        if depth > MAX_STREAM_DEPTH:
            raise TooLarge(f"its components are nested more than {MAX_STREAM_DEPTH} deep")
        if isinstance(value, list):
            found: Any = self._shared.list([self._value(part, parameters, depth + 1) for part in value])
        else:
            found = self._object(value, value.get(PARAMETERS, parameters), depth)
        self._known[key] = found
        return found

    def _object(self, value: dict[str, Any], parameters: dict[str, Any], depth: int) -> Any:
        kind = value.get("type")
        found: dict[str, Any] = {}
        for name, part in value.items():
            if name == PARAMETERS:
                continue
            # A schema is no template.
            is_kept = kind == _INLINE and name == "schema"
            replaced = self._parameters.replaced(name, parameters)
            found[replaced if isinstance(replaced, str) else name] = (
                part if is_kept else self._value(part, parameters, depth + 1)
            )
        if kind == "StateDelegatingStream":
            return self._delegated(found)
        found = settled(found)
        if kind == "DeclarativeStream":
            self._settle_schema(found)
        return self._shared.all_of(found)

    def _delegated(self, found: dict[str, Any]) -> Any:
        name = _stream_name(found)
        self._findings.assumed(
            name, "StateDelegatingStream", "`incremental_stream` is carried, also for the first read; the other is not"
        )
        stream = found.get("incremental_stream")
        if not isinstance(stream, dict):
            return self._shared.all_of(found)
        return self._shared.mapping({**stream, "name": found.get("name") or stream.get("name")})

    def _settle_schema(self, found: dict[str, Any]) -> None:
        """Put schemas in place of files that have them; leave out what cannot be read: it only tells types."""
        name = _stream_name(found)
        loader = found.get("schema_loader")
        if loader is None:
            schema = self._schemas.of_stream(name)
            if schema is not None:
                found["schema_loader"] = {"type": _INLINE, "schema": self._shared.all_of(schema)}
            return
        loaders = [self._loader(one, name) for one in (loader if isinstance(loader, list) else [loader])]
        kept = [one for one in loaders if one is not None]
        if not kept:
            del found["schema_loader"]
        else:
            found["schema_loader"] = kept if isinstance(loader, list) else kept[0]

    def _loader(self, loader: Any, name: str) -> Any:
        if not isinstance(loader, dict) or loader.get("type") != _FROM_FILE:
            return loader
        path = loader.get("file_path")
        try:
            if not path:
                schema = self._schemas.of_stream(name)
                if schema is None:
                    raise UnreadableSchema("no file is named, and there is none called after the stream")
            else:
                schema = self._schemas.in_file(str(path))
        except UnreadableSchema as error:
            self._findings.assumed(name, "schema_loader", f"{error}; types are those of the data")
            return None
        return {"type": _INLINE, "schema": self._shared.all_of(schema)}


def _stream_name(found: Mapping[str, Any]) -> str:
    name = found.get("name")
    return str(name) if name else "a stream without a name"

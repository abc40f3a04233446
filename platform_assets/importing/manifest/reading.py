"""A manifest's text as a `Manifest`: its YAML, references, parameters, legacy words and dynamic streams.

text -> plain_data -> references -> propagation -> completing -> components.Stream
                      one stream at a time, so that one that cannot be read leaves the others
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from platform_assets.importing.findings import Findings, UnreadableDocument
from platform_assets.importing.manifest.completing import Completion
from platform_assets.importing.manifest.components import Manifest, Stream
from platform_assets.importing.manifest.config_paths import settings_asked_for
from platform_assets.importing.manifest.dynamic_streams import MAX_STREAMS, DynamicStreams, NotKnown
from platform_assets.importing.manifest.expressions import has_template
from platform_assets.importing.manifest.measured import PARAMETERS, ComponentTooLarge, Shared
from platform_assets.importing.manifest.parameters import Parameters
from platform_assets.importing.manifest.plain_data import NotData, load_json, load_yaml
from platform_assets.importing.manifest.propagation import Propagation
from platform_assets.importing.manifest.references import References, UnknownReference
from platform_assets.importing.manifest.schema_files import SchemaFiles, UnreadableSchema
from platform_assets.importing.manifest.settings import ConfigSettings
from platform_assets.importing.names import snake_case
from platform_assets.importing.values import TooLarge

_SOURCE = "DeclarativeSource"
_STREAM = "DeclarativeStream"
_STREAMS = ("streams", "dynamic_streams")
# How deep a manifest may stand in what a tool saved around it.
_MAX_AROUND = 4
_SPEC_TITLE = re.compile(r"\s*(source|connector|configuration|connection|spec(ification)?)\s*$", re.IGNORECASE)
_SPEC_FILES = ("spec.yaml", "spec.yml", "spec.json")
_WHOLE = "the whole stream"
# What ends a part of the manifest, and leaves the others.
_LEFT_OUT = (UnknownReference, ComponentTooLarge)
_LONGEST_TITLE = 100
# Of an error.
_LONGEST = 500


def is_manifest(loaded: Any) -> bool:
    """Whether data of a file is a declarative connector's manifest."""
    if not isinstance(loaded, Mapping) or not any(isinstance(loaded.get(key), list) for key in _STREAMS):
        return False
    if loaded.get("type") == _SOURCE or "definitions" in loaded or "check" in loaded:
        return True
    streams = [one for key in _STREAMS for one in loaded.get(key) or () if isinstance(one, Mapping)]
    return any("retriever" in one or "stream_template" in one for one in streams)


def manifest_in(loaded: Any) -> Mapping[str, Any] | None:
    """The manifest in a file's data: itself, or what the Connector Builder saves around one; None if there is none."""
    left = [(loaded, 0)]
    while left:
        value, depth = left.pop(0)
        if is_manifest(value):
            return value
        if isinstance(value, Mapping) and depth < _MAX_AROUND and len(value) <= 100:
            left += [(part, depth + 1) for part in value.values() if isinstance(part, Mapping)]
    return None


def read_manifest(text: str, file: Path, findings: Findings) -> Manifest:
    """The manifest in a text, YAML or JSON.

    Args:
        file: where the text is from; schemas that it refers to are read from this folder only.
        findings: gets what was assumed or left out.

    Raises UnreadableDocument if no stream can be read.
    """
    try:
        manifest = manifest_in(_loaded(text))
        if manifest is None:
            raise UnreadableDocument(f"{file.name}: no manifest found: looked for `streams` with `retriever`s")
        return _Reading(manifest, file, findings).manifest()
    except NotData as error:
        raise UnreadableDocument(f"{file.name}: {error}") from None
    except TooLarge as error:
        raise UnreadableDocument(f"{file.name}: {error}: no manifest is") from None
    except RecursionError:
        raise UnreadableDocument(f"{file.name}: is nested too deep: no manifest is") from None


def _loaded(text: str) -> Any:
    """Raises NotData and TooLarge."""
    if text.lstrip()[:1] == "{":
        try:
            return load_json(text)
        except NotData:
            # YAML may begin with a bracket, too.
            pass
    return load_yaml(text)


class _Reading:
    """One manifest while it is read."""

    def __init__(self, manifest: Mapping[str, Any], file: Path, findings: Findings) -> None:
        self._written = manifest
        self._file = file
        self._findings = findings
        self._shared = Shared()
        self._schemas = SchemaFiles(file.parent, self._shared, self._named_schema)
        self._references = References(manifest, self._shared, self._schemas.referred)
        self._propagation = Propagation(self._shared, self._own_parameters())
        self._parameters = Parameters()
        self._dynamic_streams = DynamicStreams(self._shared, self._propagation, self._parameters, findings)
        self._completion = Completion(self._shared, self._parameters, self._schemas, findings)

    def manifest(self) -> Manifest:
        spec = self._part("spec", "DeclarativeSource.spec") if "spec" in self._written else self._spec_beside()
        specification = spec.get("connection_specification") or spec.get("connectionSpecification")
        specification = specification if isinstance(specification, Mapping) else {}
        settings = ConfigSettings(specification, settings_asked_for(self._written))
        docs_url = spec.get("documentation_url") or spec.get("documentationUrl")
        docs_url = docs_url if isinstance(docs_url, str) and docs_url.startswith(("https://", "http://")) else None
        streams = self._streams()
        budget = self._part("api_budget", "DeclarativeSource.api_budget")
        check = self._part("check", "DeclarativeSource.check").get("stream_names")
        title = _title(specification.get("title"))
        return Manifest(
            name=_name(docs_url, title, self._file),
            title=title,
            streams=streams,
            settings=settings,
            check=tuple(one for one in check if isinstance(one, str)) if isinstance(check, list) else (),
            concurrency=self._concurrency(settings),
            jobs=self._number(self._written.get("max_concurrent_async_job_count"), settings) or 1,
            api_budget=budget or None,
            docs_url=docs_url,
            file=self._file.name,
        )

    def _own_parameters(self) -> Mapping[str, Any]:
        written = self._written.get(PARAMETERS)
        try:
            return self._resolved(written) if written is not None else {}
        except _LEFT_OUT as error:
            self._findings.not_carried(None, PARAMETERS, str(error))
            return {}

    def _spec_beside(self) -> Mapping[str, Any]:
        """What old connectors have in a file of its own; empty if there is none."""
        for name in _SPEC_FILES:
            try:
                return self._schemas.in_file(name)
            except UnreadableSchema:
                continue
        return {}

    def _named_schema(self, name: str) -> Any:
        named = self._written.get("schemas")
        if not isinstance(named, Mapping) or name not in named:
            return None
        try:
            return self._references.resolved(named[name])
        except UnknownReference as error:
            self._findings.assumed(name, "schemas", f"{error}; types are those of the data")
            return None

    def _part(self, key: str, place: str) -> Mapping[str, Any]:
        """A part of the manifest besides its streams; empty if it is not there or cannot be read."""
        if not isinstance(self._written.get(key), Mapping | str):
            return {}
        try:
            return self._completed(self._propagation.component(self._resolved(self._written[key]), place))
        except _LEFT_OUT as error:
            self._findings.not_carried(None, key, str(error))
            return {}

    def _concurrency(self, settings: ConfigSettings) -> int | None:
        """The number that `concurrency_level` says, also as a setting's default."""
        level = self._part("concurrency_level", "DeclarativeSource.concurrency_level").get("default_concurrency")
        return self._number(level, settings)

    def _number(self, level: Any, settings: ConfigSettings) -> int | None:
        """A number that is written out, or comes of the settings' defaults; None for what is none."""
        if isinstance(level, str) and has_template(level):
            declared = {name: settings.default(name) for name in settings.all}
            stated = {name: value for name, value in declared.items() if value is not None}
            level = self._parameters.with_values(level, {"config": stated})[0]
        if isinstance(level, str) and level.strip().isascii() and level.strip().isdigit() and len(level) < 10:
            level = int(level)
        return level if type(level) is int and 0 < level < 10_000 else None

    def _streams(self) -> tuple[Stream, ...]:
        found: dict[str, Stream] = {}
        for component in self._components():
            name = component.get("name")
            name = name if isinstance(name, str) and name else f"stream_{len(found) + 1}"
            if name in found:
                if found[name].component is not component:
                    self._findings.not_carried(name, _WHOLE, "another stream of the manifest has the same name")
                continue
            found[name] = Stream(name, component)
            if len(found) > MAX_STREAMS:
                raise TooLarge(f"it has more than {MAX_STREAMS:,} streams")
        if not found:
            reasons = "; ".join(f"{one.resource or one.what}: {one.why}" for one in self._findings.all()[:5])
            problem = f"no stream can be read: {reasons or 'there are none'}"
            # The text of a file that somebody else wrote must not command the terminal.
            shown = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in problem[:_LONGEST])
            raise UnreadableDocument(f"{self._file.name}: {shown}")
        return tuple(found.values())

    def _components(self) -> Iterator[Mapping[str, Any]]:
        for place, written in enumerate(self._list("streams")):
            yield from self._stream(written, place)
        for written in self._list("dynamic_streams"):
            yield from self._dynamic(written)

    def _list(self, key: str) -> list[Any]:
        written = self._written.get(key) or []
        return written if isinstance(written, list) else []

    def _stream(self, written: Any, place: int) -> Iterator[Mapping[str, Any]]:
        label = written.get("name") if isinstance(written, Mapping) else written
        label = label if isinstance(label, str) and len(label) < _LONGEST_TITLE else f"streams[{place}]"
        try:
            propagated = self._propagation.component(self._resolved(written), "DeclarativeSource.streams")
        except _LEFT_OUT as error:
            self._findings.not_carried(label, _WHOLE, str(error))
            return
        if propagated.get("type") == "ConditionalStreams":
            yield from self._conditional(propagated)
        else:
            yield from self._completed_stream(propagated, label)

    def _conditional(self, component: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        condition = str(component.get("condition"))[:200]
        streams = component.get("streams")
        for place, one in enumerate(streams if isinstance(streams, list) else ()):
            label = str(one.get("name")) if isinstance(one, dict) else f"ConditionalStreams.streams[{place}]"
            for completed in self._completed_stream(one, label):
                self._findings.assumed(
                    str(completed.get("name")), "ConditionalStreams", f"is carried whether or not `{condition}` holds"
                )
                yield completed

    def _dynamic(self, written: Any) -> Iterator[Mapping[str, Any]]:
        name = str(written.get("name") or "dynamic_streams") if isinstance(written, Mapping) else "dynamic_streams"
        try:
            dynamic = self._shared.mapping({"type": "DynamicDeclarativeStream", **self._resolved(written)})
            propagated = self._propagation.component(dynamic, "")
            for one in self._dynamic_streams.expanded(propagated):
                yield from self._completed_stream(one, str(one.get("name")))
        except (*_LEFT_OUT, NotKnown) as error:
            self._findings.not_carried(name, "dynamic_streams", str(error))

    def _resolved(self, written: Any) -> dict[str, Any]:
        found = self._references.resolved(written)
        if not isinstance(found, dict):
            raise UnknownReference("is no object")
        return found

    def _completed_stream(self, propagated: Any, label: str) -> Iterator[Mapping[str, Any]]:
        """The stream, or nothing and a finding."""
        try:
            found = self._completed(propagated)
        except _LEFT_OUT as error:
            self._findings.not_carried(label, _WHOLE, str(error))
            return
        if found.get("type") == _STREAM:
            yield found
        else:
            kind = str(found.get("class_name") or found.get("type"))[:_LONGEST_TITLE]
            self._findings.not_carried(label, _WHOLE, f"is a `{kind}`, which is no stream of the language")

    def _completed(self, propagated: Mapping[str, Any]) -> Mapping[str, Any]:
        found = self._completion.completed(propagated)
        if not isinstance(found, Mapping):
            raise UnknownReference("is no object")
        return found


def _title(written: Any) -> str | None:
    """`Shop API Spec` -> `Shop API`."""
    if not isinstance(written, str):
        return None
    found = " ".join(written.split())[:_LONGEST_TITLE]
    while (shorter := _SPEC_TITLE.sub("", found)) != found:
        found = shorter
    return found or None


def _name(docs_url: str | None, title: str | None, file: Path) -> str | None:
    """The source's name: of its page in the documentation, else of its folder or its title."""
    try:
        path = urlsplit(docs_url or "").path.rstrip("/")
    except ValueError:
        path = ""
    if "/sources/" in path:
        return snake_case(path.rpartition("/")[2]) or None
    folder = snake_case(file.resolve().parent.name)
    if folder.startswith("source_"):
        return snake_case(folder.removeprefix("source_")) or None
    return (snake_case(title) or None) if title else None

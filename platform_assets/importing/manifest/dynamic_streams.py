"""Streams that a template makes of a list: what stands in the manifest is made here, what an API would say is not.

CDK: for each item of the list a copy of `stream_template` is changed at the paths of `components_mapping`, and gets its
parameters again, those of components around others before their own.
"""

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import islice, product
from typing import Any

from platform_assets.importing.findings import Findings
from platform_assets.importing.manifest.expressions import has_template
from platform_assets.importing.manifest.measured import PARAMETERS, Shared
from platform_assets.importing.manifest.parameters import Parameters
from platform_assets.importing.manifest.plain_data import NotData, load_yaml
from platform_assets.importing.manifest.propagation import Propagation
from platform_assets.importing.values import TooLarge

MAX_STREAMS = 2_000
# Components that one path of a mapping changes.
_MOST_CHANGED = 10_000
_FALSE = ("", "false", "0", "none", "no")


class NotKnown(Exception):
    """What makes the streams is not in the manifest; the text says where it is."""


class DynamicStreams:
    """Makes streams of templates.

    Args:
        shared: makes what is returned, and made what is given.
        propagation: gives a changed template its parameters.
        parameters: replaces names in texts.
        findings: gets what is assumed.
    """

    def __init__(self, shared: Shared, propagation: Propagation, parameters: Parameters, findings: Findings) -> None:
        self._shared = shared
        self._propagation = propagation
        self._parameters = parameters
        self._findings = findings

    def expanded(self, stream: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """The streams of a `DynamicDeclarativeStream`, all with types and parameters. Raises NotKnown and TooLarge."""
        name = str(stream.get("name") or "dynamic_streams")
        template, resolver = stream.get("stream_template"), stream.get("components_resolver")
        if not isinstance(template, dict) or not isinstance(resolver, dict):
            raise NotKnown("has no `stream_template` with a `components_resolver`")
        mappings = [one for one in _listed(resolver.get("components_mapping")) if isinstance(one, dict)]
        outer_wins = stream.get("use_parent_parameters", True) is not False
        for count, item in enumerate(self._items(resolver, name), 1):
            if count > MAX_STREAMS:
                raise TooLarge(f"it makes more than {MAX_STREAMS:,} streams of one template")
            changed: Any = template
            for one in mappings:
                values = {
                    "components_values": item,
                    "stream_template_config": template,
                    "parameters": one.get(PARAMETERS) or {},
                }
                if self._holds(one, values, name):
                    changed = self._changed(changed, one, values)
            changed = self._shared.all_of(changed)
            place = "DynamicDeclarativeStream.stream_template"
            yield self._propagation.component(changed, place, outer_wins=outer_wins)

    def _items(self, resolver: Mapping[str, Any], name: str) -> Iterator[Any]:
        kind = resolver.get("type")
        if kind == "ParametrizedComponentsResolver":
            stated = resolver.get("stream_parameters")
            items = stated.get("list_of_parameters_for_stream") if isinstance(stated, dict) else None
            if not isinstance(items, list):
                raise NotKnown("its list of parameters is not in the manifest")
            return iter(items)
        if kind == "ConfigComponentsResolver":
            found = _stated_defaults(resolver)
            why = "only the streams that the manifest names itself, none of the user's settings"
            self._findings.assumed(None, name, why)
            return found
        if kind == "HttpComponentsResolver":
            raise NotKnown("which streams there are is asked from the API when it runs")
        raise NotKnown(f"which streams there are is found out by {kind or 'nothing that is named'}")

    def _holds(self, mapping: Mapping[str, Any], values: Mapping[str, Any], name: str) -> bool:
        condition = mapping.get("condition")
        if not isinstance(condition, str) or not condition:
            return True
        holds = self._parameters.with_values(condition, values)[0]
        if isinstance(holds, str) and has_template(holds):
            self._findings.assumed(None, name, f"the condition `{condition[:100]}` of a mapping holds")
            return True
        return bool(holds) and str(holds).strip().lower() not in _FALSE

    def _changed(self, target: Any, mapping: Mapping[str, Any], values: Mapping[str, Any]) -> Any:
        """The target with one mapping's value in its place."""
        path = [str(self._replaced(step, values)) for step in _listed(mapping.get("field_path"))]
        if not path:
            return target
        value = self._shared.all_of(_parsed(self._replaced(mapping.get("value"), values)))
        change = _Change(path, value, self._shared)
        changed = change.made(target, 0)
        if not change.count and mapping.get("create_or_update") is True:
            return _created(target, path, value, self._shared)
        return changed

    def _replaced(self, written: Any, values: Mapping[str, Any]) -> Any:
        return self._parameters.with_values(written, values)[0] if isinstance(written, str) else written


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _stated_defaults(resolver: Mapping[str, Any]) -> Iterator[Any]:
    """Items that the manifest names beside those of the user's settings; of several lists each with each."""
    configs = resolver.get("stream_config")
    configs = configs if isinstance(configs, list) else [configs]
    lists = [one.get("default_values") or [] for one in configs if isinstance(one, dict)]
    if not lists or not all(isinstance(one, list) and one for one in lists):
        raise NotKnown("which streams there are is in the user's settings, and the manifest names none itself")
    combined = islice(product(*(enumerate(one) for one in lists)), MAX_STREAMS + 1)
    return (_combined(one) for one in combined)


def _combined(items: Sequence[tuple[int, Any]]) -> dict[str, Any]:
    """CDK: objects are one object, other values stand under a name of their own."""
    found: dict[str, Any] = {}
    for place, (index, item) in enumerate(items):
        if isinstance(item, dict):
            found.update(item)
        else:
            found.setdefault(f"source_config_{place}", [index, item])
    return found


def _parsed(value: Any) -> Any:
    """CDK: a text is read as YAML if it is some, so `[a, b]` is a list."""
    if not isinstance(value, str) or has_template(value):
        return value
    try:
        return load_yaml(value)
    except NotData:
        return value


class _Change:
    """A value at a path of text keys, in which `*` stands for any; only where there is one already."""

    def __init__(self, path: Sequence[str], value: Any, shared: Shared) -> None:
        self.count = 0
        self._value = value
        self._path = path
        self._shared = shared

    def made(self, target: Any, at: int) -> Any:
        """A copy of the target with the value in it; the target itself if the path is not there."""
        if at == len(self._path):
            self.count += 1
            if self.count > _MOST_CHANGED:
                raise TooLarge("a mapping changes components without end")
            return self._value
        step = self._path[at]
        if isinstance(target, dict):
            found = {key: self.made(part, at + 1) if _fits(key, step) else part for key, part in target.items()}
            return self._shared.mapping(found)
        if isinstance(target, list):
            return self._shared.list(
                [self.made(part, at + 1) if _fits(str(place), step) else part for place, part in enumerate(target)]
            )
        return target


def _fits(key: str, step: str) -> bool:
    return key == step or (step == "*" or ("*" in step and len(step) < 100 and fnmatchcase(key, step)))


def _created(target: Any, path: Sequence[str], value: Any, shared: Shared) -> Any:
    """The target with objects made for the path."""
    if not path:
        return value
    own = target if isinstance(target, dict) else {}
    return shared.mapping({**own, path[0]: _created(own.get(path[0]), path[1:], value, shared)})

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


def expanded(
    stream: Mapping[str, Any],
    shared: Shared,
    propagation: Propagation,
    parameters: Parameters,
    findings: Findings,
) -> Iterator[dict[str, Any]]:
    """The streams of a `DynamicDeclarativeStream`, with types and parameters.

    Args:
        stream: has its types and parameters, made by `shared`.

    Raises NotKnown and TooLarge.
    """
    name = str(stream.get("name") or "dynamic_streams")
    template, resolver = stream.get("stream_template"), stream.get("components_resolver")
    if not isinstance(template, dict) or not isinstance(resolver, dict):
        raise NotKnown("has no `stream_template` with a `components_resolver`")
    items = _items(resolver, name, findings)
    mappings = [one for one in _listed(resolver.get("components_mapping")) if isinstance(one, dict)]
    outer_wins = stream.get("use_parent_parameters", True) is not False
    for count, item in enumerate(items, 1):
        if count > MAX_STREAMS:
            raise TooLarge(f"it makes more than {MAX_STREAMS:,} streams of one template")
        changed: Any = template
        for one in mappings:
            changed = _mapped(changed, one, item, template, name, shared, parameters, findings)
        yield propagation.component(
            shared.all_of(changed), "DynamicDeclarativeStream.stream_template", outer_wins=outer_wins
        )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _items(resolver: Mapping[str, Any], name: str, findings: Findings) -> Iterator[Any]:
    kind = resolver.get("type")
    if kind == "ParametrizedComponentsResolver":
        stated = resolver.get("stream_parameters")
        items = stated.get("list_of_parameters_for_stream") if isinstance(stated, dict) else None
        if not isinstance(items, list):
            raise NotKnown("its list of parameters is not in the manifest")
        return iter(items)
    if kind == "ConfigComponentsResolver":
        return _stated_defaults(resolver, name, findings)
    if kind == "HttpComponentsResolver":
        raise NotKnown("which streams there are is asked from the API when it runs")
    raise NotKnown(f"which streams there are is found out by {kind or 'nothing that is named'}")


def _stated_defaults(resolver: Mapping[str, Any], name: str, findings: Findings) -> Iterator[Any]:
    """Items that the manifest names beside those of the user's settings; of several lists each with each."""
    configs = resolver.get("stream_config")
    configs = configs if isinstance(configs, list) else [configs]
    lists = [one.get("default_values") or [] for one in configs if isinstance(one, dict)]
    if not lists or not all(isinstance(one, list) and one for one in lists):
        raise NotKnown("which streams there are is in the user's settings, and the manifest names none itself")
    findings.assumed(None, name, "only the streams that the manifest names itself, none of the user's settings")
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


def _mapped(
    target: Any,
    mapping: Mapping[str, Any],
    item: Any,
    template: Mapping[str, Any],
    name: str,
    shared: Shared,
    parameters: Parameters,
    findings: Findings,
) -> Any:
    """The target with one mapping's value in its place."""
    own = mapping.get(PARAMETERS)
    names = {"components_values": item, "stream_template_config": template, "parameters": own or {}}
    condition = mapping.get("condition")
    if isinstance(condition, str) and condition:
        holds = parameters.with_values(condition, names)[0]
        if isinstance(holds, str) and has_template(holds):
            findings.assumed(None, name, f"the condition `{condition[:100]}` of a mapping holds")
        elif not holds or str(holds).strip().lower() in _FALSE:
            return target
    path = [_texts(parameters, step, names) for step in _listed(mapping.get("field_path"))]
    written = mapping.get("value")
    value = parameters.with_values(written, names)[0] if isinstance(written, str) else written
    if not path:
        return target
    changes = _Change(path, shared.all_of(_parsed(value)), shared)
    changed = changes.made(target, 0)
    if not changes.count and mapping.get("create_or_update") is True:
        return _created(target, path, changes.value, shared)
    return changed


def _texts(parameters: Parameters, step: Any, names: Mapping[str, Any]) -> str:
    return str(parameters.with_values(step, names)[0]) if isinstance(step, str) else str(step)


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
        self.value = value
        self.count = 0
        self._path = path
        self._shared = shared

    def made(self, target: Any, at: int) -> Any:
        """A copy of the target with the value in it; the target itself if the path is not there."""
        if at == len(self._path):
            self.count += 1
            if self.count > _MOST_CHANGED:
                raise TooLarge("a mapping changes components without end")
            return self.value
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

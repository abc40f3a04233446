"""A key with a value of any kind is read, or the manifest is refused in one line: none ends in a traceback."""

import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from platform_assets.importing.findings import Findings, UnreadableDocument
from platform_assets.importing.manifest.plain_data import load_yaml
from platform_assets.importing.manifest.reading import read_manifest
from tests.importing.manifest.test_components import LEGACY, SHOP
from tests.importing.manifest.test_dynamic_streams import TEMPLATE, parametrized
from tests.importing.test_odd_values import ODD
from tests.tiers import one_in

MAPPINGS = "    - {field_path: [name], value: '{{ components_values.name }}', condition: '{{ true }}'}\n"
REST = """
spec: {connection_specification: {required: [a], properties: {a: {oneOf: [{properties: {b: {default: 1}}}]}}}}
concurrency_level: {default_concurrency: "{{ config['b'] }}"}
api_budget: {type: HTTPAPIBudget, policies: []}
schemas: {orders: {type: object}}
"""
WHOLE: dict[str, Any] = load_yaml(SHOP + TEMPLATE + parametrized(MAPPINGS) + REST)
WHOLE["streams"] += [
    load_yaml(f"name: legacy_{number}\n{written}".replace("\n  ", "\n"))
    for number, (written, _, _) in enumerate(LEGACY.values())
    if not written.startswith("$options")
]
ODD_HERE: tuple[Any, ...] = (
    *ODD,
    "{{ parameters.x }}",
    "{{ parameters['x'] + config }}",
    "{% if parameters.a %}",
    "#/definitions/orders",
    "#/streams",
    "*ref(definitions)",
    {"$ref": "#/definitions/lines"},
    {"$ref": 5},
    {"type": {}},
    {"type": "SimpleRetriever"},
    {"type": "CartesianProductStreamSlicer", "stream_slicers": 3},
    {"class_name": "airbyte_cdk.X"},
    {"class_name": 3},
    {"$parameters": []},
    {"$parameters": {"type": "x"}},
)


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield from _paths(value[key], (*path, key))


def _with(value: Any, path: tuple[Any, ...], odd: Any) -> Any:
    if not path:
        return odd
    found = copy.copy(value)
    found[path[0]] = _with(value[path[0]], path[1:], odd)
    return found


PATHS = [path for path in _paths(WHOLE) if path]


@pytest.mark.parametrize("seed", one_in(10, range(10), slow=5))
def test_a_value_of_any_kind_at_any_place_is_read_or_refused(seed: int) -> None:
    rng = random.Random(seed)
    read = 0
    for _ in range(400):
        places = [(rng.choice(PATHS), rng.choice(ODD_HERE)) for _ in range(rng.choice([1, 1, 2]))]
        changed = WHOLE
        for path, odd in places:
            # The second place may be gone with the first.
            if path in set(_paths(changed)):
                changed = _with(changed, path, odd)
        try:
            found = read_manifest(json.dumps(changed), Path("shop.json"), Findings())
        except UnreadableDocument as error:
            assert str(error).startswith("shop.json: "), places
            assert str(error).isprintable(), places
            continue
        read += 1
        for one in found.streams:
            assert one.component["type"] == "DeclarativeStream", places
            assert one.name == one.component.get("name") or one.name.startswith("stream_"), places
            found.settings.flattened(json.dumps(one.component))
    assert read > 300

"""References bring what they name, own keys win, and one that leads nowhere costs only what needs it."""

import random
from collections.abc import Mapping
from typing import Any

import pytest

from platform_assets.importing.findings import Findings
from platform_assets.importing.manifest.measured import ComponentTooLarge, Shared
from platform_assets.importing.manifest.references import References, UnknownReference
from tests.importing.manifest.reading import manifest, reasons


def resolved(tree: Mapping[str, Any], value: Any) -> Any:
    shared = Shared()
    return References(tree, shared).resolved(value)


TREE: dict[str, Any] = {
    "definitions": {
        "base": {"a": 1, "inner": {"x": 1, "y": 2}},
        "more": {"$ref": "#/definitions/base", "b": 2},
        "list": [{"a": 0}, "#/definitions/base"],
        "with/slash": {"c": 3},
        "limit": 50,
    },
    "definitions/limit": 7,
}


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("#/definitions/base", {"a": 1, "inner": {"x": 1, "y": 2}}),
        ({"$ref": "#/definitions/more"}, {"a": 1, "inner": {"x": 1, "y": 2}, "b": 2}),
        # One level deep: an object of the component's own replaces the other's.
        ({"$ref": "#/definitions/base", "inner": {"z": 3}}, {"a": 1, "inner": {"z": 3}}),
        ({"$ref": "#/definitions/limit", "a": 1}, 7),
        ("#/definitions/base/inner/y", 2),
        ("#/definitions/list/0/a", 0),
        ("#/definitions/with/slash", {"c": 3}),
        ("*ref(definitions.base.inner)", {"x": 1, "y": 2}),
        ("*ref(definitions.list[0])", {"a": 0}),
        ({"$ref": "*ref(definitions.more)"}, {"a": 1, "inner": {"x": 1, "y": 2}, "b": 2}),
        (["#/definitions/limit", "# /no"], [7, "# /no"]),
        ({"$options": {"a": 1}}, {"$parameters": {"a": 1}}),
        ({"config_overrides": {"a": "#/definitions/base"}}, {"config_overrides": {"a": "#/definitions/base"}}),
    ],
)
def test_references_bring_what_they_name(written: Any, value: Any) -> None:
    assert resolved(TREE, written) == value


@pytest.mark.parametrize(
    "path",
    ["#/nowhere", "#/definitions/list/2", "#/definitions/list/x", "#/definitions/list/1/a", "*ref(definitions.no)"],
)
def test_a_reference_that_leads_nowhere_is_named(path: str) -> None:
    with pytest.raises(UnknownReference, match="is not in the manifest"):
        resolved(TREE, {"a": [path]})


def test_one_object_stands_for_all_that_are_the_same() -> None:
    found = resolved(TREE, {"a": "#/definitions/more", "b": [{"$ref": "#/definitions/base", "b": 2}]})
    assert found["a"] is found["b"][0]


def test_a_broken_stream_is_left_out_and_a_broken_definition_that_nothing_uses_is_not_looked_at() -> None:
    findings = Findings()
    found = manifest(
        "definitions: {broken: {$ref: '#/no'}}\n"
        "streams:\n- {name: orders, retriever: {}}\n- {name: items, retriever: {$ref: '#/definitions/nowhere'}}\n"
        "- '#/streams/7'\n- 5\n",
        findings,
    )
    assert [one.name for one in found.streams] == ["orders"]
    whole = "the whole stream"
    assert reasons(findings) == [
        ("not carried", "items", whole),
        ("not carried", "#/streams/7", whole),
        ("not carried", "streams[3]", whole),
    ]


def _random_tree(rng: random.Random, depth: int, names: list[str]) -> Any:
    kind = rng.random()
    if depth == 0 or kind < 0.2:
        return rng.choice([1, True, None, "text", "1", 1.0])
    if kind < 0.45 and names:
        return f"#/definitions/{rng.choice(names)}"
    if kind < 0.6:
        return [_random_tree(rng, depth - 1, names) for _ in range(rng.randrange(3))]
    found = {rng.choice("abcd"): _random_tree(rng, depth - 1, names) for _ in range(rng.randrange(4))}
    return {"$ref": f"#/definitions/{rng.choice(names)}", **found} if names and kind > 0.8 else found


def _written_out(value: Any, tree: Mapping[str, Any]) -> Any:
    """What references mean, in the plainest way."""
    if isinstance(value, str) and value.startswith("#/definitions/"):
        return _written_out(tree["definitions"][value.rpartition("/")[2]], tree)
    if isinstance(value, list):
        return [_written_out(one, tree) for one in value]
    if not isinstance(value, dict):
        return value
    own = {key: _written_out(one, tree) for key, one in value.items() if key != "$ref"}
    target = _written_out(value["$ref"], tree) if "$ref" in value else {}
    return target | own if isinstance(target, dict) else target


@pytest.mark.parametrize("seed", range(5))
def test_any_tree_of_references_is_what_it_is_written_out(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(60):
        names: list[str] = []
        tree: dict[str, Any] = {"definitions": {}}
        for number in range(8):
            # Each names earlier ones only, so that there is no circle.
            tree["definitions"][f"d{number}"] = _random_tree(rng, 3, names)
            names.append(f"d{number}")
        expected = _written_out({"all": "#/definitions/d7", "rest": tree["definitions"]["d6"]}, tree)
        found = resolved(tree, {"all": "#/definitions/d7", "rest": tree["definitions"]["d6"]})
        # `repr` tells 1 from True.
        assert repr(found) == repr(expected)


def test_equal_values_of_other_types_are_not_shared() -> None:
    shared = Shared()
    ones = [shared.mapping({"a": value}) for value in (1, True, 1.0, "1")]
    assert len({id(one) for one in ones}) == 4
    assert [repr(one["a"]) for one in ones] == ["1", "True", "1.0", "'1'"]


def test_a_tree_is_as_large_as_it_is_written_out() -> None:
    shared = Shared()
    value: Any = shared.list([1])
    with pytest.raises(ComponentTooLarge, match="values"):
        for _ in range(100):
            value = shared.list([value] * 10)
    deep: Any = shared.list([])
    with pytest.raises(ComponentTooLarge, match="deep"):
        for _ in range(1_000):
            deep = shared.list([deep])

"""A manifest's YAML means what it says, whatever YAML 1.1 makes of it, and aliases stay one object."""

from typing import Any

import pytest

from platform_assets.importing.manifest.plain_data import NotData, load_json, load_yaml


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("2021-01-01", "2021-01-01"),
        ("2021-01-01T00:00:00Z", "2021-01-01T00:00:00Z"),
        ("12:30:45", "12:30:45"),
        ("12:30.5", "12:30.5"),
        ("'007'", "007"),
        ("017", 15),
        ("0x1F", 31),
        ("-0b11", -3),
        ("1_000", 1000),
        ("-5", -5),
        ("1.50", 1.5),
        ("1e400", "1e400"),
        (".nan", ".nan"),
        ("on", True),
        ("No", False),
        ("~", None),
        ("", None),
        ("=", "="),
        ("{{a}: 1}", NotData),
        ("!!binary aGk=", NotData),
        ("!own [1]", NotData),
        ("!!set {a}", NotData),
    ],
)
def test_values_are_what_the_language_means(written: str, value: Any) -> None:
    if value is NotData:
        with pytest.raises(NotData, match=r"^line 1: "):
            load_yaml(f"a: {written}")
    else:
        found = load_yaml(f"a: {written}")["a"]
        assert (found, type(found)) == (value, type(value))


def test_keys_are_texts_as_they_are_written() -> None:
    assert list(load_yaml("on: 1\n200: 2\nnull: 3\n2021-01-01: 4\n")) == ["on", "200", "null", "2021-01-01"]


def test_an_alias_is_the_object_that_it_names() -> None:
    found = load_yaml("a: &a {x: [1]}\nb: *a\nc: {d: *a}\n")
    assert found["b"] is found["a"]
    assert found["c"]["d"] is found["a"]


def test_merge_keys_are_merged_and_own_keys_win_wherever_they_stand() -> None:
    text = "one: &one {a: 1, b: 1}\ntwo: &two {b: 2, c: 2}\nboth: {c: 0, <<: [*one, *two], d: 4}\n"
    assert load_yaml(text)["both"] == {"a": 1, "b": 1, "c": 0, "d": 4}


@pytest.mark.parametrize("text", ["a: [", "a: b: c", "? [1]\n: 2", "a: *nowhere", "<<: 3", "a\x00b: 1"])
def test_what_is_no_yaml_is_said_with_its_line(text: str) -> None:
    with pytest.raises(NotData, match=r"^line \d+: "):
        load_yaml(text)


def test_json_is_read_as_json() -> None:
    assert load_json('{"a": "2021-01-01", "b": [1, null, 1.5]}') == {"a": "2021-01-01", "b": [1, None, 1.5]}
    with pytest.raises(NotData, match="line 2: not JSON"):
        load_json('{"a":\n}')

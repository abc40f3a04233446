"""Changes of records one after the other, beside those that tests/importing/manifest compares with their rows."""

from typing import Any

import pytest

from platform_assets.declarations import AddFields, Flatten, FlattenAll, RemoveFields, RenameKeys, Template
from platform_assets.declarations.record_shape import RecordStep
from platform_assets.extraction.record_steps import record_steps, snake_name
from platform_assets.http.errors import AnswerError


def changed(record: dict[str, Any], *steps: RecordStep) -> dict[str, Any]:
    record_steps(steps, {"config": {}})([record])
    return record


@pytest.mark.parametrize(
    ("step", "record", "expected"),
    [
        (RemoveFields(fields=("a.*.b",)), {"a": [{"b": 1}, {"b": 2, "c": 3}, 4]}, {"a": [{}, {"c": 3}, 4]}),
        (RemoveFields(fields=("**.b",)), {"b": 1, "a": [{"b": 2}], "c": {"d": {"b": 3}}}, {"a": [{}], "c": {"d": {}}}),
        (RemoveFields(fields=("a.**",)), {"a": {"b": 1}, "c": 2}, {"c": 2}),
        (RemoveFields(fields=("a.1", "a.1")), {"a": [1, 2, 3]}, {"a": [1, None, 3]}),
        (RemoveFields(fields=("a.9", "b.0", "c.d")), {"a": [1], "b": "x"}, {"a": [1], "b": "x"}),
        (
            RemoveFields(fields=("a.*",), condition=Template("{{ property == '' }}")),
            {"a": {"b": "", "c": {}, "d": 1}, "e": ""},
            {"a": {"c": {}, "d": 1}, "e": ""},
        ),
        (Flatten(path="a.0", separator=None, deep=False), {"a": [{"b": 1}, 2]}, {"a": [None, 2], "b": 1}),
        (Flatten(path="a", separator=None, replaces=True), {"a": {}, "b": 1}, {"b": 1}),
        (Flatten(path="a", separator=None, clash="leave"), {"a": {"a": 1}, "b": 2}, {"a": {"a": 1}, "b": 2}),
        (Flatten(path="a", prefix="x_"), {"a": {"b": 1}}, {"x_a_b": 1}),
        (AddFields(fields={"a.b": 1}), {"a": {"c": 2}}, {"a": {"b": 1, "c": 2}}),
        (FlattenAll(), {"a": [], "b": {}, "c": 1}, {"c": 1}),
    ],
)
def test_a_step_changes_a_record(step: RecordStep, record: dict[str, Any], expected: dict[str, Any]) -> None:
    assert changed(record, step) == expected


@pytest.mark.parametrize(
    ("step", "record", "text"),
    [
        (RenameKeys(case="lower"), {"a": 1, "A": 2}, "two fields of a record would be called `a`"),
        (RenameKeys(old="$"), {"x": {"$a": 1, "a": 2}}, "would be called `a`"),
        (FlattenAll(), {"a": list(range(3000))}, "more than 2000 fields"),
        (AddFields(fields={"a": Template("{{ 'x' + 1 }}")}), {"a": 1}, "`add_fields` field `a`"),
    ],
)
def test_a_record_that_cannot_be_changed_is_an_error(step: RecordStep, record: dict[str, Any], text: str) -> None:
    with pytest.raises(AnswerError, match=text):
        changed(record, step)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("firstName", "first_name"), ("HTTPCode", "httpcode"), ("a b-c", "a_b_c"), ("2nd", "_2_nd"), ("größe", "gro_ß_e")],
)
def test_names_in_snake_case(name: str, expected: str) -> None:
    assert snake_name(name) == expected

"""Templates and changes of records that cannot work are refused when the definitions load."""

from typing import Any

import pytest

from platform_assets.declarations import (
    AddFields,
    Endpoint,
    Flatten,
    Incremental,
    RecordShape,
    RemoveFields,
    RenameKeys,
    Template,
)
from platform_assets.declarations.record_problems import record_problems
from tests.declarations.test_validation import problem, resource


@pytest.mark.parametrize(
    ("endpoint", "key", "text"),
    [
        ({"record_filter": Template("{{ record.a ")}, "record_filter", "not a Jinja2 template"),
        ({"data_selector": "a['b.c"}, "data_selector", "is no path"),
        ({"record_filter": Template("")}, "record_filter", "empty"),
        ({"record_filter": Template("{{ rekord.a }}")}, "record_filter", "`rekord` is not known here"),
        ({"record_filter": Template("{{ record.a | lipsum }}")}, "record_filter", "no filter `lipsum`"),
        ({"record_filter": Template("{{ config.api_token }}")}, "record_filter", "credential"),
        ({"record_filter": Template("{{ config }}")}, "record_filter", "`config` is used by"),
        ({"record_filter": Template("{{ record.a }}" * 300)}, "record_filter", "characters"),
        ({"record": RecordShape(added={"a": Template("{{ now_utc() }}")})}, "record", "`now_utc`"),
        (
            {"record": RecordShape(steps=(AddFields(fields={"a": Template("{{ today_utc() }}")}),))},
            "record",
            "_loaded_at",
        ),
        ({"record": RecordShape(added={"a..b": 1})}, "record", "empty part"),
        ({"record": RecordShape(added={"a": 1}, constants={"a": 2})}, "record", "a constant"),
        ({"record": RecordShape(flattened=(Flatten(path="a.*"),))}, "record", "stands alone"),
        ({"record": RecordShape(removed=("id",))}, "record", "drops a key"),
        ({"record": RecordShape(removed=("**.id",))}, "record", "drops a key"),
        ({"record": RecordShape(removed=("*",))}, "record", "names no field"),
        ({"record": RecordShape(flattened=(Flatten(replaces=True),))}, "record", "one object"),
        ({"record": RecordShape(steps=(AddFields(fields={}),))}, "record", "no `fields`"),
        ({"record": RecordShape(steps=(AddFields(fields={"a..b": 1}),))}, "record", "empty part"),
        ({"record": RecordShape(steps=(AddFields(fields={"a": Template("{{ x }}")}),))}, "record", "`x` is not known"),
        (
            {"record": RecordShape(steps=(AddFields(fields={"a": 1}, condition=Template("{{ property }}")),))},
            "record",
            "`property` is not known",
        ),
        (
            {"record": RecordShape(steps=(RemoveFields(fields=("a",), condition=Template("{{ config.api_token }}")),))},
            "record",
            "credential",
        ),
        ({"record": RecordShape(steps=(RemoveFields(fields=("**.a.**",)),))}, "record", "more than once"),
        ({"record": RecordShape(steps=(RemoveFields(fields=("**",)),))}, "record", "every field"),
        ({"record": RecordShape(steps=(RemoveFields(fields=("id",)),))}, "record", "drops a key"),
        ({"record": RecordShape(steps=(RenameKeys(),))}, "record", "`old` and `case`"),
        ({"record": RecordShape(steps=(Flatten(path="a.*"),))}, "record", "stands alone"),
        (
            {"record": RecordShape(removed=("updated",)), "incremental": Incremental(cursor_path="updated")},
            "record",
            "the cursor",
        ),
    ],
)
def test_what_cannot_work_is_named(endpoint: dict[str, Any], key: str, text: str) -> None:
    found = problem(resource(endpoint=Endpoint(path="/things", **endpoint)))
    assert found.key == key and text in str(found)


@pytest.mark.parametrize(
    "text",
    [
        "{{ record.get('at', now_utc().timestamp()) | int }}",
        "{{ record.at or now_utc() }}",
        "{{ record.at | default(now_utc()) }}",
    ],
)
def test_an_added_field_may_fall_back_on_the_time(text: str) -> None:
    shape = RecordShape(added={"a": Template(text)})
    assert not list(record_problems(resource(), Endpoint(path="/things", record=shape), ("id",), ()))

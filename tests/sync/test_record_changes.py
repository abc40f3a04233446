"""Records that a filter leaves out, and fields that are added, flattened and removed, from response to table."""

from pathlib import Path
from typing import Any

import pytest

from platform_assets.declarations import (
    DynamicPartitions,
    Endpoint,
    Flatten,
    Incremental,
    RecordShape,
    Resolve,
    Resource,
    Template,
)
from platform_assets.extraction.reshaping import flatten, remove
from platform_assets.http.errors import AnswerError
from tests.servers.stub_api import StubApi, listed
from tests.sync.declared import declared, rows, synced, things


def numbered(*states: str) -> list[dict[str, Any]]:
    return [
        {"id": number, "state": state, "at": f"2026-01-0{number}T00:00:00Z"} for number, state in enumerate(states, 1)
    ]


def test_filtered_records_are_left_out_counted_and_gone_once_the_filter_fails(
    api: StubApi, warehouse_file: Path
) -> None:
    platform = declared(things(record_filter=Template("{{ record.state == 'open' }}")))
    api.routes["/things"] = listed(numbered("open", "open", "closed", "open"))
    outcome = synced(api, platform)["things"]
    assert outcome.filtered == 1 and outcome.records == outcome.rows_loaded == 3
    api.routes["/things"] = listed(numbered("closed", "open", "closed", "open"))
    outcome = synced(api, platform)["things"]
    # A missing row is looked for in a second read, which counts too.
    assert (outcome.filtered, outcome.records, outcome.deleted) == (4, 4, 1)
    assert [row["id"] for row in rows(warehouse_file)] == [2, 4]
    assert [row["id"] for row in rows(warehouse_file, removed=True)] == [1]


def test_a_filter_that_leaves_out_everything_removes_nothing(api: StubApi, warehouse_file: Path) -> None:
    api.routes["/things"] = listed(numbered("open", "open", "open"))
    synced(api, declared(things()))
    outcome = synced(api, declared(things(record_filter=Template("{{ record.state == 'nope' }}"))))["things"]
    assert outcome.ok and outcome.deletion_withheld == 3 and len(rows(warehouse_file)) == 3


def test_a_cursor_does_not_pass_records_that_were_left_out(api: StubApi, warehouse_file: Path) -> None:
    incremental = Incremental(cursor_path="at", start_param="since")
    platform = declared(things(record_filter=Template("{{ record.state == 'open' }}"), incremental=incremental))
    api.routes["/things"] = listed(numbered("open", "open", "closed"))
    outcome = synced(api, platform)["things"]
    assert outcome.cursor is not None and outcome.cursor.day == 2 and outcome.filtered == 1


def test_a_filter_that_cannot_be_computed_fails_its_resource_and_names_it(api: StubApi) -> None:
    platform = declared(things(record_filter=Template("{{ record.state + 1 }}")))
    api.routes["/things"] = listed(numbered("open"))
    error = synced(api, platform)["things"].error
    assert error is not None and "shop/things" in error and "record_filter" in error


def test_fields_are_added_flattened_and_removed_with_their_types(api: StubApi, warehouse_file: Path) -> None:
    shape = RecordShape(
        added={
            "cents": Template("{{ record.price * 100 }}"),
            "label": Template("{{ record.id }}-{{ config.region }}"),
            "meta.kind": "thing",
            "nothing": Template("{{ record.absent.x }}"),
            "twice": Template("{{ record.cents * 2 }}"),
        },
        flattened=(Flatten(path="owner"),),
        removed=("secret", "tags.*.token", "meta.old"),
    )
    record = {
        "id": 1,
        "price": 2,
        "owner": {"name": "Ann", "home": {"city": "Ulm"}},
        "secret": "s",
        "tags": [{"name": "a", "token": "s"}],
        "meta": {"old": 1},
    }
    api.routes["/things"] = listed([record])
    outcome = synced(api, declared(things(record=shape)), settings={"configured": {"region": ("eu",)}})["things"]
    assert outcome.error is None
    (row,) = rows(warehouse_file)
    assert row.pop("tags") == '[{"name":"a"}]' and row.pop("meta") == '{"kind":"thing"}'
    assert row == {
        "id": 1,
        "price": 2,
        "cents": 200,
        "twice": 400,
        "label": "1-eu",
        "owner_name": "Ann",
        "owner_home_city": "Ulm",
    }
    assert (
        synced(api, declared(things(record=shape)), settings={"configured": {"region": ("eu",)}})["things"].rows_loaded
        == 0
    )


def test_a_template_adds_nothing_from_an_excluded_field(api: StubApi, warehouse_file: Path) -> None:
    api.routes["/things"] = listed([{"id": 1, "token": "s3cret", "user": {"mail": "a@b.c"}}])
    added = {"copy": Template("{{ record.token }}"), "mail": Template("{{ record.user.mail }}")}
    platform = declared(things(record=RecordShape(added=added), exclude=("token",)))
    synced(api, platform, settings={"exclude_fields": ("things.user.mail",)})
    assert rows(warehouse_file) == [{"id": 1, "user": "{}"}]


def test_templates_know_the_parent(api: StubApi, warehouse_file: Path) -> None:
    parts = Resource(
        name="parts",
        description="Parts.",
        endpoint=Endpoint(
            path="/things/{thing}/parts",
            params={"thing": Resolve("things", "id")},
            record=RecordShape(added={"thing": Template("{{ parent.thing }}")}),
        ),
        columns={"id": "bigint"},
        partition=DynamicPartitions(name="shop_thing"),
    )
    api.routes = {
        "/things": listed([{"id": 1}, {"id": 2}]),
        "/things/1/parts": listed([{"id": 10}]),
        "/things/2/parts": listed([{"id": 20}]),
    }
    platform = declared(things(), parts)
    synced(api, platform, "things")
    synced(api, platform, "parts")
    assert [(row["id"], row["thing"]) for row in rows(warehouse_file, "parts")] == [(10, 1), (20, 2)]


@pytest.mark.parametrize(
    ("declared_flatten", "expected"),
    [
        (Flatten(), {"a": 1, "o_b": 1, "o_c_d": 2, "o_e": {}, "l": [{"x": 1}]}),
        (Flatten(path="o", separator="."), {"a": 1, "o.b": 1, "o.c.d": 2, "o.e": {}, "l": [{"x": 1}]}),
        (Flatten(path="o", deep=False), {"a": 1, "o_b": 1, "o_c": {"d": 2}, "o_e": {}, "l": [{"x": 1}]}),
        (Flatten(path="o.c", separator=None), {"a": 1, "o": {"b": 1, "e": {}}, "d": 2, "l": [{"x": 1}]}),
        (Flatten(path="o.c.d"), {"a": 1, "o": {"b": 1, "c": {"d": 2}, "e": {}}, "l": [{"x": 1}]}),
        (Flatten(path="nope"), {"a": 1, "o": {"b": 1, "c": {"d": 2}, "e": {}}, "l": [{"x": 1}]}),
    ],
)
def test_flattening(declared_flatten: Flatten, expected: dict[str, Any]) -> None:
    records = [{"a": 1, "o": {"b": 1, "c": {"d": 2}, "e": {}}, "l": [{"x": 1}]}]
    flatten(records, declared_flatten)
    assert records == [expected]


def test_flattening_keeps_both_of_two_fields_of_one_name_or_says_that_it_cannot() -> None:
    records: list[dict[str, Any]] = [{"id": 1, "o": {"id": 2}}]
    flatten(records, Flatten(separator=None, kept=True))
    assert records == [{"id": 1, "o": {"id": 2}, "o_id": 2}]
    with pytest.raises(AnswerError, match="overwrite"):
        flatten([{"o_id": 1, "o": {"id": 2}}], Flatten())


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a", {"b": {"a": 1, "c": [{"a": 1}, 3]}}),
        ("b.a", {"a": 1, "b": {"c": [{"a": 1}, 3]}}),
        ("b.c.*.a", {"a": 1, "b": {"a": 1, "c": [{}, 3]}}),
        ("**.a", {"b": {"c": [{}, 3]}}),
        ("b.*", {"a": 1, "b": {}}),
        ("b.**", {"a": 1, "b": {}}),
        ("x.y", {"a": 1, "b": {"a": 1, "c": [{"a": 1}, 3]}}),
        ("a.b.c", {"a": 1, "b": {"a": 1, "c": [{"a": 1}, 3]}}),
    ],
)
def test_removing(path: str, expected: dict[str, Any]) -> None:
    records = [{"a": 1, "b": {"a": 1, "c": [{"a": 1}, 3]}}]
    remove(records, (path,))
    assert records == [expected]

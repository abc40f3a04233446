"""Records are found where the contract declares them, and never silently missed."""

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_assets.declarations import ApiKeyAuth, BearerAuth, Client, Envelope, SingleObject, SinglePage
from platform_assets.http.errors import AnswerError
from platform_assets.http.lossless_json import as_json, from_json, has_run
from platform_assets.http.selection import drop_fields, fill_keys, selector, unwrap

PLAIN = Client(auth=BearerAuth(), probe="/", paginator=SinglePage())
NULL_IS_EMPTY = Client(
    auth=ApiKeyAuth(name="api_token"), probe="/", paginator=SinglePage(), null_is_empty=True, success_field="success"
)
DEALS = Envelope(data_field="data", kind_field="item", kind="deal")


def select(client: Client, body: Any, path: str = "data", single: bool = False) -> list[Any]:
    return selector(client, SingleObject() if single else SinglePage(), path)(body)


def test_finds_lists_and_nested_lists() -> None:
    assert select(PLAIN, {"data": [{"id": 1}]}) == [{"id": 1}]
    assert select(PLAIN, {"data": {"goals": [{"id": 1}]}}, "data.goals") == [{"id": 1}]
    assert select(PLAIN, [{"id": 1}], "") == [{"id": 1}]
    assert select(PLAIN, {"data": []}) == []


@pytest.mark.parametrize(
    ("body", "path", "expected"),
    [
        ({"data": {"a": {"id": 1}, "b": {"id": 2}}}, "data.*", [1, 2]),
        ({"a": {"id": 1}, "b": {"id": 2}}, "*", [1, 2]),
        ([{"rows": [{"id": 1}]}, {"rows": []}, {"rows": [{"id": 2}]}], "*.rows", [1, 2]),
        ({"groups": [{"rows": [{"id": 1}]}, {"other": 3}]}, "groups[*].rows", [1]),
        ({"groups": {"x": {"rows": {"r": {"id": 1}, "s": {"id": 2}}}}}, "groups.*.rows.*", [1, 2]),
        ({"a.json": [{"b.json": [{"id": 1}]}]}, "['a.json'][*]['b.json']", [1]),
        ({"a": {"b.c": {"d": [{"id": 1}]}}}, "a['b.c'].d", [1]),
        ({"groups": []}, "groups.*.rows", []),
        ({"groups": {}}, "groups.*", []),
        ({"groups": [{"rows": []}]}, "groups.*.rows", []),
    ],
)
def test_wildcards_find_the_records_of_every_place(body: Any, path: str, expected: list[int]) -> None:
    assert [record["id"] for record in select(PLAIN, body, path)] == expected


@pytest.mark.parametrize(
    ("body", "path", "text"),
    [
        ({"groups": [{"a": 1}, {"b": 2}]}, "groups.*.rows", "keys at the `*`: a, b"),
        ({"things": []}, "groups.*.rows", "keys at the body: things"),
        ({"groups": 3}, "groups.*.rows", "the `groups` is a number"),
        ({"groups": None}, "groups.*", "is null"),
        ({"groups": [3]}, "groups.*.rows", "the `*` is a number"),
        ({"a": {"id": 1}, "b": 7}, "*", "found a number where records belong"),
        ({"a": [[1]]}, "a.*", "found a list with a number"),
        ({"error": {"text": "no"}}, "*", "`error` with status 200"),
        ({"groups": [{"rows": None}]}, "groups.*.rows", "found null"),
    ],
)
def test_a_wildcard_that_finds_nothing_in_a_body_that_is_not_empty_is_an_error(body: Any, path: str, text: str) -> None:
    with pytest.raises(AnswerError) as caught:
        select(PLAIN, body, path)
    assert text in str(caught.value)


def test_null_behind_a_wildcard_means_no_records_where_the_contract_says_so() -> None:
    body = {"groups": [{"rows": None}, {"rows": [{"id": 1}]}, None]}
    assert select(NULL_IS_EMPTY, body, "groups.*.rows") == [{"id": 1}]


def test_one_object_becomes_one_record() -> None:
    assert select(PLAIN, {"data": {"uuid": "u"}}, single=True) == [{"uuid": "u"}]


@pytest.mark.parametrize("body", [{"items": [1]}, {"error": "x"}, {}])
def test_a_selector_that_matches_nothing_names_the_keys(body: dict[str, Any]) -> None:
    with pytest.raises(AnswerError, match="matched nothing") as caught:
        select(PLAIN, body)
    assert all(key in str(caught.value) for key in body)


@pytest.mark.parametrize("body", [[], "x", 3, None, {"data": None}, {"data": {}}, {"data": "x"}, {"data": [1]}])
def test_other_shapes_are_errors(body: Any) -> None:
    with pytest.raises(AnswerError):
        select(PLAIN, body)


@pytest.mark.parametrize("body", [{"data": []}, {"data": None}, {"data": {}}])
def test_a_missing_single_object_is_an_error(body: Any) -> None:
    with pytest.raises(AnswerError, match="one object"):
        select(NULL_IS_EMPTY, body, single=True)


def test_null_means_no_records_where_the_contract_says_so() -> None:
    assert select(NULL_IS_EMPTY, {"success": True, "data": None}) == []
    assert select(NULL_IS_EMPTY, {"success": True, "data": None}, "data.goals") == []


def test_success_false_with_status_200_is_an_error() -> None:
    with pytest.raises(AnswerError, match="success"):
        select(NULL_IS_EMPTY, {"success": False, "data": []})


@pytest.mark.parametrize("failure", [{"error": "timeout"}, {"errors": [{"message": "shard 3"}]}, {"error": {"a": 1}}])
def test_an_error_beside_records_is_an_error(failure: dict[str, Any]) -> None:
    with pytest.raises(AnswerError, match="with status 200"):
        select(PLAIN, {"data": [{"id": 1}], **failure})


@pytest.mark.parametrize("success", [None, "false", 0])
def test_any_success_value_but_true_is_an_error(success: object) -> None:
    with pytest.raises(AnswerError, match="success"):
        select(NULL_IS_EMPTY, {"success": success, "data": []})


def test_empty_errors_beside_records_are_accepted() -> None:
    assert select(PLAIN, {"data": [{"id": 1}], "error": None, "errors": []}) == [{"id": 1}]
    assert select(PLAIN, {"errors": [{"id": 1}]}, "errors") == [{"id": 1}]


def test_envelopes_of_one_record_of_many_and_of_none() -> None:
    counts: Counter[str] = Counter()
    items = [
        {"item": "deal", "id": 1, "data": {"id": 1}},
        {"item": "deal", "id": 2, "data": [{"id": 2}, {"id": 3}]},
        {"item": "deal", "id": 4, "data": None},
        {"item": "person", "id": 1, "data": {"id": 1}},
    ]
    assert unwrap(items, DEALS, counts) == [{"id": 1}, {"id": 2}, {"id": 3}]
    assert counts == {"gone": 1, "other_kind": 1}


@pytest.mark.parametrize(
    "item", [{"item": "deal", "id": 1}, {"item": "deal", "data": 3}, {"item": "deal", "data": [1]}]
)
def test_broken_envelopes_are_errors(item: dict[str, Any]) -> None:
    with pytest.raises(AnswerError):
        unwrap([item], DEALS, Counter())


def test_secret_fields_are_dropped_at_any_depth() -> None:
    records: list[dict[str, Any]] = [
        {"securityToken": "s", "options": {"sentry:token": "s", "a": 1}},
        {"options": None},
    ]
    drop_fields(records, ("securityToken", "options.sentry:token"))
    assert records == [{"options": {"a": 1}}, {"options": None}]


def test_a_missing_key_is_taken_from_its_fallback_field() -> None:
    records: list[dict[str, Any]] = [{"id": "a"}, {"id": "b", "uuid": "u"}]
    fill_keys(records, {"uuid": "id"})
    assert [record["uuid"] for record in records] == ["a", "u"]


@given(
    st.lists(st.integers(-(10**24), 10**24) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=3)),
    st.sampled_from([(",", ":"), (" , ", " : ")]),
)
def test_numbers_of_any_size_are_read_exactly(values: list[Any], separators: tuple[str, str]) -> None:
    body = {"values": values, **{str(number): value for number, value in enumerate(values)}}
    content = json.dumps(body, separators=separators).encode()
    found = from_json(content)
    assert found == body and list(map(type, found["values"])) == list(map(type, values))
    assert json.loads(as_json(found, "a body")) == body


def test_numbers_beyond_doubles_and_lone_surrogates_are_valid_json() -> None:
    assert from_json(b'[1e400, -25e399, "\\ud83d", "\\ud83d\\ude00"]') == [
        10**400,
        -25 * 10**399,
        "\ud83d",
        "\U0001f600",
    ]


@pytest.mark.parametrize(
    "body",
    [b"", b"NaN", b"[-Infinity]", b"[1e99999]", b"1" * 5000, b"[1.5e-1, 1e400", b"[" * 9000, b'["\xff"]', b"[1,]"],
)
def test_what_is_not_json_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError):
        from_json(body)


@given(st.lists(st.booleans(), max_size=60), st.integers(1, 25))
def test_a_run_of_flags_is_found_at_any_position(flags: list[bool], length: int) -> None:
    text = "".join("1" if flag else "0" for flag in flags)
    assert has_run(np.array(flags, bool), length) == ("1" * length in text)


@pytest.mark.parametrize("single", [False, True])
def test_one_object_may_be_the_only_record(single: bool) -> None:
    client = replace(PLAIN, object_is_record=True)
    assert select(client, {"data": {"id": 1}}, single=single) == [{"id": 1}]
    for nothing in ({}, None, "text"):
        with pytest.raises(AnswerError):
            select(client, {"data": nothing}, single=single)
    with pytest.raises(AnswerError, match="should find a list and found an object"):
        select(PLAIN, {"data": {"id": 1}})
    with pytest.raises(AnswerError, match="the body has `error` with status 200"):
        select(client, {"error": "try later"}, "")
    assert select(client, {"id": 1, "error": None}, "") == [{"id": 1, "error": None}]

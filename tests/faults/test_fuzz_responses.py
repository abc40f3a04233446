"""Arbitrary response bodies: the right rows, or one of our errors.

Each property also covers valid input, whose exact result the test knows: refusing everything would fail.
"""

import json
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.faults.fixed_response import FixedResponse, Row
from tests.faults.fuzzing import JSON, NAMES, SLOW, plain


def cells(row: Row) -> list[Any]:
    """The values of a row that are from its record."""
    return [value for name, value in row.items() if name not in ("_dlt_id", "_loaded_at") and value is not None]


LEADS = [{"id": f"lead-{number}", "title": f"Größe {number} ☃"} for number in range(3)]
LEADS_BODY = json.dumps({"success": True, "data": LEADS}, ensure_ascii=False).encode()


@SLOW
@given(
    body=st.binary(max_size=400)
    | st.text(max_size=200).map(str.encode)
    | st.integers(0, len(LEADS_BODY) - 1).map(lambda end: LEADS_BODY[:end])
)
@example(b"")
@example(LEADS_BODY[:-1])
@example(b"{}")
def test_invalid_bytes_are_refused(fixed: FixedResponse, body: bytes) -> None:
    fixed.body = body
    assert fixed.read("crm", "leads") is None


@SLOW
@given(space=st.text(" \t\r\n", max_size=20), ascii_only=st.booleans(), indent=st.none() | st.integers(0, 3))
def test_equivalent_json_encodings_give_the_same_rows(
    fixed: FixedResponse, space: str, ascii_only: bool, indent: int | None
) -> None:
    text = json.dumps({"data": LEADS, "success": True}, ensure_ascii=ascii_only, indent=indent)
    fixed.body = f"{space}{text}{space}".encode()
    rows = fixed.read("crm", "leads")
    assert rows is not None and [(row["id"], row["title"]) for row in rows] == [tuple(one.values()) for one in LEADS]


@pytest.mark.slow
@SLOW
@given(body=JSON)
@example({"data": []})
@example([])
def test_json_that_breaks_the_contract_is_refused(fixed: FixedResponse, body: Any) -> None:
    body = plain(body)
    fixed.body = orjson.dumps(body)
    found = body.get("data") if isinstance(body, dict) else None
    records = found if isinstance(found, list) and all(isinstance(one, dict) for one in found) else None
    is_keyed = records is not None and all(one.get("id") not in (None, "") for one in records)
    for name, resource in (("crm", "leads"), ("error_tracking", "projects"), ("ci_analytics", "access_token")):
        rows = fixed.read(name, resource)
        if resource == "access_token":
            # One object at the top of the body, with a `uuid`, or an `id` in its place.
            has_object = isinstance(found, dict) and any(found.get(key) not in (None, "") for key in ("uuid", "id"))
            assert rows is None or (has_object and len(rows) == 1)
        else:
            is_null = isinstance(body, dict) and "data" in body and found is None and name == "crm"
            assert rows is None or is_null or is_keyed
            if records == [] and set(body) == {"data"}:
                assert rows == []


@pytest.mark.slow
@SLOW
@given(value=JSON)
@example(2**64 - 1)
@example({"": [None, {"id": "x"}]})
def test_any_json_in_a_field_is_kept_unchanged(fixed: FixedResponse, value: Any) -> None:
    value = plain(value)
    fixed.body = orjson.dumps({"success": True, "data": [{"id": "one", "title": "kept", "label_ids": value}]})
    rows = fixed.read("crm", "leads")
    assert rows is not None and [(row["id"], row["title"]) for row in rows] == [("one", "kept")]
    served = json.loads(fixed.body)["data"][0]["label_ids"]
    kept = rows[0]["label_ids"]
    assert kept is None if served is None else json.loads(kept) == served


@SLOW
@given(records=st.lists(st.dictionaries(NAMES, JSON, max_size=5), max_size=6))
def test_any_records_are_kept_completely(fixed: FixedResponse, records: list[dict[str, Any]]) -> None:
    named = [{**plain(one), "id": f"label-{number}"} for number, one in enumerate(records)]
    fixed.body = orjson.dumps({"success": True, "data": named})
    rows = fixed.read("crm", "lead_labels")
    assert rows is not None and [row["id"] for row in rows] == [one["id"] for one in named]
    for row, one in zip(rows, json.loads(fixed.body)["data"], strict=True):
        given_values = [value for value in one.values() if value is not None]
        assert len(cells(row)) == len(given_values), "a cell for each field that has a value"


@SLOW
@given(
    names=st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=4, unique=True),
    texts=st.lists(st.text(max_size=20), min_size=1, max_size=4),
)
def test_texts_of_any_fields_are_kept_unchanged(fixed: FixedResponse, names: list[str], texts: list[str]) -> None:
    record = {"id": "one", **{f"x{name}": text for name, text in zip(names, texts, strict=False)}}
    fixed.body = orjson.dumps({"success": True, "data": [record]})
    rows = fixed.read("crm", "lead_labels")
    assert rows is not None
    assert sorted(cells(rows[0])) == sorted(record.values())

"""Arrow conversion keeps every value: in its column where it fits by dlt's rules, in a variant where not."""

from datetime import UTC, date, datetime
from typing import Any

import orjson
import pyarrow as pa
import pytest
from dlt.common.data_types import coerce_value, py_type_to_sc_type
from dlt.common.schema import Schema
from hypothesis import given
from hypothesis import strategies as st

from platform_assets.extraction.columns import TIMESTAMP, Columns, convert, without_nul

NAMING = Schema("any").naming

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=12)
    | st.sampled_from(["2026-01-02T03:04:05Z", "2026-01-02", "12", "1.5", "true", ""])
)
nested = st.recursive(
    scalars.filter(lambda value: not isinstance(value, int) or isinstance(value, bool) or abs(value) < 2**63),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)
data_types = st.sampled_from(["text", "bigint", "double", "bool", "timestamp", "date"])


def columns(**declared: str) -> Columns:
    return Columns(declared, {}, NAMING, {})


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2015-05-09T21:05:59.874Z", datetime(2015, 5, 9, 21, 5, 59, 874000, UTC)),
        ("2023-02-22 08:27:54", datetime(2023, 2, 22, 8, 27, 54, tzinfo=UTC)),
        ("2013-09-03 13:24:38 UTC", datetime(2013, 9, 3, 13, 24, 38, tzinfo=UTC)),
        ("2026-01-01T02:00:00+02:00", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-01-01T00:00:00.123456789Z", datetime(2026, 1, 1, 0, 0, 0, 123456, UTC)),
    ],
)
def test_times_in_every_form_that_the_vendors_send(text: str, moment: datetime) -> None:
    array, misfits = convert([text, None], "timestamp")
    assert array.type == TIMESTAMP and array.to_pylist() == [moment, None] and not misfits


def test_one_odd_time_does_not_take_the_others_with_it() -> None:
    array, misfits = convert(["2026-01-01T00:00:00Z", "soon", ""], "timestamp")
    assert array.to_pylist() == [datetime(2026, 1, 1, tzinfo=UTC), None, None]
    assert misfits == {"text": [None, "soon", ""]}


@pytest.mark.parametrize("data_type", ["timestamp", "date"])
def test_a_year_zero_is_kept_aside(data_type: str) -> None:
    array, misfits = convert(["0000-01-01", "2026-01-02"], data_type)
    assert array.null_count == 1 and misfits == {"text": ["0000-01-01", None]}


def test_a_number_whose_moment_the_system_has_not_is_kept_aside() -> None:
    array, misfits = convert([6.877908766914371e16], "timestamp")
    assert array.to_pylist() == [None]
    assert misfits == {"double": [6.877908766914371e16]}


def test_dates_and_numbers() -> None:
    assert convert(["2026-01-02", None], "date")[0].to_pylist() == [date(2026, 1, 2), None]
    assert convert([1, 2.5, 2**60], "double")[0].to_pylist() == [1.0, 2.5, float(2**60)]
    assert convert([1, "12", True], "bigint") == (pa.array([1, 12, None]), {"bool": [None, None, True]})


@given(st.lists(nested, max_size=6), data_types)
def test_every_value_is_kept_exactly_once(values: list[Any], data_type: str) -> None:
    """What dlt's coercion puts into the column is there, equal; everything else is in one variant."""
    array, misfits = convert(values, data_type)
    for index, (value, stored) in enumerate(zip(values, array.to_pylist(), strict=True)):
        kept = [variant[index] for variant in misfits.values() if variant[index] is not None]
        if value is None:
            assert stored is None and not kept
        elif stored is None:
            assert len(kept) == 1 and (kept[0] == value or kept[0] == str(value))
        else:
            assert not kept
            assert same(stored, expected(value, data_type))


def expected(value: Any, data_type: str) -> Any:
    if isinstance(value, dict | list):
        return orjson.dumps(value).decode()
    return coerce_value(data_type, py_type_to_sc_type(type(value)), value)  # pyright: ignore[reportArgumentType] -- a plain str here


def same(stored: Any, wanted: Any) -> bool:
    if isinstance(wanted, datetime):
        moment = datetime.fromisoformat(wanted.isoformat())
        return stored == (moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    return stored == wanted


@given(
    st.lists(
        st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), nested, max_size=4), min_size=1, max_size=5
    )
)
def test_random_records_become_a_table_with_all_their_rows(records: list[dict[str, Any]]) -> None:
    found = columns(id="bigint", created_at="timestamp")
    table = found.table(records, {"_loaded_at": pa.scalar(datetime(2026, 1, 1, tzinfo=UTC), TIMESTAMP)})
    assert table.num_rows == len(records)
    kept = sum(table.num_rows - column.null_count for column in table.columns) - len(records)
    assert kept == sum(value is not None for record in records for value in record.values())


def test_new_fields_become_columns_of_their_own_type() -> None:
    found = columns(id="bigint")
    table = found.table([{"id": 1, "newField": 1, "seen": True, "x": [1], "y": 1.5, "z": None}], {})
    assert {name: found.types[name] for name in found.added} == {
        "new_field": "bigint",
        "seen": "bool",
        "x": "json",
        "y": "double",
    }
    assert table.column("x").to_pylist() == ["[1]"]


def test_a_changed_type_goes_to_a_variant_column() -> None:
    found = columns(number="bigint")
    table = found.table([{"number": 7}, {"number": "seven"}], {})
    assert table.column("number").to_pylist() == [7, None]
    assert table.column("number__v_text").to_pylist() == [None, "seven"]
    assert found.added == {"number__v_text": "text"}


def test_two_fields_of_one_name_are_both_kept() -> None:
    found = columns(groupID="text")
    table = found.table([{"groupID": "a", "group_id": "b"}], {})
    assert table.column("group_id").to_pylist() == ["a"]
    assert table.column("group_id_x2").to_pylist() == ["b"]


def test_a_field_named_like_a_column_of_ours_does_not_replace_it() -> None:
    found = Columns({"id": "text"}, {}, NAMING, {"_dlt_id": "text"})
    assert found.name_of("_dlt_id") != "_dlt_id"


@given(st.lists(st.text(st.sampled_from('a\0\\u0"é'), max_size=8) | st.none(), min_size=1, max_size=6))
def test_no_nul_is_left_where_a_warehouse_has_none(texts: list[str | None]) -> None:
    nested = [None if text is None else orjson.dumps({"x": text}).decode() for text in texts]
    table = pa.table({"t": pa.array(texts, pa.string()), "j": pa.array(nested, pa.string())})
    found = without_nul(table, {"t": "text", "j": "json"}).to_pydict()
    expected = [None if text is None else text.replace("\0", "\ufffd") for text in texts]
    assert found["t"] == expected
    assert [one and orjson.loads(one)["x"] for one in found["j"]] == expected

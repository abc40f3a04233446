"""Arrow conversion keeps every value: in its column if it is exactly of the column's type, else in a variant column."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import orjson
import pyarrow as pa
import pytest
from dlt.common.schema import Schema
from hypothesis import given
from hypothesis import strategies as st

from platform_assets.arrow.columns import Columns
from platform_assets.arrow.conversion import TIMESTAMP, convert, without_nul
from platform_assets.warehouse.table_layout import system_columns

NAMING = Schema("any").naming

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=12)
    | st.sampled_from(["2026-01-02T03:04:05Z", "2026-01-02", "12", "1.5", "true", ""])
)
odd_texts = st.sampled_from(
    [
        "007",
        "-5",
        "-0",
        "+1",
        "0x1f",
        "1_000",
        " 1 ",
        "1.50",
        "1e5",
        "1e400",
        "nan",
        "inf",
        "9223372036854775808",
        "2026-01-02 03:04:05 UTC",
        "2026-01-02T03:04:05.123456789Z",
        "2026-01-02T03:04:05.100000000+01:00",
        "2016-12-31T23:59:60Z",
        "2026-01-01T24:00:00Z",
        "9999-12-31T23:59:59-05:00",
        "0001-01-01T00:00:00+05:00",
        "2026-01-02T00:00:00",
        "2026-02-30",
        "0000-01-01",
        "20260102",
        "2026-1-2",
        "2026-01-02T03:04:05+24:00",
    ]
) | st.datetimes().map(datetime.isoformat)
odd_numbers = st.sampled_from(
    [2**53 + 1, 2**53, 2**60, 2**63, 2**64, -(2**63) - 1, 10**400, 5.0, 1e16, 1e300, -0.0, 0, 1, 1700000000, 0.5]
)
nested = st.recursive(
    scalars | odd_texts | odd_numbers,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)
data_types = st.sampled_from(["text", "bigint", "double", "bool", "timestamp", "date", "json"])


def columns(**declared: str) -> Columns:
    return Columns(declared, {}, NAMING, system_columns())


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2015-05-09T21:05:59.874Z", datetime(2015, 5, 9, 21, 5, 59, 874000, UTC)),
        ("2023-02-22 08:27:54", datetime(2023, 2, 22, 8, 27, 54, tzinfo=UTC)),
        ("2013-09-03 13:24:38 UTC", datetime(2013, 9, 3, 13, 24, 38, tzinfo=UTC)),
        ("2026-01-01T02:00:00+02:00", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-01-01T00:00:00.123456000Z", datetime(2026, 1, 1, 0, 0, 0, 123456, UTC)),
        ("2013-09-03 13:24:38 +0000", datetime(2013, 9, 3, 13, 24, 38, tzinfo=UTC)),
        ("2026-01-02", datetime(2026, 1, 2, tzinfo=UTC)),
    ],
)
def test_timestamps_in_every_vendor_format(text: str, moment: datetime) -> None:
    array, misfits = convert([text, None], "timestamp")
    assert array.type == TIMESTAMP and array.to_pylist() == [moment, None] and not misfits


def test_one_unparsable_timestamp_does_not_affect_the_others() -> None:
    array, misfits = convert(["2026-01-01T00:00:00Z", "soon", ""], "timestamp")
    assert array.to_pylist() == [datetime(2026, 1, 1, tzinfo=UTC), None, None]
    assert misfits == {"text": [None, "soon", ""]}


@pytest.mark.parametrize("data_type", ["timestamp", "date"])
def test_year_zero_goes_to_the_variant_column(data_type: str) -> None:
    array, misfits = convert(["0000-01-01", "2026-01-02"], data_type)
    assert array.null_count == 1 and misfits == {"text": ["0000-01-01", None]}


def test_an_epoch_out_of_range_goes_to_the_variant_column() -> None:
    array, misfits = convert([6.877908766914371e16], "timestamp")
    assert array.to_pylist() == [None]
    assert misfits == {"double": [6.877908766914371e16]}


def test_dates_and_numbers() -> None:
    assert convert(["2026-01-02", None], "date")[0].to_pylist() == [date(2026, 1, 2), None]
    assert convert([1, 2.5, 2**60], "double")[0].to_pylist() == [1.0, 2.5, float(2**60)]
    assert convert([1, "12", True], "bigint") == (pa.array([1, 12, None]), {"bool": [None, None, True]})


def test_a_timestamp_finer_than_a_microsecond_is_complete_in_the_variant_column() -> None:
    """The column holds the truncated timestamp, so that cursors still advance."""
    text = "2026-01-01T00:00:00.123456789Z"
    array, misfits = convert([text], "timestamp")
    assert array.to_pylist() == [datetime(2026, 1, 1, 0, 0, 0, 123456, UTC)] and misfits == {"text": [text]}


@pytest.mark.parametrize(
    ("data_type", "value", "variant"),
    [
        ("bool", 2, "bigint"),
        ("bool", 0, "bigint"),
        ("bool", 0.5, "double"),
        ("bool", "true", "text"),
        *(("bigint", text, "text") for text in ("007", "0x1f", "1_000", " 1 ", "-0", "5.0", "9223372036854775808", "")),
        ("bigint", True, "bool"),
        ("bigint", 2**63, "text"),
        ("bigint", 1e300, "double"),
        ("double", 2**53 + 1, "bigint"),
        ("double", 10**400, "text"),
        ("double", float("inf"), "text"),
        *(("double", text, "text") for text in ("1e400", "nan", "inf", "1.50", "0.1000000000000000055511151231257827")),
        ("date", "2026-01-01T23:00:00-05:00", "text"),
        ("date", "2026-01-01T00:00:00Z", "text"),
        ("date", 1700000000, "bigint"),
        ("timestamp", 1700000000, "bigint"),
        ("timestamp", 1700000000.5, "double"),
        *(("timestamp", text, "text") for text in ("2016-12-31T23:59:60Z", "2026-01-01T24:00:00Z", "2026-1-1", "now")),
        ("timestamp", "9999-12-31T23:59:59-05:00", "text"),
        ("timestamp", "0001-01-01T00:00:00+05:00", "text"),
        ("text", True, "bool"),
    ],
)
@pytest.mark.parametrize("neighbour", [None, True])
def test_a_value_not_exactly_of_the_column_type_goes_to_the_variant_column(
    data_type: str, value: Any, variant: str, neighbour: bool | None
) -> None:
    """Alone in its column (the fast path), and beside a value of another type."""
    array, misfits = convert([value, neighbour and {"a": 1}], data_type)
    assert array[0].as_py() is None
    assert [kind for kind, kept in misfits.items() if kept[0] is not None] == [variant]
    assert misfits[variant][0] == (value if variant != "text" else str(value))


@given(st.lists(nested, min_size=1, max_size=6), data_types)
def test_every_value_is_in_exactly_one_column(values: list[Any], data_type: str) -> None:
    """Any JSON value in a column of any type: either the column or one variant holds exactly that value."""
    table = columns(f=data_type).table([{"f": value} for value in values], {})
    for value, row in zip(values, table.to_pylist(), strict=True):
        places = {name: stored for name, stored in row.items() if stored is not None}
        if value is None:
            assert not places
            continue
        if len(places) == 2:  # A timestamp finer than its column.
            assert data_type == "timestamp" and places.pop("f") == datetime.fromisoformat(value)
        ((name, stored),) = places.items()
        kind = data_type if name == "f" else name.removeprefix("f__v_")
        assert stands_for(stored, kind, value), (kind, stored, value)


def stands_for(stored: Any, kind: str, value: Any) -> bool:
    """Whether the stored value can only have been `value`, decided independently of the code under test."""
    if kind == "json":
        return same_json(json.loads(stored), value)
    if kind == "text":
        return stored == value if isinstance(value, str) else not_bool(value) and same_json(json.loads(stored), value)
    if kind == "bool":
        return value is stored
    if kind in ("bigint", "double"):
        if isinstance(value, str):
            return value in (repr(stored), str(int(stored)))
        return not_bool(value) and isinstance(value, int | float) and Decimal(value) == Decimal(stored)
    if not isinstance(value, str):
        return False
    if kind == "date":
        return stored.isoformat() == value
    found = datetime.fromisoformat(value.replace(" UTC", "Z"))
    return stored == (found if found.tzinfo else found.replace(tzinfo=UTC))


def not_bool(value: Any) -> bool:
    return not isinstance(value, bool)


def same_json(one: Any, other: Any) -> bool:
    """Equal values of equal types; 1e16 and 10000000000000000 are the same number."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same_json(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same_json, one, other))
    return one == other and isinstance(one, bool) == isinstance(other, bool)


@given(st.lists(st.text(st.characters(), max_size=3), min_size=1, max_size=5), data_types)
def test_text_that_utf_8_cannot_encode_is_replaced(texts: list[str], data_type: str) -> None:
    """Lone surrogates in values, nested ones and names of fields become U+FFFD."""
    records = [{"f": text, text: {text: text}, "nested": [text]} for text in texts]
    table = columns(f=data_type).table(records, {})
    assert table.num_rows == len(texts)
    text_columns = {name: table.column(name).to_pylist() for name in table.column_names if name.startswith("f")}
    if data_type == "text" and "f" not in texts:
        assert text_columns["f"] == ["".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in t) for t in texts]


names = st.sampled_from(
    ["fooBar", "foo_bar", "FooBar", "foo bar", "foo-bar", "цена", "скидка", "", " ", "id", "ID", "x"]
)
names = names | st.sampled_from(["_dlt_id", "_dlt_load_id", "_more_fields", "_deleted_at", "a" * 70, "a" * 70 + "b"])


@given(st.lists(st.dictionaries(names, st.integers(0, 9) | st.text(max_size=2), min_size=1), min_size=2), st.randoms())
def test_a_field_keeps_its_column_in_any_order(records: list[dict[str, Any]], random: Any) -> None:
    """Later loads that know the assignments give each field its column, in any order of fields and pages."""
    naming = type(NAMING)(63)

    def load(pages: list[list[dict[str, Any]]], assigned: dict[str, str]) -> Columns:
        found = Columns({"id": "bigint"}, {}, naming, system_columns(), assigned)
        for page in pages:
            assert found.table(page, {}).num_rows == len(page)
        return found

    first = load([records[:1], records[1:]], {})
    shuffled = [dict(random.sample(list(record.items()), len(record))) for record in records]
    random.shuffle(shuffled)
    again = load([[record] for record in shuffled], first.assigned)
    fields = {raw for record in records for raw in record}
    assert {raw: first.name_of(raw) for raw in fields} == {raw: again.name_of(raw) for raw in fields}
    assert len({first.name_of(raw) for raw in fields}) == len(fields)
    assert not {first.name_of(raw) for raw in fields} & {"_dlt_id", "_dlt_load_id", "_more_fields", "_deleted_at"}
    # dlt does not change these names.
    assert all(len(name) <= 63 and naming.normalize_path(name) == name for name in again.types if name[0] != "_")


def test_a_column_assignment_by_a_concurrent_run_is_detected() -> None:
    found = columns(id="bigint")
    found.table([{"fooBar": 1, "foo_bar": 2}], {})
    assert found.contradiction({}, {}) is None
    assert found.contradiction({"fooBar": "foo_bar"}, {"foo_bar": "bigint"}) is None
    assert found.contradiction({"foo_bar": "foo_bar"}, {}) is not None
    assert found.contradiction({}, {"foo_bar": "text"}) == "foo_bar"


def test_fields_beyond_the_column_limit_share_one_column() -> None:
    wide = {f"f{number}": number for number in range(600)}
    first = columns(id="bigint")
    table = first.table([{"id": 1, **wide}, {"id": 2, "late": None}], {})
    together = json.loads(table.column("_more_fields").to_pylist()[0])
    assert len(together) == 100 and "_more_fields" in first.drifted
    assert {**{name: table.column(name)[0].as_py() for name in first.assigned}, **together} == wide
    assert table.column("_more_fields")[1].as_py() is None
    later = Columns({"id": "bigint"}, first.types, NAMING, system_columns(), first.assigned)
    again = later.table([{"id": 3, "new": 1, **wide}], {})
    assert not later.added and set(json.loads(again.column("_more_fields")[0].as_py())) == {*together, "new"}


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


def test_two_fields_with_the_same_column_name_are_both_kept() -> None:
    found = columns(groupID="text")
    table = found.table([{"groupID": "a", "group_id": "b"}], {})
    assert table.column("group_id").to_pylist() == ["a"]
    assert table.column("group_id_x2").to_pylist() == ["b"]


def test_a_field_named_like_an_internal_column_does_not_replace_it() -> None:
    found = Columns({"id": "text"}, {}, NAMING, system_columns())
    assert found.name_of("_dlt_id") != "_dlt_id"


@given(st.lists(st.text(st.sampled_from('a\0\\u0"é'), max_size=8) | st.none(), min_size=1, max_size=6))
def test_nul_is_removed_for_a_warehouse_without_nul(texts: list[str | None]) -> None:
    nested = [None if text is None else orjson.dumps({"x": text}).decode() for text in texts]
    table = pa.table({"t": pa.array(texts, pa.string()), "j": pa.array(nested, pa.string())})
    found = without_nul(table, {"t": "text", "j": "json"}).to_pydict()
    expected = [None if text is None else text.replace("\0", "\ufffd") for text in texts]
    assert found["t"] == expected
    assert [one and orjson.loads(one)["x"] for one in found["j"]] == expected

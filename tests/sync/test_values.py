"""Values, keys and columns from the response into a real DuckDB: never altered, mixed up, or fatal to a load."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.databases import execute
from tests.sync.odd_values import ODD_VALUES
from tests.sync.shop import Shop, rows
from tests.tiers import only

pytestmark = pytest.mark.usefixtures("in_either_warehouse")


@pytest.fixture
def shop() -> Iterator[Shop]:
    with Shop() as server:
        yield server


def test_a_key_has_one_identity_in_any_spelling(shop: Shop, warehouse_file: Path) -> None:
    """Nothing is soft-deleted or written again, and no key is duplicated in the table."""
    shop.answers["/things"] = b'[{"id": 1, "title": "a"}, {"id": 2, "title": "b"}, {"id": 30, "title": "c"}]'
    shop.answers["/pairs"] = b'[{"left": 1, "right": "7"}, {"left": 1, "right": "07"}]'
    shop.sync("things", "pairs")
    shop.answers["/things"] = (
        b'[{"id": "30", "title": "c"}, {"id": 1.0, "title": "a"}, {"id": "1", "title": "a"}, {"id": 2, "title": "b"}]'
    )
    shop.answers["/pairs"] = b'[{"left": "1", "right": 7}, {"left": 1.0, "right": "07"}]'
    again = shop.sync("things", "pairs")
    assert all(outcome.ok and outcome.rows_loaded == 0 and outcome.deleted == 0 for outcome in again.values())
    assert again["things"].duplicate_keys == again["pairs"].duplicate_keys == 0
    assert [row["id"] for row in rows(warehouse_file, "things")] == [1, 2, 30]
    assert len(rows(warehouse_file, "pairs")) == 2


NO_NUMBERS = ['"abc"', "9223372036854775808", "true", '""', '"01"', "1.5", '{"id": 1}', "1e400"]
NO_TEXTS = ["true", '""', "[1]", "1.5", r'"\ud800"']


@pytest.mark.parametrize("bad", only(['"abc"', "9223372036854775808", '{"id": 1}'], NO_NUMBERS, slow=NO_NUMBERS))
def test_an_invalid_key_fails_its_resource_by_name(bad: str, shop: Shop, warehouse_file: Path) -> None:
    shop.answers["/things"] = b'[{"id": 1}, {"id": %s}]' % bad.encode()
    shop.answers["/words"] = b'[{"id": "a"}]'
    outcomes = shop.sync("things", "words")
    assert "`id`" in (outcomes["things"].error or "") and "shop/things" in (outcomes["things"].error or "")
    assert outcomes["words"].ok and rows(warehouse_file, "words") == [{"id": "a"}]


@pytest.mark.parametrize("bad", only(["true", '""', r'"\ud800"'], NO_TEXTS, slow=NO_TEXTS))
def test_an_invalid_text_key_fails_its_resource_by_name(bad: str, shop: Shop) -> None:
    shop.answers["/words"] = b'[{"id": %s}]' % bad.encode()
    outcomes = shop.sync("things", "words")
    assert "`id`" in (outcomes["words"].error or "") and outcomes["things"].ok


def test_integers_beyond_64_bits_stay_distinct_and_exact(shop: Shop, warehouse_file: Path) -> None:
    big, nested = 2**64 + 1, -(10**30) - 7
    things = [{"id": 1, "number": big, "price": 2**53 + 1, "tags": {"n": nested}, "new": [big]}]
    shop.answers["/things"] = json.dumps(things).encode()
    shop.answers["/words"] = json.dumps([{"id": big}, {"id": big + 1}]).encode()
    assert all(outcome.ok for outcome in shop.sync("things", "words").values())
    (row,) = rows(warehouse_file, "things")
    assert row["number__v_text"] == str(big) and row["price__v_bigint"] == 2**53 + 1
    assert json.loads(row["tags"]) == {"n": nested} and json.loads(row["new"]) == [big]
    assert [row["id"] for row in rows(warehouse_file, "words")] == [str(big), str(big + 1)]


def test_a_value_of_the_right_type_replaces_its_variant(shop: Shop, warehouse_file: Path) -> None:
    shop.answers["/things"] = b'[{"id": 1, "number": "seven", "open": 1, "at": "9999-12-31T23:59:59-05:00"}]'
    shop.sync("things")
    (row,) = rows(warehouse_file, "things")
    assert row == {
        "id": 1,
        "number__v_text": "seven",
        "open__v_bigint": 1,
        "at__v_text": "9999-12-31T23:59:59-05:00",
    }
    shop.answers["/things"] = b'[{"id": 1, "number": 7, "open": true, "at": "2026-01-02 03:04:05"}]'
    shop.sync("things")
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert rows(warehouse_file, "things") == [{"id": 1, "number": 7, "open": True, "at": moment}]


def test_no_value_in_any_column_is_refused_by_the_warehouse(shop: Shop, warehouse_file: Path) -> None:
    """Each odd value in each type's column, and in columns of undeclared fields with odd names."""
    columns = ("number", "price", "open", "title", "at", "day", "tags")
    fields = [
        *(f'{{"id": {n}, ' + ", ".join(f'"{c}": {odd}' for c in columns) + "}" for n, odd in enumerate(ODD_VALUES)),
        *(f'{{"id": {n + 100}, "a\\u0000b": {odd}, "\\ud800": {odd}, " ": {odd}, "{"x" * 300}": {odd}}}'
          for n, odd in enumerate(ODD_VALUES)),
    ]  # fmt: skip
    shop.answers["/things"] = f"[{','.join(fields)}]".encode()
    outcome = shop.sync("things")["things"]
    assert outcome.ok, outcome.error
    found = {row["id"]: row for row in rows(warehouse_file, "things")}
    assert len(found) == 2 * len(ODD_VALUES)
    for number, odd in enumerate(ODD_VALUES):
        for column in columns:
            places = [name for name in found[number] if name == column or name.startswith(f"{column}__v_")]
            finer = column == "at" and "789" in odd
            assert len(places) == (2 if finer else 1), (odd, column, found[number])


def test_fields_with_the_same_column_name_keep_their_columns(shop: Shop, warehouse_file: Path) -> None:
    shop.answers["/things"] = '[{"id": 1, "fooBar": "a", "foo_bar": "b", "цена": 1, "скидка": 2}]'.encode()
    shop.sync("things")
    first = rows(warehouse_file, "things")[0]
    shop.answers["/things"] = (
        '[{"id": 2, "скидка": 2, "foo_bar": "b", "цена": 1, "fooBar": "a"}, {"id": 1, "foo_bar": "b", "fooBar": "a2",'
        ' "цена": 1, "скидка": 2}]'
    ).encode()
    shop.sync("things")
    one, two = rows(warehouse_file, "things")
    assert two == {**first, "id": 2}
    assert one == {name: "a2" if value == "a" else value for name, value in first.items()}
    assert sorted(map(str, first.values())) == ["1", "1", "2", "a", "b"]


def test_concurrent_runs_that_assign_new_columns_differently_do_not_mix_fields(
    shop: Shop, warehouse_file: Path
) -> None:
    """The run that lands second reads again."""
    shop.answers["/things"] = b'[{"id": 1}]'
    shop.sync("things")
    late = b'[{"id": 1}, {"id": 2, "foo_bar": "b", "fooBar": "a"}]'
    early = b'[{"id": 1}, {"id": 3, "fooBar": "a", "foo_bar": "b"}]'

    def another_run_lands_first(path: str) -> None:
        shop.before = lambda path: None
        shop.answers["/things"] = early
        assert shop.sync("things")["things"].ok
        shop.answers["/things"] = late

    shop.before = another_run_lands_first
    assert shop.sync("things")["things"].ok
    two = next(row for row in rows(warehouse_file, "things") if row["id"] == 2)
    assert (two["foo_bar"], two["foo_bar_x2"]) == ("a", "b")


def test_runs_of_two_parents_that_assign_new_columns_differently_do_not_mix_fields(
    shop: Shop, warehouse_file: Path
) -> None:
    """The runs read different rows; only the columns are shared."""
    shop.answers["/words"] = b'[{"id": "a"}, {"id": "b"}]'
    shop.answers["/words/a/parts"], shop.answers["/words/b/parts"] = b'[{"id": 1}]', b'[{"id": 2}]'
    shop.sync("words")
    shop.sync("parts")
    shop.answers["/words/a/parts"] = b'[{"id": 1, "foo_bar": "b", "fooBar": "a"}]'
    shop.answers["/words/b/parts"] = b'[{"id": 2, "fooBar": "a", "foo_bar": "b"}]'

    def the_other_parents_run_lands_first(path: str) -> None:
        shop.before = lambda path: None
        assert shop.sync("parts", parents=frozenset({"b"}))["parts"].ok

    shop.before = the_other_parents_run_lands_first
    assert shop.sync("parts", parents=frozenset({"a"}))["parts"].ok
    one, two = rows(warehouse_file, "parts")
    assert (one["foo_bar"], one["foo_bar_x2"]) == (two["foo_bar"], two["foo_bar_x2"]) == ("a", "b")


def test_a_warehouse_without_recorded_column_names_still_loads(shop: Shop, warehouse_file: Path) -> None:
    """As created by earlier versions: an existing column keeps the field of its name."""
    shop.answers["/things"] = b'[{"id": 1, "fooBar": "a"}]'
    shop.sync("things")
    execute(warehouse_file, "DROP TABLE IF EXISTS shop._sync_columns")
    shop.answers["/things"] = b'[{"id": 1, "fooBar": "a"}, {"id": 2, "fooBar": "c"}]'
    shop.sync("things")
    shop.answers["/things"] = b'[{"id": 2, "foo_bar": "x", "fooBar": "d"}, {"id": 1, "fooBar": "a"}]'
    shop.sync("things")
    assert rows(warehouse_file, "things")[1] == {"id": 2, "foo_bar": "d", "foo_bar_x2": "x"}


def test_thousands_of_fields_land_and_the_next_thousand_too(shop: Shop, warehouse_file: Path) -> None:
    """Nothing is dropped: the fields beyond the column limit share one column."""
    wide = {f"field_{number}": number for number in range(5000)}
    shop.answers["/things"] = json.dumps([{"id": number, **wide} for number in range(3)]).encode()
    first = shop.sync("things")["things"]
    assert first.ok and "_more_fields" in first.variants
    wider = {**wide, **{f"more_{number}": number for number in range(1000)}}
    shop.answers["/things"] = json.dumps([{"id": 0, **wider}, {"id": 1, **wide}, {"id": 2, **wide}]).encode()
    again = shop.sync("things")["things"]
    assert again.ok and again.rows_loaded == 1 and not again.added_columns
    found = rows(warehouse_file, "things")
    assert len(found[0]) < 600
    for row, expected in zip(found, (wider, wide, wide), strict=True):
        together = json.loads(row.pop("_more_fields"))
        assert {**row, **together} == {**expected, "id": row["id"]}


def test_a_row_listed_by_two_parents_is_written_once(shop: Shop, warehouse_file: Path) -> None:
    """With the smallest parent, whichever responded first, and not again while it is unchanged."""
    shop.answers["/words"] = b'[{"id": "a"}, {"id": "b"}]'
    shop.sync("words")
    for word in "ab":
        shop.answers[f"/words/{word}/parts"] = b'[{"id": 1, "title": "shared"}]'
    for first, second, written in (("a", "b", 1), ("b", "a", 0)):
        shop.before = delaying(f"/words/{second}/parts", until=f"/words/{first}/parts")
        outcome = shop.sync("parts")["parts"]
        assert (outcome.rows_loaded, outcome.deleted) == (written, 0)
        assert [row["_words_id"] for row in rows(warehouse_file, "parts")] == ["a"]


def delaying(path: str, until: str) -> Callable[[str], None]:
    """Respond to `path` only after `until` was served and had time to be processed."""
    requested = threading.Event()

    def before(found: str) -> None:
        if found == until:
            requested.set()
        elif found == path:
            requested.wait(5)
            time.sleep(0.5)

    return before


def test_a_body_that_only_python_accepts_as_json_is_an_error(shop: Shop) -> None:
    for body in (b"[NaN]", b"[Infinity]", b'[{"id": 1}', b"[1e999999999]", b"[" * 5000 + b"]" * 5000, b'["\xff"]'):
        shop.answers["/things"] = body
        assert "not JSON" in (shop.sync("things")["things"].error or ""), body[:20]

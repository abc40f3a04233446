"""Rows are deduplicated, compared with existing rows, and buffered on disk until their resource is read completely."""

import tempfile
from datetime import UTC, datetime, timedelta, timezone
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dlt.common.schema import Schema
from hypothesis import given, settings
from hypothesis import strategies as st

from platform_assets.arrow import buffer as buffer_module
from platform_assets.arrow.batches import Batch, BufferedRows
from platform_assets.arrow.buffer import ParquetBuffer
from platform_assets.arrow.columns import Columns
from platform_assets.arrow.hashes import as_numbers, is_member, parent_hash
from platform_assets.arrow.keys import hash_keys, key_hashes, settle_keys
from platform_assets.arrow.occurrences import last_occurrences
from platform_assets.http.errors import AnswerError
from platform_assets.warehouse.table_layout import ROW_HASH, system_columns

NOW = datetime(2026, 1, 15, tzinfo=UTC)


def make(folder: Path, known: np.ndarray | None = None, key: str = "bigint", **given: Any) -> ParquetBuffer:
    columns = Columns({"id": key, "at": "timestamp"}, {}, Schema("any").naming, system_columns({"_parent": "text"}))
    empty = np.empty(0, np.uint64)
    return ParquetBuffer(folder, columns, ("id",), "at", empty if known is None else known, b"salt", NOW, **given)


def rows(buffered: BufferedRows) -> list[dict[str, Any]]:
    return [row for path in buffered.files for row in pq.read_table(path).to_pylist()]


def read(buffer: ParquetBuffer, *pages: list[dict[str, Any]]) -> Batch:
    batch = Batch()
    for page in pages:
        buffer.add(batch, page, {})
    return batch


def test_a_batch_that_is_not_accepted_leaves_nothing(tmp_path: Path) -> None:
    buffer = make(tmp_path)
    buffer.accept(read(buffer, [{"id": 1}]))
    read(buffer, [{"id": 2}])
    assert [row["id"] for row in rows(buffer.finish())] == [1]


def test_the_last_occurrence_of_a_key_wins(tmp_path: Path) -> None:
    buffer = make(tmp_path)
    buffer.accept(read(buffer, [{"id": 1, "v": "a"}, {"id": 2, "v": "b"}], [{"id": 1, "v": "c"}]))
    buffered = buffer.finish()
    assert sorted((row["id"], row["v"]) for row in rows(buffered)) == [(1, "c"), (2, "b")]
    assert (buffered.rows, buffered.records, buffered.repeats) == (2, 3, 1)


def test_rows_that_the_warehouse_has_are_not_loaded_again(tmp_path: Path) -> None:
    first = make(tmp_path / "1")
    first.accept(read(first, [{"id": 1, "v": "a"}, {"id": 2, "v": "b"}]))
    known = np.sort(as_numbers([row[ROW_HASH] for row in rows(first.finish())]))
    second = make(tmp_path / "2", known)
    second.accept(read(second, [{"v": "a", "id": 1}, {"id": 2, "v": "changed"}]))
    buffered = second.finish()
    assert [row["id"] for row in rows(buffered)] == [2]
    assert buffered.records == 2 and len(buffered.keys) == 2


def test_a_known_last_occurrence_drops_the_earlier_one(tmp_path: Path) -> None:
    """A thread listed in two folders must not flip between its two versions from run to run."""
    first = make(tmp_path / "1")
    first.accept(read(first, [{"id": 1, "folder": "archive"}]))
    known = np.sort(as_numbers([row[ROW_HASH] for row in rows(first.finish())]))
    second = make(tmp_path / "2", known)
    second.accept(read(second, [{"id": 1, "folder": "inbox"}], [{"id": 1, "folder": "archive"}]))
    assert rows(second.finish()) == []


def test_a_record_without_its_key_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(AnswerError, match="`id`"):
        read(make(tmp_path), [{"id": None}])


def test_the_cursor_is_the_newest_of_all_records(tmp_path: Path) -> None:
    buffer = make(tmp_path)
    batch = read(buffer, [{"id": 1, "at": "2026-01-02T00:00:00Z"}], [{"id": 2, "at": None}, {"id": 3, "at": "x"}])
    assert batch.cursor == datetime(2026, 1, 2, tzinfo=UTC)


def test_records_before_the_start_date_are_not_loaded(tmp_path: Path) -> None:
    buffer = make(tmp_path, not_before=NOW)
    buffer.accept(
        read(buffer, [{"id": 1, "at": "2026-01-14T00:00:00Z"}, {"id": 2, "at": "2026-01-15T00:00:00Z"}, {"id": 3}])
    )
    buffered = buffer.finish()
    assert [row["id"] for row in rows(buffered)] == [2, 3]
    assert len(buffered.keys) == 3


def test_pages_of_different_shapes_end_in_one_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buffer_module, "FLUSH_BYTES", 1)
    buffer = make(tmp_path)
    buffer.accept(read(buffer, [{"id": 1}], [{"id": 2, "new": "x"}], [{"id": 1, "n": 1}]))
    buffered = buffer.finish()
    assert len(buffered.files) > 1
    assert sorted((row["id"], row.get("new"), row.get("n")) for row in rows(buffered)) == [(1, None, 1), (2, "x", None)]


@given(st.lists(st.integers(0, 9), max_size=30))
def test_last_occurrences(keys: list[int]) -> None:
    marked = last_occurrences(np.array(keys, np.uint64))
    assert [index for index, is_last in enumerate(marked) if is_last] == sorted(
        {key: index for index, key in enumerate(keys)}.values()
    )


@given(st.lists(st.integers(0, 2**64 - 1)), st.lists(st.integers(0, 2**64 - 1)))
def test_is_member(values: list[int], known: list[int]) -> None:
    found = is_member(np.array(values, np.uint64), np.sort(np.array(known, np.uint64)))
    assert found.tolist() == [value in known for value in values]


spellings = st.sampled_from(
    [1, 1.0, "1", "01", True, 2, "2", 2**53, 2.0**53, str(2**53), 2**63, "", 1.5, "1.0", -1, "-1"]
)


def identity(value: Any, kind: str) -> Any:
    """The key that a spelling stands for, computed independently of the code under test; None if it is not a key."""
    if isinstance(value, bool) or value == "" or (isinstance(value, float) and value != int(value)):
        return None
    text = value if isinstance(value, str) else str(int(value))
    if kind == "text":
        return text
    return int(text) if text.lstrip("-").isdigit() and str(int(text)) == text and int(text) < 2**63 else None


@settings(deadline=None)
@given(st.lists(spellings, min_size=1, max_size=8), st.sampled_from(["bigint", "text"]))
def test_equal_keys_are_one_row_in_any_spelling(ids: list[Any], kind: str) -> None:
    """Equal keys give one row and one stored key, as in the warehouse; an invalid key is an error."""
    expected_keys = [identity(value, kind) for value in ids]
    with tempfile.TemporaryDirectory() as folder:
        buffer = make(Path(folder), key=kind)
        if None in expected_keys:
            with pytest.raises(AnswerError, match=r"`id` is .*no primary key"):
                read(buffer, [{"id": value} for value in ids])
            return
        buffer.accept(read(buffer, *([{"id": value}] for value in ids)))
        buffered = buffer.finish()
        assert sorted(row["id"] for row in rows(buffered)) == sorted(set(expected_keys))
        assert (
            set(buffered.keys)
            == set(hash_keys(set(expected_keys)))
            == set(hash_keys((one,) for one in set(expected_keys)))
        )


def test_composite_keys_differ_by_their_parts() -> None:
    pairs = [("a\x1fb", "c"), ("a", "b\x1fc"), ("ab", "c"), ("a", "bc")]
    assert len(set(hash_keys(pairs))) == len(pairs)
    records: list[dict[str, Any]] = [{"x": 1.0, "y": 7}]
    settle_keys(records, {"x": "bigint", "y": "text"})
    assert key_hashes(records, ("x", "y")).tolist() == hash_keys([(1, "7")]).tolist()
    # An empty composite key, as a resource without parents has.
    assert hash_keys([(), ()]).tolist() == hash_keys([(), ()]).tolist()


def test_timestamp_keys_are_equal_across_time_zones() -> None:
    here = datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))
    assert hash_keys([here]).tolist() == hash_keys([datetime(2026, 1, 1, tzinfo=UTC)]).tolist()


def of_parents(
    folder: Path, reads: list[tuple[str, list[dict[str, Any]]]], known: np.ndarray | None = None
) -> BufferedRows:
    buffer = make(folder, known)
    for parent, records in reads:
        batch = Batch(parent=parent)
        buffer.add(batch, [dict(record) for record in records], {"_parent": pa.scalar(parent, pa.string())})
        buffer.accept(batch)
    return buffer.finish()


@settings(deadline=None, max_examples=50)
@given(
    st.dictionaries(
        st.sampled_from("abc"),
        st.lists(st.fixed_dictionaries({"id": st.integers(0, 3), "v": st.sampled_from("xy")}), min_size=1, max_size=4),
        min_size=1,
    ),
    st.randoms(),
)
def test_the_parent_of_a_shared_row_does_not_depend_on_arrival_order(
    found: dict[str, list[dict[str, Any]]], random: Any
) -> None:
    """In any order of arrival the smallest parent key wins with its last read, and the next sync writes nothing."""
    reads = list(found.items())
    random.shuffle(reads)
    expected: dict[int, tuple[str, str]] = {}
    for parent in sorted(found, reverse=True):
        expected.update({record["id"]: (parent, record["v"]) for record in found[parent]})
    with tempfile.TemporaryDirectory() as name:
        buffered = of_parents(Path(name) / "1", reads)
        written = rows(buffered)
        assert {row["id"]: (row["_parent"], row["v"]) for row in written} == expected and len(written) == len(expected)
        assert as_numbers([row[ROW_HASH] for row in written]).tolist() == buffered.written_ids.tolist()
        assert hash_keys(row["id"] for row in written).tolist() == buffered.written_keys.tolist()
        parents = [parent_hash({"_parent": pa.scalar(row["_parent"], pa.string())}, b"salt") for row in written]
        assert [int(one) for one in buffered.written_ids ^ np.array(parents)] == buffered.written_contents.tolist()
        random.shuffle(reads)
        assert of_parents(Path(name) / "2", reads, np.sort(buffered.written_ids)).rows == 0


def test_a_row_already_stored_under_another_parent_is_not_written(tmp_path: Path) -> None:
    first = of_parents(tmp_path / "1", [("b", [{"id": 1}])])
    second = of_parents(tmp_path / "2", [("a", [{"id": 1}]), ("b", [{"id": 1}])], np.sort(first.written_ids))
    assert second.rows == 0 and rows(second) == []
    changed = of_parents(
        tmp_path / "3", [("a", [{"id": 1}]), ("b", [{"id": 1, "v": "new"}])], np.sort(first.written_ids)
    )
    assert [row["_parent"] for row in rows(changed)] == ["a"]


def test_rows_without_parents_keep_the_row_id_of_earlier_versions(tmp_path: Path) -> None:
    buffer = make(tmp_path)
    buffer.accept(read(buffer, [{"v": "a", "id": 1}]))
    (row,) = rows(buffer.finish())
    assert row[ROW_HASH] == blake2b(b'[]{"id":1,"v":"a"}', digest_size=8, key=b"salt").hexdigest()

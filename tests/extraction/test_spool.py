"""Rows are deduplicated, recognised and kept on disk until their resource was read whole."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from dlt.common.schema import Schema
from hypothesis import given
from hypothesis import strategies as st

from platform_assets.extraction import spool as spool_module
from platform_assets.extraction.columns import Columns
from platform_assets.extraction.errors import AnswerError
from platform_assets.extraction.spool import (
    ROW_HASH,
    SYSTEM_COLUMNS,
    Batch,
    Spool,
    Spooled,
    as_numbers,
    is_member,
    last_occurrences,
)

NOW = datetime(2026, 1, 15, tzinfo=UTC)


def make(folder: Path, known: np.ndarray | None = None, **given: Any) -> Spool:
    columns = Columns({"id": "bigint", "at": "timestamp"}, {}, Schema("any").naming, SYSTEM_COLUMNS)
    empty = np.empty(0, np.uint64)
    return Spool(folder, columns, ("id",), "at", empty if known is None else known, b"salt", NOW, **given)


def rows(spooled: Spooled) -> list[dict[str, Any]]:
    return [row for path in spooled.files for row in pq.read_table(path).to_pylist()]


def read(spool: Spool, *pages: list[dict[str, Any]]) -> Batch:
    batch = Batch()
    for page in pages:
        spool.add(batch, page, {})
    return batch


def test_a_batch_that_is_not_accepted_leaves_nothing(tmp_path: Path) -> None:
    spool = make(tmp_path)
    spool.accept(read(spool, [{"id": 1}]))
    read(spool, [{"id": 2}])
    assert [row["id"] for row in rows(spool.finish())] == [1]


def test_the_last_occurrence_of_a_key_wins(tmp_path: Path) -> None:
    spool = make(tmp_path)
    spool.accept(read(spool, [{"id": 1, "v": "a"}, {"id": 2, "v": "b"}], [{"id": 1, "v": "c"}]))
    spooled = spool.finish()
    assert sorted((row["id"], row["v"]) for row in rows(spooled)) == [(1, "c"), (2, "b")]
    assert (spooled.rows, spooled.records, spooled.repeats) == (2, 3, 1)


def test_rows_that_the_warehouse_has_are_not_loaded_again(tmp_path: Path) -> None:
    first = make(tmp_path / "1")
    first.accept(read(first, [{"id": 1, "v": "a"}, {"id": 2, "v": "b"}]))
    known = np.sort(as_numbers([row[ROW_HASH] for row in rows(first.finish())]))
    second = make(tmp_path / "2", known)
    second.accept(read(second, [{"v": "a", "id": 1}, {"id": 2, "v": "changed"}]))
    spooled = second.finish()
    assert [row["id"] for row in rows(spooled)] == [2]
    assert spooled.records == 2 and len(spooled.keys) == 2


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
    spool = make(tmp_path)
    batch = read(spool, [{"id": 1, "at": "2026-01-02T00:00:00Z"}], [{"id": 2, "at": None}, {"id": 3, "at": "x"}])
    assert batch.cursor == datetime(2026, 1, 2, tzinfo=UTC)


def test_records_before_the_start_date_are_not_loaded(tmp_path: Path) -> None:
    spool = make(tmp_path, not_before=NOW)
    spool.accept(
        read(spool, [{"id": 1, "at": "2026-01-14T00:00:00Z"}, {"id": 2, "at": "2026-01-15T00:00:00Z"}, {"id": 3}])
    )
    spooled = spool.finish()
    assert [row["id"] for row in rows(spooled)] == [2, 3]
    assert len(spooled.keys) == 3


def test_pages_of_different_shapes_end_in_one_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool_module, "FLUSH_BYTES", 1)
    spool = make(tmp_path)
    spool.accept(read(spool, [{"id": 1}], [{"id": 2, "new": "x"}], [{"id": 1, "n": 1}]))
    spooled = spool.finish()
    assert len(spooled.files) > 1
    assert sorted((row["id"], row.get("new"), row.get("n")) for row in rows(spooled)) == [(1, None, 1), (2, "x", None)]


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

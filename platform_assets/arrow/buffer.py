"""Rows on their way: typed, deduplicated, and on disk until everything of their resource is read.

Nothing reaches the warehouse from here before its resource (or parent) was read to the last page.
SensorState is bounded: tables are appended to a Parquet file once they pass `FLUSH_BYTES`.
"""

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import blake2b
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from platform_assets.arrow.columns import TIMESTAMP, Columns, without_nul
from platform_assets.arrow.exactness import key_values
from platform_assets.http.errors import AnswerError
from platform_assets.http.selection import Record, as_json

FLUSH_BYTES = 8 * 1024 * 1024
FLUSH_TABLES = 500
"""Small tables, e.g. of parents with two rows each, take far more memory than their bytes."""
ROW_GROUP = 16_384
"""Rows of a Parquet row group: a loader holds a whole one in memory, times its threads."""


@dataclass
class Batch:
    """Rows of one parent (or of the whole resource), read but not yet accepted.

    Of every record in reading order, `keys` hashes its primary key, `contents` its fields, and `ids` is its row's
    identity; `known` tells which are equal to a row already loaded, `written` which have a row in `tables` or
    `files`. `parent` is the parent's key, which decides between parents that list the same record.
    """

    parent: str = ""
    keys: list[np.ndarray] = field(default_factory=list)
    contents: list[np.ndarray] = field(default_factory=list)
    ids: list[np.ndarray] = field(default_factory=list)
    known: list[np.ndarray] = field(default_factory=list)
    written: list[np.ndarray] = field(default_factory=list)
    parents: list[tuple[str, int]] = field(default_factory=list)
    """Of accepted batches: parent, and how many records it has in the arrays above."""
    tables: list[pa.Table] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    writer: pq.ParquetWriter | None = None
    bytes_held: int = 0
    bytes_written: int = 0
    records: int = 0
    pages: int = 0
    cursor: datetime | None = None
    rows_written: int = 0
    """How many of the records have a row to load."""
    ends_unproven: bool = False
    """Whether nothing in the answers said that there is no more: then no cursor moves past what was read."""


class ParquetBuffer:
    """Collects the rows of one resource in a folder of its own.

    Args:
        folder: where Parquet files go; made on first use.
        columns: the table's columns, shared by all batches.
        primary_key: raw field names; a record without one of them is an error.
        known: sorted uint64 hashes of rows that the warehouse holds already.
        not_before: records with an older cursor are read but not loaded, unless they are in `wanted_anyway`.
        wanted_anyway: sorted uint64 hashes of the keys that the table has.
        salt: goes into every row's hash, so that rows are loaded anew when a declaration changes.
        holds_nul: whether the warehouse's texts may have U+0000; else U+FFFD takes its place.
    """

    def __init__(
        self,
        folder: Path,
        columns: Columns,
        primary_key: Sequence[str],
        cursor_path: str | None,
        known: np.ndarray,
        salt: bytes,
        loaded_at: datetime,
        not_before: datetime | None = None,
        wanted_anyway: np.ndarray | None = None,
        holds_nul: bool = True,
    ) -> None:
        self.columns = columns
        self._holds_nul = holds_nul
        self._folder = folder
        self._primary_key = tuple(primary_key)
        self._key_columns = frozenset(columns.name_of(name) for name in primary_key)
        self._key_types = {name: columns.types[columns.name_of(name)] for name in primary_key}
        self._cursor_path = cursor_path
        self._known = known
        self._salt = salt[:64]
        self._not_before = None if not_before is None else pa.scalar(not_before, TIMESTAMP)
        self._wanted_anyway = np.empty(0, np.uint64) if wanted_anyway is None else wanted_anyway
        self._loaded_at = pa.scalar(loaded_at, TIMESTAMP)
        self._accepted = Batch()
        self._lock = threading.Lock()
        self._numbers = count()

    def add(self, batch: Batch, records: list[Record], parent: Mapping[str, pa.Scalar]) -> None:
        """Convert one page's records into `batch`. `parent` holds the parent's columns.

        Keys are replaced in the records by what they are stored as. Raises AnswerError for a record whose primary
        key is missing, or not exactly a value of its columns.
        """
        batch.pages += 1
        if not records:
            return
        batch.records += len(records)
        moments = self._see_cursor(batch, records)
        settle_keys(records, self._key_types, holds_nul=self._holds_nul)
        contents = content_hashes(records, self._salt)
        ids = contents ^ parent_hash(parent, self._salt)
        known = is_member(ids, self._known)
        batch.keys.append(key_hashes(records, self._primary_key))
        batch.contents.append(contents)
        batch.ids.append(ids)
        batch.known.append(known)
        fresh = ~known
        if moments is not None and self._not_before is not None:
            older = pc.fill_null(pc.less(moments, self._not_before), False)  # pyright: ignore[reportAttributeAccessIssue] -- generated at run time
            fresh &= ~older.to_numpy(zero_copy_only=False) | is_member(batch.keys[-1], self._wanted_anyway)
        batch.written.append(fresh)
        batch.rows_written += int(fresh.sum())
        if not fresh.any():
            return
        if not fresh.all():
            kept = np.flatnonzero(fresh)
            records = [records[index] for index in kept]
            ids = ids[kept]
        table = self.columns.table(records, {**parent, self.columns.system.loaded_at: self._loaded_at})
        if not self._holds_nul:
            table = without_nul(table, self.columns.types)
        table = table.append_column(self.columns.system.row_hash, pa.array(as_texts(ids), pa.string()))
        self._hold(batch, table)

    def accept(self, batch: Batch) -> None:
        """Take over a batch that was read to its last page; only its numbers stay in it."""
        with self._lock:
            mine = self._accepted
            if batch.files:
                # Rows stand in reading order over files, so what is held goes first.
                self._close(batch)
                self._close(mine)
            mine.files += batch.files
            mine.tables += batch.tables
            mine.bytes_held += batch.bytes_held
            mine.bytes_written += batch.bytes_written
            mine.parents.append((batch.parent, sum(map(len, batch.keys))))
            mine.keys += batch.keys
            mine.contents += batch.contents
            mine.ids += batch.ids
            mine.known += batch.known
            mine.written += batch.written
            mine.records += batch.records
            mine.pages += batch.pages
            batch.tables, batch.keys, batch.written = [], [], []
            batch.contents, batch.ids, batch.known = [], [], []
            if mine.bytes_held > FLUSH_BYTES or len(mine.tables) > FLUSH_TABLES:
                self._flush(mine)

    def finish(self) -> "BufferedRows":
        """Write what is held, keep one occurrence of each key, and return what there is to load.

        Of one parent's occurrences the last one counts. Of several parents', none is loaded where one is equal to a
        row that the warehouse has; else that of the smallest parent key is, whichever was read first.
        """
        accepted = self._accepted
        self._close(accepted)
        keys, ids, contents = (_joined(a, np.uint64) for a in (accepted.keys, accepted.ids, accepted.contents))
        known, written = _joined(accepted.known, bool), _joined(accepted.written, bool)
        pa.default_memory_pool().release_unused()
        kept = last_occurrences(keys)
        if not kept.all() and len({parent for parent, _ in accepted.parents}) > 1:
            kept = chosen_occurrences(keys, _ranks(accepted.parents), known)
        rows = written & kept
        if rows.sum() < written.sum():
            accepted.files = list(self._filtered(accepted.files, kept[written]))
        return BufferedRows(
            files=accepted.files,
            rows=int(rows.sum()),
            row_bytes=accepted.bytes_written // max(1, int(written.sum())),
            records=accepted.records,
            repeats=int(len(keys) - kept.sum()),
            keys=np.sort(keys[kept]),
            written_keys=keys[rows],
            written_ids=ids[rows],
            written_contents=contents[rows],
            columns=self.columns,
            folder=self._folder,
        )

    def only(self, content: "BufferedRows", keep: np.ndarray) -> "BufferedRows":
        """The content without the rows that `keep`, in the order of the files, denies."""
        return replace(
            content,
            files=list(self._filtered(content.files, keep)),
            rows=int(keep.sum()),
            written_keys=content.written_keys[keep],
            written_ids=content.written_ids[keep],
            written_contents=content.written_contents[keep],
        )

    def _see_cursor(self, batch: Batch, records: list[Record]) -> pa.Array | None:
        """The records' cursor values; the newest one is remembered in the batch.

        What is later than this read's beginning was not read for certain: one record dated in the future would hide
        whatever changes until then.
        """
        if self._cursor_path is None:
            return None
        moments = self.columns.moments(records, self._cursor_path)
        past = pc.filter(moments, pc.less_equal(moments, self._loaded_at))  # pyright: ignore[reportAttributeAccessIssue] -- generated at run time
        newest = pc.max(past).as_py()  # pyright: ignore[reportAttributeAccessIssue] -- generated at run time
        if newest is not None and (batch.cursor is None or newest > batch.cursor):
            batch.cursor = newest
        return moments

    def _hold(self, batch: Batch, table: pa.Table) -> None:
        batch.tables.append(table)
        batch.bytes_held += table.nbytes
        if batch.bytes_held > FLUSH_BYTES:
            self._flush(batch)

    def _flush(self, batch: Batch) -> None:
        """Append what is held to the batch's file; a table with columns that the file lacks begins the next one.

        A file is loaded by one statement, so few large ones cost less than many small ones.
        """
        if not batch.tables:
            return
        table = pa.concat_tables(batch.tables, promote_options="default")
        batch.bytes_written += batch.bytes_held
        batch.tables, batch.bytes_held = [], 0
        if batch.writer is not None and not _fits(table, batch.writer.schema):
            _end(batch)
        if batch.writer is None:
            path = self._next_file()
            batch.writer = _writer(path, self.columns.schema(self._key_columns))
            batch.files.append(path)
        batch.writer.write_table(_with_columns(table, batch.writer.schema), row_group_size=ROW_GROUP)

    def _close(self, batch: Batch) -> None:
        self._flush(batch)
        _end(batch)

    def _next_file(self) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        return self._folder / f"{next(self._numbers)}.parquet"

    def _filtered(self, files: Iterable[Path], keep: np.ndarray) -> Iterable[Path]:
        """The files without the rows that `keep` denies, a row group in memory at a time."""
        start = 0
        for path in files:
            with pq.ParquetFile(path) as file:
                mask = keep[start : start + file.metadata.num_rows]
                start += len(mask)
                if mask.all():
                    yield path
                    continue
                if not mask.any():
                    continue
                kept = self._next_file()
                with _writer(kept, file.schema_arrow) as writer:
                    done = 0
                    for rows in file.iter_batches(ROW_GROUP):
                        chosen = pa.array(mask[done : done + rows.num_rows])
                        writer.write_batch(rows.filter(chosen))
                        done += rows.num_rows
            yield kept


def _writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    return pq.ParquetWriter(path, schema, compression="lz4", use_dictionary=False)


def _end(batch: Batch) -> None:
    if batch.writer is not None:
        batch.writer.close()
        batch.writer = None


def _fits(table: pa.Table, schema: pa.Schema) -> bool:
    return set(table.column_names) <= set(schema.names)


def _with_columns(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """The table in the schema's order, with nulls where it lacks a column."""
    columns = [
        table[column.name] if column.name in table.column_names else pa.nulls(table.num_rows, column.type)
        for column in schema
    ]
    return pa.table(columns, schema=schema)


@dataclass(frozen=True)
class BufferedRows:
    """What one resource has to load.

    `row_bytes` is the average width of a row, `keys` are the sorted hashes of all primary keys that were read.
    `written_keys`, `written_ids` and `written_contents` are uint64, of each row in the files, in their order: hash of
    the key, number of the row hash, and hash of the content alone (row hash XOR `parent_hash`).
    """

    files: list[Path]
    rows: int
    row_bytes: int
    records: int
    repeats: int
    keys: np.ndarray
    written_keys: np.ndarray
    written_ids: np.ndarray
    written_contents: np.ndarray
    columns: Columns
    folder: Path

    def empty_file(self, key: Iterable[str]) -> Path:
        """A file with the table's columns and no row; `key` names the columns that are never null."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / "empty.parquet"
        schema = self.columns.schema(frozenset(key))
        with _writer(path, schema) as writer:
            writer.write_table(schema.empty_table())
        return path


def settle_keys(records: list[Record], key_types: Mapping[str, str], *, holds_nul: bool = True) -> None:
    """Replace key values in place by the one value that each is stored and compared as.

    Raises AnswerError for a record without a key, or with one that is not exactly a value of its column.
    """
    for name, data_type in key_types.items():
        values = [record.get(name) for record in records]
        if None in values:
            raise AnswerError(f"a record has no `{'`, `'.join(key_types)}`, which is its primary key")
        settled = key_values(values, data_type, holds_nul=holds_nul)
        if settled is values:
            continue
        for record, value, one in zip(records, values, settled, strict=True):
            if one is None:
                shown = f"{value!r:.40}{'…' if len(repr(value)) > 40 else ''}"
                raise AnswerError(f"`{name}` is {shown}, which is no {data_type}: a record has no primary key")
            record[name] = one


def key_hashes(records: list[Record], primary_key: tuple[str, ...]) -> np.ndarray:
    """uint64 hash of each record's settled primary key."""
    return _hashes_by_column([[record[name] for record in records] for name in primary_key], len(records))


def hash_keys(values: Iterable[Any]) -> np.ndarray:
    """uint64 hashes of key values, equal for what a read has settled and for what the warehouse gives back.

    A composite key is a tuple; a tuple of one value counts as the value. Python salts its hashes, so they are the
    same within one process only.
    """
    rows = list(values)
    composite = bool(rows) and isinstance(rows[0], tuple)
    return _hashes_by_column(list(zip(*rows, strict=True)) if composite else [rows], len(rows))


def _hashes_by_column(columns: Sequence[Sequence[Any]], count: int) -> np.ndarray:
    texts = [_key_texts(column) for column in columns]
    rows = texts[0] if len(texts) == 1 else zip(*texts, strict=True) if texts else [()] * count
    return np.fromiter(map(hash, rows), np.int64, count).view(np.uint64)


def _key_texts(values: Sequence[Any]) -> Iterable[str]:
    """7 in JSON and 7 in the warehouse are the same key; a moment is the same in every time zone."""
    if any(isinstance(value, datetime) for value in values[:1]):
        return [str(value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)) for value in values]
    return map(str, values)


def parent_hash(parent: Mapping[str, pa.Scalar], salt: bytes) -> np.uint64:
    """uint64 hash of a parent's columns, 0 without any."""
    if not parent:
        return np.uint64(0)
    what = repr(sorted((name, value.as_py()) for name, value in parent.items()))
    return np.uint64(int.from_bytes(blake2b(what.encode(), digest_size=8, key=salt[:64]).digest(), "big"))


def content_hashes(records: list[Record], salt: bytes) -> np.ndarray:
    """uint64 hash of each record's content; the order of its fields does not matter."""
    start = blake2b(b"[]", digest_size=8, key=salt[:64])
    found: list[bytes] = []
    for record in records:
        content = start.copy()
        content.update(as_json(record, "a record", sort_keys=True))
        found.append(content.digest())
    return np.frombuffer(b"".join(found), dtype=">u8").astype(np.uint64)


def as_texts(ids: np.ndarray) -> list[str]:
    """uint64 as 16 hex digits."""
    digits = ids.astype(">u8").tobytes().hex()
    return [digits[start : start + 16] for start in range(0, len(digits), 16)]


def as_numbers(hashes: Sequence[str]) -> np.ndarray:
    """16-hex-digit hashes as uint64."""
    if not hashes:
        return np.empty(0, np.uint64)
    return np.frombuffer(bytes.fromhex("".join(hashes)), dtype=">u8").astype(np.uint64)


def is_member(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Which of `values` are in the sorted array `known`."""
    if not len(known):
        return np.zeros(len(values), bool)
    positions = np.searchsorted(known, values)
    return known[np.minimum(positions, len(known) - 1)] == values


def last_occurrences(keys: np.ndarray) -> np.ndarray:
    """Marks the last occurrence of each key."""
    last = np.zeros(len(keys), bool)
    if len(keys):
        _, first_in_reverse = np.unique(keys[::-1], return_index=True)
        last[len(keys) - 1 - first_in_reverse] = True
    return last


def chosen_occurrences(keys: np.ndarray, ranks: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Marks one occurrence of each key: the last one of the parent that wins.

    The winner is a parent whose last occurrence is known to the warehouse, else the one of the smallest rank.
    """
    order = np.lexsort((np.arange(len(keys)), ranks, keys))
    sorted_keys, sorted_ranks = keys[order], ranks[order]
    ends = np.append((sorted_keys[1:] != sorted_keys[:-1]) | (sorted_ranks[1:] != sorted_ranks[:-1]), True)
    last = order[ends]
    best = last[np.lexsort((ranks[last], ~known[last], keys[last]))]
    chosen = np.zeros(len(keys), bool)
    chosen[best[np.append(True, keys[best][1:] != keys[best][:-1])]] = True
    return chosen


def _ranks(parents: Sequence[tuple[str, int]]) -> np.ndarray:
    """The place of each record's parent among all parents in the order of their keys."""
    places = {parent: place for place, parent in enumerate(sorted({parent for parent, _ in parents}))}
    return np.repeat(np.array([places[parent] for parent, _ in parents], np.int32), [records for _, records in parents])


def _joined(arrays: Sequence[np.ndarray], data_type: Any) -> np.ndarray:
    return np.concatenate(arrays) if arrays else np.empty(0, data_type)

"""Rows on their way: typed, deduplicated, and on disk until everything of their resource is read.

Nothing reaches the warehouse from here before its resource (or parent) was read to the last page.
Memory is bounded: tables are appended to a Parquet file once they pass `FLUSH_BYTES`.
"""

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from platform_assets.extraction.columns import TIMESTAMP, Columns, without_nul
from platform_assets.extraction.errors import AnswerError
from platform_assets.extraction.records import Record, as_json

FLUSH_BYTES = 8 * 1024 * 1024
FLUSH_TABLES = 500
"""Small tables, e.g. of parents with two rows each, take far more memory than their bytes."""
ROW_GROUP = 16_384
"""Rows of a Parquet row group: a loader holds a whole one in memory, times its threads."""
ROW_HASH = "_dlt_id"
"""dlt's name for a row's identity; here the hash of the row's content, so that equal rows are known."""
LOADED_AT = "_loaded_at"
SYSTEM_COLUMNS = {ROW_HASH: "text", LOADED_AT: "timestamp"}


@dataclass
class Batch:
    """Rows of one parent (or of the whole resource), read but not yet accepted.

    `keys` hashes every record's primary key in reading order; `written` tells which of them have a row
    in `tables` or `files` (a record equal to a row already loaded has none).
    """

    keys: list[np.ndarray] = field(default_factory=list)
    written: list[np.ndarray] = field(default_factory=list)
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


class Spool:
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
        self._cursor_path = cursor_path
        self._known = known
        self._salt = salt[:64]
        self._not_before = None if not_before is None else pa.scalar(not_before, TIMESTAMP)
        self._wanted_anyway = np.empty(0, np.uint64) if wanted_anyway is None else wanted_anyway
        self._loaded_at = pa.scalar(loaded_at, TIMESTAMP)
        self._accepted = Batch()
        self._lock = threading.Lock()
        self._numbers = count()

    def add(self, batch: Batch, records: list[Record], parent: dict[str, pa.Scalar]) -> None:
        """Convert one page's records into `batch`. `parent` holds the parent's columns.

        Raises AnswerError for a record without its primary key.
        """
        batch.pages += 1
        if not records:
            return
        batch.records += len(records)
        moments = self._see_cursor(batch, records)
        batch.keys.append(key_hashes(records, self._primary_key))
        hashes = row_hashes(records, self._salt, parent)
        fresh = ~is_member(as_numbers(hashes), self._known)
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
            hashes = [hashes[index] for index in kept]
        table = self.columns.table(records, {**parent, LOADED_AT: self._loaded_at})
        if not self._holds_nul:
            table = without_nul(table, self.columns.types)
        table = table.append_column(ROW_HASH, pa.array(hashes, pa.string()))
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
            mine.keys += batch.keys
            mine.written += batch.written
            mine.records += batch.records
            mine.pages += batch.pages
            batch.tables, batch.keys, batch.written = [], [], []
            if mine.bytes_held > FLUSH_BYTES or len(mine.tables) > FLUSH_TABLES:
                self._flush(mine)

    def finish(self) -> "Spooled":
        """Write what is held, drop all but the last occurrence of a key, and return what there is to load."""
        accepted = self._accepted
        self._close(accepted)
        keys = np.concatenate(accepted.keys) if accepted.keys else np.empty(0, np.uint64)
        written = np.concatenate(accepted.written) if accepted.written else np.empty(0, bool)
        pa.default_memory_pool().release_unused()
        last = last_occurrences(keys)
        rows = int(written.sum())
        if not last.all():
            keep = last[written]
            if not keep.all():
                accepted.files = list(self._filtered(accepted.files, keep))
                rows = int(keep.sum())
        return Spooled(
            files=accepted.files,
            rows=rows,
            row_bytes=accepted.bytes_written // max(1, int(written.sum())),
            records=accepted.records,
            repeats=int(len(keys) - last.sum()),
            keys=np.sort(keys[last]),
            columns=self.columns,
            folder=self._folder,
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
class Spooled:
    """What one resource has to load.

    `row_bytes` is the average width of a row, `keys` are the sorted hashes of all primary keys that were read.
    """

    files: list[Path]
    rows: int
    row_bytes: int
    records: int
    repeats: int
    keys: np.ndarray
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


def key_hashes(records: list[Record], primary_key: tuple[str, ...]) -> np.ndarray:
    """uint64 hash of each record's primary key. Raises AnswerError where a record has none."""
    single = primary_key[0] if len(primary_key) == 1 else None
    values = [record.get(single) for record in records] if single else [_key(record, primary_key) for record in records]
    for value in values:
        if value is None or (isinstance(value, tuple) and None in value):
            raise AnswerError(f"a record has no `{'`, `'.join(primary_key)}`, which is its primary key")
    return hash_keys(values)


def hash_keys(values: Iterable[Any]) -> np.ndarray:
    """uint64 hashes of key values by their text: 7 in JSON and 7 in the warehouse are the same key.

    A composite key is a tuple; a tuple of one value counts as the value.
    """
    texts = ("\x1f".join(map(str, value)) if isinstance(value, tuple) else str(value) for value in values)
    return np.array([hash(text) for text in texts], np.int64).view(np.uint64)


def _key(record: Record, primary_key: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(record.get(name) for name in primary_key)


def row_hashes(records: list[Record], salt: bytes, parent: dict[str, pa.Scalar]) -> list[str]:
    """16 hex digits of content hash per record; the order of a record's fields does not matter."""
    start = blake2b(
        repr(sorted((name, value.as_py()) for name, value in parent.items())).encode(), digest_size=8, key=salt
    )
    found: list[str] = []
    for record in records:
        content = start.copy()
        content.update(as_json(record, "a record", sort_keys=True))
        found.append(content.hexdigest())
    return found


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

"""The buffer between reading and loading: a resource's rows, typed and deduplicated, until all of them are read.

Records come in by `ParquetBuffer.add`, a page at a time, into a `Batch` per parent. There they are hashed, those that
the warehouse has already are left out, and the rest become Arrow tables. `accept` takes over the batch of a parent that
was read to its last page; batches that are not accepted are never loaded. `finish` keeps one occurrence of each key
and gives the Parquet files to load.

Memory is bounded: tables are appended to a Parquet file once they pass `FLUSH_BYTES`.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from platform_assets.arrow.batches import Batch, BufferedRows
from platform_assets.arrow.columns import Columns
from platform_assets.arrow.conversion import TIMESTAMP, without_nul
from platform_assets.arrow.hashes import as_texts, content_hashes, is_member, parent_hash
from platform_assets.arrow.keys import key_hashes, settle_keys
from platform_assets.arrow.occurrences import chosen_occurrences, last_occurrences, parent_ranks
from platform_assets.arrow.parquet_files import ROW_GROUP, filtered_files, fits, parquet_writer, with_columns
from platform_assets.http.selection import Record

FLUSH_BYTES = 8 * 1024 * 1024
# Small tables, e.g. of parents with two rows each, take far more memory than their bytes.
FLUSH_TABLES = 500


class ParquetBuffer:
    """Collects the rows of one resource. Thread-safe: pages of several parents are added at once.

    Args:
        folder: directory of this buffer's own for Parquet files; made on first use.
        columns: the table's columns, shared by all batches.
        primary_key: raw field names; a record without one of them is an error.
        cursor_path: raw field name of the cursor, None without one.
        known: sorted uint64 hashes of rows that the warehouse has already.
        salt: goes into every row's hash, so that rows are loaded anew when a declaration changes.
        loaded_at: the moment at which the read began.
        not_before: records with an older cursor are read but not loaded, unless their key is in `wanted_anyway`.
        wanted_anyway: sorted uint64 hashes of the keys that the table has.
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
        self._salt = salt
        self._not_before = None if not_before is None else pa.scalar(not_before, TIMESTAMP)
        self._wanted_anyway = np.empty(0, np.uint64) if wanted_anyway is None else wanted_anyway
        self._loaded_at = pa.scalar(loaded_at, TIMESTAMP)
        self._accepted = Batch()
        self._lock = threading.Lock()
        self._numbers = count()

    def add(self, batch: Batch, records: list[Record], parent: Mapping[str, pa.Scalar]) -> None:
        """Convert one page's records into `batch`.

        Args:
            records: keys are replaced in them by what they are stored as.
            parent: column -> value of the row's parent.

        Raises AnswerError for a record whose primary key is missing, or not exactly a value of its columns.
        """
        batch.pages += 1
        if not records:
            return
        batch.records += len(records)
        moments = self._read_cursor(batch, records)
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
        self._hold(batch, self._table(records, ids, parent))

    def accept(self, batch: Batch) -> None:
        """Take over a batch that was read to its last page; only its numbers stay in it."""
        with self._lock:
            accepted = self._accepted
            if batch.files:
                # Rows are in reading order over all files, so what is in memory goes first.
                self._close(batch)
                self._close(accepted)
            accepted.files += batch.files
            accepted.tables += batch.tables
            accepted.bytes_held += batch.bytes_held
            accepted.bytes_written += batch.bytes_written
            accepted.parents.append((batch.parent, sum(map(len, batch.keys))))
            accepted.keys += batch.keys
            accepted.contents += batch.contents
            accepted.ids += batch.ids
            accepted.known += batch.known
            accepted.written += batch.written
            accepted.records += batch.records
            accepted.pages += batch.pages
            batch.tables, batch.keys, batch.written = [], [], []
            batch.contents, batch.ids, batch.known = [], [], []
            if accepted.bytes_held > FLUSH_BYTES or len(accepted.tables) > FLUSH_TABLES:
                self._flush(accepted)

    def finish(self) -> BufferedRows:
        """Write what is in memory, keep one occurrence of each key, and return what there is to load.

        Of one parent's occurrences the last one counts. Of several parents', none is loaded if one is equal to a row
        that the warehouse has; else that of the smallest parent key is, whichever was read first.
        """
        accepted = self._accepted
        self._close(accepted)
        keys, ids, contents = (_joined(a, np.uint64) for a in (accepted.keys, accepted.ids, accepted.contents))
        known, written = _joined(accepted.known, bool), _joined(accepted.written, bool)
        pa.default_memory_pool().release_unused()
        kept = last_occurrences(keys)
        if not kept.all() and len({parent for parent, _ in accepted.parents}) > 1:
            kept = chosen_occurrences(keys, parent_ranks(accepted.parents), known)
        rows = written & kept
        if rows.sum() < written.sum():
            accepted.files = list(filtered_files(accepted.files, kept[written], self._new_file))
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

    def only(self, content: BufferedRows, keep: np.ndarray) -> BufferedRows:
        """The content with fewer rows. `keep`: one boolean per row, in the order of the files."""
        return replace(
            content,
            files=list(filtered_files(content.files, keep, self._new_file)),
            rows=int(keep.sum()),
            written_keys=content.written_keys[keep],
            written_ids=content.written_ids[keep],
            written_contents=content.written_contents[keep],
        )

    def _table(self, records: list[Record], ids: np.ndarray, parent: Mapping[str, pa.Scalar]) -> pa.Table:
        """The records as rows of the table, with their parent's and the system's columns."""
        system = self.columns.system
        table = self.columns.table(records, {**parent, system.loaded_at: self._loaded_at})
        if not self._holds_nul:
            table = without_nul(table, self.columns.types)
        return table.append_column(system.row_hash, pa.array(as_texts(ids), pa.string()))

    def _read_cursor(self, batch: Batch, records: list[Record]) -> pa.Array | None:
        """The records' cursor values; the newest one is kept in the batch.

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
        """Append what is in memory to the batch's file; a table with columns that the file lacks begins the next one.

        A file is loaded by one statement, so few large ones cost less than many small ones.
        """
        if not batch.tables:
            return
        table = pa.concat_tables(batch.tables, promote_options="default")
        batch.bytes_written += batch.bytes_held
        batch.tables, batch.bytes_held = [], 0
        if batch.writer is not None and not fits(table, batch.writer.schema):
            batch.close_file()
        if batch.writer is None:
            path = self._new_file()
            batch.writer = parquet_writer(path, self.columns.schema(self._key_columns))
            batch.files.append(path)
        batch.writer.write_table(with_columns(table, batch.writer.schema), row_group_size=ROW_GROUP)

    def _close(self, batch: Batch) -> None:
        """Write what is in memory and end the file."""
        self._flush(batch)
        batch.close_file()

    def _new_file(self) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        return self._folder / f"{next(self._numbers)}.parquet"


def _joined(arrays: Sequence[np.ndarray], data_type: Any) -> np.ndarray:
    return np.concatenate(arrays) if arrays else np.empty(0, data_type)

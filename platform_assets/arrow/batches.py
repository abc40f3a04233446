"""Rows before and after a read is complete: `Batch` while a parent's pages arrive, `BufferedRows` when all are read."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from platform_assets.arrow.columns import Columns
from platform_assets.arrow.parquet_files import parquet_writer


@dataclass
class Batch:
    """Rows of one parent (or of the whole resource), read but not yet accepted.

    The lists of arrays have an entry per record in reading order, an array per page.

    Attributes:
        parent: the parent's key, which decides between parents that list the same record.
        keys: uint64 hash of the record's primary key.
        contents: uint64 hash of its fields.
        ids: uint64 hash of its row, of which the parent's values are part.
        known: whether the row is equal to one that the warehouse has.
        written: whether the row is in `tables` or `files`, i.e. is to be loaded.
        parents: of accepted batches, parent and how many records it has in these arrays.
        tables: rows in memory; those in `files` come first.
        files: rows on disk; the last file is open in `writer`.
        bytes_held: size of `tables`.
        bytes_written: size in memory of what was written to `files`.
        cursor: newest cursor value that was read for certain.
        rows_written: how many of the records have a row to load.
        ends_unproven: whether nothing in the answers said that there is no more: then no cursor moves past what was
            read.
    """

    parent: str = ""
    keys: list[np.ndarray] = field(default_factory=list)
    contents: list[np.ndarray] = field(default_factory=list)
    ids: list[np.ndarray] = field(default_factory=list)
    known: list[np.ndarray] = field(default_factory=list)
    written: list[np.ndarray] = field(default_factory=list)
    parents: list[tuple[str, int]] = field(default_factory=list)
    tables: list[pa.Table] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    writer: pq.ParquetWriter | None = None
    bytes_held: int = 0
    bytes_written: int = 0
    records: int = 0
    pages: int = 0
    cursor: datetime | None = None
    rows_written: int = 0
    ends_unproven: bool = False

    def close_file(self) -> None:
        """End the file that is open; later rows begin another one."""
        if self.writer is not None:
            self.writer.close()
            self.writer = None


@dataclass(frozen=True)
class BufferedRows:
    """What one resource has to load: each primary key once.

    Attributes:
        files: Parquet files with the rows.
        rows: how many there are.
        row_bytes: average width of a row in memory.
        records: how many records the answers had.
        repeats: how many of them were further occurrences of a key.
        keys: sorted uint64 hashes of all primary keys that were read, whether or not their rows are loaded.
        written_keys: hash of the key of each row in the files, in their order.
        written_ids: hash of each of these rows, as stored in the row hash's column.
        written_contents: hash of their contents alone (row hash XOR `parent_hash`).
        columns: the table's columns.
        folder: where further files may be made.
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
        """A file with the table's columns and no row, from which dlt makes the table.

        Args:
            key: the columns that are never null.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / "empty.parquet"
        schema = self.columns.schema(frozenset(key))
        with parquet_writer(path, schema) as writer:
            writer.write_table(schema.empty_table())
        return path

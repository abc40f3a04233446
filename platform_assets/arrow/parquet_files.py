"""Parquet files between reading and loading: cheap to write, and read a row group at a time."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

# Rows of a row group: a loader holds a whole one in memory, times its threads.
ROW_GROUP = 16_384


def parquet_writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    """A writer of a file that is read once, soon, on this machine: fast compression and no dictionaries."""
    return pq.ParquetWriter(path, schema, compression="lz4", use_dictionary=False)


def fits(table: pa.Table, schema: pa.Schema) -> bool:
    """Whether the schema has all the table's columns."""
    return set(table.column_names) <= set(schema.names)


def with_columns(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """The table in the schema's order, with nulls for columns that it lacks."""
    columns = [
        table[column.name] if column.name in table.column_names else pa.nulls(table.num_rows, column.type)
        for column in schema
    ]
    return pa.table(columns, schema=schema)


def filtered_files(files: Iterable[Path], keep: np.ndarray, new_file: Callable[[], Path]) -> Iterator[Path]:
    """The files without the rows that `keep` denies, with a row group in memory at a time.

    Args:
        keep: one boolean per row, in the order of the files.
        new_file: names the file that takes the place of one from which rows are left out.
    """
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
            target = new_file()
            with parquet_writer(target, file.schema_arrow) as writer:
                done = 0
                for rows in file.iter_batches(ROW_GROUP):
                    writer.write_batch(rows.filter(pa.array(mask[done : done + rows.num_rows])))
                    done += rows.num_rows
        yield target

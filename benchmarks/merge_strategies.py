"""The same rows loaded twice: dlt's merge strategies compared with skipping rows whose hash is known.

Shows what a sync with nothing new would cost if dlt decided what is unchanged; docs/decisions/ has the conclusion (14).
`known hashes` reads all hashes from the table and compares them, as sync/plan.py and arrow/buffer.py do; computing the
hashes is part of reading and not counted. Prints one line per strategy: `python -m benchmarks.merge_strategies [rows]`.
"""

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import dlt
import duckdb
import numpy as np
import pyarrow as pa

STRATEGIES: dict[str, dict[str, Any]] = {
    "delete-insert": {"strategy": "delete-insert", "deduplicated": True},
    "upsert": {"strategy": "upsert"},
    "upsert, skip_unchanged_rows": {"strategy": "upsert", "skip_unchanged_rows": True},
    "upsert, skip_unchanged_rows by _dlt_id": {
        "strategy": "upsert",
        "skip_unchanged_rows": True,
        "row_version_column_name": "_dlt_id",
    },
}
TEXTS = 10


def make_rows(count: int) -> pa.Table:
    """Rows with a key, `TEXTS` texts, some JSON and a hash."""
    random = np.random.default_rng(1)
    columns: dict[str, Any] = {"id": np.arange(count)}
    for number in range(TEXTS):
        columns[f"text_{number}"] = [f"value {value} of column {number}" for value in random.integers(0, 10**6, count)]
    columns["nested"] = [f'{{"a": [1, 2, 3], "b": {{"c": "{value}"}}}}' * 4 for value in range(count)]
    columns["_dlt_id"] = [f"{value:016x}" for value in random.integers(0, 2**63, count)]
    return pa.table(columns)


def load(folder: Path, rows: pa.Table, disposition: Any) -> float:
    """Load the rows into a DuckDB file in the folder. Returns seconds."""
    pipeline = dlt.pipeline(
        "merge_strategies",
        destination=dlt.destinations.duckdb(str(folder / "warehouse.duckdb")),
        dataset_name="measured",
        pipelines_dir=str(folder / "pipelines"),
    )
    resource = dlt.resource(lambda: iter([rows]), name="rows", primary_key="id", write_disposition=disposition)
    began = time.perf_counter()
    pipeline.run(resource, loader_file_format="parquet")
    return time.perf_counter() - began


def compare_hashes(folder: Path, rows: pa.Table) -> float:
    """Read the table's hashes and find every row among them. Returns seconds."""
    began = time.perf_counter()
    with duckdb.connect(str(folder / "warehouse.duckdb")) as connection:
        texts = connection.execute("SELECT _dlt_id FROM measured.rows").fetchnumpy()["_dlt_id"]
    known = np.sort(np.array([int(text, 16) for text in texts], np.uint64))
    given = np.array([int(text, 16) for text in rows["_dlt_id"].to_pylist()], np.uint64)
    places = np.minimum(np.searchsorted(known, given), len(known) - 1)
    assert (known[places] == given).all()
    return time.perf_counter() - began


def main(count: int) -> None:
    """Print seconds of the second load, and the size of the DuckDB file after it."""
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    rows = make_rows(count)
    for name in ("known hashes", *STRATEGIES):
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made)
            first = load(folder, rows, "append")
            if name in STRATEGIES:
                again = load(folder, rows, {"disposition": "merge", **STRATEGIES[name]})
            else:
                again = compare_hashes(folder, rows)
            size = (folder / "warehouse.duckdb").stat().st_size / 2**20
            print(f"{name}: {count:,} rows, first {first:.2f} s, again {again:.2f} s, file {size:.0f} MB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)

"""Writes a platform's rows, our records of them and dlt's schema into a folder, as of one moment."""

import shutil
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from platform_assets.arrow.conversion import ARROW_TYPES
from platform_assets.warehouse import migrations, state
from platform_assets.warehouse.connection import Warehouse
from platform_assets.warehouse.session import WarehouseSession
from platform_assets.warehouse.transfer.manifest import Manifest, TableFile, TransferError, file_digest, new_file

# dlt's log of loads, to which load ids in rows refer.
_LOADS = "_dlt_loads"


def export_platform(warehouse: Warehouse, folder: Path) -> Manifest | None:
    """Write the platform's part of the warehouse into the new folder `folder`; None, and no folder, if it has none.

    The warehouse is held meanwhile, so that rows and cursors are of the same moment. The folder appears when all of it
    is written. Raises WarehouseError if the warehouse is unavailable, and TransferError if the folder is not empty or
    cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise TransferError(f"{folder} exists already; choose another place, or remove it")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        written = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            manifest = _write(warehouse, written)
            if manifest is not None:
                if folder.exists():
                    folder.rmdir()
                written.rename(folder)
            return manifest
        finally:
            shutil.rmtree(written, ignore_errors=True)
    except OSError as error:
        raise TransferError(f"{folder} cannot be written: {error.strerror or error}") from None


def _write(warehouse: Warehouse, folder: Path) -> Manifest | None:
    platform = warehouse.platform.name
    with warehouse.session(alone=True) as session:
        if session.schema is None:
            return None
        moment = datetime.now(UTC)
        wanted = {name: session.column_types(name) for name in [*session.schema.data_table_names(), _LOADS]}
        wanted.update({name: dict(columns) for name, columns in state.TABLES.items()})
        tables = tuple(_write_table(session, name, columns, folder) for name, columns in wanted.items())
        schema = session.schema.to_dict()
    manifest = Manifest(platform, migrations.VERSION, moment.isoformat(), version("platform-assets"), schema, tables)
    manifest.write(folder)
    return manifest


def _write_table(session: WarehouseSession, name: str, columns: Mapping[str, str], folder: Path) -> TableFile:
    """All rows of one table, a batch at a time."""
    schema = pa.schema([(column, ARROW_TYPES[data_type]) for column, data_type in columns.items()])
    path = folder / f"{name}.parquet"
    rows = held = 0
    with (
        new_file(path) as file,
        pq.ParquetWriter(file, schema, compression="zstd") as writer,
    ):
        for batch in session.row_batches(name, list(columns), columns):
            writer.write_table(_in_schema(batch, schema))
            rows += batch.num_rows
            held += batch.nbytes
    size, digest = file_digest(path)
    return TableFile(name, dict(columns), rows, held // max(1, rows), size, digest)


def _in_schema(batch: pa.Table, schema: pa.Schema) -> pa.Table:
    """The batch with the file's types, and nulls for columns that the table lacks although dlt's schema has them."""
    missing = [field for field in schema if field.name not in batch.column_names]
    for field in missing:
        batch = batch.append_column(field, pa.nulls(batch.num_rows, field.type))
    return batch.select(schema.names).cast(schema)

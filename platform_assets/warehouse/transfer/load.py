"""Lands an exported platform in the configured warehouse: all of it or, in a crash, nothing."""

import copy
import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
from dlt.common.schema import Schema

from platform_assets.declarations import Platform
from platform_assets.warehouse import migrations, source_account, state
from platform_assets.warehouse.connection import Warehouse
from platform_assets.warehouse.location import warehouse_name
from platform_assets.warehouse.session import TableRows, WarehouseSession
from platform_assets.warehouse.source_account import Source
from platform_assets.warehouse.transfer.manifest import Manifest, TransferError


def import_platform(
    warehouse: Warehouse, folder: Path, *, replace: bool = False, origin: str | None = None
) -> Manifest:
    """Land the export in `folder`.

    Args:
        replace: put it in place of what the warehouse has of the platform.
        origin: where the settings read the platform from, None if they do not say; see `source_account.origin_of`.

    Raises:
        TransferError: the export is damaged, of another platform or account or of a newer release, or does not fit
            into this database; or the warehouse has something of the platform, and `replace` is not set. Nothing is
            changed then.
        WarehouseError: the warehouse is unavailable.
    """
    platform = warehouse.platform
    manifest = Manifest.read(folder)
    if manifest.platform != platform.name:
        raise TransferError(f"{folder} is an export of {manifest.platform}, not of {platform.name}")
    migrations.refuse_newer(f"the tables of {platform.name} in {folder}", manifest.version)
    manifest.check_files(folder)
    source = _source(manifest, folder)
    if origin is not None and source is not None and source.origin != origin:
        raise TransferError(f"{folder} has data of {source.origin}, and the settings of {platform.name} name {origin}")
    tables = [TableRows(table.table, table.columns, folder / table.file_name) for table in manifest.tables]
    row_bytes = max((table.row_bytes for table in manifest.tables), default=0)
    with warehouse.session(row_bytes=row_bytes, alone=True) as session:
        _check_target(session, source, folder, replace=replace)
        _check_names(session, manifest)
        if not session.holds_nul:
            _check_keys(platform, tables)
        session.replace_all(_schema(manifest, session.file_format()), tables, manifest.version)
    return manifest


def _source(manifest: Manifest, folder: Path) -> Source | None:
    """Whose data the export has; None if that was not recorded."""
    for table in manifest.tables:
        if table.table == source_account.TABLE:
            for row in pq.read_table(folder / table.file_name).to_pylist():
                return Source(row["origin"], row["contract"], frozenset(json.loads(row["account"])), row["credential"])
    return None


def _check_target(session: WarehouseSession, source: Source | None, folder: Path, *, replace: bool) -> None:
    """Raise TransferError if the warehouse has something that is not to be replaced."""
    recorded, has_rows = session.source(), session.holds_rows()
    if recorded is not None and source is not None and has_rows:
        problem = recorded.problem_with(source, frozenset())
        if problem is not None:
            raise TransferError(
                f"{folder} is of another account: the warehouse {warehouse_name()} {problem.split(', and ')[0]},"
                f" the export has that of {source.origin}; choose another warehouse"
            )
    if not replace and (has_rows or session.count(state.TABLE) or session.count(state.LOG_TABLE)):
        raise TransferError(
            f"the warehouse {warehouse_name()} has been loaded already; --replace puts {folder} in its place"
        )


def _check_names(session: WarehouseSession, manifest: Manifest) -> None:
    """Raise TransferError for a name that this database would cut off."""
    longest = session.longest_name
    for table in manifest.tables:
        for name in (table.table, *table.columns):
            if len(name.encode()) > longest:
                raise TransferError(
                    f"{table.table}: the name {name} is too long for this database, which takes {longest} bytes"
                )


def _check_keys(platform: Platform, tables: Sequence[TableRows]) -> None:
    """Raise TransferError for a key with U+0000, for which a sync into this database would find no row."""
    for rows in tables:
        resource = next((found for found in platform.resources if found.name == rows.table), None)
        if resource is None:
            continue
        texts = [name for name in platform.primary_key_of(resource) if rows.types.get(name) == "text"]
        for batch in pq.ParquetFile(rows.path).iter_batches(columns=texts) if texts else ():
            for name in texts:
                if pc.any(pc.match_substring(batch[name], "\0")).as_py():  # pyright: ignore[reportAttributeAccessIssue] -- generated at run time
                    raise TransferError(f"{rows.table}: a {name} has the character U+0000, which this database refuses")


def _schema(manifest: Manifest, file_format: str) -> Schema:
    """dlt's schema of the tables. dlt makes JSON columns for the format in which later rows are loaded."""
    document = copy.deepcopy(dict(manifest.schema))
    for name, table in document["tables"].items():
        if not name.startswith("_dlt_"):
            table["file_format"] = file_format
    return Schema.from_dict(document, validate_schema=False)  # pyright: ignore[reportArgumentType] -- as dlt stored it

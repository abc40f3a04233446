"""Fixes a table that differs from what the API serves. No other module of this package writes.

Missing and changed rows are loaded from what the verification read, whatever hash the table has for them. Extra rows
are left to a sync of their lists, which reads a second time and does not believe a suspiciously short answer.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from platform_assets.arrow.buffer import BufferedRows
from platform_assets.declarations import PlatformAssetsError, Resource
from platform_assets.http.client import ApiClient
from platform_assets.sync import Selection, sync
from platform_assets.verification.compare import Comparison
from platform_assets.verification.findings import Fix, Kind
from platform_assets.warehouse import Warehouse
from platform_assets.warehouse.dlt_source import buffered_resource, platform_source
from platform_assets.warehouse.load_errors import reason
from platform_assets.warehouse.session import WarehouseSession
from platform_assets.warehouse.source_account import Source


def fix_table(
    client: ApiClient,
    warehouse: Warehouse,
    source: Source,
    resource: Resource,
    content: BufferedRows,
    comparison: Comparison,
    parents_of_extra: frozenset[str],
    counts: Mapping[Kind, int],
) -> Fix:
    """Write what is missing or changed, then remove what is extra. A failure is in the result, not raised.

    Args:
        content: what the verification read; its files hold all served rows.
        comparison: tells which of them to write.
        parents_of_extra: keys of the parents with extra rows; empty for a resource without parents.
        counts: differences by kind.
    """
    done = Fix(before=dict(counts))
    try:
        target = warehouse.folder / f"fixed-{resource.name}.parquet"
        done.rows_written = comparison.rows_to_write(target)
        if done.rows_written:
            _load(client, warehouse, source, resource, content, target, done.rows_written)
        if counts[Kind.EXTRA]:
            _remove(client, warehouse, resource, parents_of_extra, done)
    except PlatformAssetsError as error:
        done.error = str(error)
    except Exception as error:
        # dlt's and the driver's errors may quote anything.
        done.error = client.redact(f"the load failed: {reason(error)}")
    return done


def _load(
    client: ApiClient,
    warehouse: Warehouse,
    source: Source,
    resource: Resource,
    content: BufferedRows,
    target: Path,
    rows: int,
) -> None:
    chosen = replace(content, files=[target], rows=rows)

    def load(session: WarehouseSession) -> None:
        file_format = session.file_format()
        merge, parquet = session.merges(resource.name), file_format == "parquet"
        loaded = buffered_resource(client.platform, resource, chosen, merge=merge, parquet=parquet)
        assigned = {resource.name: content.columns.assigned} if content.columns.assigned else {}
        session.prepare(assigned, source)
        session.load(platform_source(client.platform, [loaded], session.schema), file_format, source)
        session.finish_load(resource.name)

    warehouse.writing(load, row_bytes=content.row_bytes)


def _remove(
    client: ApiClient,
    warehouse: Warehouse,
    resource: Resource,
    parents: frozenset[str],
    done: Fix,
) -> None:
    selection = Selection((resource.name,), parents=parents if resource.endpoint.parents else None)
    (outcome,) = sync(client, warehouse, selection)
    done.rows_removed, done.removal_withheld = outcome.deleted, outcome.deletion_withheld
    done.error = outcome.error or next(iter(outcome.failed_partitions.values()), None)

"""Metadata of materializations: the numbers of a sync, as Dagster shows them on an asset or one of its partitions."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg

from platform_assets.declarations import Platform
from platform_assets.orchestration.translator import parent_lineage
from platform_assets.sync import PartitionOutcome, ResourceOutcome

# Skipped parents that are listed; all are counted.
_LISTED = 20


def table_metadata(
    platform: Platform, outcome: ResourceOutcome, column_schema: dg.TableSchema | None
) -> dict[str, Any]:
    """The table that was loaded: its name, lineage, and columns (None if dlt does not know the table)."""
    metadata: dict[str, Any] = {
        **parent_lineage(platform, platform.resource(outcome.name)),
        "dagster/table_name": f"{platform.name}.{outcome.name}",
    }
    if column_schema is not None:
        metadata["dagster/column_schema"] = column_schema
    return metadata


def sync_metadata(outcome: ResourceOutcome) -> dict[str, Any]:
    """Numbers of one resource's sync, 0 included; what is unusual is left out if it did not happen."""
    metadata: dict[str, Any] = {
        "dagster/row_count": outcome.rows_in_table,
        "rows_loaded": outcome.rows_loaded,
        "records_read": outcome.records,
        "pages": outcome.pages,
        "requests": outcome.requests,
        "retries": outcome.retries,
        "seconds_waited": outcome.waited,
        "repeated_records": outcome.repeats,
        "rows_removed": outcome.deleted,
    }
    if outcome.cursor_field is not None:
        metadata["cursor_field"] = outcome.cursor_field
        metadata.update(_cursor_metadata(outcome.cursor))
    if outcome.partitions:
        metadata["skipped_parents_count"] = len(outcome.skipped_parents)
    optional: Mapping[str, Any] = {
        "table_created": outcome.created,
        "gone_or_invisible": outcome.gone_envelopes,
        "missing_details": outcome.missing_details,
        "removal_withheld": outcome.deletion_withheld,
        "read_from_the_beginning": outcome.reset,
        "not_served": outcome.unserved,
        "drift_new_columns": outcome.added_columns,
        "drift_misfit_columns": outcome.variants,
        "skipped_parents": outcome.skipped_parents[:_LISTED],
    }
    return {**metadata, **{name: value for name, value in optional.items() if value}}


def partition_metadata(outcome: ResourceOutcome, partition: PartitionOutcome) -> dict[str, Any]:
    """Numbers of one partition; requests are counted for the whole run only, not per parent.

    Without `dagster/row_count`, which Dagster plots as this partition's: the table's rows are `rows_in_table`.
    """
    metadata: dict[str, Any] = {
        "rows_in_table": outcome.rows_in_table,
        "rows_loaded": partition.rows_loaded,
        "rows_removed": partition.deleted,
        "records_read": partition.records,
        "parents_read": partition.parents,
        "skipped_parents_count": len(partition.skipped),
        **_cursor_metadata(partition.cursor),
    }
    if outcome.cursor_field is not None:
        metadata["cursor_field"] = outcome.cursor_field
    if outcome.created:
        metadata["table_created"] = True
    return metadata


def _cursor_metadata(cursor: datetime | None) -> dict[str, Any]:
    if cursor is None:
        return {}
    lag = timedelta(seconds=round((datetime.now(UTC) - cursor).total_seconds()))
    return {
        "cursor": dg.MetadataValue.timestamp(cursor),
        "cursor_lag": _in_words(lag),
        "cursor_lag_seconds": int(lag.total_seconds()),
    }


def _in_words(lag: timedelta) -> str:
    """`311 days, 5:15:45` for people; alerts and charts take the seconds."""
    return str(lag) if lag >= timedelta(0) else f"{-lag} ahead"

"""dagster-dlt's resource with what it gets wrong for us mended, so that it can go when upstream is mended.

- It drops the pipeline's local state and shares one working folder between runs of one pipeline name;
  here every run has a folder of its own.
- It reports nothing for a resource with 0 rows, and a wrong `dagster/table_name`.
- Its schema extraction pops keys from the live schema: a second look dies with `KeyError: 'name'`.
- One failing resource takes the whole package with it; here each is judged alone.
"""

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import dagster as dg
from dagster_dlt import DagsterDltResource
from dlt.common.schema import Schema
from pydantic import Field

from platform_assets.cancellation import Cancelled
from platform_assets.configuration.platform_settings import Settings, read_settings
from platform_assets.declarations import Platform, PlatformAssetsError
from platform_assets.http.client import ApiClient
from platform_assets.http.redaction import Redactor
from platform_assets.orchestration.checks import check_results
from platform_assets.orchestration.in_flight import partitions_in_flight
from platform_assets.orchestration.interrupts import canceled, cancelled_by_signals
from platform_assets.orchestration.partitions import children_of, register, retire
from platform_assets.orchestration.translator import asset_key, parent_lineage
from platform_assets.sync import PartitionOutcome, ResourceOutcome, Selection, sync
from platform_assets.sync.parents import known_parents
from platform_assets.warehouse import LOG_TABLE, Warehouse, open_warehouse
from platform_assets.warehouse.load_errors import is_disk_full, reason
from platform_assets.warehouse.location import warehouse_secrets
from platform_assets.warehouse.source_account import AnotherAccount

_SHOWN = 20
PERMANENT = "permanent"
"""Metadata of a failed step: assets, and asset[partition]s, that trying again does not mend."""

INFRASTRUCTURE = dg.RetryPolicy(max_retries=2, delay=5, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)
"""For what is nobody's fault, e.g. a warehouse that cannot be had; what the API refuses is not tried again."""

Landed = dg.MaterializeResult | dg.AssetMaterialization | dg.AssetCheckResult
"""A result for the whole asset, an event for one partition of it, or what a check of it found."""


class SyncConfig(dg.Config):
    """What a run may be told, in the launchpad or by the CLI."""

    full_refresh: bool = Field(default=False, description="Ignore cursors: read and load everything again.")
    partitions: list[str] = Field(default=[], description="Only these partitions of partitioned assets.")
    parents: list[str] = Field(default=[], description="Only these parents, e.g. deal ids, of child assets.")


class PlatformDlt(DagsterDltResource):
    """Loads the selected assets of one platform and says of each what came of it."""

    def sync(self, context: dg.AssetExecutionContext, platform: Platform, config: SyncConfig) -> Iterator[Landed]:
        """Sync the op's selected assets, for the run's partitions or, without any, for every known parent.

        Yields a result per asset that landed. Raises dg.Failure at the end, naming what did not and why;
        what landed is materialised all the same.
        """
        selection = _selection(context, platform, config)
        try:
            settings = read_settings(platform)
            platform = platform.with_contract(settings.contract)
        except PlatformAssetsError as error:
            everything = [f"{platform.name}/{name}" for name in selection.resources]
            raise dg.Failure(str(error), allow_retries=False, metadata={PERMANENT: everything}) from None
        with cancelled_by_signals() as cancellation:
            try:
                cancellation.check()
                outcomes, schema = _load(context, platform, settings, selection)
            except Cancelled:
                raise canceled(context) from None
        for outcome in outcomes:
            yield from self._results(context, platform, outcome, schema)
            yield from check_results(context, platform, outcome)
        yield from _log_changed(platform, outcomes)
        if cancellation.cancelled:
            # Told to end while it landed: what landed was said above, and nothing more begins.
            raise canceled(context)
        problems = {name: problem for outcome in outcomes for name, problem in _problems(platform, outcome)}
        if problems:
            lines = [why if why.startswith(name) else f"{name}: {why}" for name, (why, _) in problems.items()]
            permanent = [name for name, (_, is_permanent) in problems.items() if is_permanent]
            raise dg.Failure(
                f"{len(lines)} failed:\n" + "\n".join(lines),
                # Requests were tried again already; the sensor asks for another run of what may heal.
                allow_retries=False,
                metadata={"failed": list(problems), PERMANENT: permanent},
            )

    def _results(
        self, context: dg.AssetExecutionContext, platform: Platform, outcome: ResourceOutcome, schema: Schema | None
    ) -> Iterator[Landed]:
        """A partition that landed gets its own materialisation, also when a neighbour failed."""
        key = asset_key(platform, outcome.name)
        if outcome.error is not None:
            return
        table = self._table_metadata(platform, outcome, schema)
        metadata = {**table, **_metadata(outcome)}
        whole_run = _is_partitioned(context) and outcome.ok
        for partition in outcome.partitions.values():
            if not partition.ok:
                continue
            own = {**table, **_partition_metadata(outcome, partition)}
            if whole_run:
                context.add_asset_metadata(own, asset_key=key, partition_key=partition.key)
            else:
                yield dg.AssetMaterialization(asset_key=key, partition=partition.key, metadata=own)
        if outcome.ok:
            yield dg.MaterializeResult(asset_key=key, metadata={} if whole_run else metadata)

    def _table_metadata(self, platform: Platform, outcome: ResourceOutcome, schema: Schema | None) -> dict[str, Any]:
        metadata: dict[str, Any] = {
            **parent_lineage(platform, platform.resource(outcome.name)),
            "dagster/table_name": f"{platform.name}.{outcome.name}",
            "dagster/row_count": outcome.rows_in_table,
        }
        if schema is not None and outcome.name in schema.tables:
            metadata["dagster/column_schema"] = self._extract_table_schema_metadata(outcome.name, schema)
        return metadata

    def _extract_table_schema_metadata(self, table_name: str, schema: Schema) -> dg.TableSchema:
        """As upstream, on a copy: upstream pops keys out of the schema it is given."""
        return super()._extract_table_schema_metadata(table_name, copy.deepcopy(schema))


def _load(
    context: dg.AssetExecutionContext, platform: Platform, settings: Settings, selection: Selection
) -> tuple[list[ResourceOutcome], Schema | None]:
    """Load the selection. Raises dg.Failure, or dg.RetryRequested for what may be mended by itself."""
    try:
        with open_warehouse(platform) as warehouse, ApiClient(platform, settings) as client:
            outcomes = sync(client, warehouse, selection)
            # Told to end meanwhile, what has landed is still reported; the partition sensor follows the parents too.
            with suppress(Cancelled):
                _reconcile_partitions(context, platform, settings, warehouse, outcomes)
            return outcomes, warehouse.schema
    except AnotherAccount as error:
        everything = [f"{platform.name}/{name}" for name in selection.resources]
        failure = dg.Failure(str(error), allow_retries=False, metadata={PERMANENT: everything})
    except PlatformAssetsError as error:
        failure = dg.Failure(str(error))
    except Exception as error:
        # dlt's and the driver's errors may quote anything; only their redacted text goes on.
        text = Redactor([settings.token, *warehouse_secrets()])(reason(error))
        words = f"{platform.name}: the load failed, nothing was recorded: {text}"
        failure = dg.Failure(words, allow_retries=not is_disk_full(error))
    if not failure.allow_retries:
        raise failure
    # Asked for here, and not by a retry policy, by which Dagster would run an interrupted op again, too.
    again = INFRASTRUCTURE.calculate_delay(context.retry_number + 1)
    raise dg.RetryRequested(INFRASTRUCTURE.max_retries, again) from failure


def _selection(context: dg.AssetExecutionContext, platform: Platform, config: SyncConfig) -> Selection:
    partitions: Sequence[str] = config.partitions
    if _is_partitioned(context):
        partitions = context.partition_keys
    selected = [r.name for r in platform.resources if asset_key(platform, r.name) in context.selected_asset_keys]
    return Selection(
        resources=tuple(selected),
        partitions=frozenset(partitions) if partitions else None,
        parents=frozenset(config.parents) if config.parents else None,
        full_refresh=config.full_refresh,
    )


def _is_partitioned(context: dg.AssetExecutionContext) -> bool:
    return context.has_partition_key or context.has_partition_key_range


def _reconcile_partitions(
    context: dg.AssetExecutionContext,
    platform: Platform,
    settings: Settings,
    warehouse: Warehouse,
    outcomes: Sequence[ResourceOutcome],
) -> None:
    """Register the partitions of new parents, and delete those of removed ones where the list was just read."""
    read = {outcome.name for outcome in outcomes if outcome.error is None}
    children = {
        name: group[0]
        for name, group in children_of(platform).items()
        if group[0].parent in read or any(child.name in read for child in group)
    }
    if not children:
        return
    with warehouse.session(refresh=False) as session:
        parents = {name: known_parents(platform, child, session, settings) for name, child in children.items()}
    for name, known in parents.items():
        keys = {parent.partition for parent in known}
        _say(context, f"{name}: new partitions", register(context.instance, name, keys))
        if children[name].parent in read:
            busy = partitions_in_flight(context.instance, platform, context.run_id)
            _say(context, f"{name}: retired", retire(context.instance, name, keys, busy[name]))


def _say(context: dg.AssetExecutionContext, what: str, keys: Sequence[str]) -> None:
    if keys:
        context.log.info(f"{what} ({len(keys)}): {', '.join(keys[:_SHOWN])}")


def _metadata(outcome: ResourceOutcome) -> dict[str, Any]:
    """Numbers of one resource's sync, 0 included."""
    found: dict[str, Any] = {
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
        found["cursor_field"] = outcome.cursor_field
        found.update(_cursor_metadata(outcome.cursor))
    if outcome.partitions:
        found["skipped_parents_count"] = len(outcome.skipped_parents)
    optional: Mapping[str, Any] = {
        "table_created": outcome.created,
        "gone_or_invisible": outcome.gone_envelopes,
        "removal_withheld": outcome.deletion_withheld,
        "read_from_the_beginning": outcome.reset,
        "drift_new_columns": outcome.added_columns,
        "drift_misfit_columns": outcome.variants,
        "skipped_parents": outcome.skipped_parents[:_SHOWN],
    }
    return {**found, **{name: value for name, value in optional.items() if value}}


def _partition_metadata(outcome: ResourceOutcome, partition: PartitionOutcome) -> dict[str, Any]:
    """A partition's own numbers; requests are counted for the run, not per parent."""
    found: dict[str, Any] = {
        "rows_loaded": partition.rows_loaded,
        "records_read": partition.records,
        "parents_read": partition.parents,
        "skipped_parents_count": len(partition.skipped),
        **_cursor_metadata(partition.cursor),
    }
    if outcome.cursor_field is not None:
        found["cursor_field"] = outcome.cursor_field
    return found


def _cursor_metadata(cursor: datetime | None) -> dict[str, Any]:
    if cursor is None:
        return {}
    lag = (datetime.now(UTC) - cursor).total_seconds()
    return {"cursor": dg.MetadataValue.timestamp(cursor), "cursor_lag_seconds": round(lag, 3)}


def _log_changed(platform: Platform, outcomes: Sequence[ResourceOutcome]) -> Iterator[dg.AssetMaterialization]:
    """The log of syncs as loaded, where it says something that models would show: rows, or failures."""
    rows = sum(outcome.rows_loaded for outcome in outcomes)
    if rows or not all(outcome.ok for outcome in outcomes):
        yield dg.AssetMaterialization(asset_key(platform, LOG_TABLE), metadata={"rows_loaded": rows})


def _problems(platform: Platform, outcome: ResourceOutcome) -> Iterator[tuple[str, tuple[str, bool]]]:
    """Asset, or asset[partition], -> what is wrong, and whether it stays wrong until somebody changes something."""
    name = f"{platform.name}/{outcome.name}"
    if outcome.error is not None:
        yield name, (outcome.error, outcome.permanent)
    for key, partition in outcome.partitions.items():
        if not partition.ok:
            yield f"{name}[{key}]", (partition.errors[0], partition.permanent)

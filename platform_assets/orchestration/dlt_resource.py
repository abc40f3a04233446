"""The Dagster resource that syncs: dagster-dlt's, with its `run` replaced by `sync`.

What dagster-dlt's `run` does that this project cannot use:

- It drops the pipeline's local state and shares one working folder between runs of the same pipeline; here every run
  has a folder of its own.
- It reports nothing for a resource with 0 rows, and a wrong `dagster/table_name`.
- One failed resource takes the whole package with it; here each resource lands or fails alone.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial

import dagster as dg
from dlt.common.schema import Schema

from platform_assets.cancellation import Cancelled
from platform_assets.declarations import Platform, PlatformAssetsError, SettingsError
from platform_assets.extraction.connection import Connection, connect
from platform_assets.http.redaction import Redactor
from platform_assets.log_fields import log_fields
from platform_assets.orchestration.checks import check_results
from platform_assets.orchestration.column_schema import loaded_schema
from platform_assets.orchestration.failures import failure_of, permanent_failure, retry_of
from platform_assets.orchestration.interrupts import canceled, cancelled_by_signals
from platform_assets.orchestration.materialization import partition_metadata, sync_metadata, table_metadata
from platform_assets.orchestration.reconciliation import reconcile_partitions
from platform_assets.orchestration.sync_config import SyncConfig
from platform_assets.orchestration.translator import asset_key
from platform_assets.patches.event_transactions import stored_together
from platform_assets.patches.table_schema import DltResourceWithTableSchema
from platform_assets.progress import Phase, current, timed
from platform_assets.sync import ResourceOutcome, Selection, sync
from platform_assets.warehouse import LOG_TABLE, open_warehouse
from platform_assets.warehouse.load_errors import is_disk_full, reason
from platform_assets.warehouse.location import shared_limits, warehouse_secrets
from platform_assets.warehouse.source_account import AnotherAccount

# What an op yields: a result for a whole asset, an event for one partition of it, or the result of a check.
SyncEvent = dg.MaterializeResult | dg.AssetMaterialization | dg.AssetCheckResult


class PlatformDlt(DltResourceWithTableSchema):
    """Loads the selected assets of one platform and reports the outcome of each."""

    def sync(self, context: dg.AssetExecutionContext, platform: Platform, config: SyncConfig) -> Iterator[SyncEvent]:
        """Sync the op's selected assets, for the run's partitions or, if it has none, for every known parent.

        Yields:
            A result per asset that landed, events of its partitions, and the results of its checks.

        Raises:
            dg.Failure: at the end, with everything that did not land and why; what landed is materialized first.
            dg.RetryRequested: nothing landed because of a transient infrastructure error.
        """
        selection = _selection(context, platform, config)
        try:
            connection = connect(platform)
            platform = connection.platform
        except PlatformAssetsError as error:
            raise permanent_failure(platform, selection.resources, str(error)) from None
        with cancelled_by_signals() as cancellation:
            try:
                cancellation.check()
                with current().phase(Phase.LOADING), log_fields(platform=platform.name, run_id=context.run_id):
                    outcomes, schema = _load(context, connection, selection)
            except Cancelled:
                raise canceled(context) from None
        with stored_together(context.instance):
            for outcome in outcomes:
                yield from self._results(context, platform, outcome, schema)
                yield from timed(check_results(context, platform, outcome), Phase.CHECKS)
            yield from _log_materialization(platform, outcomes)
        if cancellation.cancelled:
            # Cancelled while it landed: what landed was reported above, and nothing more begins.
            raise canceled(context)
        failure = failure_of(platform, outcomes)
        if failure is not None:
            raise failure

    def _results(
        self, context: dg.AssetExecutionContext, platform: Platform, outcome: ResourceOutcome, schema: Schema | None
    ) -> Iterator[SyncEvent]:
        """The asset if all of it landed, and each of its partitions that landed, even if others failed."""
        key = asset_key(platform, outcome.name)
        if outcome.error is not None:
            return
        columns = loaded_schema(self, platform, platform.resource(outcome.name), schema) if schema else None
        table = table_metadata(platform, outcome, columns)
        metadata = {**table, **sync_metadata(outcome)}
        # Dagster makes the events of a partitioned run's partitions out of its one result, with this metadata.
        whole_run = _is_partitioned(context) and outcome.ok
        for partition in outcome.partitions.values():
            if not partition.ok:
                continue
            of_partition = partition_metadata(outcome, partition)
            if whole_run:
                context.add_asset_metadata({**table, **of_partition}, asset_key=key, partition_key=partition.key)
            else:
                # The table, with all its columns, is described by the asset's own event, which follows.
                described = of_partition if outcome.ok else {**table, **of_partition}
                yield dg.AssetMaterialization(asset_key=key, partition=partition.key, metadata=described)
        if outcome.ok:
            yield dg.MaterializeResult(asset_key=key, metadata={} if whole_run else metadata)


# What the assets need, by the name of their op's parameter. Not `dlt`, which a project's own code may have; and one
# object, because Dagster merges the definitions of a project only if they agree on it.
RESOURCES = {"platform_dlt": PlatformDlt()}


def _load(
    context: dg.AssetExecutionContext, connection: Connection, selection: Selection
) -> tuple[list[ResourceOutcome], Schema | None]:
    """Load the selection; its outcomes, and the dlt schema that has its tables.

    Raises:
        dg.Failure: a retry would fail in the same way.
        dg.RetryRequested: the error may be transient.
    """
    platform, settings = connection.platform, connection.settings
    try:
        on_wait = partial(current().waiting, platform.name)
        opened = connection.open_client(on_wait=on_wait, limits=shared_limits())
        with open_warehouse(platform) as warehouse, opened as client:
            outcomes = sync(client, warehouse, selection)
            # If cancelled meanwhile, what landed is still reported; the partition sensor reconciles as well.
            with suppress(Cancelled):
                reconcile_partitions(context, platform, settings, warehouse, outcomes)
            return outcomes, warehouse.schema
    except (AnotherAccount, SettingsError) as error:
        failure = permanent_failure(platform, selection.resources, str(error))
    except PlatformAssetsError as error:
        failure = dg.Failure(str(error))
    except Exception as error:
        # Errors of dlt and of the driver may quote anything; only their redacted text is reported.
        text = Redactor([*settings.secret_values, *warehouse_secrets()])(reason(error))
        message = f"{platform.name}: the load failed, nothing was recorded: {text}"
        failure = dg.Failure(message, allow_retries=not is_disk_full(error))
    again = retry_of(failure, context.retry_number)
    if again is None:
        raise failure
    raise again from failure


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


def _log_materialization(platform: Platform, outcomes: Sequence[ResourceOutcome]) -> Iterator[dg.AssetMaterialization]:
    """The log of syncs as loaded, if it has something that the models below would show: rows, or failures."""
    rows, failed = sum(outcome.rows_loaded for outcome in outcomes), sum(not outcome.ok for outcome in outcomes)
    if rows or failed:
        numbers = {"rows_loaded": rows, "resources_failed": failed}
        yield dg.AssetMaterialization(asset_key(platform, LOG_TABLE), metadata=numbers)

"""Dynamic partitions follow the parents in the warehouse, at the end of a load.

`monitoring/partition_sensor.py` does the same between loads. A load does it as well, so that new partitions exist for
the children in the same run, and without a daemon.
"""

from collections.abc import Sequence

import dagster as dg

from platform_assets.configuration.platform_settings import Settings
from platform_assets.declarations import Platform
from platform_assets.declarations.ancestry import ancestors
from platform_assets.orchestration.in_flight import partitions_in_flight
from platform_assets.orchestration.partitions import children_of, delete_removed, register
from platform_assets.sync import ResourceOutcome
from platform_assets.sync.parents import known_parents
from platform_assets.warehouse import Warehouse

# Keys of a log line.
_LISTED = 20


def reconcile_partitions(
    context: dg.AssetExecutionContext,
    platform: Platform,
    settings: Settings,
    warehouse: Warehouse,
    outcomes: Sequence[ResourceOutcome],
) -> None:
    """Register the partitions of new parents, and delete those of parents that were removed upstream.

    Partitions are deleted only if the list of parents was read in this load: a list that failed says nothing about who
    is still in it.
    """
    read = {outcome.name for outcome in outcomes if outcome.error is None}
    above = {name: ancestors(platform, group[0].name) for name, group in children_of(platform).items()}
    children = {
        name: group[0]
        for name, group in children_of(platform).items()
        if not above[name] or above[name] & read or any(child.name in read for child in group)
    }
    if not children:
        return
    with warehouse.session(refresh=False) as session:
        parents = {name: known_parents(platform, child, session, settings) for name, child in children.items()}
    for name, known in parents.items():
        keys = {parent.partition for parent in known}
        _log_keys(context, f"{name}: new partitions", register(context.instance, name, keys))
        if above[name] & read:
            in_flight = partitions_in_flight(context.instance, platform, context.run_id)
            deleted = delete_removed(context.instance, name, keys, in_flight[name])
            _log_keys(context, f"{name}: deleted partitions of parents removed upstream", deleted)


def _log_keys(context: dg.AssetExecutionContext, event: str, keys: Sequence[str]) -> None:
    if keys:
        context.log.info(f"{event} ({len(keys)}): {', '.join(keys[:_LISTED])}")

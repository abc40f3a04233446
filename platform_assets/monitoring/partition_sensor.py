"""Sensors that keep dynamic partitions equal to the parents in the warehouse.

Every load of parents reconciles the partitions as well (`orchestration/reconciliation.py`). The sensor catches up with
what a load could not do: it loads the children of new parents, and deletes partitions that were in flight.
"""

import json
from collections.abc import Iterable, Sequence

import dagster as dg

from platform_assets.declarations import Platform, PlatformAssetsError, Resource
from platform_assets.declarations.ancestry import ancestors
from platform_assets.extraction.connection import connect
from platform_assets.orchestration.in_flight import partitions_in_flight
from platform_assets.orchestration.jobs import sync_job_name, sync_request
from platform_assets.orchestration.partitions import children_of, removed_upstream
from platform_assets.orchestration.translator import asset_key
from platform_assets.sync.parents import known_parents
from platform_assets.warehouse import open_warehouse

# Seconds that a tick waits for a load to finish; the next tick comes a minute later.
_WAREHOUSE_WAIT = 5.0
# Keys of a skip reason.
_LISTED = 20


def partition_sensors(platforms: Sequence[Platform]) -> list[dg.SensorDefinition]:
    """One sensor for each platform whose children are partitioned by parent."""
    return [partition_sensor(platform) for platform in platforms if children_of(platform)]


def partition_sensor(platform: Platform) -> dg.SensorDefinition:
    """Keeps a platform's dynamic partitions equal to the parents in the warehouse.

    After each load of the parents it registers new ones and requests a run of their children, and deletes the
    partitions of removed ones, except those in flight. Its cursor holds the times of the loads that it reconciled last.
    """
    children = children_of(platform)

    @dg.sensor(
        name=f"{platform.name}_partitions",
        job_name=sync_job_name(platform),
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Registers new parents in {', '.join(children)}, loads their children, deletes removed ones.",
    )
    def partitions(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        every = {child.name for group in children.values() for child in group}
        lists = {name for child in every for name in ancestors(platform, child)}
        loads = _last_loads(context.instance, platform, lists)
        if not loads:
            return dg.SkipReason("No list of parents was loaded yet.")
        if context.cursor == json.dumps(loads):
            return dg.SkipReason("No list of parents was loaded since the last tick that reconciled.")
        try:
            parents = _parents_in_warehouse(platform, children)
        except PlatformAssetsError as error:
            return dg.SkipReason(f"The parents cannot be read now, the next tick tries again: {error}")
        return _reconciled(context.instance, platform, children, parents, json.dumps(loads))

    return partitions


def _last_loads(instance: dg.DagsterInstance, platform: Platform, parents: Iterable[str]) -> dict[str, float]:
    """POSIX time of the last materialization of each list of parents that has one."""
    events = {name: instance.get_latest_materialization_event(asset_key(platform, name)) for name in sorted(parents)}
    return {name: event.timestamp for name, event in events.items() if event is not None}


def _parents_in_warehouse(platform: Platform, children: dict[str, list[Resource]]) -> dict[str, set[str]]:
    """Partition keys of the known parents, by the name of their partitions."""
    connection = connect(platform)
    with open_warehouse(connection.platform) as warehouse, warehouse.session(wait=_WAREHOUSE_WAIT) as session:
        parents = {
            name: known_parents(
                connection.platform, connection.platform.resource(group[0].name), session, connection.settings
            )
            for name, group in children.items()
        }
    return {name: {known.partition for known in found} for name, found in parents.items()}


def _reconciled(
    instance: dg.DagsterInstance,
    platform: Platform,
    children: dict[str, list[Resource]],
    parents: dict[str, set[str]],
    cursor: str,
) -> dg.SensorResult:
    """What has to be registered, deleted and run so that the partitions are `parents`."""
    in_flight = partitions_in_flight(instance, platform)
    requests: list[dg.AddDynamicPartitionsRequest | dg.DeleteDynamicPartitionsRequest] = []
    runs: list[dg.RunRequest] = []
    changes: list[str] = []
    postponed: set[str] = set()
    for name, keys in parents.items():
        registered = set(instance.get_dynamic_partitions(name))
        new, removed = sorted(keys - registered - {""}), removed_upstream(registered, keys)
        postponed |= removed & in_flight[name]
        deleted = sorted(removed - in_flight[name])
        if new:
            requests.append(dg.AddDynamicPartitionsRequest(name, new))
            runs.append(sync_request(platform, children[name], new, f"{name}:{cursor}"))
            changes.append(f"{name}: {len(new)} new ({', '.join(new[:_LISTED])})")
        if deleted:
            requests.append(dg.DeleteDynamicPartitionsRequest(name, deleted))
            changes.append(f"{name}: {len(deleted)} deleted, removed upstream ({', '.join(deleted[:_LISTED])})")
    if postponed:
        changes.append(f"{len(postponed)} removed upstream, but in flight; a later tick deletes them")
    return dg.SensorResult(
        run_requests=runs,
        dynamic_partitions_requests=requests,
        skip_reason=None
        if runs
        else dg.SkipReason("; ".join(changes) or "The registered partitions equal the parents."),
        # Without a cursor the next tick reconciles the same loads again.
        cursor=None if postponed else cursor,
    )

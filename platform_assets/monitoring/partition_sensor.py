"""Sensors that keep dynamic partitions equal to the parents in the warehouse."""

import json
from collections.abc import Iterable, Sequence

import dagster as dg

from platform_assets.declarations import Platform, PlatformAssetsError, Resource
from platform_assets.extraction.connection import connect
from platform_assets.orchestration.in_flight import partitions_in_flight
from platform_assets.orchestration.jobs import sync_job_name, sync_request
from platform_assets.orchestration.partitions import children_of, removed_upstream
from platform_assets.orchestration.translator import asset_key
from platform_assets.sync.parents import known_parents
from platform_assets.warehouse import open_warehouse

_WAREHOUSE_WAIT = 5.0
"""Seconds that a tick waits for a load to finish; the next tick comes soon enough."""
_SHOWN = 20


def partition_sensors(platforms: Sequence[Platform]) -> list[dg.SensorDefinition]:
    """One sensor for each platform whose children are partitioned by parent."""
    return [partition_sensor(platform) for platform in platforms if children_of(platform)]


def partition_sensor(platform: Platform) -> dg.SensorDefinition:
    """Keeps a platform's dynamic partitions equal to the parents in the warehouse.

    It looks only after a load of the parents: registers new parents and asks for a run of their children,
    and deletes those of removed parents that no run works on. Its cursor is the time of the load it looked at last.
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
        every = [child for group in children.values() for child in group]
        loads = _last_loads(context.instance, platform, {str(child.parent) for child in every})
        if not loads:
            return dg.SkipReason("No list of parents was loaded yet.")
        if context.cursor == json.dumps(loads):
            return dg.SkipReason("No list of parents was loaded since the last look.")
        try:
            parents = _parents_in_warehouse(platform, children)
        except PlatformAssetsError as error:
            return dg.SkipReason(f"The parents cannot be read now, another look follows: {error}")
        return _followed(context.instance, platform, children, parents, json.dumps(loads))

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


def _followed(
    instance: dg.DagsterInstance,
    platform: Platform,
    children: dict[str, list[Resource]],
    parents: dict[str, set[str]],
    cursor: str,
) -> dg.SensorResult:
    """What has to be registered, retired and run so that the partitions are `parents`."""
    busy = partitions_in_flight(instance, platform)
    requests: list[dg.AddDynamicPartitionsRequest | dg.DeleteDynamicPartitionsRequest] = []
    runs: list[dg.RunRequest] = []
    words: list[str] = []
    left: set[str] = set()
    for name, keys in parents.items():
        registered = set(instance.get_dynamic_partitions(name))
        new, gone = sorted(keys - registered - {""}), removed_upstream(registered, keys)
        left |= gone & busy[name]
        retired = sorted(gone - busy[name])
        if new:
            requests.append(dg.AddDynamicPartitionsRequest(name, new))
            runs.append(sync_request(platform, children[name], new, f"{name}:{cursor}"))
            words.append(f"{name}: {len(new)} new ({', '.join(new[:_SHOWN])})")
        if retired:
            requests.append(dg.DeleteDynamicPartitionsRequest(name, retired))
            words.append(f"{name}: {len(retired)} retired ({', '.join(retired[:_SHOWN])})")
    if left:
        words.append(f"{len(left)} removed upstream, but in flight; the next tick deletes them")
    return dg.SensorResult(
        run_requests=runs,
        dynamic_partitions_requests=requests,
        skip_reason=None if runs else dg.SkipReason("; ".join(words) or "The parents are the registered partitions."),
        cursor=None if left else cursor,
    )

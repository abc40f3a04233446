"""Sensors that keep every resource no older than its allowed lag."""

import json
import time
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

import dagster as dg

from platform_assets.configuration.platform_settings import allowed_lag, is_configured, setting_name
from platform_assets.declarations import Buckets, DynamicPartitions, Platform, PlatformAssetsError, Resource
from platform_assets.extraction.connection import connect
from platform_assets.extraction.probing import can_probe, has_newer
from platform_assets.monitoring import freshness
from platform_assets.monitoring.event_log import last_load, run_of_key, stale_partitions
from platform_assets.monitoring.freshness import WHOLE, SensorState
from platform_assets.orchestration.jobs import sync_job_name, sync_request
from platform_assets.orchestration.translator import asset_key

_RUNS_PER_TICK = 5


def freshness_sensors(platforms: Sequence[Platform]) -> list[dg.SensorDefinition]:
    """One sensor per platform."""
    return [freshness_sensor(platform) for platform in platforms]


def freshness_sensor(platform: Platform) -> dg.SensorDefinition:
    """Keeps every resource no older than its allowed lag; what was never loaded is the stalest of all.

    Each tick it compares the last load of every asset, and of every partition, with the allowed lag.
    Where one cheap request can tell whether upstream has anything newer than the recorded cursor it asks that
    first, and launches nothing if not. What is stale it asks for in as few runs as possible: exactly those
    assets and partitions. `orchestration/freshness.py` says when a failed one is asked for again and how
    quiet ones are looked at less often.
    """

    @dg.sensor(
        name=f"{platform.name}_freshness",
        job_name=sync_job_name(platform),
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Asks for exactly the assets and partitions whose last load, or cursor, is older than allowed.",
    )
    def fresh(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        if not is_configured(platform):
            return dg.SkipReason(f"Not configured: {setting_name(platform, 'base_url')} is not set.")
        tick = _Tick(platform, context.instance, json.loads(context.cursor or "{}"), time.time())
        for resource in platform.resources:
            tick.next_probe_at(resource)
        return tick.result()

    return fresh


class _Tick:
    """One tick of a freshness sensor: looks at one resource after the other, then asks for what is due."""

    def __init__(
        self, platform: Platform, instance: dg.DagsterInstance, cursor: dict[str, dict[str, Any]], now: float
    ) -> None:
        self._platform = platform
        self._instance = instance
        self._now = now
        self._memories = {name: SensorState.of(stored) for name, stored in cursor.items()}
        self._due: dict[str, list[str]] = {}
        self._marks: dict[str, str] = {}
        self._words: dict[str, list[str]] = defaultdict(list)

    def next_probe_at(self, resource: Resource) -> None:
        """Decide whether the resource is due, and remember why not."""
        memory = self._memories.setdefault(resource.name, SensorState())
        self._see_run(resource, memory)
        if resource.partition is not None:
            stale = self._stale_partitions(resource)
        else:
            stale = [WHOLE] if self._is_stale(resource, memory) else []
        due = freshness.due(memory, stale, self._now)
        if due:
            self._due[resource.name] = due
        elif stale and memory.run_key:
            self._words["a run is on its way"].append(resource.name)
        elif stale:
            self._words["failed and left alone for a while"].append(resource.name)

    def result(self) -> dg.SensorResult:
        """Runs for what is due, a few at a time, and in words what is not."""
        runs = [self._run(names, partitions) for names, partitions in self._groups()[:_RUNS_PER_TICK]]
        words = [f"{why}: {', '.join(names)}" for why, names in self._words.items()]
        stored = {name: memory.stored() for name, memory in self._memories.items()}
        return dg.SensorResult(
            run_requests=runs,
            skip_reason=None if runs else dg.SkipReason("; ".join(words) or "Everything is fresh."),
            cursor=json.dumps({name: kept for name, kept in stored.items() if kept}),
        )

    def _see_run(self, resource: Resource, memory: SensorState) -> None:
        if memory.run_key:
            name = f"{self._platform.name}/{resource.name}"
            state, refused = run_of_key(self._instance, memory.run_key)
            mine = [part for part in memory.asked if (f"{name}[{part}]" if part else name) in refused]
            freshness.record_run(memory, state, mine, self._now)

    def _stale_partitions(self, resource: Resource) -> list[str]:
        """Partitions never loaded, or last loaded half an allowed lag ago."""
        cutoff = self._now - allowed_lag(self._platform, resource).total_seconds() / 2
        key = asset_key(self._platform, resource.name)
        self._marks[resource.name] = f"{cutoff:.0f}"
        if isinstance(resource.partition, DynamicPartitions):
            keys = self._instance.get_dynamic_partitions(resource.partition.name)
        else:
            keys = resource.partition.keys if isinstance(resource.partition, Buckets) else []
        stale = stale_partitions(self._instance, key, keys, cutoff)
        if keys and not stale:
            self._words["fresh"].append(resource.name)
        return stale

    def _is_stale(self, resource: Resource, memory: SensorState) -> bool:
        load = last_load(self._instance, asset_key(self._platform, resource.name))
        if load is None:
            self._marks[resource.name] = "never"
            return True
        freshness.record_load(memory, load.at, load.rows_loaded)
        self._marks[resource.name] = f"{load.cursor}@{load.at:.0f}"
        lag = allowed_lag(self._platform, resource).total_seconds()
        age = self._now - load.at
        if resource.endpoint.incremental is None:
            return age >= lag
        if not can_probe(resource) or load.cursor is None:
            stale = age >= freshness.reload_after(lag, memory.quiet)
            if not stale:
                self._words["fresh"].append(resource.name)
            return stale
        incremental = resource.endpoint.incremental
        if incremental is not None and incremental.reopen and age >= 0.75 * lag:
            return True  # records that are still open change without becoming newer
        return self._has_newer(resource, memory, load.cursor, lag)

    def _has_newer(self, resource: Resource, memory: SensorState, cursor: float, lag: float) -> bool:
        """Whether upstream says that it has something newer; asked again later and later while it has not."""
        if memory.run_key:
            return True
        if memory.tries:
            return True  # what failed is still due
        if self._now < max(memory.next_probe_at, memory.loaded_at + freshness.probe_after(lag, 0)):
            self._words["fresh"].append(resource.name)
            return False
        try:
            newer = _ask_upstream(self._platform, resource, cursor)
        except PlatformAssetsError as error:
            memory.quiet += 1
            memory.next_probe_at = self._now + freshness.probe_after(lag, memory.quiet)
            self._words[f"upstream does not answer ({error})"].append(resource.name)
            return self._now - memory.loaded_at >= lag
        if newer:
            return True
        memory.quiet += 1
        memory.next_probe_at = self._now + freshness.probe_after(lag, memory.quiet)
        self._words["upstream has nothing newer"].append(resource.name)
        return False

    def _groups(self) -> list[tuple[list[str], list[str]]]:
        """Resources that are due for the same partitions share a run; a run has one batch of partitions."""
        groups: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for name, partitions in self._due.items():
            partition = self._platform.resource(name).partition
            size = partition.batch_size if isinstance(partition, DynamicPartitions) else len(partitions)
            groups[tuple(partitions[:size])].append(name)
        return [(names, [part for part in partitions if part != WHOLE]) for partitions, names in groups.items()]

    def _run(self, names: list[str], partitions: list[str]) -> dg.RunRequest:
        """A run of some resources, whose key holds what they were loaded to and the attempt."""
        whole = partitions or [WHOLE]
        marks = [f"{n}={self._marks[n]}#{freshness.attempt(self._memories[n], whole)}" for n in names]
        digest = blake2b("\n".join([*marks, *partitions]).encode(), digest_size=8).hexdigest()
        run_key = f"{self._platform.name}:{','.join(marks)[:200]}:{digest}"
        for name in names:
            freshness.ask(self._memories[name], whole, run_key, self._now)
        resources = [self._platform.resource(name) for name in names]
        return sync_request(self._platform, resources, partitions, run_key)


def _ask_upstream(platform: Platform, resource: Resource, cursor: float) -> bool:
    connection = connect(platform)
    with connection.open_client(retries=False) as client:
        return has_newer(client, connection.platform.resource(resource.name), datetime.fromtimestamp(cursor, UTC))

"""Sensors that keep every resource no older than its allowed lag."""

import time
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import blake2b

import dagster as dg

from platform_assets.configuration.platform_settings import allowed_lag, is_configured, not_configured
from platform_assets.declarations import Buckets, DynamicPartitions, Platform, PlatformAssetsError, Resource
from platform_assets.extraction.connection import as_served, connect
from platform_assets.extraction.probing import can_probe, has_newer
from platform_assets.monitoring import freshness
from platform_assets.monitoring.event_log import last_load, run_of_key, stale_partitions
from platform_assets.monitoring.freshness import WHOLE, SensorState
from platform_assets.monitoring.sensor_cursor import read_cursor, write_cursor
from platform_assets.orchestration.jobs import sync_job_name, sync_request
from platform_assets.orchestration.translator import asset_key
from platform_assets.warehouse.location import shared_limits

# Seconds for which a probe waits for a warehouse that keeps the limits and is away: a tick must stay short.
_PATIENCE = 5.0
# Runs that one tick requests; the rest is requested by the next ticks.
_RUNS_PER_TICK = 5


def freshness_sensors(platforms: Sequence[Platform]) -> list[dg.SensorDefinition]:
    """One sensor per platform."""
    return [freshness_sensor(platform) for platform in platforms]


def freshness_sensor(platform: Platform) -> dg.SensorDefinition:
    """Keeps every resource no older than its allowed lag; what was never loaded is always stale.

    Each tick compares the last load of every asset, and of every partition, with the allowed lag. If one cheap request
    can tell whether upstream has anything newer than the recorded cursor, the tick probes upstream first and requests
    nothing if it has not. It requests exactly the stale assets and partitions, in as few runs as possible.
    `monitoring/freshness.py` decides when a failed one is requested again and how idle ones are probed less often.
    """

    @dg.sensor(
        name=f"{platform.name}_freshness",
        job_name=sync_job_name(platform),
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Requests a run of exactly the assets and partitions whose load or cursor is older than allowed.",
    )
    def fresh(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        if not is_configured(platform):
            return dg.SkipReason(not_configured(platform))
        served = as_served(platform)
        tick = _Tick(served, context.instance, read_cursor(context.cursor), time.time())
        for resource in served.resources:
            tick.check(resource)
        return tick.result()

    return fresh


class _Tick:
    """One tick of a freshness sensor: checks one resource after the other, then requests what is due."""

    def __init__(
        self, platform: Platform, instance: dg.DagsterInstance, states: dict[str, SensorState], now: float
    ) -> None:
        self._platform = platform
        self._instance = instance
        self._now = now
        self._states = states
        # Resource -> its partitions that are due.
        self._due: dict[str, list[str]] = {}
        # Resource -> what it was loaded to, which makes the run key of a new request differ from the one before.
        self._positions: dict[str, str] = {}
        # Reason -> resources that are not requested for it.
        self._reasons: dict[str, list[str]] = defaultdict(list)

    def check(self, resource: Resource) -> None:
        """Decide whether the resource is due, or else why not."""
        state = self._states.setdefault(resource.name, SensorState())
        self._record_run(resource, state)
        if resource.partition is not None:
            stale = self._stale_partitions(resource)
        else:
            stale = [WHOLE] if self._is_stale(resource, state) else []
        due = freshness.due(state, stale, self._now)
        if due:
            self._due[resource.name] = due
        elif stale and state.run_key:
            self._reasons["a run is in flight"].append(resource.name)
        elif stale:
            self._reasons["failed, requested again after a backoff"].append(resource.name)

    def result(self) -> dg.SensorResult:
        """Runs of what is due, a few at a time; without any, the reasons why nothing is."""
        runs = [self._run(names, partitions) for names, partitions in self._groups()[:_RUNS_PER_TICK]]
        reasons = [f"{reason}: {', '.join(names)}" for reason, names in self._reasons.items()]
        return dg.SensorResult(
            run_requests=runs,
            skip_reason=None if runs else dg.SkipReason("; ".join(reasons) or "Everything is fresh."),
            cursor=write_cursor(self._states),
        )

    def _record_run(self, resource: Resource, state: SensorState) -> None:
        if state.run_key:
            name = f"{self._platform.name}/{resource.name}"
            run, permanent = run_of_key(self._instance, state.run_key)
            refused = [part for part in state.requested if (f"{name}[{part}]" if part else name) in permanent]
            freshness.record_run(state, run, refused, self._now)

    def _stale_partitions(self, resource: Resource) -> list[str]:
        """Partitions that were never loaded, or last loaded longer than half the allowed lag ago."""
        cutoff = self._now - allowed_lag(self._platform, resource).total_seconds() / 2
        key = asset_key(self._platform, resource.name)
        self._positions[resource.name] = f"{cutoff:.0f}"
        if isinstance(resource.partition, DynamicPartitions):
            keys = self._instance.get_dynamic_partitions(resource.partition.name)
        else:
            keys = resource.partition.keys if isinstance(resource.partition, Buckets) else []
        stale = stale_partitions(self._instance, key, keys, cutoff)
        if keys and not stale:
            self._reasons["fresh"].append(resource.name)
        return stale

    def _is_stale(self, resource: Resource, state: SensorState) -> bool:
        load = last_load(self._instance, asset_key(self._platform, resource.name))
        if load is None:
            self._positions[resource.name] = "never"
            return True
        freshness.record_load(state, load.at, load.rows_loaded)
        self._positions[resource.name] = f"{load.cursor}@{load.at:.0f}"
        lag = allowed_lag(self._platform, resource).total_seconds()
        age = self._now - load.at
        if resource.endpoint.incremental is None:
            return age >= lag
        if not can_probe(resource) or load.cursor is None:
            stale = age >= freshness.reload_after(lag, state.idle_streak)
            if not stale:
                self._reasons["fresh"].append(resource.name)
            return stale
        incremental = resource.endpoint.incremental
        may_change = incremental is not None and (incremental.reopen or resource.endpoint.also)
        if may_change and age >= 0.75 * lag:
            return True  # open records, and those of further lists, change without becoming newer in the first
        return self._has_newer(resource, state, load.cursor, lag)

    def _has_newer(self, resource: Resource, state: SensorState, cursor: float, lag: float) -> bool:
        """Whether upstream has something newer than the cursor; probed less and less often while it has not.

        If upstream is unavailable, the resource counts as stale once its allowed lag has passed.
        """
        if state.run_key:
            return True
        if state.attempts:
            return True  # what failed is still due
        if self._now < max(state.next_probe_at, state.loaded_at + freshness.probe_after(lag, 0)):
            self._reasons["fresh"].append(resource.name)
            return False
        try:
            newer = _probe_upstream(self._platform, resource, cursor)
        except PlatformAssetsError as error:
            self._schedule_probe(state, lag)
            self._reasons[f"upstream is unavailable ({error})"].append(resource.name)
            return self._now - state.loaded_at >= lag
        if newer:
            return True
        self._schedule_probe(state, lag)
        self._reasons["upstream has nothing newer"].append(resource.name)
        return False

    def _schedule_probe(self, state: SensorState, lag: float) -> None:
        state.idle_streak += 1
        state.next_probe_at = self._now + freshness.probe_after(lag, state.idle_streak)

    def _groups(self) -> list[tuple[list[str], list[str]]]:
        """Resources and partitions of each run: resources due for the same partitions share a run of one batch."""
        groups: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for name, partitions in self._due.items():
            partition = self._platform.resource(name).partition
            size = partition.batch_size if isinstance(partition, DynamicPartitions) else len(partitions)
            groups[tuple(partitions[:size])].append(name)
        return [(names, [part for part in partitions if part != WHOLE]) for partitions, names in groups.items()]

    def _run(self, names: list[str], partitions: list[str]) -> dg.RunRequest:
        """A run of some resources.

        Its key holds what they were loaded to and the number of attempts: Dagster launches a run key once, ever.
        """
        whole = partitions or [WHOLE]
        positions = [f"{n}={self._positions[n]}#{freshness.most_attempts(self._states[n], whole)}" for n in names]
        digest = blake2b("\n".join([*positions, *partitions]).encode(), digest_size=8).hexdigest()
        run_key = f"{self._platform.name}:{','.join(positions)[:200]}:{digest}"
        for name in names:
            freshness.mark_requested(self._states[name], whole, run_key, self._now)
        resources = [self._platform.resource(name) for name in names]
        return sync_request(self._platform, resources, partitions, run_key)


def _probe_upstream(platform: Platform, resource: Resource, cursor: float) -> bool:
    connection = connect(platform)
    with connection.open_client(retries=False, limits=shared_limits(patience=_PATIENCE)) as client:
        return has_newer(client, connection.platform.resource(resource.name), datetime.fromtimestamp(cursor, UTC))

"""Freshness sensors on an ephemeral instance, over several ticks; only the time is simulated."""

import json
import time
from dataclasses import dataclass, field

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_assets.monitoring import freshness
from platform_assets.monitoring.event_log import stale_partitions
from platform_assets.monitoring.freshness import WHOLE, RunState, SensorState
from platform_assets.monitoring.freshness_sensor import freshness_sensor
from platform_assets.platforms import all_platforms, platform_named
from platform_assets.sandbox import Fault, SandboxServer
from tests.settings import PointAt

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0


@dataclass
class Day:
    """A platform's sensor and what Dagster's daemon would do with its results, at a simulated time."""

    repository: dg.RepositoryDefinition
    instance: dg.DagsterInstance
    platform: str
    monkeypatch: pytest.MonkeyPatch
    cursor: str | None = None
    offset: float = 0.0
    run_keys: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        real = time.time
        self.monkeypatch.setattr(time, "time", lambda: real() + self.offset)

    def later(self, seconds: float) -> None:
        self.offset += seconds

    def tick(self) -> tuple[list[dg.RunRequest], str]:
        """Run requests that Dagster would launch (each run key only once), and the skip reason."""
        sensor = freshness_sensor(platform_named(self.platform))
        context = dg.build_sensor_context(instance=self.instance, cursor=self.cursor, repository_def=self.repository)
        found = sensor(context)
        assert isinstance(found, dg.SensorResult)
        self.cursor = found.cursor
        requests = [request for request in found.run_requests or [] if request.run_key not in self.run_keys]
        self.run_keys.update(str(request.run_key) for request in requests)
        return requests, str(found.skip_reason.skip_message if found.skip_reason else "")

    def launch(self, request: dg.RunRequest) -> dg.ExecuteInProcessResult:
        return self.repository.get_job(str(request.job_name)).execute_in_process(
            instance=self.instance,
            asset_selection=list(request.asset_selection or []),
            run_config=json.loads(json.dumps(request.run_config)),
            tags={"dagster/run_key": str(request.run_key)},
            raise_on_error=False,
        )

    def load_everything(self) -> None:
        """Load everything, so that the test begins with all assets fresh."""
        for _ in range(5):
            requests, _ = self.tick()
            for request in requests:
                self.launch(request)
            if not requests:
                return


def names(request: dg.RunRequest) -> list[str]:
    return sorted(key.path[-1] for key in request.asset_selection or [])


@pytest.mark.slow
def test_run_requests_through_failure_success_idle_backoff_and_new_rows(
    repository: dg.RepositoryDefinition,
    instance: dg.DagsterInstance,
    point_at: PointAt,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Fresh, stale, requested, failed, requested again, succeeded, idle, backed off, new rows, requested."""
    with SandboxServer() as server:
        point_at(server)
        day = Day(repository, instance, "crm", monkeypatch)
        day.load_everything()
        assert day.tick()[0] == []

        def changed(request: dg.RunRequest) -> bool:
            return "deals" in names(request)

        # Something newer arrives upstream; one cheap request sees it.
        with server.backend.lock:
            deal = server.backend.tables["crm"]["deals"][0]
            deal["update_time"] = "2026-01-16 00:00:01"
        day.later(10 * MINUTE)
        server.faults.append(Fault("/v1/recents", status=500, times=None))
        broken, reason = day.tick()
        assert not any(map(changed, broken)) and "upstream is unavailable" in reason
        server.faults.clear()
        day.later(1 * HOUR)
        first = next(request for request in day.tick()[0] if changed(request))
        assert names(first) == ["deals"]

        # Nothing is requested while the run is in flight; after it failed it is requested again, with another run key.
        server.faults.append(Fault("/v1/recents", status=500, times=None))
        assert not day.launch(first).success
        assert not any(map(changed, day.tick()[0]))
        day.later(freshness.FIRST_BACKOFF + 1)
        second = next(request for request in day.tick()[0] if changed(request))
        assert second.run_key != first.run_key

        # It succeeds: idle, and probed less and less often, at most once a tick.
        server.faults.clear()
        assert day.launch(second).success
        probes = []
        for _ in range(60):
            day.later(5 * MINUTE)
            since = len(server.requests)
            requests, _ = day.tick()
            assert not any(map(changed, requests))
            for request in requests:
                day.launch(request)
            requested = [r for r in server.requests[since:] if r["query"].get("items") == "deal"]
            assert len(requested) <= 1
            probes.append(len(requested))
        # Five hours at an allowed lag of two: not probed every five minutes, and never less than once an hour.
        assert 4 <= sum(probes) <= 12

        # New rows: requested within the allowed lag.
        with server.backend.lock:
            deal["update_time"] = "2026-01-17 00:00:01"
        for _ in range(24):
            day.later(5 * MINUTE)
            requests, _ = day.tick()
            if any(map(changed, requests)):
                break
        else:
            pytest.fail("the new row was not requested within two hours")


def test_an_idle_tick_launches_nothing_and_sends_at_most_one_request_per_probed_resource(
    repository: dg.RepositoryDefinition,
    instance: dg.DagsterInstance,
    point_at: PointAt,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with SandboxServer() as server:
        point_at(server)
        day = Day(repository, instance, "crm", monkeypatch)
        day.load_everything()
        since = len(server.requests)
        assert day.tick()[0] == []
        assert len(server.requests) == since
        day.later(20 * MINUTE)
        requests, reason = day.tick()
        assert requests == [] and "upstream has nothing newer" in reason
        requested = [request["query"]["items"] for request in server.requests[since:]]
        assert len(requested) == len(set(requested)) == 10


@pytest.mark.slow
def test_only_stale_partitions_are_requested_and_a_refused_one_once_a_day(
    repository: dg.RepositoryDefinition,
    instance: dg.DagsterInstance,
    point_at: PointAt,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with SandboxServer() as server:
        point_at(server)
        day = Day(repository, instance, "error_tracking", monkeypatch)
        repository.get_job("sync_error_tracking").execute_in_process(instance=instance)
        day.tick()
        # One partition is loaded by hand later than the others.
        day.later(50 * MINUTE)
        events = dg.AssetKey(["error_tracking", "events"])
        repository.get_job("sync_error_tracking").execute_in_process(
            instance=instance, asset_selection=[events], partition_key="acme/web"
        )
        day.later(20 * MINUTE)
        requests, _ = day.tick()
        requested = {part for r in requests if "events" in names(r) for part in config_of(r)}
        known = set(instance.get_dynamic_partitions("error_tracking_project"))
        assert requested == known - {"acme/web"}

        # 401 is permanent: after the run failed it is not requested for a day.
        server.faults.append(Fault("/events/", status=401, times=None))
        for request in requests:
            assert day.launch(request).success == ("events" not in names(request))
        again = 0
        for _ in range(8):
            day.later(1 * HOUR)
            found = [request for request in day.tick()[0] if "events" in names(request)]
            again += any("globex/web" in config_of(request) for request in found)
        assert again == 0
        day.later(DAY)
        assert any("globex/web" in config_of(r) for r in day.tick()[0] if "events" in names(r))


def config_of(request: dg.RunRequest) -> list[str]:
    """Partitions in a request's run config."""
    ops = (request.run_config or {}).get("ops", {})
    return next(iter(ops.values()))["config"]["partitions"] if ops else []


def test_an_unconfigured_platform_is_skipped(repository: dg.RepositoryDefinition, instance: dg.DagsterInstance) -> None:
    sensor = freshness_sensor(platform_named("crm"))
    found = sensor(dg.build_sensor_context(instance=instance, repository_def=repository))
    assert isinstance(found, dg.SkipReason) and "SOURCES__CRM__BASE_URL" in str(found.skip_message)


def test_partitions_loaded_before_the_cutoff_are_stale(instance: dg.DagsterInstance) -> None:
    key = dg.AssetKey(["a", "b"])
    instance.report_runless_asset_event(dg.AssetMaterialization(key, partition="old"))
    cutoff = time.time()
    time.sleep(0.01)
    instance.report_runless_asset_event(dg.AssetMaterialization(key, partition="new"))
    assert stale_partitions(instance, key, ["new", "old", "never"], cutoff) == ["old", "never"]


@given(
    st.lists(st.sampled_from(["ask", "succeed", "fail", "refuse", "lose", "wait"]), max_size=30),
    st.floats(1, 1e5),
)
def test_an_asset_is_requested_again_after_any_run_result_but_never_twice_at_once(
    steps: list[str], pause: float
) -> None:
    memory, now, in_flight, keys = SensorState(), 1000.0, False, set()
    for number, step in enumerate(steps):
        now += pause
        if step == "ask" and freshness.due(memory, [WHOLE], now):
            assert not in_flight
            key = f"{number}#{freshness.most_attempts(memory, [WHOLE])}"
            assert key not in keys
            keys.add(key)
            freshness.mark_requested(memory, [WHOLE], key, now)
            in_flight = True
        elif in_flight and step in ("succeed", "fail", "refuse"):
            state = RunState.SUCCEEDED if step == "succeed" else RunState.FAILED
            freshness.record_run(memory, state, [WHOLE] if step == "refuse" else [], now)
            in_flight = False
        elif step == "lose":
            freshness.record_run(memory, RunState.NONE, [], now)
            in_flight = in_flight and bool(memory.run_key)
        memory = SensorState.of(json.loads(json.dumps(memory.stored())))
    freshness.record_run(memory, RunState.FAILED, [], now)
    assert freshness.due(memory, [WHOLE], now + freshness.REFUSED_BACKOFF + 1) == [WHOLE]


def test_sensor_state_of_the_previous_version_is_read() -> None:
    """In the format of the former class `Memory`: after an upgrade a failed partition still backs off, and nothing is
    requested twice."""
    cursor = (
        '{"run_key": "crm:deals=never#1:ab12", "asked_at": 1000.5, "asked": [""], "tries": {"": [2, 4600.0]},'
        ' "loaded_at": 900.25, "quiet": 3, "look_at": 1500.0, "of_a_later_version": 1}'
    )
    state = SensorState.of(json.loads(cursor))
    assert state == SensorState(
        run_key="crm:deals=never#1:ab12",
        requested_at=1000.5,
        requested=[WHOLE],
        attempts={WHOLE: [2, 4600.0]},
        loaded_at=900.25,
        idle_streak=3,
        next_probe_at=1500.0,
    )
    assert SensorState.of(json.loads(json.dumps(state.stored()))) == state
    freshness.record_run(state, RunState.FAILED, [], 2000.0)
    assert freshness.most_attempts(state, [WHOLE]) == 3
    assert freshness.due(state, [WHOLE], 2000.0 + 4 * MINUTE - 1) == []


def test_every_platform_has_a_described_sensor(repository: dg.RepositoryDefinition) -> None:
    for platform in all_platforms():
        sensor = repository.get_sensor_def(f"{platform.name}_freshness")
        assert sensor.description and sensor.default_status is dg.DefaultSensorStatus.RUNNING

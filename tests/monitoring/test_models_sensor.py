"""The sensor that builds dbt models, through whole histories on an ephemeral instance, as the daemon would run it."""

import time
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from platform_assets.dbt import project, stale_models
from platform_assets.dbt.stale_models import Stale
from platform_assets.monitoring import models_sensor
from platform_assets.monitoring.models_sensor import FIRST_BACKOFF, LONGEST_WAIT, Memory
from platform_assets.sandbox import SandboxServer
from tests.dbt.test_stale_models import MART, MODELS, STAGING, TABLE, build, load
from tests.settings import PointAt
from tests.tiers import only

MINUTE = 60.0
PROJECTS = dg.AssetKey(["load_testing", "projects"])
OTHER = dg.AssetKey(["staging", "stg_load_testing__projects"])
# Built from models of several tables.
WIDE_MART = dg.AssetKey(["marts", "load_testing_projects_overview"])


class Daemon:
    """Ticks the sensor once a minute, at a time that can be moved, and launches nothing by itself."""

    def __init__(
        self, instance: dg.DagsterInstance, repository: dg.RepositoryDefinition, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.instance, self.repository = instance, repository
        self.cursor: str | None = None
        self.words = ""
        self._offset = 0.0
        real = time.time
        monkeypatch.setattr(models_sensor.time, "time", lambda: real() + self._offset)

    def later(self, seconds: float) -> None:
        self._offset += seconds

    def tick(self) -> set[dg.AssetKey]:
        """What the sensor requests; `words` says why nothing."""
        self._offset += MINUTE
        sensor = self.repository.get_sensor_def("models_follow_tables")
        context = dg.build_sensor_context(self.instance, cursor=self.cursor, repository_def=self.repository)
        with context:
            data = sensor.evaluate_tick(context)
        self.cursor = data.cursor
        self.words = data.skip_message or ""
        assert len(data.run_requests or []) <= 1
        return {key for request in data.run_requests or [] for key in request.asset_selection or []}

    def queue(self, job: str, *selection: dg.AssetKey) -> dg.DagsterRun:
        """A run that has not begun, of some assets or of the whole job."""
        definition = self.repository.get_job(job)
        chosen = frozenset(selection) or None
        if chosen:
            definition = definition.get_subset(asset_selection=chosen)
        return self.instance.create_run_for_job(definition, asset_selection=chosen)

    def launch(self, models: set[dg.AssetKey]) -> bool:
        """Run what was requested, and whether that succeeded."""
        run = self.repository.get_job("sync_all").execute_in_process(
            instance=self.instance, asset_selection=sorted(models), raise_on_error=False
        )
        return run.success


@pytest.fixture
def daemon(
    instance: dg.DagsterInstance, repository: dg.RepositoryDefinition, monkeypatch: pytest.MonkeyPatch
) -> Daemon:
    return Daemon(instance, repository, monkeypatch)


@pytest.fixture
def settled(daemon: Daemon) -> Daemon:
    """A table that was loaded and whose models were built; the sensor has seen it."""
    load(daemon.instance, 5)
    assert daemon.tick() >= MODELS
    build(daemon.instance, *daemon.repository.asset_graph.get(TABLE).child_keys, STAGING, MART)
    assert not MODELS & daemon.tick()
    return daemon


@pytest.mark.slow
def test_a_life_of_models_from_the_first_load_to_a_failed_build(
    daemon: Daemon, instance: dg.DagsterInstance, point_at: PointAt, warehouse_file: Path
) -> None:
    """Real loads and builds: nothing to do, built once, left alone, built after a change, failed, left alone."""
    job = daemon.repository.get_job("sync_ci_analytics")
    with SandboxServer() as server:
        point_at(server)

        def sync(rows: bool) -> None:
            if rows:
                server.backend.advance(hours=3)
            assert job.execute_in_process(instance=instance, asset_selection=[TABLE]).success

        assert daemon.tick() == set() and "never loaded" in daemon.words
        sync(rows=True)
        requested = daemon.tick()
        assert requested >= MODELS
        assert daemon.launch(requested)
        assert daemon.tick() == daemon.tick() == set()
        assert daemon.words == "Nothing was loaded, built or edited since the last tick."
        sync(rows=False)
        assert daemon.tick() == set()
        sync(rows=True)
        requested = daemon.tick()
        assert requested >= MODELS

        # The build fails, since somebody has dropped the table. It is left alone until the table is loaded.
        with duckdb.connect(str(warehouse_file)) as connection:
            connection.execute("DROP TABLE ci_analytics.builds CASCADE")
        assert not daemon.launch(requested)
        assert daemon.tick() == daemon.tick() == set()
        sync(rows=True)
        requested = daemon.tick()
        assert requested >= MODELS and daemon.launch(requested)
        assert daemon.tick() == set()


def test_a_failed_build_is_requested_again_after_a_change_an_edit_or_a_backoff_and_not_before(
    settled: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(settled.instance, 1)
    assert settled.tick() >= MODELS  # and its run fails: nothing is built

    def is_left_alone() -> bool:
        return not any(MODELS & settled.tick() for _ in range(5))

    assert is_left_alone()
    load(settled.instance, 0)
    assert is_left_alone(), "a load that found nothing new changes nothing"
    load(settled.instance, 1)
    assert settled.tick() >= MODELS
    assert is_left_alone()

    versions = {**project.model_versions(), MART.path[-1]: "edited"}
    monkeypatch.setattr(stale_models, "model_versions", lambda: versions)
    assert MODELS & settled.tick() == {MART}, "what is above the edited model has not changed"
    assert is_left_alone()
    versions[STAGING.path[-1]] = "edited"
    monkeypatch.setattr(stale_models, "model_versions", lambda: dict(versions))
    assert MODELS & settled.tick() == MODELS, "the mart is made of the edited model"
    assert is_left_alone()

    # Nothing changes any more: a run may have been killed, or the database was away.
    settled.later(FIRST_BACKOFF)
    assert settled.tick() >= MODELS
    settled.later(FIRST_BACKOFF)
    assert is_left_alone(), "the backoff doubles"
    settled.later(FIRST_BACKOFF)
    assert settled.tick() >= MODELS


def test_a_model_that_failed_is_not_requested_again_with_others(settled: Daemon) -> None:
    load(settled.instance, 1)
    assert settled.tick() >= MODELS
    load(settled.instance, 1, PROJECTS)
    requested = settled.tick()
    assert OTHER in requested and not MODELS & requested


def test_a_mart_above_which_a_first_build_failed_is_not_built_without_it(daemon: Daemon) -> None:
    """Tables of the mart change, so that it is due; but one of its models does not exist, and its SQL is as before."""
    history = stale_models.ModelHistory(daemon.instance, daemon.repository, [WIDE_MART])
    one, *others = sorted(history.tables_above(WIDE_MART))
    for table in (one, *others):
        load(daemon.instance, 1, table)
    assert WIDE_MART in daemon.tick()
    load(daemon.instance, 1, one)
    requested = daemon.tick()
    assert requested and WIDE_MART not in requested
    assert all(
        one in stale_models.ModelHistory(daemon.instance, daemon.repository, [model]).tables_above(model)
        for model in requested
    )


@pytest.mark.parametrize("job", only(["sync_all"], ["sync_all", "sync_ci_analytics"], slow=["sync_ci_analytics"]))
@pytest.mark.parametrize(
    "selected", [True, pytest.param(False, marks=pytest.mark.slow)], ids=["of the models", "of the whole job"]
)
def test_what_a_run_in_flight_builds_is_not_requested_until_it_ended(job: str, selected: bool, settled: Daemon) -> None:
    """Whoever started it: this sensor, the command (both select models of `sync_all`), or a person."""
    run = settled.queue(job, *(MODELS if selected else ()))
    load(settled.instance, 1)
    assert not MODELS & settled.tick()
    assert "a run in flight builds" in settled.words
    settled.later(2 * LONGEST_WAIT)
    assert not MODELS & settled.tick(), "however long it takes"
    settled.instance.report_run_canceled(run)
    assert settled.tick() >= MODELS


def test_a_model_below_one_in_flight_waits_for_it(settled: Daemon) -> None:
    run = settled.queue("sync_all", STAGING)
    load(settled.instance, 1)
    assert not MODELS & settled.tick()
    build(settled.instance, STAGING)
    settled.instance.report_run_canceled(run)
    assert MODELS & settled.tick() == {MART}


def test_its_own_run_is_not_doubled_when_tables_change_meanwhile(settled: Daemon) -> None:
    load(settled.instance, 1)
    requested = settled.tick()
    run = settled.queue("sync_all", *requested)
    began = time.time()
    load(settled.instance, 1)
    assert not MODELS & settled.tick()
    build(settled.instance, *MODELS, read_at=began)
    settled.instance.report_run_canceled(run)
    assert settled.tick() >= MODELS, "the run had read the table before it changed"


def test_tables_in_flight_are_waited_for_but_not_for_ever(settled: Daemon) -> None:
    run = settled.queue("sync_ci_analytics", TABLE)
    load(settled.instance, 1)
    assert not MODELS & settled.tick()
    assert "tables are being loaded" in settled.words
    settled.instance.report_run_canceled(run)
    assert settled.tick() >= MODELS
    build(settled.instance, *MODELS)

    # Now the table is always being loaded, run after run.
    settled.queue("sync_ci_analytics", TABLE)
    for waited in range(60):
        if MODELS & settled.tick():
            assert waited * MINUTE == pytest.approx(LONGEST_WAIT, abs=2 * MINUTE)
            return
        load(settled.instance, 1)
    pytest.fail("the models were not built within an hour")


def test_a_run_of_other_tables_is_not_waited_for(settled: Daemon) -> None:
    settled.queue("sync_crm", dg.AssetKey(["crm", "deals"]))
    settled.queue("sync_ci_analytics", dg.AssetKey(["ci_analytics", "organizations"]))
    load(settled.instance, 1)
    assert settled.tick() >= MODELS


def test_what_was_built_by_somebody_else_is_forgotten(settled: Daemon) -> None:
    load(settled.instance, 1)
    assert settled.tick() >= MODELS
    build(settled.instance, *MODELS)
    settled.tick()
    assert not {key.to_user_string() for key in MODELS} & Memory.of(settled.cursor).requested.keys()


def test_the_sensor_and_the_command_give_the_same_answer(settled: Daemon) -> None:
    steps: list[Callable[[], None]] = [
        lambda: load(settled.instance, 0),
        lambda: load(settled.instance, 1),
        lambda: load(settled.instance, 3, PROJECTS),
        lambda: build(settled.instance, STAGING),
    ]
    models = stale_models.all_models(settled.repository)
    for step in steps:
        step()
        answer = set(stale_models.models_to_build(settled.instance, settled.repository, models))
        settled.cursor = None
        assert settled.tick() == answer


def test_an_idle_tick_reads_nothing_but_the_last_events(settled: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    load(settled.instance, 0)
    settled.tick()
    settled.tick()
    monkeypatch.setattr(settled.instance, "fetch_materializations", None)
    monkeypatch.setattr(settled.instance, "get_runs", None)
    assert settled.tick() == set()
    assert settled.words == "Nothing was loaded, built or edited since the last tick."


@pytest.mark.parametrize("cursor", ["", "eJy9k01vwjAMhv8K", "[1]", '{"requested": {"a": {"of": "another version"}}}'])
def test_a_cursor_of_another_form_is_begun_anew(cursor: str, daemon: Daemon) -> None:
    """An earlier version was an automation condition sensor of the same name."""
    load(daemon.instance, 5)
    daemon.cursor = cursor
    assert daemon.tick() >= MODELS


def test_models_that_are_built_for_one_reason_share_a_line_of_the_log() -> None:
    ready = {dg.AssetKey(["staging", f"m{number:02}"]): Stale("it was never built", "") for number in range(12)}
    ready[OTHER] = Stale("its SQL was edited", "")
    listed = ", ".join(f"staging/m{number:02}" for number in range(10))
    assert list(models_sensor.reasons(ready)) == [
        f"it was never built (12): {listed}, ...",
        "staging/stg_load_testing__projects: its SQL was edited",
    ]

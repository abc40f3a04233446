"""One rule of lateness: UI, dbt, check and alert agree on the same load, with the setting and without."""

import json
import os
from datetime import timedelta
from pathlib import Path

import dagster as dg
import duckdb
import pytest
from dagster._core.definitions.freshness import TimeWindowFreshnessPolicy

from platform_assets.configuration.platform_settings import read_settings
from platform_assets.http.errors import SettingsError
from platform_assets.monitoring.alerts import stale_assets_of
from platform_assets.monitoring.freshness_sensor import freshness_sensor
from platform_assets.orchestration.assets import platform_assets
from platform_assets.platforms import all_platforms, platform_named
from platform_assets.sandbox import Fault, SandboxServer
from tests.cli.command import command
from tests.conftest import Sync
from tests.dbt.building import run_dbt
from tests.orchestration.check_results import checks
from tests.settings import PointAt, sandbox_settings
from tests.tiers import only

SETTING = "SOURCES__CI_ANALYTICS__ALLOWED_LAG"
BUILDS = dg.AssetKey(["ci_analytics", "builds"])


def policies(platform: str) -> dict[str, tuple[timedelta, timedelta]]:
    found = {}
    for definition in platform_assets(platform_named(platform)):
        for spec in definition.specs:
            policy = spec.freshness_policy
            assert isinstance(policy, TimeWindowFreshnessPolicy) and policy.warn_window is not None
            found[spec.key.path[-1]] = (policy.warn_window.to_timedelta(), policy.fail_window.to_timedelta())
    return found


def test_the_ui_uses_the_allowed_lag_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    declared = policies("ci_analytics")
    assert declared["builds"][0] != timedelta(minutes=10)
    assert all(fail == 2 * warn for warn, fail in declared.values())
    monkeypatch.setenv(SETTING, "600")
    assert set(policies("ci_analytics").values()) == {(timedelta(minutes=10), timedelta(minutes=20))}
    monkeypatch.setenv(SETTING, "1")
    assert set(policies("ci_analytics").values()) == {(timedelta(minutes=1), timedelta(minutes=2))}


def age(warehouse: Path, minutes: int) -> None:
    """Set the load time of everything to that many minutes ago."""
    with duckdb.connect(str(warehouse)) as connection:
        for table, column in (("_sync_log", "ended_at"), ("_sync_state", "succeeded_at")):
            moved = f"now() - INTERVAL {minutes} MINUTES"
            connection.execute(f"UPDATE ci_analytics.{table} SET {column} = {moved} WHERE {column} IS NOT NULL")


def by_dbt(warehouse: Path, target: Path) -> str:
    """The status of the builds by `dbt source freshness`, run by hand."""
    args = ["source", "freshness", "--select", "source:ci_analytics.builds"]
    run_dbt(*args, warehouse=warehouse, target=target, variables={SETTING: os.environ.get(SETTING, "")})
    (result,) = json.loads((target / "sources.json").read_text())["results"]
    return result["status"]


@pytest.mark.slow
def test_dbt_and_the_check_and_the_alert_agree_at_every_age(
    repository: dg.RepositoryDefinition,
    instance: dg.DagsterInstance,
    point_at: PointAt,
    monkeypatch: pytest.MonkeyPatch,
    warehouse_file: Path,
    tmp_path: Path,
) -> None:
    """At ten minutes of allowed lag: fine after five, late after fifteen, too late after twenty-five."""
    monkeypatch.setenv(SETTING, "600")
    with SandboxServer() as server:
        point_at(server)
        assert checks(repository, instance, "ci_analytics/builds")["cursor_fresh"].passed
        event = instance.get_latest_materialization_event(BUILDS)
        assert event is not None
        for minutes, dbt_status in ((5, "pass"), (15, "warn"), (25, "error")):
            age(warehouse_file, minutes)
            assert by_dbt(warehouse_file, tmp_path / "target") == dbt_status
            reported = stale_assets_of(instance, all_platforms(), event.timestamp + 60 * minutes)
            assert ("ci_analytics/builds" in reported) == (dbt_status == "error")
        server.faults.append(Fault("/v2/builds", status=404, times=None))
        for minutes, dbt_status in ((5, None), (15, dg.AssetCheckSeverity.WARN), (25, dg.AssetCheckSeverity.ERROR)):
            age(warehouse_file, minutes)
            found = checks(repository, instance, "ci_analytics/builds")["cursor_fresh"]
            assert (None if found.passed else found.severity) == dbt_status
        monkeypatch.delenv(SETTING)
        age(warehouse_file, 25)
        assert by_dbt(warehouse_file, tmp_path / "target") == "pass"


@pytest.mark.slow
def test_a_bucket_in_which_nothing_changed_is_not_late_for_dbt(
    point_at: PointAt, sync_platform: Sync, warehouse_file: Path, tmp_path: Path
) -> None:
    """Its parents are not requested again; the bucket still counts as loaded, as in Dagster."""
    with SandboxServer() as server:
        point_at(server)
        sync_platform("crm", ["deals", "deal_products"])
        with duckdb.connect(str(warehouse_file)) as connection:
            connection.execute("UPDATE crm._sync_state SET succeeded_at = now() - INTERVAL 90 DAYS")
            connection.execute("UPDATE crm._sync_log SET ended_at = now() - INTERVAL 90 DAYS")
        sync_platform("crm", ["deal_products"])
    args = ["source", "freshness", "--select", "source:crm.deal_products"]
    run_dbt(*args, warehouse=warehouse_file, target=tmp_path / "target")
    (result,) = json.loads((tmp_path / "target" / "sources.json").read_text())["results"]
    assert result["status"] == "pass"


@pytest.mark.parametrize("value", only(["1h", "nan"], ["1h", "-5", "nan", "1e300"], slow=["-5", "1e300"]))
def test_an_invalid_lag_is_refused_by_check_and_does_not_break_the_definitions(
    value: str,
    instance: dg.DagsterInstance,
    repository: dg.RepositoryDefinition,
    point_at: PointAt,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    declared = policies("ci_analytics")
    with SandboxServer() as server:
        point_at(server)
        monkeypatch.setenv(SETTING, value)
        assert policies("ci_analytics") == declared
        assert SETTING in caplog.text
        with pytest.raises(SettingsError, match=SETTING):
            read_settings(platform_named("ci_analytics"))
        tick = freshness_sensor(platform_named("ci_analytics"))
        found = tick(dg.build_sensor_context(instance=instance, repository_def=repository))
        assert isinstance(found, dg.SensorResult)
        if value == "1h":
            checked = command("check", "--platform", "ci_analytics", env=sandbox_settings(server))
            assert checked.returncode == 1 and f"{SETTING} must be a number" in checked.stdout

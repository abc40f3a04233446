"""Asset checks: evaluated in the op, and failing when they should."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import dagster as dg
import orjson
import pytest

from platform_assets.sandbox import Fault, SandboxServer, expected_rows
from tests.orchestration.check_results import checks
from tests.settings import PointAt


def test_a_good_load_passes_every_check_of_its_asset(
    repository: dg.RepositoryDefinition, instance: dg.DagsterInstance, point_at: PointAt, shared_sandbox: SandboxServer
) -> None:
    point_at(shared_sandbox)
    found = checks(repository, instance, "device_management/policies")
    assert {name: check.passed for name, check in found.items()} == dict.fromkeys(
        ("key_unique", "key_not_null", "no_drift", "volume_not_collapsed", "cursor_fresh", "api_supported"), True
    )


def test_an_announced_end_is_warned_of_thirty_days_ahead(
    repository: dg.RepositoryDefinition, instance: dg.DagsterInstance, point_at: PointAt
) -> None:
    ends = datetime.now(UTC) + timedelta(days=20)
    announced = Fault(r"/v2/policies", status=503, headers={"Sunset": format_datetime(ends, usegmt=True)})
    with SandboxServer(faults=[announced]) as server:
        point_at(server)
        found = checks(repository, instance, "device_management/policies")["api_supported"]
    assert not found.passed and found.severity is dg.AssetCheckSeverity.WARN
    assert f"the vendor may stop to serve it on {ends:%Y-%m-%d}" in str(found.description)


def test_a_collapsed_list_fails_its_check_and_removes_nothing(
    repository: dg.RepositoryDefinition, instance: dg.DagsterInstance, point_at: PointAt
) -> None:
    with SandboxServer() as server:
        point_at(server)
        checks(repository, instance, "device_management/policies")
        one = expected_rows(server.backend)["device_management"]["policies"][:1]
        server.faults.append(Fault("/v2/policies", status=200, times=None, body=orjson.dumps({"data": one})))
        found = checks(repository, instance, "device_management/policies")["volume_not_collapsed"]
        assert not found.passed and found.severity is dg.AssetCheckSeverity.ERROR
        rows = len(expected_rows(server.backend)["device_management"]["policies"])
        assert found.metadata["rows_missing"].value == rows - 1


def test_an_undeclared_field_is_loaded_and_reported_as_drift(
    repository: dg.RepositoryDefinition, instance: dg.DagsterInstance, point_at: PointAt
) -> None:
    with SandboxServer() as server:
        point_at(server)
        checks(repository, instance, "device_management/roles")
        for role in server.backend.tables["device_management"]["roles"]:
            role["brandNew"] = 7
        found = checks(repository, instance, "device_management/roles")["no_drift"]
        assert not found.passed and found.severity is dg.AssetCheckSeverity.WARN
        assert found.metadata["new_columns"].value == {"brand_new": "bigint"}


def test_a_list_not_read_within_its_allowed_lag_is_not_fresh(
    repository: dg.RepositoryDefinition,
    instance: dg.DagsterInstance,
    point_at: PointAt,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with SandboxServer() as server:
        point_at(server)
        assert checks(repository, instance, "ci_analytics/builds")["cursor_fresh"].passed
        server.faults.append(Fault("/v2/builds", status=404, times=None))
        monkeypatch.setenv("SOURCES__CI_ANALYTICS__ALLOWED_LAG", "3600")
        assert checks(repository, instance, "ci_analytics/builds")["cursor_fresh"].passed
        monkeypatch.setenv("SOURCES__CI_ANALYTICS__ALLOWED_LAG", "0.01")
        assert not checks(repository, instance, "ci_analytics/builds")["cursor_fresh"].passed

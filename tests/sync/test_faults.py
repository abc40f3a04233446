"""One resource or parent that cannot be read does not affect others, and recovers by itself."""

import socket
from pathlib import Path

import pytest

from platform_assets.configuration.platform_settings import read_settings
from platform_assets.extraction.connection import connect
from platform_assets.http.errors import RequestFailed, SettingsError
from platform_assets.platforms import platform_named
from platform_assets.sandbox import Fault, SandboxServer, expected_rows
from platform_assets.warehouse import Status, open_warehouse
from tests.conftest import Sync
from tests.settings import Point, PointAt
from tests.tiers import only
from tests.warehouse_rows import differences, query

pytestmark = pytest.mark.usefixtures("in_either_warehouse")


def count(path: Path, table: str) -> int:
    return query(path, f"SELECT count(*) FROM {table}")[0][0]


def test_a_resource_that_fails_on_its_last_page_lands_nothing_and_the_others_land(
    point_at: PointAt, sync_platform: Sync, warehouse_file: Path
) -> None:
    fault = Fault(r"/ci_analytics/v2/builds\?.*page=5", status=500, times=None)
    with SandboxServer(faults=[fault]) as server:
        point_at(server)
        outcomes = sync_platform("ci_analytics", ["organizations", "builds"])
        assert "answered 500" in (outcomes["builds"].error or "") and outcomes["organizations"].ok
        assert count(warehouse_file, "ci_analytics.organizations") > 0
        platform = platform_named("ci_analytics")
        with open_warehouse(platform) as warehouse, warehouse.session() as session:
            state = session.progress(["builds"])["builds", ""]
            assert not session.has_table("builds")
        assert state.status is Status.FAILED and state.cursor_value is None
        server.faults.clear()
        assert sync_platform("ci_analytics", ["organizations", "builds"])["builds"].ok
        records = expected_rows(server.backend)["ci_analytics"]["builds"]
        assert differences(warehouse_file, platform, platform.resource("builds"), records) == []


@pytest.mark.parametrize("status", only([429, 503], [429, 500, 502, 503, 504], slow=[500, 502, 504]))
def test_transient_errors_cost_a_retry_and_no_row(
    status: int, point_at: PointAt, sync_platform: Sync, warehouse_file: Path
) -> None:
    with SandboxServer(faults=[Fault("/load_testing/", status=status, times=3)]) as server:
        point_at(server)
        outcomes = sync_platform("load_testing", ["organizations", "tests"])
        assert all(outcome.ok for outcome in outcomes.values())
        assert sum(outcome.retries for outcome in outcomes.values()) == 3
        assert count(warehouse_file, "load_testing.tests") == len(
            expected_rows(server.backend)["load_testing"]["tests"]
        )


@pytest.mark.always_in_postgres
def test_a_failing_parent_is_listed_and_its_siblings_land(
    point_at: PointAt, sync_platform: Sync, warehouse_file: Path
) -> None:
    with SandboxServer() as server:
        point_at(server)
        platform = platform_named("ci_analytics")
        sync_platform("ci_analytics", ["organizations"])
        slugs = sorted(row[0] for row in query(warehouse_file, "SELECT slug FROM ci_analytics.organizations"))
        bad, gone = slugs[0], slugs[1]
        server.faults.append(Fault(f"/organizations/{bad}/pipelines", status=500, times=None))
        server.faults.append(Fault(f"/organizations/{gone}/pipelines", status=404, times=None))
        outcome = sync_platform("ci_analytics", ["organizations_pipelines"])["organizations_pipelines"]
        assert list(outcome.failed_partitions) == [bad] and outcome.skipped_parents == [gone]
        server.faults.clear()
        assert sync_platform("ci_analytics", ["organizations_pipelines"])["organizations_pipelines"].ok
        records = expected_rows(server.backend)["ci_analytics"]["organizations_pipelines"]
        child = platform.resource("organizations_pipelines")
        assert differences(warehouse_file, platform, child, records) == []


def test_buckets_request_only_failed_and_changed_parents_again(point_at: PointAt, sync_platform: Sync) -> None:
    with SandboxServer() as server:
        point_at(server)
        sync_platform("crm", ["deals"])
        deal = expected_rows(server.backend)["crm"]["deals"][0]["id"]
        server.faults.append(Fault(f"/v1/deals/{deal}/products", status=500, times=4))
        first = sync_platform("crm", ["deal_products"])["deal_products"]
        assert len(first.failed_partitions) == 1
        second = sync_platform("crm", ["deal_products"])["deal_products"]
        assert second.requests == 1 and second.ok
        assert sync_platform("crm", ["deal_products"])["deal_products"].requests == 0


@pytest.mark.always_in_postgres
def test_a_suddenly_empty_list_soft_deletes_nothing(
    point_at: PointAt, sync_platform: Sync, warehouse_file: Path
) -> None:
    with SandboxServer() as server:
        point_at(server)
        before = sync_platform("device_management", ["roles"])["roles"].rows_in_table
        server.faults.append(Fault("/v2/roles", status=200, times=None, body=b'{"data": []}'))
        outcome = sync_platform("device_management", ["roles"])["roles"]
        assert outcome.ok and outcome.deletion_withheld == before and outcome.deleted == 0
        assert query(warehouse_file, "SELECT count(_deleted_at) FROM device_management.roles") == [(0,)]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            b'{"items": [{"id": 1}]}',
            "device_management/roles: selector `data` matched nothing; keys at the top: items",
        ),
        (
            b"<html>busy</html>",
            "device_management: GET /v2/roles: status 200, application/json: not JSON: <html>busy</html>",
        ),
        (
            b'{"data": {"id": 1}}',
            "device_management/roles: selector `data` should find a list and found an object",
        ),
        (
            b'{"data": [{"name": "no id"}]}',
            "device_management/roles: a record has no `id`, which is its primary key",
        ),
    ],
    ids=["other keys", "no JSON", "no list", "no key"],
)
def test_a_response_that_breaks_the_contract_is_an_error_that_names_the_problem(
    body: bytes, expected: str, point_at: PointAt, sync_platform: Sync, warehouse_file: Path
) -> None:
    fault = Fault("/v2/roles", status=200, times=None, body=body)
    with SandboxServer(faults=[fault]) as server:
        point_at(server)
        assert sync_platform("device_management", ["roles"])["roles"].error == expected
        tables = query(warehouse_file, "SELECT table_name FROM information_schema.tables WHERE table_name = 'roles'")
        assert tables == [], "none of its rows were loaded"


@pytest.mark.always_in_postgres
def test_new_fields_and_changed_types_are_kept(point_at: PointAt, sync_platform: Sync, warehouse_file: Path) -> None:
    with SandboxServer() as server:
        point_at(server)
        sync_platform("device_management", ["roles"])
        body = b'{"data": [{"id": 1, "name": "a", "brandNew": 5}, {"id": 2, "custom": "perhaps"}, {"id": 3}]}'
        server.faults.append(Fault("/v2/roles", status=200, times=None, body=body))
        outcome = sync_platform("device_management", ["roles"])["roles"]
        assert outcome.ok and outcome.added_columns == {"brand_new": "bigint", "custom__v_text": "text"}
        found = query(
            warehouse_file,
            "SELECT brand_new, custom__v_text FROM device_management.roles WHERE id IN (1, 2) ORDER BY id",
        )
        assert found == [(5, None), (None, "perhaps")]


def test_a_rejected_token_loads_nothing_and_is_reported_once_per_resource(
    point_at: PointAt, sync_platform: Sync, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SandboxServer() as server:
        point_at(server)
        monkeypatch.setenv("SOURCES__CRM__API_TOKEN", "wr0ng-s3cret")
        outcomes = sync_platform("crm", ["currencies", "roles"])
        for outcome in outcomes.values():
            assert "401" in (outcome.error or "") and "SOURCES__CRM__API_TOKEN" in (outcome.error or "")
            assert "wr0ng" not in repr(outcome)


def test_an_unreachable_host_is_reported_with_its_setting(sync_platform: Sync, point: Point) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        point("crm", url)
    waits: list[str] = []
    with (
        connect(platform_named("crm")).open_client(on_wait=lambda seconds, why: waits.append(why)) as client,
        pytest.raises(RequestFailed),
    ):
        client.get("/v1/currencies")
    assert waits == [f"to try again: cannot reach {url}"] * 3
    outcomes = sync_platform("crm", ["currencies", "roles"])
    assert all("SOURCES__CRM__BASE_URL" in (outcome.error or "") for outcome in outcomes.values())


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("BASE_URL", "", "BASE_URL"),
        ("BASE_URL", "ftp://x", "http"),
        ("BASE_URL", "http://api.example.com", "https"),
        ("BASE_URL", "https://user:pass@example.com", "no user"),
        ("API_TOKEN", "", "API_TOKEN"),
        ("START_DATE", "yesterday", "START_DATE"),
        ("PAGE_SIZE", "0", "PAGE_SIZE"),
        ("CONTRACT", "pipedrove", "contract"),
    ],
)
def test_unusable_settings_are_named(
    name: str, value: str, expected: str, point: Point, monkeypatch: pytest.MonkeyPatch
) -> None:
    point("crm", "https://api.example.com")
    monkeypatch.setenv(f"SOURCES__CRM__{name}", value)
    with pytest.raises(SettingsError, match=expected):
        read_settings(platform_named("crm"))

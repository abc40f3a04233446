"""The sandbox follows the reference contract: read with plain requests, without the extraction's code."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from platform_assets.sandbox import FakeBackend, Fault, SandboxServer, expected_rows


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxServer]:
    with SandboxServer() as running:
        yield running


def get(server: SandboxServer, platform: str, path: str, **params: Any) -> requests.Response:
    headers = {"Authorization": f"Bearer {server.token(platform)}"}
    if platform == "crm":
        headers, params = {}, {**params, "api_token": server.token("crm")}
    return requests.get(server.base_url(platform) + path, params=params, headers=headers, timeout=10)


def test_pages_by_number_end_with_a_short_page(server: SandboxServer) -> None:
    found, page = [], 1
    while True:
        data = get(server, "ci_analytics", "/v2/builds", page=page, per_page=100).json()["data"]
        found += data
        page += 1
        if len(data) < 100:
            break
    assert [one["id"] for one in found] == [
        one["id"] for one in expected_rows(server.backend)["ci_analytics"]["builds"]
    ]
    assert found == sorted(found, key=lambda one: one["created_at"], reverse=True)


def test_page_sizes_are_capped_at_the_servers_maximum(server: SandboxServer) -> None:
    assert len(get(server, "ci_analytics", "/v2/builds", per_page=5000).json()["data"]) == 100
    assert len(get(server, "crm", "/v1/leads", limit=5000).json()["data"]) == 500


def test_builds_are_filtered_by_creation(server: SandboxServer) -> None:
    bounds = {"created_from": "2026-01-10T00:00:00Z", "created_to": "2026-01-12T00:00:00Z"}
    data = get(server, "ci_analytics", "/v2/builds", per_page=100, **bounds).json()["data"]
    assert data and all("2026-01-10" <= one["created_at"] < "2026-01-12" for one in data)


def test_offsets_count_records(server: SandboxServer) -> None:
    data = get(server, "device_management", "/v2/activities", after=20, limit=20).json()["activities"]
    assert data == expected_rows(server.backend)["device_management"]["activities"][20:40]


def test_link_cursors_end_with_results_false(server: SandboxServer) -> None:
    params: dict[str, str] = {}
    found: list[Any] = []
    while True:
        response = get(server, "error_tracking", "/v1/projects/acme/mobile/events/", **params)
        found += response.json()["data"]
        following = response.links["next"]
        assert response.links["previous"]["results"] in ("true", "false")
        if following["results"] == "false":
            break
        params = {"cursor": following["cursor"]}
    assert len(found) == 450
    assert "Link" not in get(server, "error_tracking", "/v1/projects/acme/mobile/").headers


def test_body_positions_end_without_next_start(server: SandboxServer) -> None:
    start, found = 0, []
    while start is not None:
        body = get(server, "crm", "/v1/leads", start=start, limit=500).json()
        found += body["data"]
        pagination = body["additional_data"]["pagination"]
        start = pagination.get("next_start")
        assert pagination["more_items_in_collection"] == (start is not None)
    assert found == expected_rows(server.backend)["crm"]["leads"]


def test_recents_need_a_time_and_mix_kinds_without_items(server: SandboxServer) -> None:
    assert get(server, "crm", "/v1/recents", items="deal").status_code == 400
    assert get(server, "crm", "/v1/recents", items="deal", since_timestamp="2026-01-01").status_code == 400
    since = {"since_timestamp": "1970-01-01 00:00:00", "limit": 500}
    mixed = {
        one["item"]
        for start in range(0, 4000, 500)
        for one in get(server, "crm", "/v1/recents", start=start, **since).json()["data"] or []
    }
    assert len(mixed) == 10
    people = get(server, "crm", "/v1/recents", items="person", start=500, **since).json()["data"]
    assert any(
        one["data"] is None
        for one in people + get(server, "crm", "/v1/recents", items="person", start=1000, **since).json()["data"]
    )
    users = get(server, "crm", "/v1/recents", items="user", **since).json()["data"]
    assert all(isinstance(one["data"], list) for one in users)


def test_threads_need_a_folder_and_may_be_in_several(server: SandboxServer) -> None:
    assert get(server, "crm", "/v1/mailbox/mailThreads").status_code == 400
    found = [
        one["id"]
        for folder in ("inbox", "drafts", "sent", "archive")
        for one in get(server, "crm", "/v1/mailbox/mailThreads", folder=folder).json()["data"]
    ]
    assert len(found) > len(set(found)) == 150


def test_an_empty_list_is_null_in_the_crm() -> None:
    with SandboxServer(FakeBackend.empty()) as empty:
        assert get(empty, "crm", "/v1/leads").json()["data"] is None
        assert get(empty, "device_management", "/v2/roles").json() == {"data": []}


@pytest.mark.parametrize("platform", ["ci_analytics", "load_testing", "error_tracking", "device_management", "crm"])
def test_credentials_are_required(platform: str, server: SandboxServer) -> None:
    response = requests.get(f"{server.base_url(platform)}/v2/organizations", timeout=10)
    assert response.status_code == 401 and response.json()["error"]["status"] == 401


def test_errors_have_the_contracts_shape(server: SandboxServer) -> None:
    for platform, path in (("ci_analytics", "/v2/organizations/nobody/pipelines"), ("crm", "/v1/nothing")):
        response = get(server, platform, path)
        assert response.status_code == 404 and set(response.json()["error"]) == {"status", "message"}
    assert get(server, "ci_analytics", "/v2/builds", page="x").status_code == 400


def test_ids_collide_between_kinds_and_slugs_between_organizations(server: SandboxServer) -> None:
    tables = expected_rows(server.backend)
    assert {one["id"] for one in tables["crm"]["deals"]} & {one["id"] for one in tables["crm"]["persons"]}
    slugs = [one["slug"] for one in tables["error_tracking"]["projects"]]
    assert slugs.count("web") == 2
    assert any("id" not in one for one in tables["crm"]["deal_fields"])


def test_the_clock_adds_changes_and_removes() -> None:
    with SandboxServer() as moving:
        before = expected_rows(moving.backend)
        requests.post(f"{moving.url}/_sandbox/advance", json={"hours": 30}, timeout=10)
        after = requests.get(f"{moving.url}/_sandbox/truth", params={"rows": 1}, timeout=30).json()
        for platform, resource in (("ci_analytics", "builds"), ("crm", "deals"), ("device_management", "activities")):
            assert len(after[platform][resource]) > len(before[platform][resource])
        assert len(after["device_management"]["policies"]) < len(before["device_management"]["policies"])
        ended = {one["id"] for one in after["ci_analytics"]["builds"] if one["finished_at"]}
        assert any(one["id"] in ended for one in before["ci_analytics"]["builds"] if not one["finished_at"])


def test_the_same_seed_gives_the_same_backend() -> None:
    first, second = FakeBackend(seed=3), FakeBackend(seed=3)
    first.advance(hours=5)
    second.advance(hours=5)
    assert expected_rows(first) == expected_rows(second) != expected_rows(FakeBackend(seed=4))


def test_faults_are_injected_as_often_as_configured_and_requests_are_logged_without_credentials() -> None:
    with SandboxServer(faults=[Fault("/v1/roles", status=503, times=2)]) as faulty:
        assert [get(faulty, "crm", "/v1/roles").status_code for _ in range(3)] == [503, 503, 200]
        log = requests.get(f"{faulty.url}/_sandbox/requests", timeout=10).text
        assert re.search("/crm/v1/roles", log) and faulty.token("crm") not in log


def test_every_event_is_of_an_issue_of_its_project_also_of_what_comes_later() -> None:
    """As in the vendor's API; else a model that joins the two would show nothing, and dbt warns of each event."""
    backend = FakeBackend()
    for hours in (1, 5, 30):
        backend.advance(hours=hours)
        tables = expected_rows(backend)["error_tracking"]
        issues = {(one["id"], one["project"]["id"]) for one in tables["issues"]}
        assert tables["events"]
        assert {(one["groupID"], one["projectID"]) for one in tables["events"]} <= issues

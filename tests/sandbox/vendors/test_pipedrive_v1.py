"""Pipedrive's v1, read with plain requests."""

from collections.abc import Iterator

import pytest

from platform_assets.sandbox import FakeBackend, SandboxServer, expected_rows
from tests.sandbox.vendors.asking import ask, by_key
from tests.sandbox.vendors.pipedrive_lists import FOLDERS, v1_pages


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxServer]:
    with SandboxServer() as running:
        yield running


def test_pagination_is_in_the_body_and_next_start_is_absent_at_the_end(server: SandboxServer) -> None:
    body = ask(server, "pipedrive", "/v1/notes", {"start": 100, "limit": 50}).json()
    assert body["additional_data"]["pagination"] == {
        "start": 100,
        "limit": 50,
        "more_items_in_collection": True,
        "next_start": 150,
    }
    end = ask(server, "pipedrive", "/v1/notes", {"start": 690}).json()["additional_data"]["pagination"]
    assert end == {"start": 690, "limit": 100, "more_items_in_collection": False}
    assert ask(server, "pipedrive", "/v1/notes", {"start": 700}).json()["data"] is None


def test_a_page_has_100_rows_500_at_most_and_files_100(server: SandboxServer) -> None:
    assert len(ask(server, "pipedrive", "/v1/notes").json()["data"]) == 100
    assert len(ask(server, "pipedrive", "/v1/notes", {"limit": 900}).json()["data"]) == 500
    body = ask(server, "pipedrive", "/v1/files", {"limit": 500}).json()
    assert len(body["data"]) == 100 and body["additional_data"]["pagination"]["next_start"] == 100


def test_roles_have_no_next_start(server: SandboxServer) -> None:
    pagination = ask(server, "pipedrive", "/v1/roles", {"limit": 3}).json()["additional_data"]["pagination"]
    assert pagination == {"start": 0, "limit": 3, "more_items_in_collection": True}


@pytest.mark.parametrize("path", ["leadLabels", "activityTypes", "currencies", "permissionSets", "users", "filters"])
def test_some_lists_leave_out_additional_data(server: SandboxServer, path: str) -> None:
    assert set(ask(server, "pipedrive", f"/v1/{path}", {"limit": 1, "start": 1}).json()) == {"success", "data"}


def test_an_empty_list_is_null() -> None:
    with SandboxServer(FakeBackend.empty()) as empty:
        for path in ("users", "leads", "files", "dealFields"):
            body = ask(empty, "pipedrive", f"/v1/{path}").json()
            assert body["success"] is True and body["data"] is None


def test_archived_leads_have_a_list_of_their_own(server: SandboxServer) -> None:
    leads, archived = v1_pages(server, "/v1/leads"), v1_pages(server, "/v1/leads/archived")
    assert {one["is_archived"] for one in leads} == {False} and {one["is_archived"] for one in archived} == {True}
    assert len(leads) + len(archived) == 1000 and archived
    assert v1_pages(server, "/v1/leads/archived", updated_since="2030-01-01T00:00:00Z") == archived


@pytest.mark.parametrize("path", ["notes", "leads"])
def test_updated_since_is_inclusive(server: SandboxServer, path: str) -> None:
    everything = v1_pages(server, f"/v1/{path}", limit=500)
    edge = sorted(one["update_time"] for one in everything)[-25]
    text = edge if "T" in edge else f"{edge.replace(' ', 'T')}Z"
    found = v1_pages(server, f"/v1/{path}", updated_since=text)
    assert {one["id"] for one in found} == {one["id"] for one in everything if one["update_time"] >= edge}
    assert ask(server, "pipedrive", f"/v1/{path}", {"updated_since": "2026-01-01 00:00:00"}).status_code == 400


def test_lists_are_sorted(server: SandboxServer) -> None:
    times = [one["update_time"] for one in v1_pages(server, "/v1/files", sort="update_time DESC")]
    assert len(times) == 300 and times == sorted(times, reverse=True)
    assert ask(server, "pipedrive", "/v1/files", {"sort": "file_size"}).status_code == 400


def test_times_of_v1_have_no_zone_but_those_of_leads(server: SandboxServer) -> None:
    assert "T" not in ask(server, "pipedrive", "/v1/files").json()["data"][0]["add_time"]
    assert ask(server, "pipedrive", "/v1/leads").json()["data"][0]["add_time"].endswith("Z")


def test_a_type_of_activity_that_never_changed_has_no_update_time(server: SandboxServer) -> None:
    found = ask(server, "pipedrive", "/v1/activityTypes").json()["data"]
    assert ["update_time" in one for one in found] == [False, True, False]


def test_subfields_have_a_key_and_no_id(server: SandboxServer) -> None:
    subfields = [one for one in v1_pages(server, "/v1/dealFields") if one.get("is_subfield")]
    assert subfields and all("id" not in one and "update_time" not in one and one["key"] for one in subfields)


def test_four_requests_find_all_goals(server: SandboxServer) -> None:
    path, metric = "/v1/goals/find", "expected_outcome.tracking_metric"
    expected = by_key(expected_rows(server.backend)["crm"]["goals"])
    own = ask(server, "pipedrive", path).json()
    assert set(own) == {"success", "data", "statusCode", "statusText", "service"}
    assert 0 < len(own["data"]["goals"]) < 3
    found = {}
    for kind in ("quantity", "sum"):
        for active in ("true", "false"):
            goals = ask(server, "pipedrive", path, {metric: kind, "is_active": active}).json()["data"]["goals"]
            assert len(goals) < len(expected)
            found |= by_key(goals)
    assert found == expected
    assert ask(server, "pipedrive", path, {metric: "average"}).status_code == 400


def test_threads_need_a_folder_and_do_not_say_whether_more_follow(server: SandboxServer) -> None:
    path = "/v1/mailbox/mailThreads"
    assert ask(server, "pipedrive", path).status_code == 400
    assert ask(server, "pipedrive", path, {"folder": "trash"}).status_code == 400
    body = ask(server, "pipedrive", path, {"folder": "inbox", "limit": 10}).json()
    assert set(body) == {"success", "data"} and len(body["data"]) == 10
    found = [one["id"] for folder in FOLDERS for one in v1_pages(server, path, folder=folder, limit=10)]
    assert len(found) > len(set(found)) == 150


def test_messages_of_a_thread_take_no_parameters(server: SandboxServer) -> None:
    thread = next(key for key, mails in server.backend.tables["crm"]["mail"].items() if len(mails) > 3)
    path = f"/v1/mailbox/mailThreads/{thread}/mailMessages"
    body = ask(server, "pipedrive", path, {"limit": 1, "start": 2}).json()
    assert len(body["data"]) > 3 and set(body) == {"success", "data"}
    response = ask(server, "pipedrive", "/v1/mailbox/mailThreads/99999/mailMessages")
    assert response.status_code == 404 and response.json()["errorCode"] == 404


def test_recents_reach_back_a_month_at_most(server: SandboxServer) -> None:
    since = {"since_timestamp": "1970-01-01 00:00:00", "limit": 500}
    assert ask(server, "pipedrive", "/v1/recents", {"items": "deal"}).status_code == 400
    assert ask(server, "pipedrive", "/v1/recents", {"since_timestamp": "2026-01-01"}).status_code == 400
    deals = v1_pages(server, "/v1/recents", items="deal", **since)
    everything = expected_rows(server.backend)["crm"]["deals"]
    assert {one["id"] for one in deals} == {
        one["id"] for one in everything if one["update_time"] >= "2025-12-16 00:00:00"
    }
    assert len(deals) < len(everything)
    first = deals[0]
    assert first["item"] == "deal" and {"deleted", "active"} <= set(first["data"])
    assert "custom_fields" not in first["data"] and "T" not in first["data"]["update_time"]
    persons = v1_pages(server, "/v1/recents", items="person", **since)
    assert any(one["data"] is None for one in persons)
    assert any("phone" in one["data"] for one in persons if one["data"])
    users = v1_pages(server, "/v1/recents", items="user", **since)
    assert users and all(isinstance(one["data"], list) for one in users)

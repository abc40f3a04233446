"""Sentry's contract, read with plain requests."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from platform_assets.sandbox import FakeBackend, SandboxServer, VendorOptions, expected_rows, vendor_rows
from tests.sandbox.vendors.asking import MOST_PAGES, Row, ask, by_key, credentials

ORGANIZATIONS = ("acme", "globex", "initech")


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxServer]:
    with SandboxServer() as running:
        yield running


def page_by_page(server: SandboxServer, path: str, **params: Any) -> Iterator[requests.Response]:
    """Responses until `next` says results="false"."""
    for _ in range(MOST_PAGES):
        response = ask(server, "sentry", path, params)
        assert response.status_code == 200, response.text
        yield response
        following = response.links["next"]
        if following["results"] == "false":
            return
        params = {**params, "cursor": following["cursor"]}
    pytest.fail("the list has no end")


def pages(server: SandboxServer, path: str, **params: Any) -> list[Row]:
    return [row for response in page_by_page(server, path, **params) for row in response.json()]


def projects(server: SandboxServer) -> list[tuple[str, str]]:
    return [
        (organization, one["slug"])
        for organization in ORGANIZATIONS
        for one in pages(server, f"/api/0/organizations/{organization}/projects/")
    ]


@pytest.mark.parametrize("size", [100, 7])
def test_every_list_read_to_its_end_has_the_backends_records(server: SandboxServer, size: int) -> None:
    expected = vendor_rows(server.backend, "sentry")
    organizations = [f"/api/0/organizations/{one}" for one in ORGANIZATIONS]
    of_organizations = {
        "projects": [row for one in organizations for row in pages(server, f"{one}/projects/", per_page=size)],
        "issues": [row for one in organizations for row in pages(server, f"{one}/issues/", query="", limit=size)],
        "releases": [
            row for one in organizations for row in pages(server, f"{one}/releases/", status="", per_page=size)
        ],
    }
    for resource, rows in of_organizations.items():
        assert by_key(rows) == by_key(expected[resource])
    if size == 100:
        paths = [f"/api/0/projects/{organization}/{slug}/" for organization, slug in projects(server)]
        events = [row for path in paths for row in pages(server, f"{path}events/")]
        assert by_key(events) == by_key(expected["events"])
        details = [ask(server, "sentry", path).json() for path in paths]
        assert by_key(details) == by_key(expected["project_detail"])
        issues = [row for path in paths for row in pages(server, f"{path}issues/", query="")]
        assert by_key(issues) == by_key(expected["issues"])


def test_the_link_header_always_has_next(server: SandboxServer) -> None:
    responses = list(page_by_page(server, "/api/0/projects/acme/mobile/events/"))
    assert len(responses) == 7
    for number, response in enumerate(responses):
        assert response.links["next"]["results"] == ("false" if number == 6 else "true")
        assert response.links["previous"]["results"] == ("true" if number else "false")
        assert response.links["next"]["cursor"] in response.links["next"]["url"]
    assert "Link" not in ask(server, "sentry", "/api/0/projects/acme/mobile/").headers


def test_the_links_show_the_servers_own_address(server: SandboxServer) -> None:
    url = ask(server, "sentry", "/api/0/organizations/acme/releases/", {"status": ""}).links["next"]["url"]
    assert url.startswith("https://sentry.example.com/api/0/organizations/acme/releases/?status=&cursor=")


def test_cursors_have_three_forms(server: SandboxServer) -> None:
    paths = (
        "/api/0/organizations/acme/releases/",
        "/api/0/organizations/acme/projects/",
        "/api/0/projects/acme/web/events/",
    )
    releases, listed, events = (ask(server, "sentry", path).links["next"]["cursor"] for path in paths)
    assert (releases, listed) == ("0:100:0", "100:1:0") and len(events.split(":")[0]) == 13
    refused = ask(server, "sentry", paths[0], {"cursor": "page-2"})
    assert refused.status_code == 400 and set(refused.json()) == {"detail"}


def test_a_short_or_empty_page_is_no_end(server: SandboxServer) -> None:
    sizes = [len(one.json()) for one in page_by_page(server, "/api/0/projects/acme/mobile/events/")]
    assert 0 in sizes[:-1] and sizes[0] == 100 and sum(sizes) == 450
    sizes = [len(one.json()) for one in page_by_page(server, "/api/0/organizations/acme/projects/")]
    assert sizes == [2, 0, 2]


def test_hidden_rows_are_an_option() -> None:
    options = VendorOptions()
    options.sentry.hidden_rows = 0
    with SandboxServer(vendors=options) as plain:
        sizes = [len(one.json()) for one in page_by_page(plain, "/api/0/projects/acme/mobile/events/")]
        assert sizes == [100, 100, 100, 100, 50]


def test_the_last_cursor_finds_new_rows() -> None:
    with SandboxServer() as moving:
        path = "/api/0/projects/acme/mobile/events/"
        *_, last = page_by_page(moving, path)
        event = {**expected_rows(moving.backend)["error_tracking"]["events"][0], "id": "f" * 32}
        moving.backend.tables["error_tracking"]["events"]["acme", "mobile"].append(
            {**event, "dateCreated": "2020-01-01T00:00:00Z"}
        )
        again = ask(moving, "sentry", path, {"cursor": last.links["next"]["cursor"]}).json()
        assert [one["id"] for one in again] == ["f" * 32]


@pytest.mark.parametrize(
    "path",
    [
        "/api/0/organizations/acme/projects/",
        "/api/0/organizations/acme/releases/",
        "/api/0/projects/acme/web/events/",
    ],
)
def test_more_than_100_per_page_is_an_error(server: SandboxServer, path: str) -> None:
    assert ask(server, "sentry", path, {"per_page": 101}).status_code == 400


def test_the_limit_of_issues_is_capped(server: SandboxServer) -> None:
    server.vendors.sentry.hidden_rows = 0
    try:
        response = ask(server, "sentry", "/api/0/organizations/acme/issues/", {"query": "", "limit": 500})
        assert len(response.json()) == 100
    finally:
        server.vendors.sentry.hidden_rows = 200


def test_without_a_query_only_unresolved_issues_come(server: SandboxServer) -> None:
    for path in ("/api/0/organizations/acme/issues/", "/api/0/projects/acme/mobile/issues/"):
        assert {one["status"] for one in pages(server, path)} == {"unresolved"}
        everything = pages(server, path, query="")
        assert {one["status"] for one in everything} == {"unresolved", "resolved", "ignored"}
        edge = sorted(one["lastSeen"] for one in everything)[-20]
        newer = pages(server, path, query=f"lastSeen:>{edge}")
        assert {one["id"] for one in newer} == {one["id"] for one in everything if one["lastSeen"] > edge}
        assert [one["lastSeen"] for one in newer] == sorted((one["lastSeen"] for one in newer), reverse=True)
        assert ask(server, "sentry", path, {"query": "lastSeen:>soon"}).status_code == 400


def test_issues_of_projects(server: SandboxServer) -> None:
    path = "/api/0/organizations/acme/issues/"
    by_slug = pages(server, path, query="", project="mobile")
    number = by_slug[0]["project"]["id"]
    assert by_slug == pages(server, path, query="", project=number) and len(by_slug) == 120
    assert len(pages(server, path, query="", project=["web", "mobile"])) == 220
    assert len(pages(server, path, query="", project="-1")) == 260
    assert ask(server, "sentry", path, {"project": "worker"}).status_code == 403


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/api/0/projects/acme/mobile/events/", "dateCreated"),
        ("/api/0/organizations/acme/issues/", "lastSeen"),
        ("/api/0/organizations/acme/releases/", "dateCreated"),
    ],
)
def test_start_and_end_go_together(server: SandboxServer, path: str, field: str) -> None:
    for params in ({"start": "2026-01-01T00:00:00Z"}, {"end": "2026-01-01T00:00:00Z"}):
        response = ask(server, "sentry", path, params)
        assert response.status_code == 400
        assert response.json() == {"detail": "start and end are both required"}
    wrong = ask(server, "sentry", path, {"start": "x", "end": "2026-01-01T00:00:00Z"})
    assert wrong.status_code == 400 and wrong.json() == {"detail": "Invalid date range parameters provided"}
    everything = pages(server, path, query="", status="")
    moments = sorted(one[field] for one in everything)
    bounds = {"start": moments[-40], "end": moments[-3]}
    found = pages(server, path, query="", status="", **bounds)
    assert {one["id"] for one in found} == {
        one["id"] for one in everything if bounds["start"] <= one[field] < bounds["end"]
    }


def test_a_period_overrides_start_and_end(server: SandboxServer) -> None:
    path = "/api/0/projects/acme/mobile/events/"
    everything = pages(server, path)
    week = pages(server, path, statsPeriod="7d", start="2020-01-01T00:00:00Z", end="2020-02-01T00:00:00Z")
    assert {one["id"] for one in week} == {one["id"] for one in everything if one["dateCreated"] >= "2026-01-08"}
    assert ask(server, "sentry", path, {"statsPeriod": "soon"}).status_code == 400
    assert ask(server, "sentry", "/api/0/projects/acme/web/issues/", {"statsPeriod": "7d"}).status_code == 400


def test_archived_releases_are_hidden(server: SandboxServer) -> None:
    path = "/api/0/organizations/acme/releases/"
    shown, archived = pages(server, path), pages(server, path, status="archived")
    assert {one["status"] for one in shown} == {"open"} and {one["status"] for one in archived} == {"archived"}
    assert len(pages(server, path, status="")) == len(shown) + len(archived) == 130
    moments = [one["dateCreated"] for one in shown]
    assert moments == sorted(moments, reverse=True) and isinstance(shown[0]["id"], int)


def test_the_list_of_projects_leaves_out_what_the_detail_has(server: SandboxServer) -> None:
    project = pages(server, "/api/0/organizations/acme/projects/")[0]
    detail = ask(server, "sentry", f"/api/0/projects/acme/{project['slug']}/").json()
    for name in ("organization", "color", "status", "avatar", "isPublic", "isInternal"):
        assert name not in project and name in detail
    assert detail["securityToken"] and detail["options"]["sentry:token"]
    assert len(ask(server, "sentry", "/api/0/organizations/acme/projects/", {"all_projects": "1"}).json()) == 4


def test_deprecated_paths_answer_with_their_date_and_410_in_a_brownout() -> None:
    world = FakeBackend()
    with SandboxServer(world) as server:
        for path in ("/api/0/projects/", "/api/0/projects/acme/web/issues/"):
            response = ask(server, "sentry", path)
            assert response.status_code == 200 and response.headers["X-Sentry-Deprecation-Date"]
            server.vendors.sentry.brownout = True
            response = ask(server, "sentry", path)
            assert response.status_code == 410 and response.json() == {"message": "This API no longer exists."}
            server.vendors.sentry.brownout = False
        world.now = datetime(2026, 1, 15, 12, 0, 30, tzinfo=UTC)
        assert ask(server, "sentry", "/api/0/projects/").status_code == 410
        assert ask(server, "sentry", "/api/0/organizations/acme/projects/").status_code == 200
        world.now = datetime(2026, 1, 15, 12, 1, tzinfo=UTC)
        assert ask(server, "sentry", "/api/0/projects/").status_code == 200
        listed = pages(server, "/api/0/projects/")
        assert len(listed) == 12 and all("organization" in one and "color" in one for one in listed)


def test_full_events_have_entries(server: SandboxServer) -> None:
    path = "/api/0/projects/acme/web/events/"
    assert "entries" in ask(server, "sentry", path, {"full": "true"}).json()[0]
    event = ask(server, "sentry", path).json()[0]
    assert "entries" not in event and "event.type" in event and isinstance(event["groupID"], str)


def test_a_path_without_slash_is_redirected(server: SandboxServer) -> None:
    response = ask(server, "sentry", "/api/0/organizations/acme/projects", {"per_page": 5})
    assert response.status_code == 301
    assert response.headers["Location"].endswith("/vendor/sentry/api/0/organizations/acme/projects/?per_page=5")


def test_credentials_and_unknown_paths(server: SandboxServer) -> None:
    response = ask(server, "sentry", "/api/0/projects/acme/web/", headers={"Authorization": "Bearer wrong"})
    assert response.status_code == 401 and response.json() == {"detail": "Invalid token"}
    for path in ("/api/0/projects/acme/nothing/", "/api/0/organizations/nobody/projects/", "/api/0/nothing/"):
        response = ask(server, "sentry", path)
        assert response.status_code == 404 and set(response.json()) == {"detail"}


def test_rate_limits_are_of_an_endpoint_and_the_reset_is_a_time() -> None:
    options = VendorOptions()
    options.sentry.request_limit = 1
    with SandboxServer(vendors=options) as limited:
        path = "/api/0/projects/acme/web/events/"
        first = ask(limited, "sentry", path)
        assert first.headers["X-Sentry-Rate-Limit-Remaining"] == "0"
        assert 0 <= int(first.headers["X-Sentry-Rate-Limit-Reset"]) - time.time() <= 61
        second = ask(limited, "sentry", "/api/0/projects/globex/web/events/")
        assert second.status_code == 429 and not second.headers["Content-Type"].startswith("application/json")
        assert second.json() == (
            "You are attempting to use this endpoint too frequently. Limit is 1 requests in 60 seconds"
        )
        limited.vendors.sentry.plain_throttle = False
        assert ask(limited, "sentry", path).json()["detail"].startswith("Request was throttled.")
        assert ask(limited, "sentry", "/api/0/organizations/acme/projects/").status_code == 200


def test_requests_at_the_same_time_can_be_refused() -> None:
    options = VendorOptions()
    options.sentry.concurrent_limit = 1
    with SandboxServer(vendors=options, latency=0.3) as limited, ThreadPoolExecutor(3) as pool:
        url = f"{limited.vendor_url('sentry')}/api/0/projects/acme/web/events/"
        headers = credentials(limited, "sentry")
        waiting = [pool.submit(requests.get, url, headers=headers, timeout=20) for _ in range(3)]
        assert sorted(one.result().status_code for one in waiting) == [200, 429, 429]
        assert requests.get(url, headers=headers, timeout=20).status_code == 200

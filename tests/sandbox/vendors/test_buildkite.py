"""Buildkite's contract, read with plain requests."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from platform_assets.sandbox import FakeBackend, SandboxServer, VendorOptions, vendor_rows
from tests.sandbox.vendors.asking import MOST_PAGES, Row, ask, by_key, credentials


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxServer]:
    with SandboxServer() as running:
        yield running


def pages(server: SandboxServer, path: str, **params: Any) -> list[Row]:
    """All rows of a list, by following rel="next"."""
    response, found = ask(server, "buildkite", path, {"per_page": 100, **params}), []
    for _ in range(MOST_PAGES):
        assert response.status_code == 200, response.text
        found += response.json()
        if "next" not in response.links:
            return found
        url = response.links["next"]["url"]
        response = requests.get(url, headers=credentials(server, "buildkite"), timeout=20)
    pytest.fail("the list has no end")


def organizations(server: SandboxServer) -> list[str]:
    return [one["slug"] for one in pages(server, "/v2/organizations")]


def test_every_list_read_to_its_end_has_the_backends_records(server: SandboxServer) -> None:
    expected = vendor_rows(server.backend, "buildkite")
    suites = [
        one for org in organizations(server) for one in pages(server, f"/v2/analytics/organizations/{org}/suites")
    ]
    pipelines = [one for org in organizations(server) for one in pages(server, f"/v2/organizations/{org}/pipelines")]
    assert pages(server, "/v2/organizations") == expected["organizations"]
    assert by_key(suites) == by_key(expected["analytics_organizations_suites"])
    assert by_key(pipelines) == by_key(expected["organizations_pipelines"])
    assert [ask(server, "buildkite", "/v2/access-token").json()] == expected["access_token"]


def test_builds_are_read_below_the_deepest_page(server: SandboxServer) -> None:
    found: dict[str, Row] = {}
    bound: dict[str, str] = {}
    refusals = 0
    while True:
        page, rows = 1, []
        while True:
            response = ask(server, "buildkite", "/v2/builds", {"per_page": 100, "page": page, **bound})
            if response.status_code == 400:
                refusals += 1
                break
            rows += response.json()
            if "next" not in response.links:
                break
            page += 1
        found |= {one["id"]: one for one in rows}
        if response.status_code == 200:
            break
        assert response.json()["message"].startswith("Listing builds this deep is not supported.")
        oldest = datetime.fromisoformat(rows[-1]["created_at"]) + timedelta(seconds=1)
        bound = {"created_to": f"{oldest:%Y-%m-%dT%H:%M:%SZ}"}
    assert refusals == 2
    assert found == by_key(vendor_rows(server.backend, "buildkite")["builds"])


def test_the_depth_is_an_option() -> None:
    options = VendorOptions()
    options.buildkite.builds_depth = 60
    with SandboxServer(vendors=options) as shallow:
        assert ask(shallow, "buildkite", "/v2/builds", {"page": 2}).status_code == 200
        assert ask(shallow, "buildkite", "/v2/builds", {"page": 3}).status_code == 400
        shallow.vendors.buildkite.builds_depth = 90
        assert ask(shallow, "buildkite", "/v2/builds", {"page": 3}).status_code == 200


def test_a_page_has_30_records_and_100_at_most(server: SandboxServer) -> None:
    assert len(ask(server, "buildkite", "/v2/builds").json()) == 30
    assert len(ask(server, "buildkite", "/v2/builds", {"per_page": 500}).json()) == 100


def test_links_are_absolute_and_repeat_the_query(server: SandboxServer) -> None:
    links = ask(server, "buildkite", "/v2/builds", {"branch": "main", "per_page": 50, "page": 2}).links
    base = f"{server.url}/vendor/buildkite/v2/builds?branch=main&per_page=50&page="
    assert set(links) == {"first", "prev", "next", "last"}
    assert (links["first"]["url"], links["prev"]["url"], links["next"]["url"]) == (f"{base}1", f"{base}1", f"{base}3")
    assert set(ask(server, "buildkite", "/v2/builds", {"per_page": 100}).links) == {"next", "last"}
    assert "Link" not in ask(server, "buildkite", "/v2/organizations").headers
    last = ask(server, "buildkite", "/v2/organizations/globex/pipelines", {"per_page": 100, "page": 2})
    assert set(last.links) == {"first", "prev"} and len(last.json()) == 100


def test_links_show_the_token_if_asked_to() -> None:
    options = VendorOptions()
    options.buildkite.link_shows_key = True
    with SandboxServer(vendors=options) as showing:
        assert showing.token("ci_analytics") in ask(showing, "buildkite", "/v2/builds").links["next"]["url"]


def test_builds_are_filtered_by_creation_and_end(server: SandboxServer) -> None:
    everything = vendor_rows(server.backend, "buildkite")["builds"]
    edge = everything[500]["created_at"]
    newer = pages(server, "/v2/builds", created_from=edge)
    assert [one["id"] for one in newer] == [one["id"] for one in everything if one["created_at"] >= edge]
    older = ask(server, "buildkite", "/v2/builds", {"created_to": edge}).json()
    assert all(one["created_at"] < edge for one in older) and older[0]["id"] == everything[501]["id"]
    end = sorted(one["finished_at"] for one in everything if one["finished_at"])[-40]
    ended = pages(server, "/v2/builds", finished_from=end)
    assert {one["id"] for one in ended} == {one["id"] for one in everything if (one["finished_at"] or "") >= end}
    assert end in {one["finished_at"] for one in ended}
    assert newer == sorted(newer, key=lambda one: one["created_at"], reverse=True)
    assert ask(server, "buildkite", "/v2/builds", {"created_from": "yesterday"}).status_code == 400


def test_builds_are_filtered_by_state_and_shown_without_jobs(server: SandboxServer) -> None:
    found = ask(server, "buildkite", "/v2/builds", {"state": "finished", "per_page": 100}).json()
    assert {one["state"] for one in found} <= {"passed", "failed", "blocked", "canceled"}
    found = ask(server, "buildkite", "/v2/builds", {"state[]": ["skipped", "failed"], "exclude_jobs": "true"}).json()
    assert {one["state"] for one in found} == {"skipped", "failed"} and not any("jobs" in one for one in found)


def test_builds_are_filtered_by_creator_and_meta_data(server: SandboxServer) -> None:
    creator = next(one["creator"]["id"] for one in vendor_rows(server.backend, "buildkite")["builds"] if one["creator"])
    found = ask(server, "buildkite", "/v2/builds", {"creator": creator}).json()
    assert [one["creator"]["id"] for one in found] == [creator]
    assert ask(server, "buildkite", "/v2/builds", {"meta_data[release]": "1"}).json() == []


def test_builds_of_an_organization_and_of_a_pipeline(server: SandboxServer) -> None:
    of_organization = pages(server, "/v2/organizations/initech/builds")
    of_pipeline = pages(server, "/v2/organizations/initech/pipelines/p-1/builds")
    assert 0 < len(of_pipeline) < len(of_organization)
    assert {one["pipeline"]["slug"] for one in of_pipeline} == {"p-1"}
    assert ask(server, "buildkite", "/v2/organizations/initech/pipelines/p-99/builds").status_code == 404


def test_times_of_pipelines_have_two_formats_and_env_may_be_null(server: SandboxServer) -> None:
    pipelines = pages(server, "/v2/organizations/acme/pipelines")
    assert {one["created_at"][-4:] == " UTC" for one in pipelines} == {True, False}
    assert any(one["env"] is None for one in pipelines) and any(one["env"] == {} for one in pipelines)
    assert any("clone_mirror_url" not in one for one in pipelines)


def test_the_access_token_is_a_bare_object_without_id(server: SandboxServer) -> None:
    token = ask(server, "buildkite", "/v2/access-token", {"page": 7}).json()
    assert "id" not in token and token["uuid"] and token["expires_at"].endswith(" UTC")
    assert "read_builds" in token["scopes"]


def test_a_suite_shows_its_token_only_if_asked(server: SandboxServer) -> None:
    path = "/v2/analytics/organizations/globex/suites"
    assert "api_token" not in ask(server, "buildkite", path).json()[0]
    assert "api_token" in ask(server, "buildkite", path, {"show_api_token": "true"}).json()[0]


def test_credentials(server: SandboxServer) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {server.token('ci_analytics')}"}):
        response = ask(server, "buildkite", "/v2/organizations", headers=headers)
        assert response.status_code == 401
        assert response.json()["message"].startswith("Authentication required. Please supply a valid API Access Token")


def test_an_expired_token_and_a_missing_scope() -> None:
    world = FakeBackend()
    with SandboxServer(world) as server:
        world.tables["ci_analytics"]["access_token"][0]["scopes"].remove("read_suites")
        path = "/v2/analytics/organizations/acme/suites"
        assert ask(server, "buildkite", path).status_code == 403
        assert ask(server, "buildkite", "/v2/builds").status_code == 200
        world.tables["ci_analytics"]["access_token"][0]["expires_at"] = "2026-01-15 00:00:01 UTC"
        assert ask(server, "buildkite", "/v2/builds").status_code == 200
        world.now = datetime(2026, 1, 15, 0, 0, 1, tzinfo=UTC)
        assert ask(server, "buildkite", "/v2/builds").status_code == 401


def test_what_is_not_there_is_404_with_a_message(server: SandboxServer) -> None:
    for path in ("/v2/organizations/nobody/pipelines", "/v2/nothing"):
        response = ask(server, "buildkite", path)
        assert response.status_code == 404 and set(response.json()) == {"message"}


def test_rate_limits() -> None:
    options = VendorOptions()
    options.buildkite.user_limit = 2
    with SandboxServer(vendors=options) as limited:
        first, second, third = (ask(limited, "buildkite", "/v2/organizations") for _ in range(3))
        assert first.headers["RateLimit-User-Remaining"] == "1" and first.headers["RateLimit-User-Limit"] == "2"
        assert 0 < int(first.headers["RateLimit-Reset"]) <= 60 and first.headers["RateLimit-Scope"] == "rest"
        assert "RateLimit-User-Warning" in second.headers and second.status_code == 200
        assert third.status_code == 429 and "Retry-After" not in third.headers
        body = third.json()
        assert (body["scope"], body["limit"], body["current"]) == ("rest_user", 2, 3) and 0 < body["reset"] <= 60
        assert body["message"].endswith(f"Please wait {body['reset']} seconds before making more requests.")


def test_a_rate_limit_ends_with_its_window() -> None:
    options = VendorOptions()
    options.buildkite.organization_limit, options.buildkite.window_seconds = 1, 0.3
    with SandboxServer(vendors=options) as limited:
        codes: list[int] = []
        while codes.count(200) < 2:
            codes.append(ask(limited, "buildkite", "/v2/organizations").status_code)
        assert 429 in codes
        assert ask(limited, "buildkite", "/v2/organizations/acme/rate_limit").status_code in (200, 429)

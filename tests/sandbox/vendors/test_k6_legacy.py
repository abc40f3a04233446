"""The contract of k6 before v6, read with plain requests."""

from collections.abc import Iterator
from typing import Any

import pytest

from platform_assets.sandbox import SandboxServer, vendor_rows
from tests.sandbox.vendors.asking import MOST_PAGES, Row, ask, by_key


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxServer]:
    with SandboxServer() as running:
        yield running


def load_tests(server: SandboxServer, **params: Any) -> list[Row]:
    """A project's tests, page by page until `meta.count` are there."""
    found: list[Row] = []
    for page in range(1, MOST_PAGES):
        params_of_page = {"page": page, "page_size": 7, **params}
        body = ask(server, "k6_legacy", "/loadtests/v2/tests", params_of_page).json()
        found += body["k6-tests"]
        if len(found) >= body["meta"]["count"]:
            return found
    pytest.fail("the list has no end")


def projects(server: SandboxServer) -> list[Row]:
    organizations = ask(server, "k6_legacy", "/v3/organizations").json()["organizations"]
    return [
        one
        for organization in organizations
        for one in ask(server, "k6_legacy", f"/v3/organizations/{organization['id']}/projects").json()["projects"]
    ]


def test_every_list_read_to_its_end_has_the_backends_records(server: SandboxServer) -> None:
    expected = vendor_rows(server.backend, "k6_legacy")
    assert ask(server, "k6_legacy", "/v3/organizations").json() == {"organizations": expected["organizations"]}
    assert by_key(projects(server)) == by_key(expected["projects"])
    tests = [one for project in projects(server) for one in load_tests(server, project_id=project["id"])]
    assert by_key(tests) == by_key(expected["tests"])


def test_without_a_project_come_the_default_ones_tests(server: SandboxServer) -> None:
    found = load_tests(server)
    (project_id,) = {one["project_id"] for one in found}
    assert next(one for one in projects(server) if one["id"] == project_id)["is_default"]
    expected = [one for one in vendor_rows(server.backend, "k6_legacy")["tests"] if one["project_id"] == project_id]
    assert found == expected and len(found) < 320


def test_the_keys_beside_the_tests(server: SandboxServer) -> None:
    body = ask(server, "k6_legacy", "/loadtests/v2/tests", {"page": 99}).json()
    assert set(body) == {"k6-tests", "k6-runs", "load_zones", "meta"}
    assert body["k6-tests"] == [] and body["meta"]["count"] == len(load_tests(server))


def test_the_page_size_has_a_default_and_a_maximum(server: SandboxServer) -> None:
    server.vendors.k6_legacy.page_size, server.vendors.k6_legacy.highest_page_size = 2, 3
    try:
        assert len(ask(server, "k6_legacy", "/loadtests/v2/tests").json()["k6-tests"]) == 2
        assert len(ask(server, "k6_legacy", "/loadtests/v2/tests", {"page_size": 90}).json()["k6-tests"]) == 3
    finally:
        server.vendors.k6_legacy.page_size, server.vendors.k6_legacy.highest_page_size = 20, 100


def test_projects_ignore_pages(server: SandboxServer) -> None:
    path = "/v3/organizations/1000/projects"
    found = [ask(server, "k6_legacy", path, {"page": page, "page_size": 5}).json()["projects"] for page in (1, 2, 9)]
    assert len(found[0]) == 64 and found[0] == found[1] == found[2]


def test_tests_can_be_selected_and_sorted(server: SandboxServer) -> None:
    found = ask(server, "k6_legacy", "/loadtests/v2/tests", {"$select": "id,name", "order_by": "-id"}).json()[
        "k6-tests"
    ]
    assert all(set(one) == {"id", "name"} for one in found)
    assert found == sorted(found, key=lambda one: one["id"], reverse=True)
    chosen = {"ids[]": [one["id"] for one in found[:2]]}
    assert len(ask(server, "k6_legacy", "/loadtests/v2/tests", chosen).json()["k6-tests"]) == 2
    assert ask(server, "k6_legacy", "/loadtests/v2/tests", {"order_by": "size"}).status_code == 400


@pytest.mark.parametrize("scheme", ["Bearer", "Token", "token"])
def test_three_schemes_are_taken(server: SandboxServer, scheme: str) -> None:
    headers = {"Authorization": f"{scheme} {server.token('load_testing')}"}
    assert ask(server, "k6_legacy", "/v3/organizations", headers=headers).status_code == 200


def test_errors_have_a_code(server: SandboxServer) -> None:
    refused = ask(server, "k6_legacy", "/v3/organizations", headers={"Authorization": "Bearer wrong"})
    assert refused.status_code == 401 and refused.json()["error"]["code"] == 5
    for path, params in (("/v3/organizations/77/projects", {}), ("/loadtests/v2/tests", {"project_id": 9999})):
        missing = ask(server, "k6_legacy", path, params)
        assert missing.status_code == 404 and missing.json()["error"]["code"] == 3
    wrong = ask(server, "k6_legacy", "/loadtests/v2/tests", {"page": "x"})
    assert wrong.status_code == 400 and set(wrong.json()["error"]) == {
        "message",
        "code",
        "detail_code",
        "field_errors",
        "errors",
    }


def test_the_count_may_be_the_pages(server: SandboxServer) -> None:
    whole = ask(server, "k6_legacy", "/loadtests/v2/tests", {"page_size": 2}).json()
    server.vendors.k6_legacy.counts_page = True
    try:
        page = ask(server, "k6_legacy", "/loadtests/v2/tests", {"page_size": 2}).json()
    finally:
        server.vendors.k6_legacy.counts_page = False
    assert page["k6-tests"] == whole["k6-tests"]
    assert page["meta"]["count"] == len(page["k6-tests"]) == 2 < whole["meta"]["count"]

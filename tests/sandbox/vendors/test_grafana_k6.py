"""The contract of k6 v6, read with plain requests."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from platform_assets.sandbox import FakeBackend, SandboxServer, expected_rows, vendor_rows
from tests.sandbox.vendors.asking import MOST_PAGES, Row, ask, by_key, credentials


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxServer]:
    with SandboxServer() as running:
        yield running


def pages(server: SandboxServer, path: str, **params: Any) -> list[Row]:
    """All rows of a list, by following `@nextLink`."""
    body, found = ask(server, "grafana_k6", path, params).json(), []
    for _ in range(MOST_PAGES):
        found += body["value"]
        if "@nextLink" not in body:
            return found
        body = requests.get(body["@nextLink"], headers=credentials(server, "grafana_k6"), timeout=20).json()
    pytest.fail("the list has no end")


def with_zone(row: Row) -> Row:
    times = {name: row[name] if row[name].endswith("Z") else f"{row[name]}Z" for name in ("created", "updated")}
    return {**row, **times}


@pytest.mark.parametrize("params", [{}, {"$top": 40}])
def test_every_list_read_to_its_end_has_the_backends_records(server: SandboxServer, params: dict[str, int]) -> None:
    expected = vendor_rows(server.backend, "grafana_k6")
    assert by_key(pages(server, "/cloud/v6/projects", **params)) == by_key(expected["projects"])
    tests = [with_zone(one) for one in pages(server, "/cloud/v6/load_tests", **params)]
    assert by_key(tests) == by_key(expected["tests"])


def test_the_next_link_is_absolute_with_bare_dollar_signs(server: SandboxServer) -> None:
    body = ask(server, "grafana_k6", "/cloud/v6/load_tests", {"$top": 20, "$skip": 30}).json()
    assert body["@nextLink"] == f"{server.url}/vendor/grafana_k6/cloud/v6/load_tests?$skip=50&$top=20"
    assert "@nextLink" not in ask(server, "grafana_k6", "/cloud/v6/load_tests", {"$top": 20, "$skip": 300}).json()
    assert "@count" not in body
    assert ask(server, "grafana_k6", "/cloud/v6/load_tests", {"$count": "true", "$top": 1}).json()["@count"] == 320


def test_a_page_has_1000_rows_at_most(server: SandboxServer) -> None:
    assert len(ask(server, "grafana_k6", "/cloud/v6/load_tests").json()["value"]) == 320
    assert ask(server, "grafana_k6", "/cloud/v6/load_tests", {"$top": 1001}).status_code == 400
    server.vendors.grafana_k6.page_size = 9
    try:
        body = ask(server, "grafana_k6", "/cloud/v6/load_tests").json()
        assert len(body["value"]) == 9 and "@nextLink" in body
    finally:
        server.vendors.grafana_k6.page_size = 1000


def test_the_stack_is_mandatory(server: SandboxServer) -> None:
    right = credentials(server, "grafana_k6")
    for stack, status in ((None, 400), ("x", 400), ("1", 403), ("4711", 200)):
        headers = {"Authorization": right["Authorization"]} | ({} if stack is None else {"X-Stack-Id": stack})
        assert ask(server, "grafana_k6", "/cloud/v6/projects", headers=headers).status_code == status


def test_auth_finds_the_stack(server: SandboxServer) -> None:
    bearer = {"Authorization": f"Bearer {server.token('load_testing')}"}
    url = {"X-Stack-Url": server.vendors.grafana_k6.stack_url}
    found = ask(server, "grafana_k6", "/cloud/v6/auth", headers={**bearer, **url}).json()
    assert found["stack_id"] == 4711 and set(found) == {"stack_id", "default_project_id"}
    projects = by_key(pages(server, "/cloud/v6/projects"))
    assert projects[found["default_project_id"]]["is_default"]
    assert ask(server, "grafana_k6", "/cloud/v6/auth", headers=bearer).status_code == 400
    other = {"X-Stack-Url": "https://other.grafana.net"}
    assert ask(server, "grafana_k6", "/cloud/v6/auth", headers={**bearer, **other}).status_code == 403


def test_only_bearer_is_taken(server: SandboxServer) -> None:
    for scheme in ("Token", "token"):
        headers = {"Authorization": f"{scheme} {server.token('load_testing')}", "X-Stack-Id": "4711"}
        response = ask(server, "grafana_k6", "/cloud/v6/projects", headers=headers)
        assert response.status_code == 401
        assert set(response.json()["error"]) == {"message", "code", "target", "details"}
        assert isinstance(response.json()["error"]["code"], str)


def test_most_times_of_tests_have_no_zone(server: SandboxServer) -> None:
    tests = pages(server, "/cloud/v6/load_tests")
    assert {one["created"].endswith("Z") for one in tests} == {True, False}
    assert all(one["created"].endswith("Z") for one in pages(server, "/cloud/v6/projects"))


def test_the_list_has_no_script_and_a_test_has_it_apart(server: SandboxServer) -> None:
    test = expected_rows(server.backend)["load_testing"]["tests"][3]
    listed = by_key(pages(server, "/cloud/v6/load_tests"))[test["id"]]
    assert not {"script", "user_id", "test_run_ids", "last_test_run_id"} & set(listed)
    path = f"/cloud/v6/load_tests/{test['id']}"
    assert ask(server, "grafana_k6", f"{path}/script").content.decode() == test["script"]
    assert [run["id"] for run in pages(server, f"{path}/test_runs", **{"$orderby": "created"})] == test["test_run_ids"]
    assert ask(server, "grafana_k6", "/cloud/v6/load_tests/1/script").status_code == 404


def test_runs_come_by_their_time_in_pages_with_a_next_link(server: SandboxServer) -> None:
    test = next(one for one in expected_rows(server.backend)["load_testing"]["tests"] if len(one["test_run_ids"]) == 3)
    path = f"/cloud/v6/load_tests/{test['id']}/test_runs"
    runs = pages(server, path, **{"$orderby": "created", "$top": 2})
    assert [one["id"] for one in runs] == test["test_run_ids"]
    assert [one["created"] for one in runs] == sorted(one["created"] for one in runs)
    assert {one["test_id"] for one in runs} == {test["id"]} and {one["project_id"] for one in runs} == {
        test["project_id"]
    }
    assert [one["id"] for one in pages(server, path, **{"$orderby": "created desc"})] == test["test_run_ids"][::-1]
    assert "@nextLink" in ask(server, "grafana_k6", path, {"$top": 2}).json()
    assert ask(server, "grafana_k6", path, {"$orderby": "id"}).status_code == 400


def test_a_script_comes_as_javascript_or_as_the_switch_says(server: SandboxServer) -> None:
    test = expected_rows(server.backend)["load_testing"]["tests"][3]
    path, options = f"/cloud/v6/load_tests/{test['id']}/script", server.vendors.grafana_k6
    assert ask(server, "grafana_k6", path).headers["Content-Type"].startswith("text/javascript")
    try:
        options.script_type = "application/json"
        assert ask(server, "grafana_k6", path).json() == test["script"]
        options.refused[test["id"]] = 410
        assert ask(server, "grafana_k6", path).status_code == 410
        assert test["id"] in by_key(pages(server, "/cloud/v6/load_tests"))
    finally:
        options.script_type = "text/javascript"
        options.refused.clear()


def test_the_oracle_has_scripts_and_runs_if_asked() -> None:
    world = FakeBackend()
    world.advance(hours=5)
    found, reference = (
        vendor_rows(world, "grafana_k6", details=True)["tests"],
        expected_rows(world)["load_testing"]["tests"],
    )
    for name in ("script", "test_run_ids", "last_test_run_id"):
        assert [one[name] for one in found] == [one[name] for one in reference]
    assert not {"script", "test_run_ids"} & set(vendor_rows(world, "grafana_k6")["tests"][0])


def test_a_projects_tests(server: SandboxServer) -> None:
    found = pages(server, "/cloud/v6/projects/10/load_tests")
    assert {one["id"] for one in found} == {
        one["id"] for one in expected_rows(server.backend)["load_testing"]["tests"] if one["project_id"] == 10
    }
    assert ask(server, "grafana_k6", "/cloud/v6/projects/9999/load_tests").status_code == 404


def test_lists_are_sorted_and_filtered(server: SandboxServer) -> None:
    found = pages(server, "/cloud/v6/load_tests", **{"$orderby": "created desc", "$top": 30})
    moments = [one["created"].removesuffix("Z") for one in found]
    assert moments == sorted(moments, reverse=True)
    assert [one["name"] for one in pages(server, "/cloud/v6/projects", name="Project 7")] == ["Project 7"]
    assert len(pages(server, "/cloud/v6/projects", name_search="project 7")) > 1
    assert ask(server, "grafana_k6", "/cloud/v6/projects", {"$orderby": "updated"}).status_code == 400


def test_the_baseline_is_gone_since_september() -> None:
    world = FakeBackend()
    with SandboxServer(world) as server:
        assert "baseline_test_run_id" in pages(server, "/cloud/v6/load_tests")[0]
        world.now = datetime(2026, 9, 1, tzinfo=UTC)
        assert "baseline_test_run_id" not in pages(server, "/cloud/v6/load_tests")[0]
        assert "baseline_test_run_id" not in vendor_rows(world, "grafana_k6")["tests"][0]


def test_there_are_no_organizations(server: SandboxServer) -> None:
    assert ask(server, "grafana_k6", "/v3/organizations").status_code == 404
    assert "organizations" not in vendor_rows(server.backend, "grafana_k6")

"""The oracle of each contract against the backend, and what all vendors have in common."""

from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from platform_assets.sandbox import VENDOR_PLATFORMS, FakeBackend, Fault, SandboxServer, expected_rows, vendor_rows
from platform_assets.sandbox.vendors import EXTRA_FIELDS, MISSING_FIELDS, MISSING_RESOURCES
from tests.sandbox.vendors.asking import ask

# Values that a vendor shows otherwise than the reference: nulls, custom fields, and NinjaOne's fractions of a second.
OTHERWISE = {
    ("buildkite", "organizations_pipelines"): {"env"},
    ("buildkite", "builds"): {"pull_request"},
    ("buildkite", "access_token"): {"expires_at"},
    ("pipedrive", "deals"): {"custom_fields"},
}


def same(first: Any, second: Any) -> bool:
    """Whether two values are equal, or times less than a second apart."""
    if first == second or not (isinstance(first, str) and isinstance(second, str) and first.endswith("Z")):
        return first == second
    return 0 < (datetime.fromisoformat(first) - datetime.fromisoformat(second)).total_seconds() < 1


@pytest.mark.parametrize("contract", VENDOR_PLATFORMS)
def test_the_oracle_has_the_backends_records(contract: str) -> None:
    world = FakeBackend()
    world.advance(hours=30)
    reference, found = expected_rows(world)[VENDOR_PLATFORMS[contract]], vendor_rows(world, contract)
    assert set(reference) - set(found) == set(MISSING_RESOURCES.get(contract, ()))
    for resource, rows in found.items():
        assert len(rows) == len(reference[resource])
        extra = set(EXTRA_FIELDS.get(contract, {}).get(resource, ()))
        missing = set(MISSING_FIELDS.get(contract, {}).get(resource, ()))
        for row, original in zip(rows, reference[resource], strict=True):
            assert set(row) - set(original) <= extra and set(original) - set(row) <= missing
            shared = set(row) & set(original) - OTHERWISE.get((contract, resource), set())
            assert all(same(row[name], original[name]) for name in shared)


def test_the_oracle_can_be_of_some_organizations() -> None:
    found = vendor_rows(FakeBackend(), "sentry", organizations=["acme"])
    assert {one["slug"] for one in found["projects"]} == {"web", "api", "mobile", "quiet"}
    assert len(found["releases"]) == 130 and len(found["events"]) == 850 and len(found["project_detail"]) == 4


def test_the_world_has_what_the_vendors_hide() -> None:
    tables = expected_rows(FakeBackend())
    for rows in (tables["crm"]["deals"], tables["crm"]["leads"]):
        assert {one["is_archived"] for one in rows} == {True, False}
    assert {one["status"] for one in tables["error_tracking"]["releases"]} == {"open", "archived"}


def test_requests_are_logged_with_their_contract_and_without_credentials() -> None:
    with SandboxServer() as server:
        ask(server, "buildkite", "/v2/builds", {"api_key": "hush", "state[]": ["passed", "failed"], "page": 2})
        ask(server, "ninjaone", "/v2/roles")
        log = requests.get(f"{server.url}/_sandbox/requests", timeout=10)
        first, token, roles = log.json()
        assert (first["platform"], first["contract"], first["status"]) == ("ci_analytics", "buildkite", 200)
        assert first["path"] == "/vendor/buildkite/v2/builds"
        assert first["query"] == {"state[]": ["passed", "failed"], "page": "2"}
        assert token["path"] == "/vendor/ninjaone/ws/oauth/token" and roles["contract"] == "ninjaone"
        for secret in ("hush", "sandbox-ninjaone-secret", "sandbox-ninjaone-access", server.token("ci_analytics")):
            assert secret not in log.text
        requests.get(f"{server.base_url('crm')}/v1/roles", params={"api_token": server.token("crm")}, timeout=10)
        assert server.requests[-1]["contract"] == "reference"


def test_a_fault_has_the_shape_of_the_vendors_errors() -> None:
    shapes = {
        "buildkite": {"message"},
        "k6_legacy": {"error"},
        "grafana_k6": {"error"},
        "sentry": {"detail"},
        "ninjaone": {"resultCode", "errorMessage", "incidentId"},
        "pipedrive": {"success", "error", "error_info", "errorCode"},
    }
    faults = [Fault(f"/vendor/{contract}/anything", status=503) for contract in shapes]
    with SandboxServer(faults=faults) as server:
        for contract, shape in shapes.items():
            response = ask(server, contract, "/anything")
            assert response.status_code == 503 and set(response.json()) == shape
        assert requests.get(f"{server.url}/vendor/nobody/v1", timeout=10).status_code == 404


def test_an_empty_world_has_empty_lists() -> None:
    with SandboxServer(FakeBackend.empty()) as server:
        assert ask(server, "buildkite", "/v2/builds").json() == []
        assert ask(server, "k6_legacy", "/loadtests/v2/tests").json()["k6-tests"] == []
        assert ask(server, "grafana_k6", "/cloud/v6/projects").json() == {"value": []}
        assert ask(server, "sentry", "/api/0/organizations/acme/projects/").json() == []
        assert ask(server, "ninjaone", "/v2/activities").json() == {"lastActivityId": 0, "activities": []}
        assert ask(server, "pipedrive", "/v1/leads").json()["data"] is None
        assert ask(server, "pipedrive", "/api/v2/deals").json()["data"] == []


def test_the_clock_of_the_vendors_is_the_backends() -> None:
    with SandboxServer() as server:
        server.backend.advance(hours=5)
        assert server.backend.now == datetime(2026, 1, 15, 5, tzinfo=UTC)
        newest = max(one["created_at"] for one in vendor_rows(server.backend, "buildkite")["builds"])
        assert ask(server, "buildkite", "/v2/builds").json()[0]["created_at"] == newest

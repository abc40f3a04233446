"""What Pipedrive's v1 and v2 have in common: the credential, hosts, limits, and every list read to its end."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from platform_assets.sandbox import FakeBackend, SandboxServer, VendorOptions, vendor_rows
from tests.sandbox.vendors.asking import Row, ask, by_key
from tests.sandbox.vendors.pipedrive_lists import FOLDERS, v1_pages, v2_pages

V1_WHOLE = {
    "filters": "filters",
    "users": "users",
    "lead_labels": "leadLabels",
    "activity_types": "activityTypes",
    "currencies": "currencies",
    "permission_sets": "permissionSets",
}
V1_PAGED = {
    "files": "files",
    "notes": "notes",
    "roles": "roles",
    "deal_fields": "dealFields",
    "organization_fields": "organizationFields",
    "person_fields": "personFields",
    "product_fields": "productFields",
}
V2_PAGED = ("activities", "organizations", "persons", "pipelines", "products", "stages")


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxServer]:
    with SandboxServer() as running:
        yield running


def with_plain_times(row: Row) -> Row:
    """A row of v2 with v1's times."""

    def plain(value: Any) -> Any:
        try:
            return datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ").strftime("%Y-%m-%d %H:%M:%S")
        except (TypeError, ValueError):
            return value

    return {name: plain(value) for name, value in row.items()}


def plain_pages(server: SandboxServer, path: str, **params: Any) -> list[Row]:
    return [with_plain_times(one) for one in v2_pages(server, path, **params)]


def test_every_list_of_v1_read_to_its_end_has_the_backends_records(server: SandboxServer) -> None:
    expected = vendor_rows(server.backend, "pipedrive")
    for resource, path in V1_WHOLE.items():
        assert ask(server, "pipedrive", f"/v1/{path}").json()["data"] == expected[resource]
    for resource, path in V1_PAGED.items():
        assert v1_pages(server, f"/v1/{path}", limit=37) == expected[resource]
    assert ask(server, "pipedrive", "/v1/activityFields").json()["data"] == expected["activity_fields"]
    leads = [*v1_pages(server, "/v1/leads"), *v1_pages(server, "/v1/leads/archived")]
    assert by_key(leads) == by_key(expected["leads"])
    threads = {
        one["id"]: one for folder in FOLDERS for one in v1_pages(server, "/v1/mailbox/mailThreads", folder=folder)
    }
    assert threads == by_key(expected["mail_threads"])
    paths = [f"/v1/mailbox/mailThreads/{thread}/mailMessages" for thread in threads]
    mails = [one for path in paths for one in ask(server, "pipedrive", path).json()["data"] or []]
    assert by_key(mails) == by_key(expected["mail"])


def test_every_list_of_v2_read_to_its_end_has_the_backends_records(server: SandboxServer) -> None:
    expected = vendor_rows(server.backend, "pipedrive")
    for resource in V2_PAGED:
        more = {"include_fields": "attendees"} if resource == "activities" else {}
        assert plain_pages(server, f"/api/v2/{resource}", limit=77, **more) == expected[resource]
    deals = [one for path in ("", "/archived") for one in plain_pages(server, f"/api/v2/deals{path}", limit=77)]
    # A time that only v2 has stays as it is served.
    no_time = {"archive_time": None}
    assert by_key([{**one, **no_time} for one in deals]) == by_key([{**one, **no_time} for one in expected["deals"]])
    ids = [str(one["id"]) for one in deals]
    batches = [",".join(ids[start : start + 100]) for start in range(0, len(ids), 100)]
    lines = [one for ids in batches for one in plain_pages(server, "/api/v2/deals/products", deal_ids=ids, limit=50)]
    assert by_key(lines) == by_key(expected["deal_products"])


def test_the_token_is_taken_in_its_header_only(server: SandboxServer) -> None:
    token = server.token("crm")
    for headers in ({}, {"Authorization": f"Bearer {token}"}, {"x-api-token": "wrong"}):
        for path in ("/v1/roles", "/api/v2/deals"):
            response = ask(server, "pipedrive", path, {"api_token": token}, headers=headers)
            assert response.status_code == 401
            body = response.json()
            assert (body["success"], body["error"], body["errorCode"]) == (False, "unauthorized access", 401)


def test_v1_is_served_under_api_too_but_for_some(server: SandboxServer) -> None:
    for path in ("roles", "notes", "dealFields", "users"):
        assert ask(server, "pipedrive", f"/api/v1/{path}").json() == ask(server, "pipedrive", f"/v1/{path}").json()
    for path in ("leads", "leadLabels", "goals/find", "mailbox/mailThreads", "leads/archived"):
        assert ask(server, "pipedrive", f"/api/v1/{path}", {"folder": "inbox"}).status_code == 404
    assert ask(server, "pipedrive", "/v2/deals").status_code == 404


@pytest.mark.parametrize(
    "path",
    ["activities", "deals", "deals/1/products", "organizations", "persons", "pipelines", "products", "stages"],
)
def test_what_v2_has_is_gone_from_v1(server: SandboxServer, path: str) -> None:
    for prefix in ("/v1", "/api/v1"):
        response = ask(server, "pipedrive", f"{prefix}/{path}")
        assert response.status_code == 410 and response.json()["success"] is False


def test_a_deleted_deal_is_shown_on_request_until_it_is_purged() -> None:
    world = FakeBackend()
    with SandboxServer(world) as server:
        deal = next(one for one in world.tables["crm"]["deals"] if not one["is_archived"])
        deal.update(is_deleted=True, update_time="2026-01-14 10:00:00")
        everything = "open,won,lost,deleted"
        assert deal["id"] not in by_key(v2_pages(server, "/api/v2/deals"))
        assert deal["id"] not in by_key(v2_pages(server, "/api/v2/deals", status="open,won,lost"))
        assert by_key(v2_pages(server, "/api/v2/deals", status=everything))[deal["id"]]["is_deleted"] is True
        assert [one["id"] for one in v2_pages(server, "/api/v2/deals", status="deleted")] == [deal["id"]]
        assert deal["id"] in by_key(vendor_rows(world, "pipedrive")["deals"])
        world.advance(days=30)
        assert deal["id"] not in by_key(v2_pages(server, "/api/v2/deals", status=everything))
        assert deal["id"] not in by_key(vendor_rows(world, "pipedrive")["deals"])


@pytest.mark.parametrize(
    ("path", "cost"),
    [
        ("/v1/notes", 20),
        ("/v1/leadLabels", 10),
        ("/v1/leads/archived", 40),
        ("/api/v2/persons", 10),
        ("/api/v2/pipelines", 5),
        ("/api/v2/stages", 5),
        ("/api/v2/deals/archived", 20),
        ("/api/v2/dealFields", 10),
    ],
)
def test_requests_cost_tokens(server: SandboxServer, path: str, cost: int) -> None:
    left = [int(ask(server, "pipedrive", path).headers["x-daily-ratelimit-token-remaining"]) for _ in range(2)]
    assert left[0] - left[1] == cost


def test_a_spent_day_refuses_everything_until_midnight() -> None:
    options = VendorOptions()
    options.pipedrive.daily_tokens = 45
    with SandboxServer(vendors=options) as server:
        first, second = (ask(server, "pipedrive", "/v1/notes") for _ in range(2))
        assert second.headers["x-daily-ratelimit-token-remaining"] == "5" and first.status_code == 200
        refused = ask(server, "pipedrive", "/v1/notes")
        assert refused.status_code == 429 and refused.headers["x-daily-ratelimit-token-remaining"] == "0"
        assert refused.json()["error"] == "request over limit" and "Retry-After" not in refused.headers
        assert ask(server, "pipedrive", "/api/v2/stages").status_code == 429
        server.backend.advance(hours=23)
        assert ask(server, "pipedrive", "/api/v2/stages").status_code == 429
        server.backend.advance(hours=1)
        assert ask(server, "pipedrive", "/api/v2/stages").headers["x-daily-ratelimit-token-remaining"] == "40"
        server.vendors.pipedrive.daily_headers = False
        assert "x-daily-ratelimit-token-remaining" not in ask(server, "pipedrive", "/api/v2/stages").headers


def test_bursts_are_refused() -> None:
    options = VendorOptions()
    options.pipedrive.burst_limit, options.pipedrive.burst_seconds = 2, 30
    with SandboxServer(vendors=options) as server:
        codes = [ask(server, "pipedrive", "/v1/roles") for _ in range(3)]
        assert [one.status_code for one in codes] == [200, 200, 429]
        assert codes[0].headers["x-ratelimit-remaining"] == "1" and 0 < int(codes[2].headers["x-ratelimit-reset"]) <= 30
        server.vendors.pipedrive.burst_seconds = 0.0001
        assert ask(server, "pipedrive", "/v1/roles").status_code == 200


def test_who_goes_on_is_blocked_with_a_page() -> None:
    options = VendorOptions()
    options.pipedrive.burst_limit, options.pipedrive.blocked_after = 0, 2
    with SandboxServer(vendors=options) as server:
        assert [ask(server, "pipedrive", "/v1/roles").status_code for _ in range(3)] == [429, 429, 403]
        assert ask(server, "pipedrive", "/v1/roles").headers["Content-Type"].startswith("text/html")

"""NinjaOne's contract, read with plain requests."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from platform_assets.sandbox import FakeBackend, SandboxServer, VendorOptions, vendor_rows
from tests.sandbox.vendors.asking import MOST_PAGES, Row, access_token, ask, ask_for_token, by_key, credentials

SINGLE = {
    "policies": "/v2/policies",
    "automation_scripts": "/v2/automation/scripts",
    "groups": "/v2/groups",
    "roles": "/v2/roles",
    "software_products": "/v2/software-products",
}
TIMES = ("activityTime", "updated", "created", "lastEvaluated", "createdOn", "updatedOn")


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxServer]:
    with SandboxServer() as running:
        yield running


def with_iso_times(row: Row) -> Row:
    """A served row with its epoch seconds as ISO 8601."""
    found = dict(row)
    for name in TIMES:
        if row.get(name) is not None:
            assert isinstance(row[name], float)
            moment = datetime.fromtimestamp(row[name], UTC)
            text = moment.isoformat(timespec="milliseconds" if row[name] % 1 else "seconds")
            found[name] = text.replace("+00:00", "Z")
    return found


def after_last(server: SandboxServer, path: str, size: int) -> list[Row]:
    """All rows by `after` = the last id, until a page is empty."""
    found: list[Row] = []
    after: dict[str, Any] = {}
    for _ in range(MOST_PAGES):
        page = ask(server, "ninjaone", path, {"pageSize": size, **after}).json()
        if not page:
            return found
        found += page
        after = {"after": page[-1]["id"]}
    pytest.fail("the list has no end")


def activities(server: SandboxServer, **params: Any) -> list[Row]:
    """All activities by `olderThan` = the smallest id, until a page is empty."""
    found: list[Row] = []
    for _ in range(MOST_PAGES):
        page = ask(server, "ninjaone", "/v2/activities", params).json()["activities"]
        if not page:
            return found
        found += page
        params = {**params, "olderThan": min(one["id"] for one in page)}
    pytest.fail("the list has no end")


def test_every_list_read_to_its_end_has_the_backends_records(server: SandboxServer) -> None:
    expected = vendor_rows(server.backend, "ninjaone")
    for resource, path in SINGLE.items():
        found = [with_iso_times(one) for one in ask(server, "ninjaone", path).json()]
        assert by_key(found) == by_key(expected[resource])
    for resource in ("organizations", "locations"):
        assert by_key(after_last(server, f"/v2/{resource}", 60)) == by_key(expected[resource])
    found = [with_iso_times(one) for one in activities(server)]
    assert by_key(found) == by_key(expected["activities"])


def test_after_is_an_id_and_no_count(server: SandboxServer) -> None:
    page = ask(server, "ninjaone", "/v2/locations", {"pageSize": 5, "after": 100}).json()
    assert [one["id"] for one in page] == [101, 102, 103, 104, 105]
    assert len(ask(server, "ninjaone", "/v2/organizations").json()) == 200


def test_activities_come_newest_first_by_200(server: SandboxServer) -> None:
    body = ask(server, "ninjaone", "/v2/activities").json()
    ids = [one["id"] for one in body["activities"]]
    assert set(body) == {"lastActivityId", "activities"} and ids == list(range(912_499, 912_299, -1))


def test_the_page_size_of_activities_is_from_10_to_1000(server: SandboxServer) -> None:
    for size, status in ((9, 400), (10, 200), (1000, 200), (1001, 400)):
        assert ask(server, "ninjaone", "/v2/activities", {"pageSize": size}).status_code == status


def test_the_last_activity_id_is_the_accounts_on_every_page(server: SandboxServer) -> None:
    for params in ({}, {"olderThan": 911_500}, {"newerThan": 912_400}, {"class": "USER"}):
        assert ask(server, "ninjaone", "/v2/activities", params).json()["lastActivityId"] == 912_499


def test_older_and_newer_are_exclusive_ids(server: SandboxServer) -> None:
    newer = ask(server, "ninjaone", "/v2/activities", {"newerThan": 912_490}).json()["activities"]
    assert [one["id"] for one in newer] == list(range(912_499, 912_490, -1))
    older = ask(server, "ninjaone", "/v2/activities", {"olderThan": 911_003}).json()["activities"]
    assert [one["id"] for one in older] == [911_002, 911_001, 911_000]
    assert len(activities(server, newerThan=911_900, pageSize=100)) == 599


def test_after_and_before_are_times_of_activities(server: SandboxServer) -> None:
    edge = sorted(one["activityTime"] for one in activities(server, pageSize=1000))[700]
    late, early = activities(server, after=edge, pageSize=1000), activities(server, before=edge, pageSize=1000)
    assert len(late) == 800 and len(early) == 700
    assert min(one["activityTime"] for one in late) == edge
    iso = f"{datetime.fromtimestamp(edge, UTC):%Y-%m-%dT%H:%M:%S.%f}Z"
    assert len(activities(server, after=iso, pageSize=1000)) == 800
    assert ask(server, "ninjaone", "/v2/activities", {"after": "today"}).status_code == 400


def test_activities_are_of_a_class(server: SandboxServer) -> None:
    of_system = activities(server, pageSize=1000, **{"class": "SYSTEM"})
    of_devices = activities(server, pageSize=1000, **{"class": "DEVICE"})
    assert len(of_system) + len(of_devices) == 1500 and of_system and of_devices
    assert ask(server, "ninjaone", "/v2/activities", {"class": "OTHER"}).status_code == 400


def test_times_are_epoch_seconds_as_floats_with_fractions(server: SandboxServer) -> None:
    found = [one["updated"] for one in ask(server, "ninjaone", "/v2/policies").json()]
    assert all(isinstance(one, float) for one in found) and len({one % 1 for one in found}) == 4
    assert any(one["updated"] is None for one in ask(server, "ninjaone", "/v2/groups").json())


def test_a_client_gets_an_access_token_for_an_hour(server: SandboxServer) -> None:
    body = ask_for_token(server).json()
    assert set(body) == {"access_token", "expires_in", "scope", "token_type"}
    assert (body["expires_in"], body["scope"], body["token_type"]) == (3600, "monitoring", "Bearer")


@pytest.mark.parametrize(
    ("form", "status", "key"),
    [
        ({"client_id": "unknown"}, 404, "resultCode"),
        ({"client_secret": "wrong"}, 401, "error"),
        ({"grant_type": "password"}, 400, "error"),
        ({"scope": ""}, 400, "error"),
    ],
)
def test_no_access_token(server: SandboxServer, form: dict[str, str], status: int, key: str) -> None:
    response = ask_for_token(server, **form)
    assert response.status_code == status and key in response.json()
    if status == 404:
        assert response.json()["resultCode"] == "Client app not exist"


def test_a_token_expires_with_the_backends_clock() -> None:
    with SandboxServer() as server:
        headers = credentials(server, "ninjaone")
        server.backend.advance(hours=0.99)
        assert ask(server, "ninjaone", "/v2/roles", headers=headers).status_code == 200
        server.backend.advance(hours=0.01)
        assert ask(server, "ninjaone", "/v2/roles", headers=headers).status_code == 401
        server.vendors.ninjaone.token_lifetime = 60
        short = ask_for_token(server).json()
        assert short["expires_in"] == 60
        headers = {"Authorization": f"Bearer {short['access_token']}"}
        assert ask(server, "ninjaone", "/v2/roles", headers=headers).status_code == 200


def test_a_token_can_expire_in_the_middle_of_a_read() -> None:
    options = VendorOptions()
    options.ninjaone.token_uses = 2
    with SandboxServer(vendors=options) as server:
        headers = credentials(server, "ninjaone")
        codes = [ask(server, "ninjaone", "/v2/roles", headers=headers).status_code for _ in range(3)]
        assert codes == [200, 200, 401]
        assert ask(server, "ninjaone", "/v2/roles").status_code == 200


@pytest.mark.parametrize(
    ("headers", "status", "error", "code"),
    [
        ({}, 400, "missing_header", 2),
        ({"Authorization": "token"}, 400, "invalid_header", 1),
        ({"Authorization": "Bearer unknown"}, 401, "not_authenticated", 10),
        ({"Authorization": "Bearer sandbox-device-management-token"}, 401, "not_authenticated", 10),
    ],
)
def test_credentials(server: SandboxServer, headers: dict[str, str], status: int, error: str, code: int) -> None:
    response = ask(server, "ninjaone", "/v2/roles", headers=headers)
    assert response.status_code == status
    assert (response.json()["error"], response.json()["error_code"]) == (error, code)


def test_every_answer_has_an_id(server: SandboxServer) -> None:
    for path in ("/v2/roles", "/v2/nothing"):
        assert ask(server, "ninjaone", path).headers["x-nj-request-id"]
    assert set(ask(server, "ninjaone", "/v2/nothing").json()) == {"errorCode", "message"}
    url = f"{server.vendor_url('ninjaone')}/v2/roles"
    assert requests.post(url, headers=credentials(server, "ninjaone"), timeout=10).status_code == 405


def test_throttling_may_be_an_html_page() -> None:
    options = VendorOptions()
    options.ninjaone.html_pages = 1
    with SandboxServer(vendors=options) as server:
        first, second = (ask(server, "ninjaone", "/v2/roles") for _ in range(2))
        assert first.status_code == 200 and first.headers["Content-Type"].startswith("text/html")
        assert second.json()[0]["id"] == 101


def test_an_edited_role_shows_no_time_of_it() -> None:
    world = FakeBackend()
    with SandboxServer(world) as server:
        before = by_key(ask(server, "ninjaone", "/v2/roles").json())
        world.advance(hours=1)
        access_token(server)
        after = by_key(ask(server, "ninjaone", "/v2/roles").json())
        (changed,) = (key for key in before if before[key] != after[key])
        assert before[changed]["created"] == after[changed]["created"]

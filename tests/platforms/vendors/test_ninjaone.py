"""NinjaOne: tokens that expire in mid-sync, refused clients, and throttles that are HTML pages with status 200."""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from platform_assets.extraction.connection import connect
from platform_assets.http.client import ApiClient
from platform_assets.platforms import platform_named
from platform_assets.sandbox.faults import Fault
from platform_assets.sandbox.vendors.exchange import Reply, VendorRequest
from platform_assets.sandbox.vendors.exchange import Vendor as Served
from platform_assets.sync import Selection, sync
from platform_assets.warehouse import open_warehouse
from tests.platforms.vendors.conftest import MakeVendor, Vendor, errors
from tests.warehouse_rows import query

HTML = b"<!DOCTYPE html><html><body>Please slow down.</body></html>"
HTML_HEADERS = {"Content-Type": "text/html"}


def counts(api: Vendor) -> Counter[tuple[str, int]]:
    """How often a token was bought, and a list asked for, by status."""
    kinds = [("token" if "oauth" in one["path"] else "list", one["status"]) for one in api.server.requests]
    return Counter(kinds)


def test_a_token_that_is_used_up_in_mid_sync_is_renewed_once_by_all_threads(vendor: MakeVendor) -> None:
    api = vendor("ninjaone", PAGE_SIZE="10")
    api.server.vendors.ninjaone.token_uses = 40
    assert errors(api.sync()) == {} and api.problems() == []
    found = counts(api)
    assert found["list", 401] > 0
    # Every token but the last has served all of its uses.
    assert found["token", 200] == 1 + (found["list", 200] - 1) // 40
    assert set(found) == {("token", 200), ("list", 200), ("list", 401)}


def test_a_token_is_renewed_before_it_expires(vendor: MakeVendor) -> None:
    api = vendor("ninjaone", PAGE_SIZE="10")
    api.server.vendors.ninjaone.token_lifetime = 1
    assert errors(api.sync()) == {} and api.problems() == []
    found = counts(api)
    assert found["list", 401] == 0
    assert 1 <= found["token", 200] <= 1 + 60


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [50, 59])
def test_a_sync_of_hours_renews_its_token_each_hour_before_it_expires(
    seconds: int, vendor: MakeVendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each list request takes so many seconds of a clock that the sandbox and the client share; nothing is waited for.

    One request at a time, as the margin before a token's end is longer than any of them.
    """
    api = vendor("ninjaone", PAGE_SIZE="10")
    backend, reply = api.server.backend, Served.reply
    requested_at: list[datetime] = []

    def slowly(self: Served, request: VendorRequest) -> Reply:
        if "oauth" not in request.path:
            requested_at.append(backend.now)
            backend.now += timedelta(seconds=seconds)
        return reply(self, request)

    monkeypatch.setattr(Served, "reply", slowly)
    connection = connect(platform_named("device_management"))
    one_at_a_time = replace(connection.platform, client=replace(connection.platform.client, max_concurrency=1))
    names = tuple(one.name for one in one_at_a_time.resources)
    began = backend.now
    with (
        open_warehouse(one_at_a_time) as warehouse,
        ApiClient(one_at_a_time, connection.settings, clock=lambda: backend.now.timestamp()) as client,
    ):
        outcomes = {outcome.name: outcome for outcome in sync(client, warehouse, Selection(names))}
    assert errors(outcomes) == {} and api.problems() == []
    assert backend.now - began > timedelta(hours=3)
    # A token counts as expired a minute before it is, and the next request buys the next.
    expected, good_until = 0, began
    for moment in requested_at:
        if moment >= good_until:
            expected, good_until = expected + 1, moment + timedelta(seconds=3600 - 60)
    found = counts(api)
    assert found == {("token", 200): expected, ("list", 200): len(requested_at)}
    assert expected == 4


@pytest.mark.parametrize(("setting", "status"), [("CLIENT_ID", 404), ("CLIENT_SECRET", 401)])
def test_a_refused_client_is_one_clear_error_and_no_list_is_asked_for(
    setting: str, status: int, vendor: MakeVendor
) -> None:
    api = vendor("ninjaone", **{setting: "somebody-else"})
    refused = errors(api.sync())
    assert len(refused) == 8
    for text in refused.values():
        assert f"POST /ws/oauth/token: answered {status}" in text
        assert "`client_id`, `client_secret`" in text and "somebody-else" not in text
    assert {kind for kind, _ in counts(api)} == {"token"}


def test_an_html_page_with_status_200_is_a_throttle_and_tried_again(vendor: MakeVendor) -> None:
    api = vendor("ninjaone")
    api.server.vendors.ninjaone.html_pages = 3
    outcomes = api.sync()
    assert errors(outcomes) == {} and api.problems() == []
    assert sum(outcome.retries for outcome in outcomes.values()) == 3


def test_an_html_page_that_stays_is_a_clear_error_and_the_rows_stay(vendor: MakeVendor) -> None:
    api = vendor("ninjaone")
    api.sync()
    before = api.contents()
    api.server.vendors.ninjaone.html_pages = 10_000
    refused = errors(api.sync())
    assert len(refused) == 8 and all("not JSON" in text and "slow down" in text for text in refused.values())
    assert api.contents() == before


def test_a_throttle_page_in_place_of_a_token_is_tried_again(vendor: MakeVendor) -> None:
    api = vendor("ninjaone")
    api.server.faults.append(Fault("oauth/token", 200, times=2, body=HTML, headers=HTML_HEADERS))
    assert errors(api.sync()) == {} and api.problems() == []


def test_an_answer_without_a_token_is_a_clear_error(vendor: MakeVendor) -> None:
    api = vendor("ninjaone")
    api.server.faults.append(Fault("oauth/token", 200, times=None, body=b'{"token_type": "Bearer"}'))
    refused = errors(api.sync())
    assert len(refused) == 8 and all("without an access token" in text for text in refused.values())


def test_an_answer_with_an_endless_token_is_a_clear_error(vendor: MakeVendor) -> None:
    api = vendor("ninjaone")
    body = b'{"access_token": "' + b"x" * (1 << 21) + b'"}'
    api.server.faults.append(Fault("oauth/token", 200, times=None, body=body))
    assert "without an access token" in errors(api.sync("roles"))["roles"]


def test_a_token_request_that_fails_for_a_moment_is_tried_again(vendor: MakeVendor) -> None:
    api = vendor("ninjaone")
    api.server.faults.append(Fault("oauth/token", 503, times=2))
    assert errors(api.sync()) == {} and api.problems() == []


def test_no_access_token_is_in_the_warehouse_or_in_an_error(vendor: MakeVendor) -> None:
    api = vendor("ninjaone")
    body = b'{"error": "you sent sandbox-ninjaone-access-1"}'
    api.server.faults.append(Fault("/v2/roles", 400, times=None, body=body))
    outcomes = api.sync()
    text = str(outcomes["roles"].error)
    assert "answered 400" in text and "sandbox-ninjaone-access" not in text
    assert "sandbox-ninjaone" not in repr(api.contents_of_own_tables())


def test_activities_that_came_while_pages_were_read_are_found_next_time(vendor: MakeVendor) -> None:
    api = vendor("ninjaone", PAGE_SIZE="100")
    api.sync("activities")
    for _ in range(3):
        api.server.backend.advance(hours=2)
        api.sync("activities")
        assert api.problems("activities") == []
    assert query(api.file, "SELECT count(*) - count(DISTINCT id) FROM device_management.activities") == [(0,)]


def test_a_list_in_another_order_is_whole(vendor: MakeVendor, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenant's organizations fit into one page; whether they come by id or by name is not documented."""
    api = vendor("ninjaone")
    by_name = sorted(api.server.backend.tables["device_management"]["organizations"], key=lambda one: one["name"][::-1])
    body = repr([{"id": one["id"], "name": one["name"]} for one in by_name]).replace("'", '"').encode()
    api.server.faults.append(Fault(r"/v2/organizations\?pageSize=\d+$", 200, times=None, body=body))
    assert errors(api.sync("organizations")) == {}
    found = query(api.file, "SELECT count(DISTINCT id) FROM device_management.organizations")
    assert found == [(len(by_name),)]

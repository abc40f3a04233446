"""Pipedrive: a budget that is spent, deals that are archived and deleted, parents in batches, and pages cut short."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from platform_assets.http import request_limits
from platform_assets.platforms import platform_named
from platform_assets.sandbox.faults import Fault
from platform_assets.sandbox.vendors.exchange import Vendor as Served
from tests.platforms.vendors.conftest import MakeVendor, Vendor, errors
from tests.tiers import one_in
from tests.warehouse_rows import query

Record = dict[str, Any]


def deals(api: Vendor) -> list[Record]:
    return api.server.backend.tables["crm"]["deals"]


def touch(api: Vendor, record: Record, **changes: Any) -> None:
    """Change a record as of now, some time after the last sync."""
    api.server.backend.now += timedelta(minutes=10)
    record.update(changes, update_time=api.server.backend.now.strftime("%Y-%m-%d %H:%M:%S"))


def statuses(api: Vendor) -> list[int]:
    return [request["status"] for request in api.server.requests]


@pytest.mark.slow
def test_a_budget_that_is_spent_in_mid_load_ends_the_sync_at_once_and_the_next_day_completes_it(
    vendor: MakeVendor,
) -> None:
    api = vendor("pipedrive")
    api.server.vendors.pipedrive.daily_tokens = 500
    refused = errors(api.sync())
    waiting = {"mail", "deal_products"}
    spent = {name: text for name, text in refused.items() if name not in waiting}
    assert spent and all("the day's budget" in text and "midnight" in text for text in spent.values()), spent
    # Only what was in flight when the budget ended, of the parents and then of their children.
    assert statuses(api).count(429) <= 2 * 8
    landed = [one.name for one in platform_named("crm").resources if one.name not in refused]
    assert landed and api.problems(*landed) == []
    before = {name: api.contents_of(name) for name in landed}
    assert errors(api.sync("currencies"))
    assert {name: api.contents_of(name) for name in landed} == before
    api.server.backend.advance(hours=24)
    api.server.vendors.pipedrive.daily_tokens = 100_000
    assert errors(api.sync()) == {} and api.problems() == []


@pytest.mark.slow  # one budget, and the next day: the test above
@pytest.mark.parametrize("daily_tokens", one_in(4, [700, 90, 1500, 3000]))
def test_the_next_days_sync_completes_every_resource_wherever_the_budget_ended(
    daily_tokens: int, vendor: MakeVendor
) -> None:
    api = vendor("pipedrive")
    api.server.vendors.pipedrive.daily_tokens = daily_tokens
    outcomes = api.sync()
    refused = errors(outcomes)
    spent = {name: text for name, text in refused.items() if "the day's budget" in text}
    assert spent and all("it is renewed at midnight" in text for text in spent.values()), refused
    landed = [name for name, outcome in outcomes.items() if outcome.ok]
    assert api.problems(*landed) == [] if landed else daily_tokens < 100
    api.server.backend.advance(hours=24)
    api.server.vendors.pipedrive.daily_tokens = 100_000
    assert errors(api.sync()) == {} and api.problems() == []


def test_a_request_that_the_budget_does_not_cover_is_not_sent(vendor: MakeVendor) -> None:
    """25 tokens cover one list of 20. The four folders are read one after the other."""
    api = vendor("pipedrive")
    api.server.vendors.pipedrive.daily_tokens = 25
    refused = errors(api.sync("mail_threads"))["mail_threads"]
    assert "5 tokens are left" in refused and statuses(api) == [200]


def test_a_spent_budget_is_recognised_without_the_header_that_says_so(
    vendor: MakeVendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_limits, "REFUSED_SECONDS", 2.0)
    api = vendor("pipedrive")
    options = api.server.vendors.pipedrive
    options.daily_tokens, options.daily_headers, options.burst_seconds = 500, False, 0.2
    refused = errors(api.sync())
    assert sum("the day's budget" in text for text in refused.values()) >= 5, refused
    assert statuses(api).count(429) < 80


@pytest.mark.slow
def test_a_burst_that_is_refused_for_a_moment_is_no_spent_budget(
    vendor: MakeVendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_limits, "REFUSED_SECONDS", 2.0)
    api = vendor("pipedrive")
    options = api.server.vendors.pipedrive
    options.daily_headers, options.burst_limit, options.burst_seconds = False, 4, 0.5
    assert errors(api.sync("deals", "persons", "products", "notes", "leads", "roles")) == {}
    assert 429 in statuses(api)


def test_a_deal_that_is_archived_unarchived_and_deleted_between_syncs_is_followed(vendor: MakeVendor) -> None:
    api = vendor("pipedrive")
    api.sync("deals")
    chosen = next(one for one in deals(api) if not one["is_archived"] and not one["is_deleted"])
    for changes in ({"is_archived": True}, {"is_archived": False}, {"is_deleted": True, "status": "deleted"}):
        touch(api, chosen, **changes)
        api.sync("deals")
        found = query(api.file, f"SELECT is_archived, is_deleted FROM crm.deals WHERE id = {chosen['id']}")
        assert found == [(chosen["is_archived"], chosen["is_deleted"])]
        assert api.problems("deals") == []


def test_leads_that_are_archived_and_taken_back_are_followed(vendor: MakeVendor) -> None:
    api = vendor("pipedrive")
    api.sync("leads")
    leads = api.server.backend.tables["crm"]["leads"]
    for is_archived in (True, False):
        chosen = [one for one in leads if one["is_archived"] != is_archived][:3]
        for one in chosen:
            api.server.backend.now += timedelta(minutes=10)
            one.update(is_archived=is_archived, update_time=api.server.backend.now.strftime("%Y-%m-%dT%H:%M:%SZ"))
        api.sync("leads")
        assert api.problems("leads") == []


@pytest.mark.parametrize("status", one_in(3, [403, 404, 410]))
def test_a_deal_that_is_refused_in_a_batch_is_skipped_and_its_siblings_have_their_products(
    status: int, vendor: MakeVendor
) -> None:
    api = vendor("pipedrive")
    api.sync("deals")
    gone = str(deals(api)[150]["id"])
    api.server.faults.append(Fault(rf"/deals/products\?deal_ids=(\d+%2C)*{gone}(%2C|&|$)", status, times=None))
    outcome = api.sync("deal_products")["deal_products"]
    assert outcome.ok and outcome.skipped_parents == [gone]
    lines = api.server.backend.tables["crm"]["deal_products"]
    assert len(lines) > 300
    known = {str(one["id"]) for one in deals(api)}
    expected = {one["id"] for deal, group in lines.items() for one in group if deal != gone and deal in known}
    assert {row[0] for row in query(api.file, "SELECT id FROM crm.deal_products")} == expected
    # It stays due: refused is not done.
    api.server.faults.clear()
    assert api.sync("deal_products")["deal_products"].ok
    assert {row[0] for row in query(api.file, "SELECT id FROM crm.deal_products")} == expected | {
        one["id"] for one in lines[gone]
    }


def test_a_block_is_no_word_about_deals(vendor: MakeVendor) -> None:
    """Too many refused requests are answered by a gateway: an HTML page with 403, whatever is asked for."""
    api = vendor("pipedrive")
    api.sync("deals", "deal_products")
    before = api.contents_of("deal_products")
    api.server.backend.advance(hours=30)
    api.sync("deals")
    asked = api.requests()
    html = b"<!DOCTYPE html><html><body>You have been blocked.</body></html>"
    api.server.faults.append(Fault("/deals/products", 403, times=None, body=html))
    outcome = api.sync("deal_products")["deal_products"]
    assert outcome.skipped_parents == [] and "You have been blocked" in errors({"": outcome})[""]
    # A request for each batch, not for each deal.
    assert api.requests() - asked <= 16
    assert api.contents_of("deal_products") == before


def test_pages_that_are_cut_below_the_limit_lose_no_row(vendor: MakeVendor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every list of version 1 and 2 grants 30 rows, with a word of what follows; mail threads say nothing."""
    number = Served.number

    def capped(self: Any, request: Any, name: str, default: int, **bounds: Any) -> int:
        found = number(self, request, name, default, **bounds)
        return min(found, 30) if name == "limit" else found

    monkeypatch.setattr(Served, "number", capped)
    api = vendor("pipedrive")
    chosen = ("deals", "persons", "leads", "files", "notes", "roles", "deal_fields", "mail_threads")
    assert errors(api.sync(*chosen)) == {}
    assert api.problems(*chosen) == []


@pytest.mark.slow
def test_a_list_that_begins_with_the_newest_is_left_at_the_first_page_that_ends_with_known_rows(
    vendor: MakeVendor,
) -> None:
    api = vendor("pipedrive")
    api.sync("files")
    files = api.server.backend.tables["crm"]["files"]
    for changed in (0, 1, 60, 99, 150):
        for one in files[:changed]:
            touch(api, one, name=f"renamed {changed}")
        before = api.requests()
        assert errors(api.sync("files")) == {} and api.problems("files") == []
        # Pages of 100, the second of which repeats a row of the first.
        assert api.requests() - before == (1 if changed <= 60 else 2)


@pytest.mark.slow
def test_a_server_that_ignores_the_order_is_read_to_the_end(
    vendor: MakeVendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = vendor("pipedrive")
    reply = Served.reply
    monkeypatch.setattr(
        Served,
        "reply",
        lambda self, request: reply(
            self, replace(request, query=tuple(part for part in request.query if part[0] != "sort"))
        ),
    )
    api.sync("files")
    files = api.server.backend.tables["crm"]["files"]
    for place in (0, 130, 299):
        touch(api, files[place], name="renamed")
        assert errors(api.sync("files")) == {} and api.problems("files") == []

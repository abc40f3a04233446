"""What a verification does not compare: rows it could not read, is not to read, or that no sync has read yet."""

from datetime import timedelta
from pathlib import Path

import pytest

from platform_assets.sandbox import Fault, SandboxServer, expected_rows
from platform_assets.verification import Budget, Kind
from tests.conftest import Sync
from tests.verification.checking import tamper, verified

pytestmark = pytest.mark.usefixtures("in_either_warehouse")


@pytest.mark.slow
def test_a_row_newer_than_the_last_sync_counts_as_not_synced_yet(
    server: SandboxServer, sync_platform: Sync, warehouse_file: Path
) -> None:
    sync_platform("crm", ["deals"])
    deal = server.backend.tables["crm"]["deals"][0]
    deal["title"], deal["update_time"] = "Edited", "2026-01-15 08:00:00"
    found = verified("crm", "deals")["deals"]
    assert found.ok and found.counts[Kind.CHANGED] == 0 and found.not_synced_yet[Kind.CHANGED] == 1
    assert found.not_synced_examples[0].key == {"id": deal["id"]}
    deal["update_time"] = "2020-01-15 08:00:00"
    assert not verified("crm", "deals")["deals"].ok


def test_rows_that_cannot_be_read_are_not_verified_and_never_extra(
    server: SandboxServer, sync_platform: Sync, warehouse_file: Path
) -> None:
    sync_platform("ci_analytics")
    server.faults.append(Fault("/v2/builds", status=404, times=None))
    refused = server.backend.tables["ci_analytics"]["organizations"][0]["slug"]
    server.faults.append(Fault(f"/v2/organizations/{refused}/pipelines", status=403, times=None))
    found = verified("ci_analytics")
    assert "404" in str(found["builds"].error) and not found["builds"].ok
    pipelines = found["organizations_pipelines"]
    assert list(pipelines.not_verified) == [refused] and not pipelines.ok and pipelines.differences == 0
    assert found["organizations"].ok and found["analytics_organizations_suites"].ok


def test_a_table_that_was_never_loaded_is_reported_as_such(server: SandboxServer, sync_platform: Sync) -> None:
    found = verified("ci_analytics", "builds")["builds"]
    assert "never loaded" in str(found.error) and not found.ok


@pytest.mark.slow
def test_rows_before_start_date_are_ignored(
    server: SandboxServer, sync_platform: Sync, warehouse_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They were loaded before it was set; they are neither missing nor extra, and are not read again."""
    sync_platform("ci_analytics", ["builds"])
    sync_platform("device_management", ["activities"])
    moment = (server.backend.now - timedelta(days=2)).isoformat()
    monkeypatch.setenv("SOURCES__CI_ANALYTICS__START_DATE", moment)
    monkeypatch.setenv("SOURCES__DEVICE_MANAGEMENT__START_DATE", moment)
    for name, table in (("ci_analytics", "builds"), ("device_management", "activities")):
        found = verified(name, table)[table]
        assert found.ok and 0 < found.rows_served < len(expected_rows(server.backend)[name][table])


@pytest.mark.slow
def test_a_request_budget_ends_the_reading_and_the_next_run_continues(
    server: SandboxServer, sync_platform: Sync, warehouse_file: Path
) -> None:
    """A partly read list reports changed rows but no extra ones; parents are verified in turn."""
    sync_platform("crm", ["deals", "leads", "deal_products"])
    tamper(warehouse_file, "UPDATE crm.deal_products SET name = 'tampered'")
    rows = len(expected_rows(server.backend)["crm"]["deal_products"])
    found, start, turns = 0, None, 0
    while True:
        budget = Budget(25)
        firsts = {"deal_products": start} if start else {}
        one = verified("crm", "deal_products", budget=budget, first_parents=firsts)["deal_products"]
        assert one.requests <= 27 and one.counts[Kind.EXTRA] == 0
        found, start, turns = found + one.counts[Kind.CHANGED], one.next_parent, turns + 1
        if start is None or turns * 25 >= one.parents_known:
            break
    assert turns > 2 and found >= rows
    assert verified("crm", "deals", "leads", budget=Budget(1)).keys() == {"deals"}


def test_a_partly_read_list_reports_no_extra_rows(
    server: SandboxServer, sync_platform: Sync, warehouse_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync_platform("crm", ["leads"])
    monkeypatch.setenv("SOURCES__CRM__PAGE_SIZE", "5")
    one = verified("crm", "leads", budget=Budget(2))["leads"]
    assert not one.complete and one.differences == 0 and 0 < one.rows_served < one.rows_in_table


@pytest.mark.slow
def test_a_scope_narrows_what_is_verified(
    server: SandboxServer, sync_platform: Sync, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync_platform("error_tracking")
    organization = expected_rows(server.backend)["error_tracking"]["projects"][0]["organization"]["slug"]
    monkeypatch.setenv("SOURCES__ERROR_TRACKING__ORGANIZATION", organization)
    found = verified("error_tracking")
    assert all(one.ok for one in found.values()) and found["releases"].parents_known == 1

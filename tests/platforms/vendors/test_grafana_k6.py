"""k6 v6: scripts and runs of tests, which take requests per test and are off by default."""

from typing import Any

import pytest

from platform_assets.extraction.connection import connect
from platform_assets.platforms import platform_named
from platform_assets.sandbox import vendor_rows
from platform_assets.sync import ResourceOutcome
from platform_assets.verification import verify
from platform_assets.warehouse import open_warehouse
from tests.platforms.vendors.conftest import MakeVendor, Vendor, errors
from tests.settings import vendor_settings
from tests.tiers import one_in
from tests.warehouse_rows import differences, query

FILLED = "SELECT count(script), count(test_run_ids), count(last_test_run_id) FROM load_testing.tests"


def load_tests(api: Vendor) -> list[dict[str, Any]]:
    return api.server.backend.tables["load_testing"]["tests"]


def problems(api: Vendor) -> list[str]:
    """What differs between the table of tests and a correct load with details."""
    platform = connect(platform_named("load_testing")).platform
    expected = vendor_rows(api.server.backend, "grafana_k6", details=True)["tests"]
    return differences(api.file, platform, platform.resource("tests"), expected)


def sync(api: Vendor) -> ResourceOutcome:
    outcomes = api.sync("tests")
    assert errors(outcomes) == {}
    return outcomes["tests"]


def detail_requests(api: Vendor) -> list[str]:
    return [one["path"] for one in api.server.requests if one["path"].endswith(("/script", "/test_runs"))]


def few(api: Vendor, count: int = 12) -> None:
    """Leave a few tests, for what does not depend on their number."""
    del load_tests(api)[count:]


@pytest.mark.slow
def test_scripts_and_runs_are_loaded_and_a_second_sync_writes_nothing(vendor: MakeVendor) -> None:
    api = vendor("grafana_k6", DETAILS="true")
    first = sync(api)
    count = len(load_tests(api))
    assert problems(api) == []
    assert first.requests == api.requests() == 1 + 2 * count and first.missing_details == 0
    content = api.contents_of("tests")
    second = sync(api)
    assert (second.rows_loaded, second.requests) == (0, 1 + 2 * count)
    assert api.contents_of("tests") == content


def test_a_changed_script_and_a_new_run_are_seen_though_the_list_shows_neither(vendor: MakeVendor) -> None:
    api = vendor("grafana_k6", DETAILS="true")
    few(api)
    sync(api)
    script, run = load_tests(api)[3], load_tests(api)[5]
    script["script"] += "// changed"
    run.update(test_run_ids=[*run["test_run_ids"], 999_999], last_test_run_id="999999")
    assert sync(api).rows_loaded == 2 and problems(api) == []


def test_without_the_switch_no_request_is_sent_per_test(vendor: MakeVendor) -> None:
    api = vendor("grafana_k6")
    assert sync(api).requests == 1 and detail_requests(api) == []
    assert query(api.file, FILLED) == [(0, 0, 0)]


def test_switched_on_later_the_fields_of_rows_that_are_there_are_loaded(
    vendor: MakeVendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = vendor("grafana_k6")
    few(api)
    sync(api)
    monkeypatch.setenv("SOURCES__LOAD_TESTING__DETAILS", "true")
    assert sync(api).rows_loaded == 12 and problems(api) == []
    assert sync(api).rows_loaded == 0


def test_switched_off_the_fields_become_null_in_rows_that_had_them(
    vendor: MakeVendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A script that is not read any more may have changed since: it is not kept beside what is read."""
    api = vendor("grafana_k6", DETAILS="true")
    few(api)
    sync(api)
    monkeypatch.setenv("SOURCES__LOAD_TESTING__DETAILS", "false")
    sync(api)
    assert query(api.file, FILLED) == [(0, 0, 0)] and api.problems("tests") == []


def test_with_the_switch_a_change_from_the_old_api_keeps_scripts_and_runs(
    vendor: MakeVendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = vendor("k6_legacy")
    few(api)
    api.sync()
    had = query(api.file, "SELECT id, script, test_run_ids, last_test_run_id FROM load_testing.tests ORDER BY id")
    for name, value in vendor_settings(api.server, "grafana_k6", DETAILS="true").items():
        monkeypatch.setenv(name, value)
    sync(api)
    assert had == query(
        api.file, "SELECT id, script, test_run_ids, last_test_run_id FROM load_testing.tests ORDER BY id"
    )


@pytest.mark.parametrize("status", one_in(3, [403, 404, 410]))
def test_a_test_whose_details_are_refused_is_loaded_without_them_and_counted(status: int, vendor: MakeVendor) -> None:
    api = vendor("grafana_k6", DETAILS="true")
    few(api)
    gone = load_tests(api)[4]["id"]
    api.server.vendors.grafana_k6.refused[gone] = status
    outcome = sync(api)
    assert outcome.missing_details == 2 and outcome.rows_loaded == 12
    found = query(
        api.file, f"SELECT name, script, test_run_ids, last_test_run_id FROM load_testing.tests WHERE id = {gone}"
    )
    assert found == [(load_tests(api)[4]["name"], None, None, None)]
    assert {one.split(".")[0] for one in problems(api)} == {f"('{gone}',)"}
    api.server.vendors.grafana_k6.refused.clear()
    assert sync(api).rows_loaded == 1 and problems(api) == []


def test_refused_for_every_test_the_table_stays_as_it_is(vendor: MakeVendor) -> None:
    api = vendor("grafana_k6", DETAILS="true")
    few(api)
    sync(api)
    content = api.contents_of("tests")
    api.server.vendors.grafana_k6.refused.update({one["id"]: 403 for one in load_tests(api)})
    outcome = api.sync("tests")["tests"]
    assert outcome.error is not None and "all of 12 requests for details at" in outcome.error
    assert api.contents_of("tests") == content


def test_another_failure_of_one_detail_fails_the_resource_and_nothing_lands(vendor: MakeVendor) -> None:
    api = vendor("grafana_k6", DETAILS="true")
    few(api)
    sync(api)
    content = api.contents_of("tests")
    api.server.vendors.grafana_k6.refused[load_tests(api)[4]["id"]] = 500
    outcome = api.sync("tests")["tests"]
    assert outcome.error is not None and "answered 500" in outcome.error
    assert api.contents_of("tests") == content


def test_runs_are_read_over_all_their_pages_and_tests_too(vendor: MakeVendor) -> None:
    api = vendor("grafana_k6", DETAILS="true", PAGE_SIZE="4")
    few(api, 9)
    load_tests(api)[2].update(test_run_ids=list(range(700, 717)), last_test_run_id="716")
    assert sync(api).requests == api.requests()
    assert problems(api) == []
    assert len([path for path in detail_requests(api) if path.endswith(f"{load_tests(api)[2]['id']}/test_runs")]) > 4


def test_the_newest_run_is_the_one_started_last_whatever_its_id(vendor: MakeVendor) -> None:
    api = vendor("grafana_k6", DETAILS="true")
    few(api, 2)
    load_tests(api)[0].update(test_run_ids=[90, 7], last_test_run_id="7")
    sync(api)
    assert problems(api) == []


@pytest.mark.parametrize(
    "kind", one_in(3, ["application/json", "application/octet-stream", "text/plain; charset=utf-8"])
)
def test_a_script_is_the_same_however_it_is_labelled(kind: str, vendor: MakeVendor) -> None:
    api = vendor("grafana_k6", DETAILS="true")
    few(api, 6)
    load_tests(api)[0]["script"] = '"use strict"'
    api.server.vendors.grafana_k6.script_type = kind
    sync(api)
    assert problems(api) == []


def test_a_detail_whose_fields_are_all_excluded_is_not_requested(vendor: MakeVendor) -> None:
    api = vendor("grafana_k6", DETAILS="true", EXCLUDE_FIELDS="tests.script, tests.test_run_ids")
    few(api)
    sync(api)
    assert {path.rpartition("/")[2] for path in detail_requests(api)} == {"test_runs"}
    assert query(
        api.file, "SELECT count(script), count(test_run_ids), count(last_test_run_id) > 0 FROM load_testing.tests"
    ) == [(0, 0, True)]


def test_a_verification_reads_the_details_too(vendor: MakeVendor) -> None:
    api = vendor("grafana_k6", DETAILS="true")
    few(api)
    sync(api)
    load_tests(api)[1]["script"] += "// changed, and not synced"
    connection = connect(platform_named("load_testing"))
    with open_warehouse(connection.platform) as warehouse, connection.open_client() as client:
        (found,) = verify(client, warehouse, ["tests"])
    assert found.error is None and found.differences + sum(found.not_synced_yet.values()) == 1


def test_the_switch_has_no_effect_on_a_contract_without_details(vendor: MakeVendor) -> None:
    api = vendor("k6_legacy", DETAILS="true")
    few(api)
    assert errors(api.sync()) == {} and api.problems() == []

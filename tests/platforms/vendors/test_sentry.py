"""Sentry: brownouts, Link headers that name another host, pages of hidden rows, several organizations."""

import json

import pytest

from platform_assets.declarations import SettingsError
from platform_assets.extraction.connection import connect
from platform_assets.platforms import platform_named
from platform_assets.sandbox import vendor_rows
from platform_assets.sandbox.faults import Fault
from tests.platforms.vendors.conftest import MakeVendor, Vendor, errors
from tests.servers.faulty_proxy import unexpected_server
from tests.tiers import one_in, only
from tests.warehouse_rows import differences, query

GONE = json.dumps({"message": "This API no longer exists."}).encode()
LISTS = {
    "projects": r"/organizations/acme/projects/",
    "releases": r"/organizations/acme/releases/",
    "events": r"/projects/acme/mobile/events/",
}


def asked(api: Vendor, pattern: str) -> int:
    return sum(pattern in one["path"] for one in api.server.requests)


@pytest.mark.parametrize("resource", one_in(3, LISTS, slow=1))
def test_a_brownout_that_is_over_soon_is_waited_for_once(resource: str, vendor: MakeVendor) -> None:
    api = vendor("sentry")
    api.server.faults.append(Fault(LISTS[resource], 410, times=1, body=GONE))
    outcomes = api.sync()
    assert errors(outcomes) == {} and api.problems() == []
    assert outcomes[resource].skipped_parents == [] and outcomes[resource].retries == 1


@pytest.mark.slow
@pytest.mark.parametrize("resource", one_in(4, ["projects", "releases", "events", "issues", "project_detail"], slow=1))
def test_an_endpoint_that_stays_gone_fails_after_one_retry_and_its_rows_stay(resource: str, vendor: MakeVendor) -> None:
    api = vendor("sentry")
    api.sync()
    before = api.contents()
    paths = {"project_detail": r"/projects/[^/]+/[^/]+/(\?|$)", "events": "/events/"}
    api.server.faults.append(Fault(paths.get(resource, f"/{resource}/"), 410, times=None, body=GONE))
    outcomes = api.sync(resource)
    assert "410" in errors(outcomes)[resource] and "no longer exists" in errors(outcomes)[resource]
    # A 410 may be a brownout: later it may succeed without anybody's doing.
    assert not outcomes[resource].permanent
    assert api.contents() == before
    api.server.faults.clear()
    assert errors(api.sync(resource)) == {} and api.problems() == []


def test_nothing_is_sent_to_the_host_that_a_link_header_names(vendor: MakeVendor) -> None:
    with unexpected_server() as (stranger, heard):
        api = vendor("sentry")
        api.server.vendors.sentry.link_host = stranger
        assert errors(api.sync()) == {} and api.problems() == []
    assert heard == []


@pytest.mark.parametrize("hidden", only([199], [1, 99, 199, 3000], slow=[1, 99, 3000]))
def test_rows_that_are_filtered_out_after_paging_end_no_list(hidden: int, vendor: MakeVendor) -> None:
    api = vendor("sentry")
    api.server.vendors.sentry.hidden_rows = hidden
    assert errors(api.sync()) == {} and api.problems() == []


@pytest.mark.slow
def test_a_list_whose_pages_are_all_empty_is_given_up(vendor: MakeVendor) -> None:
    api = vendor("sentry")
    api.sync("projects", "releases")
    before = api.contents_of("releases")
    api.server.vendors.sentry.hidden_rows = 1_000_000
    refused = errors(api.sync("releases"))
    assert "empty pages in a row" in refused["releases"]
    assert asked(api, "/acme/releases/") < 300
    assert api.contents_of("releases") == before


def problems(api: Vendor, *organizations: str) -> list[str]:
    """What differs from a correct load of some organizations."""
    platform = connect(platform_named("error_tracking")).platform
    expected = vendor_rows(api.server.backend, "sentry", organizations=organizations)
    return [
        f"{one.name}: {problem}"
        for one in platform.resources
        for problem in differences(api.file, platform, one, expected[one.name])
    ]


def test_two_organizations_are_read_and_the_third_is_not(vendor: MakeVendor) -> None:
    api = vendor("sentry", ORGANIZATION="acme, globex")
    assert errors(api.sync()) == {} and problems(api, "acme", "globex") == []
    assert asked(api, "initech") == 0
    slugs = query(api.file, "SELECT DISTINCT json_extract_string(organization, '$.slug') FROM error_tracking.projects")
    assert {slug for (slug,) in slugs} == {"acme", "globex"}


def test_an_organization_that_is_no_longer_configured_is_not_removed_upstream(
    vendor: MakeVendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = vendor("sentry")
    api.sync()
    monkeypatch.setenv("SOURCES__ERROR_TRACKING__ORGANIZATION", "acme,globex")
    api.sync()
    marked = query(api.file, "SELECT count(*) FROM error_tracking.projects WHERE _deleted_at IS NOT NULL")
    assert marked == [(0,)]


def test_an_organization_that_does_not_exist_is_a_clear_error_and_nothing_lands(vendor: MakeVendor) -> None:
    api = vendor("sentry", ORGANIZATION="acme,nobody")
    refused = errors(api.sync("projects"))
    assert "/organizations/nobody/projects/" in refused["projects"] and "404" in refused["projects"]


def test_the_probe_and_the_account_are_asked_for_the_configured_organization(vendor: MakeVendor) -> None:
    vendor("sentry", ORGANIZATION="ac/me,globex")
    client = connect(platform_named("error_tracking")).platform.client
    assert client.probe == "/api/0/organizations/ac%2Fme/projects/"
    assert client.account is not None and client.account.path == client.probe


def test_a_setting_that_leaves_its_path_segment_is_refused(vendor: MakeVendor) -> None:
    vendor("sentry", ORGANIZATION="..")
    with pytest.raises(SettingsError, match="cannot be a path segment"):
        connect(platform_named("error_tracking"))


def test_an_organizations_projects_come_in_one_answer(vendor: MakeVendor) -> None:
    api = vendor("sentry")
    assert errors(api.sync("projects")) == {} and api.problems("projects") == []
    assert api.requests() == 3


def test_a_server_that_still_pages_its_projects_is_read_to_the_end(vendor: MakeVendor) -> None:
    api = vendor("sentry")
    api.server.vendors.sentry.knows_all_projects = False
    for _ in range(2):
        assert errors(api.sync("projects")) == {} and api.problems("projects") == []
        api.server.backend.advance(days=1)
    assert api.requests() > 2 * 3

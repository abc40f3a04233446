"""Buildkite: lists of builds that end in a 400, builds that change after they were finished, and rate limits."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from platform_assets.sandbox.faults import Fault
from tests.platforms.vendors.conftest import MakeVendor, Vendor, errors
from tests.servers.faulty_proxy import unexpected_server
from tests.tiers import one_in, only
from tests.warehouse_rows import query

Record = dict[str, Any]


def builds(api: Vendor) -> list[Record]:
    """All builds, the newest first."""
    found: list[Record] = api.server.backend.tables["ci_analytics"]["builds"]
    return sorted(found, key=lambda one: one["created_at"], reverse=True)


def refusals(api: Vendor) -> int:
    return sum(one["status"] == 400 for one in api.server.requests)


def iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def gather(api: Vendor, place: int, count: int) -> None:
    """Let some builds in the middle be created in one second."""
    chosen = builds(api)[place : place + count]
    second = datetime.fromisoformat(chosen[-1]["created_at"]).replace(microsecond=0)
    for number, one in enumerate(chosen):
        one["created_at"] = iso(second + timedelta(milliseconds=999 - number))


@pytest.mark.parametrize("depth", one_in(3, [120, 500, 1000], slow=1))
def test_the_end_of_a_deep_list_is_met_several_times_in_one_load(depth: int, vendor: MakeVendor) -> None:
    api = vendor("buildkite")
    api.server.vendors.buildkite.builds_depth = depth
    assert errors(api.sync("builds")) == {} and api.problems("builds") == []
    # A page may reach over the depth.
    assert refusals(api) >= 2450 // (depth + 100)


@pytest.mark.parametrize("place", only([199], [150, 170, 199, 200], slow=[150, 170, 200]))
def test_many_builds_in_the_second_of_a_boundary_all_come(place: int, vendor: MakeVendor) -> None:
    api = vendor("buildkite")
    gather(api, place, 60)
    api.server.vendors.buildkite.builds_depth = 200
    assert errors(api.sync("builds")) == {} and api.problems("builds") == []
    assert refusals(api) >= 5


def test_more_builds_in_one_second_than_a_list_reaches_down_to_are_a_clear_error(vendor: MakeVendor) -> None:
    api = vendor("buildkite")
    gather(api, 150, 400)
    api.server.vendors.buildkite.builds_depth = 200
    refused = errors(api.sync("builds"))
    assert "this deep is not supported" in refused["builds"]
    tables = "SELECT count(*) FROM information_schema.tables WHERE table_name = 'builds'"
    assert query(api.file, tables) == [(0,)]


def test_another_400_is_no_deep_list(vendor: MakeVendor) -> None:
    api = vendor("buildkite")
    api.server.faults.append(Fault("/v2/builds.*page=2", 400, times=None, body=b'{"message": "page must be smaller"}'))
    assert "page must be smaller" in errors(api.sync("builds"))["builds"]


@pytest.mark.slow
def test_a_build_that_is_retried_after_it_was_finished_is_followed(vendor: MakeVendor) -> None:
    api = vendor("buildkite")
    api.sync("builds")
    chosen = next(one for one in builds(api)[1000:] if one["state"] == "failed")
    for state in ("running", "passed", "running", "failed"):
        api.server.backend.now += timedelta(hours=3)
        now = iso(api.server.backend.now)
        chosen.update(state=state, finished_at=None if state == "running" else now)
        assert errors(api.sync("builds")) == {} and api.problems("builds") == []
    api.server.backend.now += timedelta(hours=3)
    chosen.update(state="running", finished_at=None)
    api.server.backend.now += timedelta(hours=3)
    chosen.update(state="passed", finished_at=iso(api.server.backend.now))
    assert errors(api.sync("builds")) == {} and api.problems("builds") == []


@pytest.mark.parametrize("state", only(["not_run"], ["skipped", "not_run"], slow=["skipped"]))
def test_a_build_that_ends_without_being_finished_is_followed(state: str, vendor: MakeVendor) -> None:
    """Such states are not in `finished`, and whether they have a `finished_at` is not documented."""
    api = vendor("buildkite")
    api.sync("builds")
    chosen = next(one for one in builds(api)[20:] if one["state"] == "scheduled")
    api.server.backend.now += timedelta(hours=3)
    chosen.update(state=state, finished_at=None)
    api.sync("builds")
    assert query(api.file, f"SELECT state FROM ci_analytics.builds WHERE id = '{chosen['id']}'") == [(state,)]


def test_links_with_a_key_and_another_host_are_neither_asked_nor_kept(vendor: MakeVendor) -> None:
    with unexpected_server() as (stranger, heard):
        api = vendor("buildkite")
        api.server.vendors.buildkite.link_shows_key = True
        link = f'<{stranger}/v2/organizations?page=2&api_key=x>; rel="next"'
        api.server.faults.append(Fault("/v2/organizations$", 500, times=1, headers={"Link": link}))
        assert errors(api.sync()) == {} and api.problems() == []
    assert heard == []
    assert "api_key" not in repr(api.contents_of_own_tables())


@pytest.mark.slow
def test_a_spent_minute_is_waited_for_as_told(vendor: MakeVendor) -> None:
    api = vendor("buildkite")
    options = api.server.vendors.buildkite
    options.user_limit, options.window_seconds = 15, 1
    assert errors(api.sync()) == {} and api.problems() == []
    assert sum(one["status"] == 429 for one in api.server.requests) > 0

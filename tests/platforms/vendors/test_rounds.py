"""Long loads land in rounds: what has landed is not read again, whatever ends the sync."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import duckdb
import pytest

from platform_assets.cli.status import show_status
from platform_assets.sandbox.faults import Fault
from platform_assets.sync import run
from tests.platforms.vendors.conftest import MakeVendor, errors
from tests.tiers import one_in
from tests.warehouse_rows import query

# Contract, resource, and its parent.
LONG_LISTS = [
    ("buildkite", "builds", ()),
    ("sentry", "events", ("projects",)),
    ("sentry", "issues", ("projects",)),
    ("ninjaone", "activities", ()),
    ("pipedrive", "persons", ()),
    ("pipedrive", "deals", ()),
    ("pipedrive", "activities", ()),
]

# Small enough for lists of some rounds.
PAGE_SIZE = {"buildkite": "50", "sentry": "10", "ninjaone": "50", "pipedrive": "50"}


class Killed(BaseException):
    """Ends a sync as a killed process does: nothing after it runs."""


@pytest.fixture
def short_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every round land after four pages of a list, in place of 500."""
    monkeypatch.setattr(run, "PAGES_A_PART", 4)


@pytest.fixture
def kill(monkeypatch: pytest.MonkeyPatch) -> Callable[[int | None], None]:
    """`kill(3)`: the process dies in the third round from now on, after reading. `kill(None)`: it does not."""
    load = run.load

    def kill(number: int | None) -> None:
        rounds = iter(range(1, 10_000))

        def loading(*args: Any) -> Any:
            if next(rounds) == number:
                raise Killed
            return load(*args)

        monkeypatch.setattr(run, "load", loading)

    return kill


@pytest.mark.slow
@pytest.mark.usefixtures("short_rounds")
@pytest.mark.parametrize(("contract", "name", "parents"), one_in(3, LONG_LISTS))
def test_a_load_in_many_rounds_equals_the_source_and_is_done(
    contract: str, name: str, parents: tuple[str, ...], vendor: MakeVendor
) -> None:
    api = vendor(contract, PAGE_SIZE=PAGE_SIZE[contract])
    outcomes = api.sync(name, *parents)
    assert errors(outcomes) == {} and api.problems(name) == []
    (rows,) = query(api.file, f"SELECT count(*) FROM {api.platform}.{name}")[0]
    assert outcomes[name].rows_loaded == outcomes[name].rows_in_table == rows
    rounds = query(api.file, f"SELECT count(*) FROM {api.platform}._sync_log WHERE resource = '{name}'")[0][0]
    assert rounds > 1
    before = api.contents_of(name)
    assert errors(api.sync(name, *parents)) == {}
    assert api.contents_of(name) == before


@pytest.mark.slow
@pytest.mark.usefixtures("short_rounds")
@pytest.mark.parametrize(("contract", "name", "parents"), one_in(8, LONG_LISTS, slow=4))
def test_a_first_load_that_is_killed_goes_on_where_it_was_left(
    contract: str, name: str, parents: tuple[str, ...], vendor: MakeVendor, kill: Callable[[int | None], None]
) -> None:
    api = vendor(contract, PAGE_SIZE=PAGE_SIZE[contract])
    if parents:
        api.sync(*parents)
    kill(2)
    with pytest.raises(Killed):
        api.sync(name)
    landed = query(api.file, f"SELECT count(*) FROM {api.platform}.{name}")[0][0]
    assert landed > 0
    kill(None)
    assert errors(api.sync(name)) == {} and api.problems(name) == []
    assert query(api.file, f"SELECT count(*) FROM {api.platform}.{name}")[0][0] > landed
    state = f"SELECT count(*) FROM {api.platform}._sync_state WHERE unread_before IS NOT NULL"
    assert query(api.file, state) == [(0,)]


@pytest.mark.slow
@pytest.mark.usefixtures("short_rounds")
def test_what_has_landed_is_not_requested_again(vendor: MakeVendor, kill: Callable[[int | None], None]) -> None:
    api = vendor("buildkite", PAGE_SIZE="50")
    kill(8)
    with pytest.raises(Killed):
        api.sync("builds")
    kill(None)
    landed = query(api.file, "SELECT count(*) FROM ci_analytics.builds")[0][0]
    asked = api.requests()
    api.sync("builds")
    # 2,450 builds, 50 a page; the newest ones, two other lists of changes, and the account.
    assert api.requests() - asked <= (2450 - landed) // 50 + 8


@pytest.mark.slow
@pytest.mark.usefixtures("short_rounds")
def test_builds_that_come_and_change_while_a_first_load_is_interrupted_are_seen(
    vendor: MakeVendor, kill: Callable[[int | None], None]
) -> None:
    api = vendor("buildkite", PAGE_SIZE="50")
    for number in (2, 3):
        kill(number)
        with pytest.raises(Killed):
            api.sync("builds")
        api.server.backend.advance(days=1)
    kill(None)
    assert errors(api.sync("builds")) == {} and api.problems("builds") == []


@pytest.mark.slow
@pytest.mark.usefixtures("short_rounds")
def test_a_history_bounded_by_a_start_date_is_read_down_to_it(
    vendor: MakeVendor, kill: Callable[[int | None], None]
) -> None:
    api = vendor("buildkite", PAGE_SIZE="50")
    builds = sorted(one["created_at"] for one in api.server.backend.tables["ci_analytics"]["builds"])
    start = builds[len(builds) // 2]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOURCES__CI_ANALYTICS__START_DATE", start)
        kill(3)
        with pytest.raises(Killed):
            api.sync("builds")
        kill(None)
        assert errors(api.sync("builds")) == {}
    wanted = sum(datetime.fromisoformat(one) >= datetime.fromisoformat(start[:19] + "Z") for one in builds)
    assert query(api.file, "SELECT count(*) FROM ci_analytics.builds") == [(wanted,)]
    assert all("created_from=" in one["query"] for one in api.server.requests if one["path"] == "/v2/builds")


@pytest.mark.slow
@pytest.mark.usefixtures("short_rounds")
def test_a_full_refresh_in_many_rounds_reads_everything_once(vendor: MakeVendor) -> None:
    api = vendor("buildkite", PAGE_SIZE="50")
    api.sync("builds")
    asked = api.requests()
    outcome = api.sync("builds", full_refresh=True)["builds"]
    # The second at a round's edge is read again in the next.
    rounds = 2450 // 200 + 1
    assert 2450 <= outcome.rows_loaded <= 2450 + rounds and api.problems("builds") == []
    assert api.requests() - asked <= 2450 // 50 + rounds + 4


@pytest.mark.usefixtures("short_rounds")
def test_a_contract_without_an_upper_bound_reads_an_interrupted_history_from_its_beginning(
    vendor: MakeVendor, kill: Callable[[int | None], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    api = vendor("buildkite", PAGE_SIZE="50")
    kill(3)
    with pytest.raises(Killed):
        api.sync("builds")
    kill(None)
    monkeypatch.setenv("SOURCES__CI_ANALYTICS__CONTRACT", "reference")
    monkeypatch.setenv("SOURCES__CI_ANALYTICS__BASE_URL", api.server.base_url("ci_analytics"))
    assert errors(api.sync("builds")) == {}
    assert query(api.file, "SELECT count(*) FROM ci_analytics.builds") == [(2450,)]


@pytest.mark.slow
def test_parents_that_a_round_has_no_time_for_are_read_in_the_next(
    vendor: MakeVendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "SECONDS_A_ROUND", 0.0)
    api = vendor("buildkite")
    outcomes = api.sync("organizations", "organizations_pipelines")
    assert errors(outcomes) == {} and api.problems("organizations_pipelines") == []
    assert outcomes["organizations_pipelines"].not_fresh == {}
    assert sum(one.parents for one in outcomes["organizations_pipelines"].partitions.values()) == 6
    rounds = "SELECT reads FROM ci_analytics._sync_log WHERE resource = 'organizations_pipelines'"
    assert query(api.file, rounds) == [(1,)] * 6


@pytest.mark.slow
def test_rows_that_somebody_deleted_come_back_for_every_parent(
    vendor: MakeVendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = vendor("sentry")
    api.sync("projects", "events")
    with duckdb.connect(str(api.file)) as connection:
        connection.execute("DELETE FROM error_tracking.events WHERE project_id IS NOT NULL")
    monkeypatch.setattr(run, "SECONDS_A_ROUND", 0.0)
    assert errors(api.sync("events")) == {} and api.problems("events") == []


@pytest.mark.slow
@pytest.mark.usefixtures("short_rounds")
def test_a_failure_in_a_later_round_keeps_the_earlier_ones(vendor: MakeVendor) -> None:
    api = vendor("buildkite", PAGE_SIZE="50")
    oldest = sorted(one["created_at"] for one in api.server.backend.tables["ci_analytics"]["builds"])[1000]
    api.server.faults.append(Fault(f"created_to={oldest[:7]}", 500, times=None))
    failed = api.sync("builds")["builds"]
    assert "500" in str(failed.error) and 0 < failed.rows_loaded < 2450
    assert failed.rows_in_table == failed.rows_loaded
    api.server.faults.clear()
    assert errors(api.sync("builds")) == {} and api.problems("builds") == []


@pytest.mark.slow
@pytest.mark.usefixtures("short_rounds")
def test_status_says_how_far_an_interrupted_first_read_has_come(
    vendor: MakeVendor, kill: Callable[[int | None], None], capsys: pytest.CaptureFixture[str]
) -> None:
    api = vendor("buildkite", PAGE_SIZE="50")
    kill(3)
    with pytest.raises(Killed):
        api.sync("builds")
    ((unread,),) = query(api.file, "SELECT unread_before FROM ci_analytics._sync_state WHERE resource = 'builds'")
    show_status(["ci_analytics"])
    shown = f"unfinished: ci_analytics/builds: what is older than {unread} is still to be read"
    assert shown in capsys.readouterr().out
    kill(None)
    api.sync("builds")
    show_status(["ci_analytics"])
    assert "unfinished" not in capsys.readouterr().out


def test_status_reads_a_warehouse_of_before_there_were_rounds(
    vendor: MakeVendor, capsys: pytest.CaptureFixture[str]
) -> None:
    api = vendor("buildkite")
    api.sync("organizations")
    with duckdb.connect(str(api.file)) as connection:
        connection.execute("ALTER TABLE ci_analytics._sync_state DROP COLUMN unread_before")
        connection.execute("DROP TABLE ci_analytics._sync_version")
    show_status(["ci_analytics"])
    assert "ci_analytics/organizations" in capsys.readouterr().out
    assert errors(api.sync("organizations")) == {} and api.problems("organizations") == []

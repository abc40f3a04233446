"""A list whose bounds only templates send is read like any filtered list: from the cursor on, in parts, and whole."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from platform_assets.declarations import Incremental, Template
from platform_assets.sync import run
from tests.servers.http_server import Query, Reply
from tests.servers.stub_api import StubApi
from tests.sync.declared import declared, rows, synced, things

TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def days_ago(days: float) -> str:
    return (TODAY - timedelta(days=days)).strftime(FORMAT)


RECORDS = [{"id": number, "at": days_ago(days)} for number, days in enumerate([39, 30, 21, 20, 9, 1, 0])]
QUERY = Template("at>={{ interval.start }} and at<{{ interval.end }}")
WINDOWS = Incremental(
    cursor_path="at",
    start_param="value:start",
    end_param="value:end",
    step=timedelta(days=10),
    initial_value=Template("{{ config.get('since', day_delta(-40, '%Y-%m-%d')) }}"),
)


def bounds_of(query: Query) -> tuple[str, str]:
    start, end = query["q"].split(" and ")
    return start.removeprefix("at>="), end.removeprefix("at<")


def served(records: list[dict[str, Any]]) -> Callable[[Query], Reply]:
    def answer(query: Query) -> Reply:
        start, end = bounds_of(query)
        return Reply({"data": [record for record in records if start <= record["at"] < end]})

    return answer


def test_windows_of_templates_land_in_parts_and_go_on_after_a_failure(
    api: StubApi, warehouse_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "PAGES_A_PART", 2)
    platform = declared(things(incremental=WINDOWS, params={"q": QUERY}))
    whole = served(RECORDS)
    api.routes["/things"] = lambda query: Reply({}, 500) if bounds_of(query)[0] > days_ago(15) else whole(query)
    assert not synced(api, platform)["things"].ok
    assert {row["id"] for row in rows(warehouse_file)} == {r["id"] for r in RECORDS if r["at"] < days_ago(20)}
    assert bounds_of(api.requests_to("/things")[0]) == (days_ago(40), days_ago(30))
    assert all(query.keys() == {"q"} for query in api.requests_to("/things")), "no bound is sent by itself"
    api.routes["/things"] = whole
    api.requests.clear()
    assert synced(api, platform)["things"].ok
    assert len(rows(warehouse_file)) == len(RECORDS)
    assert bounds_of(api.requests_to("/things")[0])[0] == days_ago(20)
    api.requests.clear()
    assert synced(api, platform)["things"].ok
    assert [bounds_of(query)[0] for query in api.requests_to("/things")] == [RECORDS[-1]["at"]]


def test_rows_outside_of_a_templates_bounds_are_not_taken_for_removed(api: StubApi, warehouse_file: Path) -> None:
    incremental = Incremental(
        cursor_path="at", start_param="value:start", end_param="value:end", end_required=True, initial_value="2020"
    )
    platform = declared(things(incremental=incremental, params={"q": QUERY}))
    api.routes["/things"] = served(RECORDS)
    for _ in range(3):
        assert synced(api, platform)["things"].ok
    assert len(rows(warehouse_file)) == len(RECORDS) and not rows(warehouse_file, removed=True)
    assert [bounds_of(query)[0] for query in api.requests_to("/things")] == ["2020", *[RECORDS[-1]["at"]] * 2]


def test_the_setting_start_date_goes_before_a_templates_beginning(api: StubApi, warehouse_file: Path) -> None:
    platform = declared(things(incremental=WINDOWS, params={"q": QUERY}))
    api.routes["/things"] = served(RECORDS)
    start = TODAY - timedelta(days=25)
    assert synced(api, platform, settings={"start_date": start, "configured": {"since": (days_ago(30),)}})["things"].ok
    assert bounds_of(api.requests_to("/things")[0])[0] == days_ago(25)
    assert {row["id"] for row in rows(warehouse_file)} == {2, 3, 4, 5, 6}


def test_a_template_that_fails_loads_nothing_and_names_itself(api: StubApi, warehouse_file: Path) -> None:
    platform = declared(things(params={"q": Template("{{ 1 / (config.n | int) }}")}))
    outcome = synced(api, platform, settings={"configured": {"n": ("0",)}})["things"]
    assert not outcome.ok and "`q` of /things: the template" in str(outcome.error)
    assert not api.requests_to("/things")

"""Reports in a sync: windows, parents and cursors are as for lists, and a cursor moves once rows have landed."""

import gzip
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from platform_assets.declarations import (
    Buckets,
    Csv,
    Endpoint,
    FanOut,
    Gzip,
    Incremental,
    JobRequest,
    Json,
    ReportJob,
    Resolve,
    Resource,
    Template,
)
from tests.servers.http_server import Reply
from tests.servers.report_api import ReportApi, Row
from tests.sync.declared import declared, rows, synced

TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def day(ago: int) -> str:
    return (TODAY - timedelta(days=ago)).strftime("%Y-%m-%d")


# Sales of each shop, on days of two windows, and of today.
SALES: list[Row] = [
    {"id": f"{shop}-{ago}", "shop": shop, "at": day(ago)} for shop in ("north", "south") for ago in (35, 20, 3, 0)
]
ID = {"id": Template("{{ creation_response.id }}")}
JOB = ReportJob(
    poll=JobRequest(path="/reports/{id}", params=ID),
    status="report.status",
    completed=("DONE",),
    running=("RUNNING",),
    failed=("FATAL",),
    targets="report.url",
    delete=JobRequest(path="/reports/{id}", params=ID, method="DELETE"),
    tries=1,
)


def wanted(asked: Row) -> list[Row]:
    return [
        one
        for one in SALES
        if asked["from"] <= one["at"] <= asked["to"] and asked.get("shop", one["shop"]) == one["shop"]
    ]


def written(found: list[Row]) -> Reply:
    lines = ["id,shop,at", *(f"{one['id']},{one['shop']},{one['at']}" for one in found)]
    return Reply(gzip.compress("\n".join(lines).encode()))


@pytest.fixture
def api() -> Iterator[ReportApi]:
    with ReportApi(wanted, written) as found:
        yield found


def sales(**body: Any) -> Resource:
    incremental = Incremental(
        cursor_path="at",
        start_param="body:from",
        end_param="body:to",
        format="%Y-%m-%d",
        initial_value=day(40),
        step=timedelta(days=15),
        granularity=timedelta(days=1),
    )
    endpoint = Endpoint(
        path="/reports",
        method="POST",
        json={"kind": "sales", **body},
        job=JOB,
        response_format=Gzip(of=Csv()),
        incremental=incremental,
    )
    columns = {"id": "text", "shop": "text", "at": "timestamp"}
    return Resource(name="sales", description="Sales.", endpoint=endpoint, columns=columns)


def ids(file: Path) -> list[str]:
    return sorted(one["id"] for one in rows(file, "sales"))


def test_each_window_is_a_job_and_the_next_sync_begins_at_the_cursor(api: ReportApi, warehouse_file: Path) -> None:
    platform = declared(sales())
    assert synced(api, platform)["sales"].ok
    assert ids(warehouse_file) == sorted(one["id"] for one in SALES)
    asked = [(one.asked["from"], one.asked["to"]) for one in api.jobs]
    assert asked == [(day(40), day(26)), (day(25), day(11)), (day(10), day(0))]
    assert all(one.ended_by == ["delete"] for one in api.jobs)
    assert synced(api, platform)["sales"].ok
    assert [one.asked["from"] for one in api.jobs[3:]] == [day(0)]
    assert ids(warehouse_file) == sorted(one["id"] for one in SALES)


def test_a_crash_between_creation_and_download_costs_no_row(api: ReportApi, warehouse_file: Path) -> None:
    platform = declared(sales())
    api.written = lambda found: Reply(b"", 500)
    outcome = synced(api, platform)["sales"]
    assert not outcome.ok and "file 1 of the report" in str(outcome)
    assert len(api.jobs) == 1
    api.written = written
    assert synced(api, platform)["sales"].ok
    # The same window again: the cursor has not moved.
    assert api.jobs[1].asked == api.jobs[0].asked
    assert ids(warehouse_file) == sorted(one["id"] for one in SALES)


def test_a_failed_window_keeps_its_rows_for_the_next_sync(api: ReportApi, warehouse_file: Path) -> None:
    platform = declared(sales())
    api.histories = [["DONE"], ["FATAL"]]
    outcome = synced(api, platform)["sales"]
    assert not outcome.ok and "its status is 'FATAL'" in str(outcome)
    assert synced(api, platform)["sales"].ok
    assert ids(warehouse_file) == sorted(one["id"] for one in SALES)


def test_each_parent_has_reports_and_a_cursor_of_its_own(api: ReportApi, warehouse_file: Path) -> None:
    shops = Resource(
        name="shops",
        description="Shops.",
        endpoint=Endpoint(path="/shops", data_selector=""),
        columns={"id": "text"},
    )
    usual = api.answer
    api.answer = lambda request: (
        Reply([{"id": "north"}, {"id": "south"}]) if request.path == "/shops" else usual(request)
    )
    child = replace(sales(shop=Resolve(resource="shops", field="id")), partition=Buckets(count=2), primary_key="id")
    platform = declared(shops, child)
    usual_file = api.file

    def file(number: int) -> Reply:
        asked = api.jobs[number].asked
        return Reply(b"", 500) if (asked["shop"], asked["to"]) == ("south", day(0)) else usual_file(number)

    # The last window of one shop fails; the other one's rows do not suffer.
    api.file = file
    assert synced(api, platform, "shops")["shops"].ok
    assert not synced(api, platform, "sales")["sales"].ok
    assert {one for one in ids(warehouse_file) if one.startswith("north")} == {f"north-{ago}" for ago in (35, 20, 3, 0)}
    api.file = usual_file
    before = len(api.jobs)
    assert synced(api, platform, "sales")["sales"].ok
    assert ids(warehouse_file) == sorted(one["id"] for one in SALES)
    assert next((one.asked["shop"], one.asked["from"]) for one in api.jobs[before:]) == ("south", day(40))


def test_a_report_that_is_read_in_full_removes_only_what_a_report_shows_to_be_gone(
    api: ReportApi, warehouse_file: Path
) -> None:
    endpoint = Endpoint(
        path="/reports",
        method="POST",
        job=replace(JOB, skipped=("NOTHING",)),
        response_format=Json(),
        json={"shop": FanOut(("north", "south"))},
    )
    sold = Resource(name="sales", description="Sales.", endpoint=endpoint, columns={"id": "text"})
    platform = declared(sold)
    # One row of many is not so much that its loss would be suspicious.
    found = [*SALES[:-3], *({"id": f"north-{number}", "shop": "north"} for number in range(100, 130))]
    api.rows = lambda asked: [one for one in found if one["shop"] == asked["shop"]]
    api.written = Reply
    assert synced(api, platform)["sales"].ok
    for _ in range(2):
        # Also where what is missing is looked for once more.
        api.histories = [["DONE"], ["NOTHING"]] * 4
        assert synced(api, platform)["sales"].ok
    assert len(ids(warehouse_file)) == len(found)
    found.pop(0)
    api.histories = []
    for _ in range(2):
        assert synced(api, platform)["sales"].ok
    assert ids(warehouse_file) == sorted(one["id"] for one in found)

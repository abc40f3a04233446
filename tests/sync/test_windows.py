"""A list that is read in windows of time: every row comes, whatever a window's end means, and wherever a read ends."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from platform_assets.declarations import Endpoint, FanOut, Incremental, RecordShape, Template
from platform_assets.declarations.time_format import format_moment, format_problem, parse_moment, resolution
from platform_assets.extraction.windows import Window, rest_after, windows
from platform_assets.sync import run
from tests.servers.http_server import Query, Reply
from tests.servers.stub_api import StubApi
from tests.sync.declared import declared, rows, synced, things

TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def days_ago(days: float) -> str:
    return (TODAY - timedelta(days=days)).strftime(FORMAT)


def incremental(**changes: Any) -> Incremental:
    given: dict[str, Any] = {
        "cursor_path": "at",
        "start_param": "since",
        "end_param": "until",
        "initial_value": days_ago(40),
        "step": timedelta(days=10),
    }
    return Incremental(**{**given, **changes})


# A row on every edge of a window, just before and just after it, and one today.
RECORDS = [
    {"id": number, "at": days_ago(days)}
    for number, days in enumerate([40, 35, 30.00001, 30, 29.99999, 20, 10.0001, 10, 5, 0])
]


def served(records: list[dict[str, Any]], *, inclusive: bool = False) -> Callable[[Query], Reply]:
    """Rows from `since` on, to `until`; both as ISO 8601."""

    def answer(query: Query) -> Reply:
        start, end = query["since"], query["until"]
        return Reply(
            {"data": [r for r in records if start <= r["at"] and (r["at"] < end or (inclusive and r["at"] == end))]}
        )

    return answer


@pytest.fixture
def short_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A round lands after two windows."""
    monkeypatch.setattr(run, "PAGES_A_PART", 2)


@pytest.mark.parametrize(
    ("inclusive", "granularity"),
    [(False, timedelta(0)), pytest.param(True, timedelta(0), marks=pytest.mark.slow), (True, timedelta(seconds=1))],
)
def test_every_row_comes_in_windows_and_later_reads_begin_at_the_cursor(
    inclusive: bool, granularity: timedelta, api: StubApi, warehouse_file: Path
) -> None:
    platform = declared(things(incremental=incremental(granularity=granularity)))
    api.routes["/things"] = served(RECORDS, inclusive=inclusive)
    assert synced(api, platform)["things"].ok
    assert len(rows(warehouse_file)) == len(RECORDS)
    sent = api.requests_to("/things")
    assert [query["since"] for query in sent[:4]] == [days_ago(days) for days in (40, 30, 20, 10)]
    ends = [datetime.strptime(query["until"], FORMAT).replace(tzinfo=UTC) + granularity for query in sent[:4]]
    assert [end.strftime(FORMAT) for end in ends] == [*(days_ago(days) for days in (30, 20, 10)), days_ago(0)]
    count = len(sent)
    synced(api, platform)
    assert [query["since"] for query in api.requests_to("/things")[count:]] == [RECORDS[-1]["at"]]


@pytest.mark.usefixtures("short_rounds")
@pytest.mark.parametrize(
    "lag", [pytest.param(timedelta(0), marks=pytest.mark.slow), timedelta(days=1), timedelta(days=45)]
)
def test_a_long_history_lands_in_parts_and_a_failure_costs_only_what_has_not_landed(
    lag: timedelta, api: StubApi, warehouse_file: Path
) -> None:
    platform = declared(things(incremental=incremental(lag=lag)))
    whole = served(RECORDS)

    def breaks_late(query: Query) -> Reply:
        return Reply({}, 500) if query["since"] > days_ago(15) else whole(query)

    api.routes["/things"] = breaks_late
    failed = synced(api, platform)["things"]
    assert not failed.ok
    if lag.days < 20:
        assert {row["id"] for row in rows(warehouse_file)} == {r["id"] for r in RECORDS if r["at"] < days_ago(20)}
    else:
        # A part that the look-back would begin again is no part.
        assert failed.rows_loaded == 0 and failed.created is False
    api.routes["/things"] = whole
    api.requests.clear()
    assert synced(api, platform)["things"].ok
    assert len(rows(warehouse_file)) == len(RECORDS)
    first = api.requests_to("/things")[0]["since"]
    assert first == (days_ago(40) if lag.days > 20 else days_ago(20 + lag.days))


@pytest.mark.slow
@pytest.mark.usefixtures("short_rounds")
def test_empty_windows_are_passed(api: StubApi, warehouse_file: Path) -> None:
    platform = declared(things(incremental=incremental(initial_value=days_ago(200))))
    api.routes["/things"] = served(RECORDS[-2:])
    assert synced(api, platform)["things"].ok
    assert len(rows(warehouse_file)) == 2 and len(api.requests_to("/things")) in range(21, 24)


@pytest.mark.usefixtures("short_rounds")
def test_a_full_refresh_in_rounds_reads_the_whole_history_again(api: StubApi, warehouse_file: Path) -> None:
    platform = declared(things(incremental=incremental()))
    api.routes["/things"] = served(RECORDS)
    synced(api, platform)
    api.routes["/things"] = served([{**record, "name": "new"} for record in RECORDS])
    assert synced(api, platform, full_refresh=True)["things"].ok
    assert all(row["name"] == "new" for row in rows(warehouse_file))


@pytest.mark.usefixtures("short_rounds")
def test_windows_of_several_values(api: StubApi, warehouse_file: Path) -> None:
    shape = RecordShape(added={"kind": Template("{{ parent.kind }}"), "asked": Template("{{ interval.start }}")})
    platform = declared(things(incremental=incremental(), params={"kind": FanOut(("a", "b"))}, record=shape))
    both = {"a": served(RECORDS[::2]), "b": served(RECORDS[1::2])}
    api.routes["/things"] = lambda query: both[query["kind"]](query)
    assert synced(api, platform)["things"].ok
    found = rows(warehouse_file)
    assert {row["id"]: row["kind"] for row in found} == {n: "ab"[n % 2] for n in range(len(RECORDS))}
    assert found[0]["asked"] == days_ago(40)


def test_a_row_that_comes_while_windows_are_read_is_not_passed_over(api: StubApi, warehouse_file: Path) -> None:
    """It is behind the newest cursor, but after the read of its window: the look-back has it."""
    platform = declared(things(incremental=incremental(lag=timedelta(days=40))))
    served_now = [*RECORDS]

    def adds_behind(query: Query) -> Reply:
        found = served(served_now)(query)
        if query["since"] == days_ago(30) and len(served_now) == len(RECORDS):
            served_now.append({"id": 99, "at": days_ago(33)})
        return found

    api.routes["/things"] = adds_behind
    synced(api, platform)
    synced(api, platform)
    assert 99 in {row["id"] for row in rows(warehouse_file)}


@pytest.mark.parametrize(
    ("format", "expected"),
    [
        ("%s", "1767323045"),
        ("%s_as_float", "1767323045.0"),
        ("%ms", "1767323045678"),
        ("%epoch_microseconds", "1767323045678901"),
        ("%Y-%m-%d", "2026-01-02"),
        ("%Y-%m-%dT%H:%M:%S.%_ms%:z", "2026-01-02T03:04:05.678+00:00"),
        ("%Y-%m-%dT%H:%M:%S.%f%z", "2026-01-02T03:04:05.678901+0000"),
        ("%d/%m/%Y %H:%M", "02/01/2026 03:04"),
        ("%a, %d %b %Y %H:%M:%S GMT", "Fri, 02 Jan 2026 03:04:05 GMT"),
    ],
)
def test_formats_are_cut_off_and_read_back(format: str, expected: str) -> None:
    moment = datetime(2026, 1, 2, 4, 4, 5, 678901, tzinfo=UTC) - timedelta(hours=1)
    assert format_problem(format) is None
    assert format_moment(moment, format) == expected
    again = parse_moment(expected, format)
    assert timedelta(0) <= moment - again < resolution(format)
    assert format_moment(datetime(999, 1, 2, tzinfo=UTC), "%Y") == "0999"


@pytest.mark.parametrize("format", ["now", "%s seconds", "%Q", "%Y %ms", ""])
def test_formats_that_say_no_time(format: str) -> None:
    assert format_problem(format) is not None


def test_windows_of_days_share_their_edges_and_reach_to_now() -> None:
    endpoint = Endpoint(
        path="/x", incremental=incremental(format="%Y-%m-%d", initial_value="2026-01-01", step=timedelta(days=2))
    )
    now = datetime(2026, 1, 4, 15, tzinfo=UTC)
    found = [one for one in windows(endpoint, None, now, "2026-01-01") if one is not None]
    assert [(one.start.day, one.end.day, one.is_last) for one in found] == [(1, 3, False), (3, 5, True)]
    assert rest_after(endpoint, found[1]) is None
    left = rest_after(endpoint, found[0])
    assert left is not None and left.cursor == found[0].end and left.params == {"since": "2026-01-03"}
    ahead = [one for one in windows(endpoint, now + timedelta(days=9), now, None) if one is not None]
    assert len(ahead) == 1 and ahead[0].is_last
    beyond = Window(found[0].first, found[0].start, datetime(2026, 2, 1, tzinfo=UTC), now, is_last=False)
    assert (rest_after(endpoint, beyond) or pytest.fail("nothing left")).cursor == now


def test_windows_of_one_day_begin_and_end_on_it(api: StubApi, warehouse_file: Path) -> None:
    """A server of whole days, which is asked from a day to the same day, and refuses an end before its start."""
    days = [(TODAY - timedelta(days=number)).strftime("%Y-%m-%d") for number in (6, 5, 3, 1, 0)]
    records = [{"id": number, "at": f"{day}T00:00:00Z"} for number, day in enumerate(days)]

    def answer(query: Query) -> Reply:
        start, end = query["since"], query["until"]
        if start > end:
            return Reply({"error": "the end is before the start"}, 400)
        return Reply({"data": [record for record in records if start <= str(record["at"])[:10] <= end]})

    day = timedelta(days=1)
    daily = incremental(format="%Y-%m-%d", initial_value=days[0], step=day, granularity=day)
    api.routes["/things"] = answer
    assert synced(api, declared(things(incremental=daily)))["things"].ok
    assert len(rows(warehouse_file)) == len(records)
    sent = api.requests_to("/things")
    assert [query["since"] for query in sent][:6] == [
        (TODAY - timedelta(days=n)).strftime("%Y-%m-%d") for n in range(6, 0, -1)
    ]
    assert all(query["since"] == query["until"] for query in sent[:6])


def test_a_last_window_shorter_than_the_granularity_does_not_end_before_it_begins(
    api: StubApi, warehouse_file: Path
) -> None:
    coarse = incremental(initial_value=days_ago(40.5), granularity=timedelta(days=2))
    api.routes["/things"] = served(RECORDS, inclusive=True)
    assert synced(api, declared(things(incremental=coarse)))["things"].ok
    assert all(query["since"] <= query["until"] for query in api.requests_to("/things"))


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"end_param": None}, "needs `start_param` and `end_param`"),
        ({"initial_value": None}, "needs an `initial_value`"),
        ({"initial_value": "2026"}, "is not of the `format`"),
        ({"format": "%Y-%m-%d", "initial_value": "2026-01-01", "step": timedelta(hours=1)}, "can say"),
        ({"step": timedelta(0)}, "can say"),
        ({"granularity": timedelta(days=11)}, "`granularity` must be at most"),
        ({"row_order": "asc"}, "both say in which parts"),
        ({"end_required": True}, "both say in which parts"),
        ({"step": None, "granularity": timedelta(seconds=1)}, "does nothing without `step`"),
        ({"format": "%Y %Q"}, "`%Q`"),
    ],
)
def test_windows_that_cannot_work_are_refused(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(Exception, match=text.replace("`", ".")):
        declared(things(incremental=incremental(**changes)))

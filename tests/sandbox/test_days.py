"""The sandbox's records end at the day it is told: moved with it, in order within a record, and grown day by day."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from platform_assets.sandbox import FakeBackend, SandboxServer, expected_rows
from platform_assets.sandbox.backend import START
from tests.tiers import only

DAY = datetime(2027, 3, 2, tzinfo=UTC)
# What is planned, or ends a span that may be in the future.
PLANS = {"due_date", "expected_close_date"}
# Of one record, the first is never after the second.
ORDERED = (
    ("created_at", "started_at"),
    ("started_at", "finished_at"),
    ("created_at", "archived_at"),
    ("add_time", "update_time"),
    ("add_time", "won_time"),
    ("created", "updated"),
    ("createdOn", "updatedOn"),
    ("dateCreated", "firstEvent"),
    ("firstSeen", "lastSeen"),
)
Found = tuple[str, str, dict[str, Any]]


def records(backend: FakeBackend) -> Iterator[Found]:
    for platform, tables in expected_rows(backend).items():
        for resource, rows in tables.items():
            for row in rows:
                yield platform, resource, row


def moment(value: object) -> datetime | None:
    """A time as the APIs write it; None for any other value."""
    if not isinstance(value, str) or not value[:4].isdigit() or len(value) < 10:
        return None
    try:
        found = datetime.fromisoformat(value.replace(" UTC", "Z"))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


@pytest.mark.parametrize("days", only([1], [0, 1, 40], slow=[0, 40]))
def test_nothing_is_after_now_and_times_of_a_record_are_in_order(days: int) -> None:
    backend = FakeBackend(now=DAY)
    backend.catch_up(DAY + timedelta(days=days, hours=5))
    assert backend.now == DAY + timedelta(days=days)
    times = 0
    for platform, resource, row in records(backend):
        found = {name: at for name, value in row.items() if name not in PLANS and (at := moment(value))}
        times += len(found)
        late = {name: at for name, at in found.items() if at > backend.now}
        assert not late, (platform, resource, late)
        for first, second in ORDERED:
            if first in found and second in found:
                # Some are written in whole seconds, others not.
                assert found[first] <= found[second] + timedelta(seconds=1), (platform, resource, first, row)
    assert times > 10_000


def test_another_day_moves_all_times_and_nothing_else() -> None:
    span = DAY - START
    now_and_then = zip(records(FakeBackend(now=DAY)), records(FakeBackend()), strict=True)
    for (platform, resource, moved), (*_, fixed) in now_and_then:
        assert moved.keys() == fixed.keys()
        for name, value in moved.items():
            at = moment(value)
            if at is None or value == fixed[name]:
                assert value == fixed[name] or name in ("tags", "duration"), (platform, resource, name)
            else:
                assert at - span == moment(fixed[name]), (platform, resource, name)


def test_newest_records_are_of_the_last_day() -> None:
    backend = FakeBackend(now=DAY)
    builds = backend.tables["ci_analytics"]["builds"]
    assert DAY - timedelta(days=1) < max(at for one in builds if (at := moment(one["created_at"]))) <= DAY


def test_processes_that_began_on_one_day_agree_on_a_later_one() -> None:
    at_once, daily = FakeBackend(now=DAY), FakeBackend(now=DAY)
    at_once.catch_up(DAY + timedelta(days=5))
    for hours in range(0, 121, 7):
        daily.catch_up(DAY + timedelta(hours=hours))
    daily.catch_up(DAY + timedelta(days=5))
    assert expected_rows(at_once) == expected_rows(daily)


def test_a_day_later_old_builds_are_the_same_and_new_ones_follow() -> None:
    backend = FakeBackend(now=DAY)
    before = {one["id"]: one for one in expected_rows(backend)["ci_analytics"]["builds"]}
    backend.catch_up(DAY + timedelta(days=1))
    after = {one["id"]: one for one in expected_rows(backend)["ci_analytics"]["builds"]}
    assert before.keys() < after.keys()
    assert all(after[key]["created_at"] == one["created_at"] for key, one in before.items())
    finished = [key for key, one in before.items() if one["finished_at"]]
    assert all(after[key] == before[key] for key in finished)


def test_a_server_with_a_clock_adds_days_as_they_pass() -> None:
    time = [DAY + timedelta(hours=3)]
    with SandboxServer(FakeBackend(now=DAY), clock=lambda: time[0]) as server:
        assert requests.get(f"{server.url}/_sandbox/health").json()["now"] == DAY.isoformat()
        time[0] += timedelta(days=2)
        assert requests.get(f"{server.url}/_sandbox/health").json()["now"] == (DAY + timedelta(days=2)).isoformat()
        time[0] -= timedelta(days=9)
        assert requests.get(f"{server.url}/_sandbox/health").json()["now"] == (DAY + timedelta(days=2)).isoformat()

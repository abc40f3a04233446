"""The marts by day equal the records after every step of a history, built again and again over what they held."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from platform_assets.sandbox import FakeBackend, SandboxServer, expected_rows
from tests.conftest import Sync
from tests.dbt.building import build
from tests.settings import PointAt
from tests.warehouse_rows import query

Record = dict[str, Any]

TIMES = {
    ("ci_analytics", "builds"): "created_at",
    ("error_tracking", "events"): "dateCreated",
    ("device_management", "activities"): "activityTime",
}
MARTS = ["ci_analytics_build_outcomes_daily", "error_tracking_events_daily", "device_management_activity_daily"]


def day(text: str) -> str:
    moment = datetime.fromisoformat(text.replace(" UTC", "Z"))
    return moment.astimezone(UTC).date().isoformat()


def records_of(world: FakeBackend, platform: str, resource: str) -> list[Record]:
    found = world.tables[platform][resource]
    return found if isinstance(found, list) else [record for group in found.values() for record in group]


def moved(text: str, days: int) -> str:
    """The same moment of another day, written as it was."""
    before = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return text.replace(text[:10], (before + timedelta(days=days)).date().isoformat(), 1)


def alone_on_its_day(world: FakeBackend, platform: str, resource: str) -> Record:
    """A record that is the only one of its day, so that no row is left there when it moves."""
    field = TIMES[platform, resource]
    records = records_of(world, platform, resource)
    (lonely, *_) = records
    lonely[field] = moved(lonely[field], -4000)
    return lonely


def check(warehouse: Path, world: FakeBackend) -> None:
    tables = expected_rows(world)
    builds: Counter[tuple[str, str]] = Counter()
    passed: Counter[tuple[str, str]] = Counter()
    for one in tables["ci_analytics"]["builds"]:
        key = (one["pipeline"]["id"], day(one["created_at"]))
        builds[key] += 1
        passed[key] += one["state"] == "passed"
    sql = "SELECT pipeline_id, CAST(build_date AS text), builds, passed FROM marts.ci_analytics_build_outcomes_daily"
    assert {row[:2]: row[2:] for row in query(warehouse, sql)} == {key: (builds[key], passed[key]) for key in builds}

    events: Counter[tuple[str, str, str, str]] = Counter()
    for one in tables["error_tracking"]["events"]:
        release = max((tag["value"] for tag in one["tags"] or [] if tag["key"] == "release"), default="")
        events[str(one["projectID"]), one.get("groupID") or "", release, day(one["dateCreated"])] += 1
    sql = (
        "SELECT project_id, issue_id, release, CAST(event_date AS text), events FROM marts.error_tracking_events_daily"
    )
    assert {row[:4]: row[4] for row in query(warehouse, sql)} == events

    activities: Counter[tuple[str, str]] = Counter()
    for one in tables["device_management"]["activities"]:
        activities[day(one["activityTime"]), one["activityType"] or ""] += 1
    sql = "SELECT CAST(activity_date AS text), activity_type, activities FROM marts.device_management_activity_daily"
    assert {row[:2]: row[2] for row in query(warehouse, sql)} == activities


@pytest.mark.slow
def test_a_day_whose_rows_all_moved_away_is_gone(
    point_at: PointAt, sync_platform: Sync, warehouse_file: Path, tmp_path: Path
) -> None:
    """Rows change their day, arrive late, and change in place, on days of their own and on full ones."""
    chance = random.Random(1)
    with SandboxServer() as server:
        point_at(server)
        lonely = {key: alone_on_its_day(server.backend, *key) for key in TIMES}

        def step() -> None:
            for platform, resource in TIMES:
                parents = ["projects"] if platform == "error_tracking" else []
                outcomes = sync_platform(platform, [*parents, resource], full_refresh=True)
                assert all(outcome.ok for outcome in outcomes.values())
            chosen = ["--indirect-selection", "cautious", "--select", *(f"+{mart}" for mart in MARTS)]
            statuses = build(warehouse_file, tmp_path / "target", *chosen)
            assert set(statuses.values()) <= {"success", "pass", "warn"}
            check(warehouse_file, server.backend)

        step()
        with server.backend.lock:
            for (platform, resource), record in lonely.items():
                record[TIMES[platform, resource]] = moved(record[TIMES[platform, resource]], 1)
        step()
        with server.backend.lock:
            for platform, resource in TIMES:
                field = TIMES[platform, resource]
                records = records_of(server.backend, platform, resource)
                for record in chance.sample(records, len(records) // 5):
                    record[field] = moved(record[field], chance.choice([-400, -1, 1]))
            for record in chance.sample(records_of(server.backend, "ci_analytics", "builds"), 20):
                record["state"] = "passed"
        step()

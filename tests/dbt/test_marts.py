"""The marts' numbers equal what plain Python finds in the records that the sandbox serves."""

import json
import shutil
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from platform_assets.reporting.page import report
from platform_assets.sandbox import SandboxServer, expected_rows
from tests.dbt.building import build, load_everything
from tests.dbt.test_staging import Records, check_columns_and_rows
from tests.settings import sandbox_settings
from tests.warehouse_rows import query

# Two builds of everything. That all models build: test_staging.py and orchestration/test_runs.py.
pytestmark = pytest.mark.slow

NEVER = datetime(1970, 1, 1, tzinfo=UTC)
FIRST = "first.duckdb"


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Records]:
    """A warehouse with everything loaded and modelled, and again a day and a half later; the records served then.

    So the marts are built over what an earlier build has left.
    """
    folder = tmp_path_factory.mktemp("marts")
    warehouse_file = folder / "warehouse.duckdb"
    with pytest.MonkeyPatch.context() as patch, SandboxServer() as server:
        patch.setenv("DESTINATION__DUCKDB__CREDENTIALS", str(warehouse_file))
        for name, value in sandbox_settings(server).items():
            patch.setenv(name, value)
        load_everything()
        statuses = build(warehouse_file, folder / "target")
        shutil.copy(warehouse_file, folder / FIRST)
        (folder / "first.json").write_text(json.dumps([statuses, expected_rows(server.backend)]))
        server.backend.advance(hours=36)
        load_everything()
        build(warehouse_file, folder / "target")
        records = expected_rows(server.backend)
        asked = Counter(request["platform"] for request in server.requests)
    (folder / "requests.json").write_text(json.dumps(asked))
    return warehouse_file, records


def moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    found = datetime.fromisoformat(text.replace(" UTC", "Z"))
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def day(text: str) -> str:
    found = moment(text)
    assert found is not None
    return found.astimezone(UTC).date().isoformat()


def test_all_models_build_and_their_columns_are_the_described_ones(loaded: tuple[Path, Records]) -> None:
    """Those of the first build; test_staging.py has those of an empty world and of a tiny one."""
    folder = loaded[0].parent
    statuses, expected = json.loads((folder / "first.json").read_text())
    assert set(statuses.values()) <= {"success", "pass"}
    check_columns_and_rows(folder / FIRST, expected)


def test_every_chart_of_the_report_has_rows(loaded: tuple[Path, Records], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESTINATION__DUCKDB__CREDENTIALS", str(loaded[0]))
    of_the_records = report(datetime(2026, 1, 15, 12, tzinfo=UTC))
    assert 'class="empty"' not in of_the_records.split("<section data-platform=", 1)[1]


def test_build_outcomes(loaded: tuple[Path, Records]) -> None:
    file, records = loaded
    groups: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for one in records["ci_analytics"]["builds"]:
        groups[one["pipeline"]["id"], day(one["created_at"])].append(one)
    expected = {}
    for key, builds in groups.items():
        states = Counter(one["state"] for one in builds)
        durations = [
            int(finished.timestamp()) - int(started.timestamp())
            for one in builds
            if (started := moment(one["started_at"])) and (finished := moment(one["finished_at"]))
        ]
        decided = states["passed"] + states["failed"]
        rate = states["passed"] / decided if decided else None
        expected[key] = (
            len(builds),
            states["passed"],
            states["failed"],
            rate,
            median(durations) if durations else None,
        )
    found = query(
        file,
        "SELECT pipeline_id, CAST(build_date AS text), builds, passed, failed, success_rate, p50_duration_seconds"
        " FROM marts.ci_analytics_build_outcomes_daily",
    )
    assert len(found) == len(expected)
    for pipeline, built, *numbers, rate, seconds in found:
        *counts, wanted_rate, wanted_seconds = expected[pipeline, built]
        assert numbers == counts
        assert rate == pytest.approx(wanted_rate)
        # Each end of a build may be rounded to a second.
        assert seconds == (None if wanted_seconds is None else pytest.approx(wanted_seconds, abs=1))


def test_recoveries_and_flaky_commits(loaded: tuple[Path, Records]) -> None:
    file, records = loaded
    decided = [b for b in records["ci_analytics"]["builds"] if b["state"] in ("passed", "failed")]
    branches: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    commits: dict[tuple[str, str], set[str]] = defaultdict(set)
    for one in decided:
        commits[one["pipeline"]["id"], one["commit"]].add(one["state"])
        if one["finished_at"]:
            branches[one["pipeline"]["id"], one["branch"]].append(one)
    broken: dict[str, str | None] = {}
    for builds in branches.values():
        builds.sort(key=lambda one: (moment(one["finished_at"]), one["id"]))
        before = "passed"
        for number, one in enumerate(builds):
            if one["state"] == "failed" and before == "passed":
                fixes = (b["finished_at"] for b in builds[number:] if b["state"] == "passed")
                broken[one["id"]] = next(fixes, None)
            before = one["state"]
    found = query(file, "SELECT broken_by_build_id, recovered_at FROM marts.ci_analytics_recoveries")
    assert dict(found) == {build_id: moment(recovered) for build_id, recovered in broken.items()}
    flaky: Counter[str] = Counter()
    for (pipeline, _), states in commits.items():
        flaky[pipeline] += len(states) == 2
    found = query(file, "SELECT pipeline_id, flaky_commits FROM marts.ci_analytics_flaky_pipelines")
    assert dict(found) == dict(flaky)


def test_projects_overview(loaded: tuple[Path, Records]) -> None:
    file, records = loaded
    tests, runs, stale = Counter(), Counter(), Counter()
    for one in records["load_testing"]["tests"]:
        tests[one["project_id"]] += 1
        runs[one["project_id"]] += len(one["test_run_ids"] or [])
        changed = moment(one["updated"])
        stale[one["project_id"]] += changed is not None and changed < datetime.now(UTC) - timedelta(days=90)
    found = query(file, "SELECT project_id, tests, runs, stale_tests FROM marts.load_testing_projects_overview")
    ids = [one["id"] for one in records["load_testing"]["projects"]]
    assert {row[0]: row[1:] for row in found} == {id: (tests[id], runs[id], stale[id]) for id in ids}


def test_events_and_releases(loaded: tuple[Path, Records]) -> None:
    file, records = loaded
    events: Counter[tuple[str, str, str, str]] = Counter()
    for one in records["error_tracking"]["events"]:
        release = max((tag["value"] for tag in one["tags"] or [] if tag["key"] == "release"), default="")
        events[str(one["projectID"]), one.get("groupID") or "", release, day(one["dateCreated"])] += 1
    found = query(
        file,
        "SELECT project_id, issue_id, release, CAST(event_date AS text), events FROM marts.error_tracking_events_daily",
    )
    assert {row[:4]: row[4] for row in found} == dict(events)
    releases: Counter[tuple[str, str]] = Counter()
    for (project, _, release, _), count in events.items():
        if release:
            releases[project, release] += count
    found = query(file, "SELECT project_id, release, events FROM marts.error_tracking_release_health")
    assert {row[:2]: row[2] for row in found} == dict(releases)


def test_new_and_regressed_issues(loaded: tuple[Path, Records]) -> None:
    file, records = loaded
    days: dict[tuple[str, str], set[str]] = defaultdict(set)
    for event in records["error_tracking"]["events"]:
        if event["groupID"]:
            days[event["projectID"], event["groupID"]].add(day(event["dateCreated"]))
    expected: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for (project, _), found_days in days.items():
        previous = None
        for one in sorted(found_days):
            counts = expected[project, one]
            counts[0] += 1
            counts[1] += previous is None
            counts[2] += previous is not None and (date.fromisoformat(one) - date.fromisoformat(previous)).days >= 7
            previous = one
    found = query(
        file,
        "SELECT project_id, CAST(event_date AS text), active_issues, new_issues, regressed_issues"
        " FROM marts.error_tracking_issues_daily",
    )
    assert {row[:2]: list(row[2:]) for row in found} == expected


def test_resolutions(loaded: tuple[Path, Records]) -> None:
    file, records = loaded
    groups: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for issue in records["error_tracking"]["issues"]:
        groups[issue["project"]["id"], issue["level"]].append(issue)
    found = query(
        file,
        "SELECT project_id, level, issues, resolved_issues, p50_seconds_to_resolve"
        " FROM marts.error_tracking_resolutions",
    )
    assert {row[:2] for row in found} == groups.keys()
    for project, level, issues, resolved, middle in found:
        group = groups[project, level]
        lives = [
            (moment(i["lastSeen"]) or NEVER).timestamp() // 1 - (moment(i["firstSeen"]) or NEVER).timestamp() // 1
            for i in group
            if i["status"] == "resolved"
        ]
        assert (issues, resolved) == (len(group), len(lives))
        assert middle == (pytest.approx(median(lives), abs=1.5) if lives else None)


def test_device_management(loaded: tuple[Path, Records]) -> None:
    file, records = loaded
    tables = records["device_management"]
    locations = Counter(one["organizationId"] for one in tables["locations"])
    found = query(file, "SELECT organization_id, locations FROM marts.device_management_estate")
    assert dict(found) == {one["id"]: locations[one["id"]] for one in tables["organizations"]}
    days, failed = Counter(), Counter()
    for one in tables["activities"]:
        key = (day(one["activityTime"]), one["activityType"] or "")
        days[key] += 1
        failed[key] += one["activityResult"] == "FAILURE"
    found = query(
        file,
        "SELECT CAST(activity_date AS text), activity_type, activities, failed_activities"
        " FROM marts.device_management_activity_daily",
    )
    assert {row[:2]: row[2:] for row in found} == {key: (days[key], failed[key]) for key in days}
    found = query(file, "SELECT policy_id, days_since_update FROM marts.device_management_policy_age")
    today = datetime.now(UTC).date()
    ages = {one["id"]: (today - date.fromisoformat(day(one["updated"]))).days for one in tables["policies"]}
    assert {row[0] for row in found} == ages.keys()
    assert all(ages[policy] - 1 <= age <= ages[policy] for policy, age in found), "a build is at most a day old"


def test_forecast(loaded: tuple[Path, Records]) -> None:
    file, records = loaded
    tables = records["crm"]
    chances = {stage["id"]: stage["deal_probability"] for stage in tables["stages"]}
    expected: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0, 0.0, 0.0])
    for deal in tables["deals"]:
        if deal["status"] != "open" or deal["is_deleted"] or not deal["expected_close_date"]:
            continue
        group = expected[deal["currency"] or "", f"{deal['expected_close_date'][:7]}-01"]
        probability = deal["probability"] if deal["probability"] is not None else chances.get(deal["stage_id"])
        group[0] += 1
        group[1] += deal["value"] or 0
        group[2] += (deal["value"] or 0) * (100 if probability is None else probability) / 100
    found = query(
        file,
        "SELECT currency, CAST(expected_close_month AS text), open_deals, open_value, weighted_value"
        " FROM marts.crm_forecast",
    )
    assert {row[:2] for row in found} == expected.keys()
    for currency, month, *numbers in found:
        assert numbers == pytest.approx(expected[currency, month])


def test_outcomes(loaded: tuple[Path, Records]) -> None:
    file, records = loaded
    groups: dict[tuple[int, int, str, str], list[dict[str, Any]]] = defaultdict(list)
    for deal in records["crm"]["deals"]:
        decided = moment(deal["won_time"] or deal["lost_time"] or deal["close_time"])
        if deal["status"] in ("won", "lost") and not deal["is_deleted"] and decided:
            month = f"{decided.astimezone(UTC):%Y-%m}-01"
            groups[deal["pipeline_id"], deal["owner_id"], deal["currency"] or "", month].append(deal)
    found = query(
        file,
        "SELECT pipeline_id, owner_id, currency, CAST(decided_month AS text), won_deals, lost_deals, win_rate,"
        " won_value, p50_days_to_win FROM marts.crm_outcomes_monthly",
    )
    assert {row[:4] for row in found} == groups.keys()
    for *key, won, lost, rate, value, days in found:
        group = groups[key[0], key[1], key[2], key[3]]
        winners = [deal for deal in group if deal["status"] == "won"]
        took = [
            ((moment(d["won_time"] or d["close_time"]) or NEVER) - (moment(d["add_time"]) or NEVER)).total_seconds()
            for d in winners
        ]
        assert (won, lost) == (len(winners), len(group) - len(winners))
        assert rate == pytest.approx(len(winners) / len(group))
        assert value == pytest.approx(sum(deal["value"] or 0 for deal in winners))
        assert days == (pytest.approx(median(took) / 86400, abs=1e-4) if took else None)


def test_crm(loaded: tuple[Path, Records]) -> None:
    file, records = loaded
    tables = records["crm"]
    chances = {stage["id"]: stage["deal_probability"] for stage in tables["stages"]}
    stages: dict[tuple[int, int, str], list[float]] = defaultdict(lambda: [0, 0.0, 0.0])
    outcomes: Counter[str] = Counter()
    for deal in tables["deals"]:
        if deal["is_deleted"]:
            continue
        if deal["status"] == "open":
            probability = deal["probability"] if deal["probability"] is not None else chances.get(deal["stage_id"])
            value = deal["value"] or 0
            group = stages[deal["pipeline_id"], deal["stage_id"], deal["currency"] or ""]
            group[0] += 1
            group[1] += value
            group[2] += value * (100 if probability is None else probability) / 100
        elif deal["status"] in ("won", "lost") and (deal["won_time"] or deal["lost_time"] or deal["close_time"]):
            outcomes[deal["status"]] += 1
    found = query(
        file,
        "SELECT pipeline_id, stage_id, currency, open_deals, open_value, weighted_value"
        " FROM marts.crm_pipeline_by_stage",
    )
    assert {row[:3]: row[3] for row in found} == {key: group[0] for key, group in stages.items()}
    for *key, _, value, weighted in found:
        assert [value, weighted] == pytest.approx(stages[key[0], key[1], key[2]][1:])
    found = query(file, "SELECT sum(won_deals), sum(lost_deals) FROM marts.crm_outcomes_monthly")
    assert tuple(int(number or 0) for number in found[0]) == (outcomes["won"], outcomes["lost"])
    lines = Counter((one["deal_id"], one["currency"] or "") for one in tables["deal_products"])
    found = query(file, "SELECT deal_id, currency, lines FROM marts.crm_products_by_deal")
    assert {row[:2]: row[2] for row in found} == dict(lines)
    activities = Counter((one["owner_id"], one["type"] or "") for one in tables["activities"] if not one["is_deleted"])
    found = query(file, "SELECT owner_id, activity_type_key, activities FROM marts.crm_activity_by_owner")
    assert {row[:2]: row[2] for row in found} == dict(activities)


def test_platform_health(loaded: tuple[Path, Records]) -> None:
    file, records = loaded
    found = query(
        file,
        "SELECT platform, sum(rows_loaded), sum(rows_removed), sum(failures), sum(requests)"
        " FROM marts.platform_health GROUP BY platform",
    )
    assert {row[0] for row in found} == records.keys()
    asked = json.loads((file.parent / "requests.json").read_text())
    for platform, loaded_rows, removed, failures, requests in found:
        there = sum(query(file, f"SELECT count(*) FROM {platform}.{resource}")[0][0] for resource in records[platform])
        # Rows that changed were loaded twice.
        assert there <= loaded_rows <= there + removed + sum(map(len, records[platform].values()))
        assert failures == 0 and requests == asked[platform]

"""The day of the sandbox's records: fixed by a setting, or the folder's first day, to which days are added."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console

from platform_assets.cli.sandbox_comparison import rows_equal_sandbox
from platform_assets.cli.sandbox_day import DAY_FILE, first_day, sandbox_records
from platform_assets.cli.summary import AssetSummary, Summary
from platform_assets.declarations import SettingsError
from platform_assets.sandbox import FakeBackend, SandboxServer, expected_rows
from tests.conftest import Sync
from tests.settings import PointAt
from tests.tiers import only
from tests.warehouse_rows import query

TODAY = datetime(2027, 3, 2, tzinfo=UTC)
NOON = TODAY + timedelta(hours=12)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which no sandbox was started, and no fixed day."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SANDBOX__DAY")
    return tmp_path


def test_the_setting_fixes_the_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANDBOX__DAY", "2026-01-15")
    backend, clock = sandbox_records(lambda: NOON)
    assert clock is None and expected_rows(backend) == expected_rows(FakeBackend())
    assert not DAY_FILE.exists()


def test_a_day_that_is_none_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANDBOX__DAY", "yesterday")
    with pytest.raises(SettingsError, match="SANDBOX__DAY must be an ISO date"):
        sandbox_records(lambda: NOON)


def test_records_end_today_at_first_and_grow_from_that_day_on() -> None:
    first, _ = sandbox_records(lambda: NOON)
    assert (first.now, first.has_advanced) == (TODAY, False)
    later, clock = sandbox_records(lambda: NOON + timedelta(days=3))
    assert clock is not None and later.now == TODAY + timedelta(days=3)
    first.catch_up(clock())
    assert expected_rows(first) == expected_rows(later)


@pytest.mark.parametrize("content", ["soon", "", "2999-01-01"])
def test_an_unusable_file_counts_as_none(content: str) -> None:
    DAY_FILE.parent.mkdir()
    DAY_FILE.write_text(content)
    assert first_day(NOON) == TODAY


def test_a_folder_that_cannot_be_written_has_records_of_today() -> None:
    DAY_FILE.parent.write_text("not a folder")
    assert first_day(NOON) == TODAY


@pytest.mark.slow
def test_a_sync_on_the_next_day_loads_what_is_new_and_keeps_the_rest(
    warehouse_file: Path, sync_platform: Sync, point_at: PointAt
) -> None:
    """Of another anchor all 2,450 builds would have other times, and be written again."""
    outcomes, known = {}, set[str]()
    for day in range(2):
        backend, _ = sandbox_records(lambda day=day: NOON + timedelta(days=day))
        with SandboxServer(backend) as server:
            point_at(server)
            outcomes = sync_platform("ci_analytics", ["builds"])
            known = {one["id"] for one in expected_rows(backend)["ci_analytics"]["builds"]}
    assert {row[0] for row in query(warehouse_file, "SELECT id FROM ci_analytics.builds")} == known
    assert 0 < outcomes["builds"].rows_loaded < 100


COUNTS = [(0, 0, True), (0, 1, False), (1, 1, True), (1, -1, False)]


@pytest.mark.parametrize(("days", "extra", "right"), only([(0, 1, False), (1, 1, True)], COUNTS, slow=COUNTS))
def test_a_table_may_keep_rows_that_were_removed_since_the_first_day(
    days: int, extra: int, right: bool, point_at: PointAt
) -> None:
    backend = FakeBackend(now=TODAY)
    backend.catch_up(TODAY + timedelta(days=days))
    with SandboxServer(backend) as server:
        point_at(server)
        rows = len(expected_rows(backend)["crm"]["roles"]) + extra
        summary = Summary({"crm/roles": AssetSummary(rows=rows)})
        assert rows_equal_sandbox(Console(quiet=True), server, summary, {"crm"}) is right

"""`platform-assets status` says first what is wrong, shows whole names in 80 columns, and changes nothing."""

import json
import re
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import PIPE, Popen

import duckdb
import pytest

from platform_assets.platforms import all_platforms
from platform_assets.reporting.ages import ago
from platform_assets.sandbox import SandboxServer
from tests.cli.command import MAIN, ROOT, command
from tests.conftest import Sync
from tests.servers.http_server import Reply
from tests.servers.stub_api import StubApi, recents
from tests.settings import Point, PointAt
from tests.tiers import one_in

UPDATED = "2026-01-01 06:00:00"


@pytest.fixture
def loaded(point: Point, sync_platform: Sync) -> None:
    """A warehouse after a sync in which one resource and one parent fail, and one parent is refused."""
    with StubApi() as api:
        point("crm", api.url)
        api.routes["/v1/recents"] = recents("deal", [{"id": n, "update_time": UPDATED} for n in (1, 2, 3)])
        api.routes["/v1/deals/1/products"] = lambda query: Reply({"success": True, "data": [{"id": 10}, {"id": 11}]})
        api.routes["/v1/deals/2/products"] = lambda query: Reply({"success": False}, 403)
        api.routes["/v1/roles"] = lambda query: Reply({"success": True, "data": [{"id": 1}]})
        api.routes["/v1/currencies"] = lambda query: Reply({"success": False}, 500)
        sync_platform("crm", ["deals", "deal_products", "roles", "currencies"])
        api.routes["/v1/deals/3/products"] = lambda query: Reply({"success": False}, 500)
        sync_platform("crm", ["deal_products"])


def status(*args: str, env: dict[str, str] | None = None) -> str:
    done = command("status", *args, env={"COLUMNS": "200", **(env or {})})
    assert done.returncode == 0, done.stderr
    return done.stdout


def cells(printed: str) -> dict[str, str]:
    """Asset -> the rest of its line in the table."""
    lines = [line for line in printed.splitlines() if re.match(r"\w+/\w+ ", line)]
    return {line.split()[0]: " ".join(line.split()[1:]) for line in lines}


def test_every_asset_has_state_rows_and_times(loaded: None) -> None:
    lines = cells(status("--platform", "crm"))
    days = (datetime.now(UTC) - datetime(2026, 1, 1, 6, tzinfo=UTC)).days
    assert lines["crm/deals"] == f"ok 3 just now {days} d ago"
    assert lines["crm/roles"] == "ok 1 just now -"
    assert lines["crm/notes"] == "never loaded - never -"
    assert lines["crm/mail"] == "waiting - never -"
    assert cells(status("--platform", "crm", "--exact"))["crm/deals"].endswith(f" {UPDATED}")


def test_what_is_wrong_comes_first_with_its_reason(loaded: None) -> None:
    printed = status("--platform", "crm", env={"SOURCES__CRM__ALLOWED_LAG": "0.001"})
    head = printed.split("\nasset ")[0].splitlines()
    kinds = [line.split(":")[0] for line in head[:-2]]
    assert kinds == sorted(kinds, key=["failed", "stale", "waiting", "never loaded", "skipped"].index)
    assert any(line.startswith("failed: crm/currencies: GET /v1/currencies: answered 500") for line in head)
    assert any(line.startswith("failed: crm/deal_products: 1 of 3 parents failed: 3: ") for line in head)
    assert "stale: crm/deals: loaded just now, allowed 0 s" in head
    assert "waiting: crm/mail: for crm/mail_threads, which was never loaded" in head
    assert "skipped: crm/deal_products: the server refuses 1 of 3 parents" in head
    assert "`platform-assets sync --platform crm` loads them" in printed


def test_json_has_the_same_with_keys_that_stay(loaded: None) -> None:
    document = json.loads(status("--json", "--platform", "crm"))
    assert set(document) == {"warehouse", "at", "assets"}
    found = {one["asset"]: one for one in document["assets"]}
    products = found["crm/deal_products"]
    (failed,) = products.pop("failed")
    assert failed["parent"] == "3" and "answered 500" in failed["error"]
    assert datetime.fromisoformat(products.pop("last_load")).tzinfo is not None
    assert products == {
        "asset": "crm/deal_products",
        "state": "failed",
        "rows": 2,
        "newest_record": None,
        "allowed_lag_seconds": products["allowed_lag_seconds"],
        "reads": 3,
        "skipped": 1,
        "waiting_for": None,
        "unserved": None,
        "unread": [],
    }
    assert found["crm/deals"]["newest_record"] == "2026-01-01T06:00:00+00:00"


@pytest.mark.parametrize("args", one_in(2, [[], ["--exact"]], slow=1))
def test_80_columns_show_whole_names(
    args: list[str], point_at: PointAt, sync_platform: Sync, shared_sandbox: SandboxServer
) -> None:
    point_at(shared_sandbox)
    sync_platform("ci_analytics")
    printed = status(*args, env={"COLUMNS": "80"})
    names = {f"{platform.name}/{resource.name}" for platform in all_platforms() for resource in platform.resources}
    assert set(cells(printed)) == names
    table = printed[printed.index("\nasset ") :]
    assert all(len(line.rstrip()) <= 80 for line in table.splitlines())


def test_a_narrower_terminal_breaks_lines_and_cuts_nothing(loaded: None) -> None:
    rows = cells(status("--platform", "crm", env={"COLUMNS": "30"}))
    assert rows["crm/deals"] == "ok just now" and rows["crm/organization_fields"] == "never loaded never"


def test_outside_a_project_nothing_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DESTINATION__DUCKDB__CREDENTIALS")
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    for args in (["status"], ["status", "--json"], ["report"]):
        done = command(*args, cwd=folder, env={"PYTHONPATH": str(ROOT)})
        assert done.returncode == 1 and done.stdout == ""
        expected = f"there is no warehouse at {folder / 'data' / 'warehouse.duckdb'} yet: `platform-assets sync` makes"
        assert expected in done.stderr and done.stderr.count("\n") == 1
    assert list(folder.iterdir()) == []


def test_an_empty_file_that_a_killed_process_left_is_no_warehouse_and_stays(warehouse_file: Path) -> None:
    warehouse_file.touch()
    done = command("status")
    assert done.returncode == 1 and f"there is no warehouse at {warehouse_file} yet" in done.stderr
    assert warehouse_file.stat().st_size == 0


def test_what_a_killed_writer_had_committed_is_read(loaded: None, warehouse_file: Path) -> None:
    """It is in the log beside the file, which a read-only connection applies in memory."""
    update = "UPDATE crm._sync_log SET ended_at = ended_at - INTERVAL 5 DAY"
    code = f"import duckdb, os; c = duckdb.connect({str(warehouse_file)!r}); c.execute({update!r}); os._exit(9)"
    assert Popen([sys.executable, "-c", code]).wait() == 9
    assert warehouse_file.with_name(f"{warehouse_file.name}.wal").exists()
    assert cells(status("--platform", "crm"))["crm/deals"].split()[0] == "stale"


def holder(path: Path, *, read_only: bool) -> "Popen[bytes]":
    code = f"import duckdb, time; c = duckdb.connect({str(path)!r}, read_only={read_only}); print(1, flush=True)"
    process = Popen([sys.executable, "-c", f"{code}; time.sleep(60)"], stdout=PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    return process


def test_a_reader_elsewhere_keeps_nobody_from_reading(warehouse_file: Path, tmp_path: Path) -> None:
    duckdb.connect(str(warehouse_file)).close()
    before = warehouse_file.read_bytes()
    process = holder(warehouse_file, read_only=True)
    try:
        for args in (["status"], ["report", "-o", str(tmp_path / "report.html")]):
            done = command(*args, env={"WAREHOUSE__LOCK_WAIT": "1"})
            assert done.returncode == 0, done.stderr
    finally:
        process.kill()
        process.communicate()
    assert warehouse_file.read_bytes() == before


def test_a_writer_elsewhere_is_named_and_its_last_commit_is_shown(
    loaded: None, warehouse_file: Path, tmp_path: Path
) -> None:
    """A notebook that could write lets nobody else open the file."""
    shown = status()
    process = holder(warehouse_file, read_only=False)
    try:
        for args in (["status"], ["report", "-o", str(tmp_path / "report.html")]):
            begun = time.monotonic()
            done = command(*args)
            assert time.monotonic() - begun < 30
            assert (
                f"process {process.pid} (python" in done.stderr and "its last commit, read from a copy" in done.stderr
            )
            assert done.returncode == 0
            if args == ["status"]:
                assert cells(done.stdout).keys() == cells(shown).keys()
    finally:
        process.kill()
        process.communicate()


def test_a_sync_that_waits_for_a_writer_names_it(warehouse_file: Path) -> None:
    duckdb.connect(str(warehouse_file)).close()
    process = holder(warehouse_file, read_only=False)
    args = ["sync", "--sandbox", "--no-models", "--select", "crm/currencies"]
    waiting = Popen([sys.executable, "-c", MAIN, *args], cwd=ROOT, stdout=PIPE, stderr=PIPE, text=True)
    try:
        assert waiting.stderr is not None
        line = waiting.stderr.readline()
        assert f"waiting for {warehouse_file}, which process {process.pid} (python" in line and "up to 600 s" in line
    finally:
        process.kill()
        process.communicate()
    out, err = waiting.communicate(timeout=60)
    assert waiting.returncode == 0 and "1 of 1 asset" in out, err


def test_how_long_ago() -> None:
    now = datetime(2026, 1, 10, tzinfo=UTC)
    lengths = {5: "just now", 60: "1 min ago", 3599: "59 min ago", 3 * 3600: "3 h ago", 86400 * 311: "311 d ago"}
    assert {seconds: ago(now - timedelta(seconds=seconds), now) for seconds in lengths} == lengths
    assert ago(now + timedelta(hours=2), now) == "in 2 h"

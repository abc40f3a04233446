"""Children per parent: cursors, isolation and buckets, with many parents, late rows, crashes and concurrent runs."""

import re
import signal
import threading
import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from platform_assets.platforms import platform_named
from platform_assets.sandbox import FakeBackend, Fault, SandboxServer, expected_rows
from tests.conftest import Sync
from tests.databases import is_postgres
from tests.settings import PointAt
from tests.sync.in_process import PIPELINES, STOP_AFTER, STOPPED, started
from tests.tiers import only
from tests.warehouse_rows import differences, query

pytestmark = pytest.mark.usefixtures("in_either_warehouse")

HOSTILE = ["../x", "a?b=c", "a#b", "größe ☃", "a b", "%2e%2e", "x" * 200, "a/b", "a&b=c;d", "'; DROP TABLE x; --"]


def with_organizations(count: int, children: int = 2, slugs: list[str] | None = None) -> FakeBackend:
    """A fake backend whose `ci_analytics` has `count` organizations with a number of pipelines each."""
    backend = FakeBackend()
    tables = backend.tables["ci_analytics"]
    organization, pipeline = tables["organizations"][0], tables[PIPELINES]["acme"][0]
    slugs = slugs or [f"org-{number:04d}" for number in range(count)]
    tables["organizations"] = [{**organization, "id": f"id-{slug}", "slug": slug} for slug in slugs]
    tables[PIPELINES] = {slug: [{**pipeline, "id": f"{slug}-{n}"} for n in range(children)] for slug in slugs}
    tables["analytics_organizations_suites"] = {slug: [] for slug in slugs}
    return backend


def problems(server: SandboxServer, path: Path, platform: str, resource: str) -> list[str]:
    named = platform_named(platform)
    return differences(path, named, named.resource(resource), expected_rows(server.backend)[platform][resource])


def requested_paths(server: SandboxServer, since: int, ending: str) -> list[str]:
    """Requested paths with that ending, in order."""
    return [r["path"] for r in server.requests[since:] if r["path"].endswith(ending)]


def test_parents_over_several_pages_lose_no_child_on_the_first_run(
    point_at: PointAt, sync_platform: Sync, warehouse_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """dlt 1.31 with `incremental` on the child loses rows here (open upstream)."""
    with SandboxServer(with_organizations(45)) as server:
        point_at(server)
        monkeypatch.setenv("SOURCES__CI_ANALYTICS__PAGE_SIZE", "10")
        outcomes = sync_platform("ci_analytics", ["organizations", PIPELINES])
        assert outcomes["organizations"].pages >= 5
        assert problems(server, warehouse_file, "ci_analytics", PIPELINES) == []


def test_a_late_row_of_one_parent_is_loaded_although_another_parents_cursor_is_newer(
    point_at: PointAt, sync_platform: Sync, warehouse_file: Path
) -> None:
    with SandboxServer() as server:
        point_at(server)
        events = server.backend.tables["error_tracking"]["events"]
        behind, ahead = sorted(events, key=lambda key: max((e["dateCreated"] for e in events[key]), default=""))[1::9][
            :2
        ]
        newest = max(event["dateCreated"] for event in events[behind])
        sync_platform("error_tracking", ["projects", "events"])
        assert newest < max(event["dateCreated"] for event in events[ahead])
        with server.backend.lock:
            late = {**deepcopy(events[behind][0]), "id": "late", "eventID": "late", "dateCreated": newest}
            events[behind].append(late)
        outcome = sync_platform("error_tracking", ["events"])["events"]
        assert outcome.rows_loaded == 1
        assert problems(server, warehouse_file, "error_tracking", "events") == []


def test_one_failed_parent_of_200_stays_failed_until_it_loads(
    point_at: PointAt, sync_platform: Sync, warehouse_file: Path
) -> None:
    with SandboxServer(with_organizations(200)) as server:
        point_at(server)
        server.faults.append(Fault("/organizations/org-0077/pipelines", status=500, times=None))
        outcome = sync_platform("ci_analytics", ["organizations", PIPELINES])[PIPELINES]
        assert list(outcome.failed_partitions) == ["org-0077"] == list(outcome.left_failed)
        assert sum(partition.ok for partition in outcome.partitions.values()) == 199
        assert len(query(warehouse_file, f"SELECT id FROM ci_analytics.{PIPELINES}")) == 398
        # A run of another parent reports that it is still failed.
        other = sync_platform("ci_analytics", [PIPELINES], partitions=frozenset({"org-0001"}))[PIPELINES]
        assert other.ok and list(other.left_failed) == ["org-0077"]
        server.faults.clear()
        since = len(server.requests)
        recovered = sync_platform("ci_analytics", [PIPELINES], partitions=frozenset({"org-0077"}))[PIPELINES]
        assert requested_paths(server, since, "/pipelines") == ["/ci_analytics/v2/organizations/org-0077/pipelines"]
        assert recovered.rows_loaded == 2 and not recovered.left_failed
        assert problems(server, warehouse_file, "ci_analytics", PIPELINES) == []


def test_a_bucket_requests_a_failed_parent_again_and_no_other(
    point_at: PointAt, sync_platform: Sync, warehouse_file: Path
) -> None:
    with SandboxServer() as server:
        point_at(server)
        deal = server.backend.tables["crm"]["deals"][5]["id"]
        server.faults.append(Fault(f"/deals/{deal}/products", status=500, times=None))
        first = sync_platform("crm", ["deals", "deal_products"])["deal_products"]
        assert list(first.left_failed) == [str(deal)]
        server.faults.clear()
        since = len(server.requests)
        sync_platform("crm", ["deal_products"])
        assert requested_paths(server, since, "/products") == [f"/crm/v1/deals/{deal}/products"]
        assert problems(server, warehouse_file, "crm", "deal_products") == []


def test_hostile_keys_stay_in_their_path_segment(point_at: PointAt, sync_platform: Sync, warehouse_file: Path) -> None:
    with SandboxServer(with_organizations(0, slugs=HOSTILE)) as server:
        point_at(server)
        outcome = sync_platform("ci_analytics", ["organizations", PIPELINES])[PIPELINES]
        assert outcome.failed_partitions == {} and outcome.skipped_parents == []
        assert problems(server, warehouse_file, "ci_analytics", PIPELINES) == []


@pytest.mark.parametrize("slug", only([".."], ["..", ".", ""], slow=[".", ""]))
def test_a_key_that_cannot_be_encoded_is_refused_by_name(
    slug: str, point_at: PointAt, sync_platform: Sync, warehouse_file: Path
) -> None:
    with SandboxServer(with_organizations(0, slugs=["acme", slug])) as server:
        point_at(server)
        since = len(server.requests)
        outcome = sync_platform("ci_analytics", ["organizations", PIPELINES])[PIPELINES]
        assert outcome.left_failed.keys() == {slug}
        assert repr(slug) in outcome.left_failed[slug] and "refused" in outcome.left_failed[slug]
        assert requested_paths(server, since, "/pipelines") == ["/ci_analytics/v2/organizations/acme/pipelines"]
        assert len(query(warehouse_file, f"SELECT id FROM ci_analytics.{PIPELINES}")) == 2


def cursors(path: Path, resource: str) -> dict[str, datetime]:
    found = query(path, f"SELECT parent, cursor_value FROM error_tracking._sync_state WHERE resource = '{resource}'")
    return dict(found)


@pytest.mark.parametrize("trials", only([2], [2, 5, 20], slow=[5]))
def test_two_partitions_in_two_processes_keep_both_cursors(
    trials: int, point_at: PointAt, sync_platform: Sync, warehouse_file: Path
) -> None:
    """In each trial both runs load rows, and record their cursors, at the same time."""
    with SandboxServer() as server:
        point_at(server)
        sync_platform("error_tracking", ["projects", "events"])
        events = server.backend.tables["error_tracking"]["events"]
        pair = [("acme", "web"), ("globex", "web")]
        for trial in range(trials):
            expected = {}
            with server.backend.lock:
                for key in pair:
                    stamp = f"2026-01-15T00:{trial:02d}:{len(key[0]):02d}.000000Z"
                    events[key].append({**events[key][0], "id": f"{key[0]}{trial}", "dateCreated": stamp})
                    expected["/".join(key)] = stamp
            running = [started("error_tracking", ["events"], ["/".join(key)]) for key in pair]
            for process in running:
                process.join(60)
            assert [process.exitcode for process in running] == [0, 0]
            found = cursors(warehouse_file, "events")
            assert {key: found[key].strftime("%Y-%m-%dT%H:%M:%S.%fZ") for key in expected} == expected
        assert problems(server, warehouse_file, "error_tracking", "events") == []


@dataclass
class Held(Fault):
    """From the `number`-th matching request on the server does not respond until it is released."""

    number: int = 1
    reached: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)

    def strikes(self, target: str) -> bool:
        if re.search(self.pattern, target):
            self.number -= 1
        if self.number <= 0:
            self.reached.set()
            self.released.wait(60)
        return False


def end_as_an_undisturbed_run(server: SandboxServer, sync_platform: Sync, warehouse_file: Path) -> None:
    assert sync_platform("ci_analytics", [PIPELINES])[PIPELINES].ok
    assert problems(server, warehouse_file, "ci_analytics", PIPELINES) == []
    assert statuses(warehouse_file) == {f"org-{number:04d}": "ok" for number in range(60)}


def statuses(path: Path) -> dict[str, str]:
    return dict(query(path, f"SELECT parent, status FROM ci_analytics._sync_state WHERE resource = '{PIPELINES}'"))


def tables(path: Path) -> set[str]:
    return {row[0] for row in query(path, "SELECT table_name FROM information_schema.tables")}


@pytest.mark.parametrize("number", only([30], [1, 9, 30, 60], slow=[1, 9, 60]))
def test_the_run_after_one_killed_while_reading_ends_like_an_undisturbed_one(
    number: int, point_at: PointAt, sync_platform: Sync, warehouse_file: Path
) -> None:
    """Killed while it waits for the response to its `number`-th request of 60."""
    with SandboxServer(with_organizations(60, children=20)) as server:
        point_at(server)
        sync_platform("ci_analytics", ["organizations"])
        held = Held("/pipelines", number=number)
        server.faults.append(held)
        process = started("ci_analytics", [PIPELINES], [])
        try:
            assert held.reached.wait(60), "it reached that request"
            process.kill()
            process.join()
        finally:
            held.released.set()
        assert process.exitcode == -signal.SIGKILL, "it was running"
        server.faults.clear()
        assert PIPELINES not in tables(warehouse_file) and statuses(warehouse_file) == {}, "nothing was landed"
        end_as_an_undisturbed_run(server, sync_platform, warehouse_file)


def until(condition: Callable[[], object], process: Any) -> None:
    """Wait until a process shows what it is doing."""
    deadline = time.monotonic() + 60
    while not condition():
        assert process.is_alive() and time.monotonic() < deadline, "it ended, or hung, before that"
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("method", "landed"), [pytest.param("start_job", None, marks=pytest.mark.slow), ("complete_job", 1200)]
)
def test_the_run_after_one_killed_while_landing_ends_like_an_undisturbed_one(
    method: str,
    landed: int | None,
    point_at: PointAt,
    sync_platform: Sync,
    warehouse_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Killed while dlt copies the rows, or after that and before the cursor is saved."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    with SandboxServer(with_organizations(60, children=20)) as server:
        point_at(server)
        sync_platform("ci_analytics", ["organizations"])
        monkeypatch.setenv("TMPDIR", str(folder))
        monkeypatch.setenv(STOP_AFTER, method)
        process = started("ci_analytics", [PIPELINES], [])
        until((folder / STOPPED).exists, process)
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL, "it was running"
        assert statuses(warehouse_file) == {}, "it was not recorded"
        if not is_postgres():
            loading = f"SELECT is_loading FROM ci_analytics._sync_tables WHERE resource = '{PIPELINES}'"
            assert query(warehouse_file, loading) == [(True,)], "a load began"
        if landed is not None and not is_postgres():
            assert query(warehouse_file, f"SELECT count(*) FROM ci_analytics.{PIPELINES}") == [(landed,)]
        end_as_an_undisturbed_run(server, sync_platform, warehouse_file)

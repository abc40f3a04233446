"""A cursor advances only over what was certainly read, so that no later change is missed."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dlt
import pytest

from tests.conftest import Sync
from tests.servers.http_server import Query, Reply
from tests.servers.stub_api import StubApi, listed, recents
from tests.settings import Point
from tests.sync.records import ROLES, deal, moment, sentry_project
from tests.sync.tables import ids
from tests.warehouse_rows import query

pytestmark = pytest.mark.usefixtures("in_either_warehouse")


def test_changes_after_a_record_dated_in_the_future_are_loaded(
    api: StubApi, point: Point, sync_platform: Sync, warehouse_file: Path
) -> None:
    point("crm", api.url)
    now = datetime.now(UTC).replace(tzinfo=None)
    deals = [deal(1, now - timedelta(days=9)), deal(2, "2099-01-01 00:00:00")]
    api.routes["/v1/recents"] = recents("deal", deals)
    sync_platform("crm", ["deals"])
    deals.append(deal(3, now - timedelta(days=2)))
    assert sync_platform("crm", ["deals"])["deals"].rows_loaded == 1
    deals[0].update(title="changed", update_time=moment(now - timedelta(days=1)))
    sync_platform("crm", ["deals"])
    assert ids(warehouse_file, "crm.deals") == [1, 2, 3]
    assert query(warehouse_file, "SELECT title FROM crm.deals WHERE id = 1") == [("changed",)]


def test_a_list_that_ends_without_a_link_header_leaves_no_cursor(
    api: StubApi, point: Point, sync_platform: Sync, warehouse_file: Path
) -> None:
    """It may have been the first of many pages, so the next sync starts from the beginning."""
    point("error_tracking", api.url)
    events = [
        {"id": "new", "dateCreated": "2026-01-09T00:00:00Z"},
        {"id": "old", "dateCreated": "2025-03-01T00:00:00Z"},
    ]
    path = "/v1/projects/acme/web/events/"
    api.routes["/v1/projects/"] = listed([sentry_project("1", "web")])
    api.routes[path] = lambda query: Reply({"data": events[:1]})
    sync_platform("error_tracking", ["projects", "events"])
    link = '<http://h/>; rel="next"; results="false"; cursor="0:100:0"'
    api.routes[path] = lambda query: Reply(
        {"data": [event for event in events if event["dateCreated"] >= query.get("start", "")]}, headers={"Link": link}
    )
    sync_platform("error_tracking", ["events"])
    assert ids(warehouse_file, "error_tracking.events") == ["new", "old"]


@pytest.mark.always_in_postgres
def test_another_project_under_a_reused_slug_is_read_from_its_beginning(
    api: StubApi, point: Point, sync_platform: Sync, warehouse_file: Path
) -> None:
    point("error_tracking", api.url)
    events = [{"id": "old", "dateCreated": "2026-01-09T00:00:00Z"}]

    def answer(query: Query) -> Reply:
        start = query.get("start", "")
        link = '<http://h/>; rel="next"; results="false"; cursor="0:100:0"'
        return Reply({"data": [event for event in events if event["dateCreated"] >= start]}, headers={"Link": link})

    api.routes["/v1/projects/acme/web/events/"] = answer
    api.routes["/v1/projects/"] = listed([sentry_project("1", "web")])
    sync_platform("error_tracking", ["projects", "events"])
    assert sync_platform("error_tracking", ["events"])["events"].rows_loaded == 0
    assert "start" in api.requests_to("/v1/projects/acme/web/events/")[-1], "a cursor exists that could be inherited"
    api.routes["/v1/projects/"] = listed([sentry_project("2", "web")])
    events[:] = [
        {"id": "early", "dateCreated": "2025-03-01T00:00:00Z"},
        {"id": "x", "dateCreated": "2026-01-10T00:00:00Z"},
    ]
    sync_platform("error_tracking", ["projects", "events"])
    assert ids(warehouse_file, "error_tracking.events") == ["early", "old", "x"]


@pytest.mark.always_in_postgres
def test_a_failed_load_does_not_move_the_cursor(
    api: StubApi, point: Point, sync_platform: Sync, warehouse_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    point("crm", api.url)
    deals = [deal(1, "2026-01-01 00:00:00")]
    api.routes["/v1/recents"] = recents("deal", deals)
    sync_platform("crm", ["deals"])
    state = "SELECT cursor_value, succeeded_at FROM crm._sync_state"
    before = query(warehouse_file, state)
    deals += [deal(2, "2026-02-01 00:00:00"), deal(3, "2026-03-01 00:00:00")]

    def full(*arguments: Any, **options: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(dlt.Pipeline, "load", full)
        with pytest.raises(OSError):
            sync_platform("crm", ["deals"])
    assert query(warehouse_file, state) == before
    sync_platform("crm", ["deals"])
    assert ids(warehouse_file, "crm.deals") == [1, 2, 3]


def test_a_start_date_set_later_keeps_existing_rows_updated(
    api: StubApi, point: Point, sync_platform: Sync, warehouse_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    point("crm", api.url)
    point("device_management", api.url)
    deals = [deal(1, "2025-01-01 00:00:00")]
    roles = [{"id": 1, "name": "one", "created": "2025-01-01T00:00:00Z"}]
    api.routes["/v1/recents"], api.routes[ROLES] = recents("deal", deals), listed(roles)
    sync_platform("crm", ["deals"])
    sync_platform("device_management", ["roles"])
    for name in ("CRM", "DEVICE_MANAGEMENT"):
        monkeypatch.setenv(f"SOURCES__{name}__START_DATE", "2025-10-01")
    deals[0].update(title="changed", update_time="2025-03-01 00:00:00")
    roles[0]["name"] = "changed"
    roles.append({"id": 2, "name": "never wanted", "created": "2025-02-01T00:00:00Z"})
    sync_platform("crm", ["deals"])
    sync_platform("device_management", ["roles"])
    assert query(warehouse_file, "SELECT title FROM crm.deals") == [("changed",)]
    assert query(warehouse_file, "SELECT id, name FROM device_management.roles") == [(1, "changed")]

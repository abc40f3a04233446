"""Parents that the server refuses, or that lack a timestamp or path value, stay due and are counted."""

from pathlib import Path

import pytest

from tests.conftest import Sync
from tests.servers.http_server import Query, Reply
from tests.servers.stub_api import StubApi, recents
from tests.settings import Point
from tests.sync.records import Row, deal, with_organizations
from tests.sync.tables import ids
from tests.tiers import only
from tests.warehouse_rows import query

pytestmark = pytest.mark.usefixtures("in_either_warehouse")


def forbidden(query: Query) -> Reply:
    return Reply({"error": {"status": 403, "message": "no access"}}, 403)


CI_PARENTS, PIPELINES = "organizations", "organizations_pipelines"


def test_all_parents_refused_is_a_failure_with_the_reason(api: StubApi, point: Point, sync_platform: Sync) -> None:
    point("ci_analytics", api.url)
    with_organizations(api, ["a", "b"])
    for slug in "ab":
        api.routes[f"/v2/organizations/{slug}/pipelines"] = forbidden
    outcome = sync_platform("ci_analytics", [CI_PARENTS, PIPELINES])[PIPELINES]
    assert outcome.error is not None and "refused for all of 2 parents" in outcome.error and "403" in outcome.error


@pytest.mark.parametrize("status", only([404], [403, 404, 410], slow=[403, 410]))
def test_a_refused_parent_stays_due_in_a_bucket(
    status: int, api: StubApi, point: Point, sync_platform: Sync, warehouse_file: Path
) -> None:
    point("crm", api.url)
    api.routes["/v1/recents"] = recents("deal", [deal(n, "2026-01-01 00:00:00") for n in (1, 2)])
    lines = {n: Reply({"success": True, "data": [{"id": n * 10, "deal_id": n}]}) for n in (1, 2)}
    api.routes["/v1/deals/1/products"] = lambda query: lines[1]
    api.routes["/v1/deals/2/products"] = lambda query: Reply({"success": False}, status)
    outcome = sync_platform("crm", ["deals", "deal_products"])["deal_products"]
    assert outcome.ok and outcome.skipped_parents == ["2"]
    api.routes["/v1/deals/2/products"] = lambda query: lines[2]
    assert sync_platform("crm", ["deal_products"])["deal_products"].rows_loaded == 1
    assert ids(warehouse_file, "crm.deal_products") == [10, 20]
    assert sync_platform("crm", ["deal_products"])["deal_products"].requests == 0


def test_a_parent_refused_after_a_successful_read_stays_due(
    api: StubApi, point: Point, sync_platform: Sync, warehouse_file: Path
) -> None:
    """Although the parent has not changed: a full refresh that was refused is not complete."""
    point("crm", api.url)
    api.routes["/v1/recents"] = recents("deal", [deal(n, "2026-01-01 00:00:00") for n in (1, 2)])
    lines = [{"id": 20, "name": "before"}]
    api.routes["/v1/deals/1/products"] = lambda query: Reply({"success": True, "data": [{"id": 10}]})
    granted = api.routes["/v1/deals/2/products"] = lambda query: Reply({"success": True, "data": lines})
    sync_platform("crm", ["deals", "deal_products"])
    api.routes["/v1/deals/2/products"] = lambda query: Reply({"success": False}, 403)
    outcome = sync_platform("crm", ["deal_products"], full_refresh=True)["deal_products"]
    assert outcome.ok and outcome.skipped_parents == ["2"]
    api.routes["/v1/deals/2/products"] = granted
    lines[0]["name"] = "after"
    sync_platform("crm", ["deal_products"])
    assert query(warehouse_file, "SELECT name FROM crm.deal_products WHERE id = 20") == [("after",)]


def test_children_of_a_changed_parent_without_a_timestamp_are_read_again(
    api: StubApi, point: Point, sync_platform: Sync, warehouse_file: Path
) -> None:
    point("crm", api.url)
    without_timestamp: Row = {"id": 1, "title": "a", "update_time": None}
    api.routes["/v1/recents"] = recents("deal", [without_timestamp])
    lines = [{"id": 10}]
    api.routes["/v1/deals/1/products"] = lambda query: Reply({"success": True, "data": lines})
    sync_platform("crm", ["deals", "deal_products"])
    assert sync_platform("crm", ["deals", "deal_products"])["deal_products"].requests == 0
    without_timestamp["title"] = "b"
    lines.append({"id": 11})
    sync_platform("crm", ["deals", "deal_products"])
    assert ids(warehouse_file, "crm.deal_products") == [10, 11]


def test_parents_without_a_path_value_are_counted_and_all_of_them_are_a_failure(
    api: StubApi, point: Point, sync_platform: Sync
) -> None:
    point("ci_analytics", api.url)
    organizations = with_organizations(api, ["a", "b"])
    organizations["b"]["slug"] = None
    outcome = sync_platform("ci_analytics", [CI_PARENTS, PIPELINES])[PIPELINES]
    assert outcome.ok and outcome.skipped_parents == ["id-b"]
    organizations["a"]["slug"] = None
    outcome = sync_platform("ci_analytics", [CI_PARENTS, PIPELINES])[PIPELINES]
    assert outcome.error is not None and "`slug`" in outcome.error

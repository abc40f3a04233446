"""Missing rows are soft-deleted only if the response is plausible, decided for each parent alone."""

from pathlib import Path

import pytest

from tests.conftest import Sync
from tests.servers.http_server import Reply
from tests.servers.stub_api import StubApi, listed, recents
from tests.settings import Point
from tests.sync.records import ROLES, deal, pipelines, with_organizations
from tests.sync.tables import ids, there
from tests.tiers import only
from tests.warehouse_rows import query

pytestmark = pytest.mark.usefixtures("in_either_warehouse")

CI_PARENTS, PIPELINES = "organizations", "organizations_pipelines"
LISTS = [(90, 0, 0), (10, 1, 0), (10, 5, 5), (4, 1, 0), (3, 1, 2), (3, 2, 1), (2, 1, 1)]


@pytest.mark.parametrize(("before", "after", "removed"), only([(10, 5, 5), (4, 1, 0), (3, 1, 2)], LISTS, slow=LISTS))
def test_soft_deletes_are_decided_per_parent(
    before: int, after: int, removed: int, api: StubApi, point: Point, sync_platform: Sync, warehouse_file: Path
) -> None:
    point("ci_analytics", api.url)
    slugs = [f"org-{number}" for number in range(5)]
    with_organizations(api, slugs)
    for slug in slugs:
        api.routes[f"/v2/organizations/{slug}/pipelines"] = listed(pipelines(slug, before))
    sync_platform("ci_analytics", [CI_PARENTS, PIPELINES])
    api.routes["/v2/organizations/org-0/pipelines"] = listed(pipelines("org-0", after))
    outcome = sync_platform("ci_analytics", [PIPELINES])[PIPELINES]
    assert outcome.deleted == removed and outcome.deletion_withheld == before - after - removed
    deleted = query(warehouse_file, f"SELECT count(*) FROM ci_analytics.{PIPELINES} WHERE _deleted_at IS NOT NULL")
    assert deleted == [(removed,)]


def test_a_parent_with_withheld_soft_deletes_stays_due_in_a_bucket(
    api: StubApi, point: Point, sync_platform: Sync
) -> None:
    """Otherwise the next sync, which skips unchanged parents, would report success."""
    point("crm", api.url)
    thread = {"id": 1, "update_time": "2026-01-01T00:00:00Z"}
    mails = [{"id": number, "update_time": "2026-01-01T00:00:00Z"} for number in range(5)]
    served = [*mails]
    api.routes["/v1/mailbox/mailThreads"] = lambda query: Reply(
        {"success": True, "data": [thread] if query["folder"] == "inbox" else []}
    )
    api.routes["/v1/mailbox/mailThreads/1/mailMessages"] = lambda query: Reply({"success": True, "data": served})
    sync_platform("crm", ["mail_threads", "mail"])
    thread["update_time"], served = "2026-01-02T00:00:00Z", mails[:1]
    for _ in range(2):
        assert sync_platform("crm", ["mail_threads", "mail"])["mail"].deletion_withheld == 4
    served = mails
    assert sync_platform("crm", ["mail"])["mail"].deletion_withheld == 0
    assert sync_platform("crm", ["mail"])["mail"].requests == 0


@pytest.mark.parametrize("count", [1, 2])
def test_an_empty_response_soft_deletes_no_row_however_short_the_list(
    count: int, api: StubApi, point: Point, sync_platform: Sync, warehouse_file: Path
) -> None:
    point("device_management", api.url)
    api.routes[ROLES] = listed([{"id": number} for number in range(count)])
    sync_platform("device_management", ["roles"])
    api.routes[ROLES] = listed([])
    outcome = sync_platform("device_management", ["roles"])["roles"]
    assert (outcome.deleted, outcome.deletion_withheld) == (0, count)
    assert there(warehouse_file, "device_management.roles") == [*range(count)]


@pytest.mark.always_in_postgres
def test_a_row_that_moves_to_another_parent_is_not_soft_deleted(
    api: StubApi, point: Point, sync_platform: Sync, warehouse_file: Path
) -> None:
    point("ci_analytics", api.url)
    with_organizations(api, ["a", "b"])
    api.routes["/v2/organizations/a/pipelines"] = listed([{"id": "stays"}, {"id": "also"}, {"id": "moves"}])
    sync_platform("ci_analytics", [CI_PARENTS, PIPELINES])
    api.routes["/v2/organizations/a/pipelines"] = listed([{"id": "stays"}, {"id": "also"}])
    api.routes["/v2/organizations/b/pipelines"] = listed([{"id": "b-1"}, {"id": "moves"}])
    assert sync_platform("ci_analytics", [PIPELINES])[PIPELINES].deleted == 0
    assert there(warehouse_file, f"ci_analytics.{PIPELINES}") == ["also", "b-1", "moves", "stays"]


def test_one_short_response_soft_deletes_nothing_if_the_second_read_finds_the_rows(
    api: StubApi, point: Point, sync_platform: Sync, warehouse_file: Path
) -> None:
    point("device_management", api.url)
    rows = [{"id": number} for number in range(4)]
    api.routes[ROLES] = listed(rows)
    sync_platform("device_management", ["roles"])
    answers = iter([rows[:3], rows])
    api.routes[ROLES] = lambda query: listed(next(answers, rows))(query)
    assert sync_platform("device_management", ["roles"])["roles"].deleted == 0
    assert there(warehouse_file, "device_management.roles") == [0, 1, 2, 3]


@pytest.mark.always_in_postgres
def test_product_lines_are_deleted_only_if_two_responses_agree(
    api: StubApi, point: Point, sync_platform: Sync, warehouse_file: Path
) -> None:
    point("crm", api.url)
    deals = [deal(1, "2026-01-01 00:00:00")]
    api.routes["/v1/recents"] = recents("deal", deals)
    lines = [{"id": 10}, {"id": 11}]
    api.routes["/v1/deals/1/products"] = lambda query: Reply({"success": True, "data": lines})
    sync_platform("crm", ["deals", "deal_products"])
    answers = iter([None, lines])
    deals[0]["update_time"] = "2026-01-02 00:00:00"
    api.routes["/v1/deals/1/products"] = lambda query: Reply({"success": True, "data": next(answers, lines)})
    sync_platform("crm", ["deals", "deal_products"])
    assert ids(warehouse_file, "crm.deal_products") == [10, 11]
    deals[0]["update_time"] = "2026-01-03 00:00:00"
    api.routes["/v1/deals/1/products"] = lambda query: Reply({"success": True, "data": None})
    sync_platform("crm", ["deals", "deal_products"])
    assert ids(warehouse_file, "crm.deal_products") == []

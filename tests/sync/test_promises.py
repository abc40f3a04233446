"""Histories in which data could be lost, frozen, mixed or invented in silence, each against a small server."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import dlt
import duckdb
import pytest
from dlt.extract.resource import DltResource

from platform_assets.arrow.buffer import BufferedRows
from platform_assets.cancellation import Cancelled, cancellable
from platform_assets.declarations import Platform, Resource
from platform_assets.platforms import platform_named
from platform_assets.warehouse import open_warehouse
from platform_assets.warehouse.dlt_source import dlt_resource
from platform_assets.warehouse.source_account import AnotherAccount
from tests.conftest import Sync
from tests.servers.http_server import Query, Reply
from tests.servers.stub_api import StubApi, listed, recents
from tests.settings import Point
from tests.warehouse_rows import query

Row = dict[str, Any]
ROLES = "/v2/roles"


@pytest.fixture
def api() -> Iterator[StubApi]:
    with StubApi() as server:
        yield server


def ids(path: Path, table: str, where: str = "true") -> list[Any]:
    return [row[0] for row in query(path, f"SELECT id FROM {table} WHERE {where} ORDER BY id")]


def there(path: Path, table: str) -> list[Any]:
    """Ids of the rows that are not marked as removed."""
    return ids(path, table, "_deleted_at IS NULL")


def execute(path: Path, *statements: str) -> None:
    with duckdb.connect(str(path)) as connection:
        for statement in statements:
            connection.execute(statement)


def moment(when: datetime) -> str:
    return when.strftime("%Y-%m-%d %H:%M:%S")


def deal(number: int, when: datetime | str, **more: Any) -> Row:
    time = when if isinstance(when, str) else moment(when)
    return {"id": number, "title": f"deal {number}", "update_time": time, **more}


# 1: a list that began empty


def test_the_first_row_of_a_list_that_began_empty_is_loaded(
    api: StubApi, point: Point, sync_platform: Sync, warehouse_file: Path
) -> None:
    point("device_management", api.url)
    rows: list[Row] = []
    api.routes[ROLES] = listed(rows)
    api.routes["/v2/policies"] = listed([{"id": 1, "updated": "2026-01-01T00:00:00Z"}])
    sync_platform("device_management", ["roles", "policies"])
    rows.append({"id": 7, "name": "new"})
    outcomes = sync_platform("device_management", ["roles", "policies"])
    assert outcomes["roles"].ok and outcomes["policies"].ok
    assert there(warehouse_file, "device_management.roles") == [7]
    rows.append({"id": 8, "name": "newer"})
    assert sync_platform("device_management", ["roles"], full_refresh=True)["roles"].ok
    assert there(warehouse_file, "device_management.roles") == [7, 8]


def as_made_by_an_earlier_version(
    platform: Platform, resource: Resource, buffered: BufferedRows, *, merge: bool, parquet: bool
) -> DltResource:
    """An empty table by dlt's own mark, which adds `_dlt_load_id NOT NULL`."""
    return dlt_resource(platform, resource, buffered.columns, lambda: iter([dlt.mark.materialize_table_schema()]))


def test_a_table_that_an_earlier_version_made_empty_takes_its_first_row(
    api: StubApi, point: Point, sync_platform: Sync, warehouse_file: Path
) -> None:
    point("device_management", api.url)
    rows: list[Row] = []
    api.routes[ROLES] = listed(rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("platform_assets.sync.land.buffered_resource", as_made_by_an_earlier_version)
        sync_platform("device_management", ["roles"])
    columns = query(
        warehouse_file,
        "SELECT DISTINCT is_nullable FROM information_schema.columns"
        " WHERE table_name = 'roles' AND column_name = '_dlt_load_id'",
    )
    assert columns == [("NO",)]
    for number in (1, 2):
        rows.append({"id": number, "name": "new"})
        assert sync_platform("device_management", ["roles"])["roles"].ok
    assert there(warehouse_file, "device_management.roles") == [1, 2]


# 2: two accounts


@pytest.fixture
def two_accounts() -> Iterator[tuple[StubApi, StubApi]]:
    with StubApi() as first, StubApi() as second:
        for number, server in enumerate((first, second)):
            server.routes["/v1/recents"] = recents("deal", [deal(number + 1, "2026-01-01 00:00:00")])
        yield first, second


def test_another_account_is_refused_and_the_way_out_is_named(
    two_accounts: tuple[StubApi, StubApi], point: Point, sync_platform: Sync, warehouse_file: Path
) -> None:
    first, second = two_accounts
    point("crm", first.url)
    sync_platform("crm", ["deals"])
    point("crm", second.url)
    with pytest.raises(AnotherAccount) as refusal:
        sync_platform("crm", ["deals"])
    words = str(refusal.value)
    assert first.url in words and second.url in words and "--start-over" in words and "\n" not in words
    assert second.requests == []
    assert ids(warehouse_file, "crm.deals") == [1]
    point("crm", first.url)
    assert sync_platform("crm", ["deals"])["deals"].ok


def test_started_over_the_other_account_has_the_tables_alone(
    two_accounts: tuple[StubApi, StubApi], point: Point, sync_platform: Sync, warehouse_file: Path
) -> None:
    first, second = two_accounts
    point("crm", first.url)
    sync_platform("crm", ["deals"])
    point("crm", second.url)
    with open_warehouse(platform_named("crm")) as warehouse:
        warehouse.start_over()
    assert sync_platform("crm", ["deals"])["deals"].ok
    assert ids(warehouse_file, "crm.deals") == [2]


def test_another_tenants_credential_at_the_same_address_is_refused(
    api: StubApi, point: Point, sync_platform: Sync, warehouse_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first list of organizations tells whose credential it is; asked only when the credential is another."""
    point("device_management", api.url)
    api.routes[ROLES] = listed([{"id": 1, "name": "theirs"}])
    api.routes["/v2/organizations"] = listed([{"id": 1, "name": "Acme"}])
    sync_platform("device_management", ["roles"])
    sync_platform("device_management", ["roles"])
    assert len(api.requests_to("/v2/organizations")) == 1
    monkeypatch.setenv("SOURCES__DEVICE_MANAGEMENT__API_TOKEN", "rotated")
    assert sync_platform("device_management", ["roles"])["roles"].ok
    monkeypatch.setenv("SOURCES__DEVICE_MANAGEMENT__API_TOKEN", "of another tenant")
    api.routes["/v2/organizations"] = listed([{"id": 1, "name": "Globex"}])
    api.routes[ROLES] = listed([{"id": 1, "name": "ours"}])
    with pytest.raises(AnotherAccount):
        sync_platform("device_management", ["roles"])
    assert query(warehouse_file, "SELECT name FROM device_management.roles") == [("theirs",)]


def test_the_credential_cannot_be_found_from_what_is_recorded(
    two_accounts: tuple[StubApi, StubApi], point: Point, sync_platform: Sync, warehouse_file: Path
) -> None:
    point("crm", two_accounts[0].url)
    sync_platform("crm", ["deals"])
    ((mark,),) = query(warehouse_file, "SELECT credential FROM crm._sync_source")
    assert len(mark.split(":")[1]) == 6, "24 bits: thousands of credentials of any length share it"


# 3: a record dated in the future


def test_what_changes_after_a_record_dated_in_the_future_is_seen(
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


# 5: refused parents


def with_organizations(api: StubApi, slugs: list[str]) -> dict[str, Row]:
    organizations = {slug: {"id": f"id-{slug}", "slug": slug, "created_at": "2026-01-01T00:00:00Z"} for slug in slugs}
    api.routes["/v2/organizations"] = lambda query: listed(list(organizations.values()))(query)
    for slug in slugs:
        api.routes[f"/v2/organizations/{slug}/pipelines"] = listed([{"id": f"{slug}-1"}])
    return organizations


def forbidden(query: Query) -> Reply:
    return Reply({"error": {"status": 403, "message": "no access"}}, 403)


CI_PARENTS, PIPELINES = "organizations", "organizations_pipelines"


def test_all_parents_refused_is_a_failure_with_the_reason(api: StubApi, point: Point, sync_platform: Sync) -> None:
    point("ci_analytics", api.url)
    with_organizations(api, ["a", "b"])
    for slug in "ab":
        api.routes[f"/v2/organizations/{slug}/pipelines"] = forbidden
    outcome = sync_platform("ci_analytics", [CI_PARENTS, PIPELINES])[PIPELINES]
    assert outcome.error is not None and "all 2 parents were refused" in outcome.error and "403" in outcome.error


@pytest.mark.parametrize("status", [403, 404, 410])
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


def test_a_parent_refused_once_it_was_read_stays_due(
    api: StubApi, point: Point, sync_platform: Sync, warehouse_file: Path
) -> None:
    """Although it is still the parent that was read: what a full refresh was refused is not done."""
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


# 6: suspiciously few rows, parent by parent


def pipelines(slug: str, count: int) -> list[Row]:
    return [{"id": f"{slug}-{number}"} for number in range(count)]


@pytest.mark.parametrize(
    ("before", "after", "removed"), [(90, 0, 0), (10, 1, 0), (10, 5, 5), (4, 1, 0), (3, 1, 2), (3, 2, 1), (2, 1, 1)]
)
def test_each_parent_is_weighed_alone(
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
    gone = query(warehouse_file, f"SELECT count(*) FROM ci_analytics.{PIPELINES} WHERE _deleted_at IS NOT NULL")
    assert gone == [(removed,)]


def test_a_parent_whose_missing_rows_are_withheld_stays_due_in_a_bucket(
    api: StubApi, point: Point, sync_platform: Sync
) -> None:
    """Else the next sync, which asks unchanged parents for nothing, would say that all is well."""
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
def test_an_empty_answer_marks_no_row_of_a_list_however_short(
    count: int, api: StubApi, point: Point, sync_platform: Sync, warehouse_file: Path
) -> None:
    point("device_management", api.url)
    api.routes[ROLES] = listed([{"id": number} for number in range(count)])
    sync_platform("device_management", ["roles"])
    api.routes[ROLES] = listed([])
    outcome = sync_platform("device_management", ["roles"])["roles"]
    assert (outcome.deleted, outcome.deletion_withheld) == (0, count)
    assert there(warehouse_file, "device_management.roles") == [*range(count)]


def test_a_row_that_moves_to_another_parent_is_not_marked(
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


def test_one_short_answer_marks_nothing_where_the_second_look_finds_the_rows(
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


def test_product_lines_are_deleted_only_when_two_answers_agree(
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


# 7: an end that nothing proves


def test_a_list_that_ends_without_a_link_header_leaves_no_cursor(
    api: StubApi, point: Point, sync_platform: Sync, warehouse_file: Path
) -> None:
    """It may have been the first of many pages; the next sync begins at the beginning."""
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


# 8: a name that is used again


def sentry_project(id: str, slug: str, organization: str = "1") -> Row:
    return {
        "id": id,
        "slug": slug,
        "dateCreated": "2026-01-01T00:00:00Z",
        "organization": {"id": organization, "slug": "acme"},
    }


def test_another_project_under_a_slug_that_was_used_before_is_read_from_its_beginning(
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
    assert "start" in api.requests_to("/v1/projects/acme/web/events/")[-1], "there is a cursor that could be inherited"
    api.routes["/v1/projects/"] = listed([sentry_project("2", "web")])
    events[:] = [
        {"id": "early", "dateCreated": "2025-03-01T00:00:00Z"},
        {"id": "x", "dateCreated": "2026-01-10T00:00:00Z"},
    ]
    sync_platform("error_tracking", ["projects", "events"])
    assert ids(warehouse_file, "error_tracking.events") == ["early", "old", "x"]


# A load that fails


def test_a_load_that_fails_moves_no_cursor(
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


# 9: two runs of one resource


def test_a_run_that_read_earlier_and_lands_later_puts_no_old_value_over_a_new_one(
    api: StubApi, point: Point, sync_platform: Sync, warehouse_file: Path
) -> None:
    point("device_management", api.url)
    value = {"name": "first"}
    api.routes[ROLES] = lambda query: listed([{"id": 1, **value}])(query)
    sync_platform("device_management", ["roles"])
    read, landed = Event(), Event()
    requests = iter(range(100))

    def held(query: Query) -> Reply:
        reply = listed([{"id": 1, **value}])(query)
        if next(requests) == 0:
            read.set()
            landed.wait(30)
        return reply

    api.routes[ROLES] = held
    value["name"] = "second"
    with ThreadPoolExecutor(1) as pool:
        early = pool.submit(sync_platform, "device_management", ["roles"])
        assert read.wait(30)
        value["name"] = "third"
        sync_platform("device_management", ["roles"])
        landed.set()
        assert early.result(60)["roles"].ok
    assert query(warehouse_file, "SELECT name FROM device_management.roles") == [("third",)]


# 10: a table that is not as it was left


@pytest.mark.parametrize(
    "statements",
    [
        ["DELETE FROM crm.deals"],
        ["DELETE FROM crm.deals WHERE id = 2"],
        ["DROP TABLE crm.deals"],
        ["DELETE FROM crm.deals", "INSERT INTO crm.deals SELECT * FROM backup"],
    ],
    ids=["emptied", "one-row", "dropped", "older-backup"],
)
def test_rows_that_somebody_took_out_come_back_with_the_next_sync(
    statements: list[str], api: StubApi, point: Point, sync_platform: Sync, warehouse_file: Path
) -> None:
    point("crm", api.url)
    deals = [deal(1, "2025-01-01 00:00:00"), deal(2, "2025-06-01 00:00:00")]
    api.routes["/v1/recents"] = recents("deal", deals)
    sync_platform("crm", ["deals"])
    execute(warehouse_file, "CREATE TABLE backup AS SELECT * FROM crm.deals")
    deals[0].update(title="changed", update_time="2025-12-01 00:00:00")
    deals.append(deal(3, "2026-01-01 00:00:00"))
    sync_platform("crm", ["deals"])
    execute(warehouse_file, *statements)
    outcome = sync_platform("crm", ["deals"])["deals"]
    assert outcome.ok and outcome.reset
    assert query(warehouse_file, "SELECT id, title FROM crm.deals ORDER BY id") == [
        (1, "changed"),
        (2, "deal 2"),
        (3, "deal 3"),
    ]
    assert sync_platform("crm", ["deals"])["deals"].reset is None


def test_children_of_a_table_that_was_emptied_come_back_though_no_parent_changed(
    api: StubApi, point: Point, sync_platform: Sync, warehouse_file: Path
) -> None:
    point("crm", api.url)
    api.routes["/v1/recents"] = recents("deal", [deal(1, "2026-01-01 00:00:00")])
    api.routes["/v1/deals/1/products"] = lambda query: Reply({"success": True, "data": [{"id": 10}]})
    sync_platform("crm", ["deals", "deal_products"])
    execute(warehouse_file, "DELETE FROM crm.deal_products")
    sync_platform("crm", ["deal_products"])
    assert ids(warehouse_file, "crm.deal_products") == [10]


# 11: a start date set later


def test_a_start_date_set_later_freezes_no_row_that_is_there(
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


# 12: parents without a time, and without a name


def test_a_parent_without_a_time_that_changes_has_its_children_read_again(
    api: StubApi, point: Point, sync_platform: Sync, warehouse_file: Path
) -> None:
    point("crm", api.url)
    timeless: Row = {"id": 1, "title": "a", "update_time": None}
    api.routes["/v1/recents"] = recents("deal", [timeless])
    lines = [{"id": 10}]
    api.routes["/v1/deals/1/products"] = lambda query: Reply({"success": True, "data": lines})
    sync_platform("crm", ["deals", "deal_products"])
    assert sync_platform("crm", ["deals", "deal_products"])["deal_products"].requests == 0
    timeless["title"] = "b"
    lines.append({"id": 11})
    sync_platform("crm", ["deals", "deal_products"])
    assert ids(warehouse_file, "crm.deal_products") == [10, 11]


def test_parents_without_a_name_are_counted_and_all_of_them_are_a_failure(
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


# 18: what is unchanged is not written


def test_unchanged_rows_are_not_written_where_the_server_sends_more_than_it_was_asked_for(
    api: StubApi, point: Point, sync_platform: Sync, warehouse_file: Path
) -> None:
    point("crm", api.url)
    deals = [deal(number, f"202{number}-01-01 00:00:00") for number in range(6)]
    api.routes["/v1/recents"] = lambda query: recents("deal", deals)({**query, "since_timestamp": ""})
    sync_platform("crm", ["deals"])
    before = query(warehouse_file, "SELECT id, _loaded_at FROM crm.deals ORDER BY id")
    deals[0]["title"] = "changed without a new time"
    assert sync_platform("crm", ["deals"])["deals"].rows_loaded == 1
    assert query(warehouse_file, "SELECT id, _loaded_at FROM crm.deals ORDER BY id")[1:] == before[1:]


# 22: a run that is told to end


def test_told_to_end_before_it_lands_nothing_lands(
    api: StubApi, point: Point, sync_platform: Sync, warehouse_file: Path
) -> None:
    """Also where nothing was left to be asked for, so that no request could break off."""
    point("crm", api.url)
    api.routes["/v1/recents"] = recents("deal", [])
    sync_platform("crm", ["deals"])
    with cancellable() as cancellation:
        cancellation.cancel()
        with pytest.raises(Cancelled):
            sync_platform("crm", ["deal_products"])
    assert query(warehouse_file, "SELECT 1 FROM crm._sync_log WHERE resource = 'deal_products'") == []
    assert query(warehouse_file, "SELECT 1 FROM duckdb_tables() WHERE table_name = 'deal_products'") == []
    assert sync_platform("crm", ["deal_products"])["deal_products"].created

"""Tables that began empty, that were changed by hand, or in which nothing changed."""

from pathlib import Path

import dlt
import pytest
from dlt.extract.resource import DltResource

from platform_assets.arrow.buffer import BufferedRows
from platform_assets.declarations import Platform, Resource
from platform_assets.warehouse.dlt_source import dlt_resource
from tests.conftest import Sync
from tests.databases import execute
from tests.servers.http_server import Reply
from tests.servers.stub_api import StubApi, listed, recents
from tests.settings import Point
from tests.sync.records import ROLES, Row, deal
from tests.sync.tables import ids, there
from tests.warehouse_rows import query

pytestmark = pytest.mark.usefixtures("in_either_warehouse")


@pytest.mark.always_in_postgres
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


def as_created_by_an_earlier_version(
    platform: Platform, resource: Resource, buffered: BufferedRows, *, merge: bool, parquet: bool
) -> DltResource:
    """An empty table as dlt creates it, with `_dlt_load_id NOT NULL`."""
    return dlt_resource(platform, resource, buffered.columns, lambda: iter([dlt.mark.materialize_table_schema()]))


def test_an_empty_table_of_an_earlier_version_takes_its_first_row(
    api: StubApi, point: Point, sync_platform: Sync, warehouse_file: Path
) -> None:
    point("device_management", api.url)
    rows: list[Row] = []
    api.routes[ROLES] = listed(rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("platform_assets.sync.land.buffered_resource", as_created_by_an_earlier_version)
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


@pytest.mark.parametrize(
    "statements",
    [
        pytest.param(["DELETE FROM crm.deals"], marks=pytest.mark.slow),
        ["DELETE FROM crm.deals WHERE id = 2"],
        ["DROP TABLE crm.deals"],
        pytest.param(["DELETE FROM crm.deals", "INSERT INTO crm.deals SELECT * FROM backup"], marks=pytest.mark.slow),
    ],
    ids=["emptied", "one-row", "dropped", "older-backup"],
)
@pytest.mark.always_in_postgres
def test_rows_deleted_by_hand_are_loaded_again_by_the_next_sync(
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


def test_children_of_an_emptied_table_are_loaded_again_although_no_parent_changed(
    api: StubApi, point: Point, sync_platform: Sync, warehouse_file: Path
) -> None:
    point("crm", api.url)
    api.routes["/v1/recents"] = recents("deal", [deal(1, "2026-01-01 00:00:00")])
    api.routes["/v1/deals/1/products"] = lambda query: Reply({"success": True, "data": [{"id": 10}]})
    sync_platform("crm", ["deals", "deal_products"])
    execute(warehouse_file, "DELETE FROM crm.deal_products")
    sync_platform("crm", ["deal_products"])
    assert ids(warehouse_file, "crm.deal_products") == [10]


def test_unchanged_rows_are_not_written_if_the_server_ignores_the_filter(
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

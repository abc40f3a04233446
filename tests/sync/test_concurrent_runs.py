"""Two runs of one resource, and a run that is cancelled before it lands."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from platform_assets.cancellation import Cancelled, cancellable
from tests.conftest import Sync
from tests.servers.http_server import Query, Reply
from tests.servers.stub_api import StubApi, listed, recents
from tests.settings import Point
from tests.sync.records import ROLES
from tests.warehouse_rows import query

pytestmark = pytest.mark.usefixtures("in_either_warehouse")


@pytest.mark.always_in_postgres
def test_a_run_that_read_earlier_does_not_overwrite_newer_values(
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


@pytest.mark.always_in_postgres
def test_a_run_cancelled_before_it_lands_writes_nothing(
    api: StubApi, point: Point, sync_platform: Sync, warehouse_file: Path
) -> None:
    """Even if no request is left that could be cancelled."""
    point("crm", api.url)
    api.routes["/v1/recents"] = recents("deal", [])
    sync_platform("crm", ["deals"])
    with cancellable() as cancellation:
        cancellation.cancel()
        with pytest.raises(Cancelled):
            sync_platform("crm", ["deal_products"])
    assert query(warehouse_file, "SELECT 1 FROM crm._sync_log WHERE resource = 'deal_products'") == []
    assert query(warehouse_file, "SELECT 1 FROM information_schema.tables WHERE table_name = 'deal_products'") == []
    assert sync_platform("crm", ["deal_products"])["deal_products"].created

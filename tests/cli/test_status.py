"""`platform-assets status` shows what the warehouse records of every asset, also after a partly failed sync."""

import pytest

from tests.cli.command import command
from tests.conftest import Sync
from tests.servers.http_server import Reply
from tests.servers.stub_api import StubApi, recents
from tests.settings import Point

UPDATED = "2026-01-01 06:00:00"


@pytest.fixture
def lines(point: Point, sync_platform: Sync) -> dict[str, str]:
    """The line of each asset after a sync in which one resource and one parent fail, and one parent is refused."""
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
    done = command("status", "--platform", "crm", env={"COLUMNS": "300"})
    assert done.returncode == 0, done.stderr
    return {line.split()[0]: " ".join(line.split()) for line in done.stdout.splitlines() if line.startswith("crm/")}


def test_every_asset_has_rows_cursor_and_state(lines: dict[str, str]) -> None:
    assert lines["crm/deals"].startswith(f"crm/deals 3 {UPDATED} ") and lines["crm/deals"].endswith(" ok")
    assert " d " in lines["crm/deals"]
    assert lines["crm/roles"].startswith("crm/roles 1 - - 20") and lines["crm/roles"].endswith(" ok")
    assert lines["crm/notes"] == "crm/notes - - - never not loaded"


def test_a_failure_shows_its_reason_and_refused_parents_are_counted(lines: dict[str, str]) -> None:
    assert " never failed: crm: GET /v1/currencies: answered 500" in lines["crm/currencies"]
    assert lines["crm/deal_products"].startswith("crm/deal_products 2 - - 20")
    assert lines["crm/deal_products"].endswith(" 1 of 3 parents failed: 3, 1 parents skipped")

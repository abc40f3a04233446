"""Lists that change, or are truncated, while a sync reads them: no row is lost, and none wrongly soft-deleted."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from platform_assets.sandbox import SandboxServer
from platform_assets.sandbox.tokens import sandbox_token
from tests.conftest import Sync
from tests.servers.faulty_proxy import FaultWriter, FaultyProxy, GoodResponse, Wire
from tests.servers.http_server import Query, Reply
from tests.servers.stub_api import Route, StubApi
from tests.settings import Point
from tests.tiers import only
from tests.warehouse_rows import query

pytestmark = pytest.mark.usefixtures("in_either_warehouse")

Aim = Callable[[str, str], None]


@pytest.fixture
def aim(point: Point) -> Aim:
    """Point one platform's settings at a sandbox or a proxy before it."""
    return lambda name, url: point(name, f"{url}/{name}", sandbox_token(name))


def then_change(change: Callable[[], object]) -> FaultWriter:
    """A correct response, after which the list changes."""

    def write_fault(wire: Wire, good: GoodResponse) -> bool:
        change()
        wire.send(good.message())
        return True

    return write_fault


def ids(path: Path, table: str, where: str = "true") -> set[str]:
    return {str(row[0]) for row in query(path, f"SELECT id FROM {table} WHERE {where}")}


def test_a_deal_edited_between_two_pages_hides_no_other_deal(
    aim: Aim, sync_platform: Sync, warehouse_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCES__CRM__PAGE_SIZE", "50")
    with SandboxServer() as server:
        deals = server.backend.tables["crm"]["deals"]
        edit = then_change(lambda: deals.append({**deals.pop(3), "update_time": "2031-01-01 00:00:00"}))
        with FaultyProxy(server.url, edit, pattern=r"/recents\?") as proxy:
            aim("crm", proxy.url)
            assert sync_platform("crm", ["deals"])["deals"].ok
            assert proxy.faults_served == 1
        assert ids(warehouse_file, "crm.deals") == {str(deal["id"]) for deal in deals}


@pytest.mark.parametrize(
    ("name", "resource"),
    [("device_management", "organizations"), pytest.param("load_testing", "tests", marks=pytest.mark.slow)],
)
def test_a_row_removed_between_two_pages_is_the_only_one_soft_deleted(
    name: str, resource: str, aim: Aim, sync_platform: Sync, warehouse_file: Path
) -> None:
    with SandboxServer() as server:
        rows = server.backend.tables[name][resource]
        aim(name, server.url)
        sync_platform(name, [resource])
        removed: list[Any] = []
        with FaultyProxy(server.url, then_change(lambda: removed.append(rows.pop(0))), pattern=r"\?") as proxy:
            aim(name, proxy.url)
            assert sync_platform(name, [resource])[resource].ok
        marked = ids(warehouse_file, f"{name}.{resource}", "_deleted_at IS NOT NULL")
        assert marked <= {str(removed[0]["id"])}
        aim(name, server.url)
        assert sync_platform(name, [resource])[resource].ok
        marked = ids(warehouse_file, f"{name}.{resource}", "_deleted_at IS NOT NULL")
        assert marked == {str(removed[0]["id"])}


def test_an_issue_missed_between_two_cursor_pages_is_found_by_the_second_read(
    aim: Aim, sync_platform: Sync, warehouse_file: Path
) -> None:
    with SandboxServer() as server:
        aim("error_tracking", server.url)
        sync_platform("error_tracking", ["projects"])
        issues = server.backend.tables["error_tracking"]["issues"]["acme", "mobile"]
        with FaultyProxy(
            server.url, then_change(lambda: issues.pop(0)), pattern=r"/acme/mobile/issues/(\?|$)"
        ) as proxy:
            aim("error_tracking", proxy.url)
            outcome = sync_platform("error_tracking", ["issues"], partitions=frozenset({"acme/mobile"}))["issues"]
            assert outcome.ok and not outcome.failed_partitions and proxy.faults_served == 1
        assert ids(warehouse_file, "error_tracking.issues") >= {str(issue["id"]) for issue in issues}


def test_a_page_limit_lowered_during_a_read_soft_deletes_nothing(
    aim: Aim, sync_platform: Sync, warehouse_file: Path
) -> None:
    def shorten(wire: Wire, good: GoodResponse) -> bool:
        wire.send(good.message(orjson.dumps({"data": orjson.loads(good.body)["data"][:7]})))
        return True

    with SandboxServer() as server:
        aim("device_management", server.url)
        whole = sync_platform("device_management", ["organizations"])["organizations"].rows_in_table
        pattern = r"/organizations\?.*after=(?!0)"
        with FaultyProxy(server.url, shorten, pattern=pattern, times=None) as proxy:
            aim("device_management", proxy.url)
            outcome = sync_platform("device_management", ["organizations"])["organizations"]
            assert outcome.ok and proxy.faults_served
        assert outcome.deleted == 0 and outcome.deletion_withheld == 0
        assert len(ids(warehouse_file, "device_management.organizations", "_deleted_at IS NULL")) == whole


def test_a_redirect_that_drops_the_query_is_refused_and_soft_deletes_nothing(
    aim: Aim, sync_platform: Sync, warehouse_file: Path
) -> None:
    def drop_the_query(wire: Wire, good: GoodResponse) -> bool:
        wire.send(good.message(b"", status=302, location="/ci_analytics/v2/organizations/"))
        return True

    with SandboxServer() as server:
        aim("ci_analytics", server.url)
        sync_platform("ci_analytics", ["organizations"])
        with FaultyProxy(server.url, drop_the_query, pattern=r"/organizations\?", times=None) as proxy:
            aim("ci_analytics", proxy.url)
            outcome = sync_platform("ci_analytics", ["organizations"])["organizations"]
        assert "redirects without the parameters" in (outcome.error or "")
        assert ids(warehouse_file, "ci_analytics.organizations", "_deleted_at IS NOT NULL") == set()


def test_a_missing_link_header_fails_the_read(aim: Aim, sync_platform: Sync, warehouse_file: Path) -> None:
    def remove_the_link(wire: Wire, good: GoodResponse) -> bool:
        wire.send(good.message(link=None))
        return True

    with SandboxServer() as server:
        aim("error_tracking", server.url)
        sync_platform("error_tracking", ["projects"])
        with FaultyProxy(server.url, remove_the_link, pattern=r"/projects/\?.*cursor=0%3A5", times=None) as proxy:
            aim("error_tracking", proxy.url)
            outcome = sync_platform("error_tracking", ["projects"])["projects"]
            assert proxy.faults_served
        assert "Link header" in (outcome.error or "")
        assert ids(warehouse_file, "error_tracking.projects", "_deleted_at IS NOT NULL") == set()


def pages_of_twenty(total: int, obeys_size: bool) -> Route:
    """A list of load tests of which no page has more than 20."""

    def answer(query: Query) -> Reply:
        size = min(20, int(query["page_size"])) if obeys_size else 20
        first = (int(query["page"]) - 1) * size
        return Reply({"tests": [{"id": number} for number in range(total)][first : first + size]})

    return answer


@pytest.mark.parametrize("obeys_size", [True, False])
@pytest.mark.parametrize("total", only([20, 55], [0, 1, 20, 30, 55], slow=[0, 1, 30]))
def test_a_server_with_smaller_pages_than_requested_is_read_completely(
    total: int, obeys_size: bool, aim: Aim, sync_platform: Sync, warehouse_file: Path
) -> None:
    with StubApi(other=pages_of_twenty(total, obeys_size)) as api:
        aim("load_testing", api.url)
        assert sync_platform("load_testing", ["tests"])["tests"].ok
    assert ids(warehouse_file, "load_testing.tests") == {str(number) for number in range(total)}

"""The rows of two accounts never share a table: another account is refused before anything is read."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from platform_assets.platforms import platform_named
from platform_assets.warehouse import open_warehouse
from platform_assets.warehouse.source_account import AnotherAccount
from tests.conftest import Sync
from tests.servers.stub_api import StubApi, listed, recents
from tests.settings import Point
from tests.sync.records import ROLES, deal
from tests.sync.tables import ids
from tests.warehouse_rows import query

pytestmark = pytest.mark.usefixtures("in_either_warehouse")


@pytest.fixture
def two_accounts() -> Iterator[tuple[StubApi, StubApi]]:
    with StubApi() as first, StubApi() as second:
        for number, server in enumerate((first, second)):
            server.routes["/v1/recents"] = recents("deal", [deal(number + 1, "2026-01-01 00:00:00")])
        yield first, second


def test_another_account_is_refused_with_a_remedy(
    two_accounts: tuple[StubApi, StubApi], point: Point, sync_platform: Sync, warehouse_file: Path
) -> None:
    first, second = two_accounts
    point("crm", first.url)
    sync_platform("crm", ["deals"])
    point("crm", second.url)
    with pytest.raises(AnotherAccount) as refusal:
        sync_platform("crm", ["deals"])
    message = str(refusal.value)
    assert first.url in message and second.url in message and "--start-over" in message and "\n" not in message
    assert second.requests == []
    assert ids(warehouse_file, "crm.deals") == [1]
    point("crm", first.url)
    assert sync_platform("crm", ["deals"])["deals"].ok


@pytest.mark.always_in_postgres
def test_after_starting_over_the_tables_hold_only_the_new_account(
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
    """The list of organizations identifies the account; requested only if the credential has changed."""
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


def test_the_recorded_fingerprint_does_not_reveal_the_credential(
    two_accounts: tuple[StubApi, StubApi], point: Point, sync_platform: Sync, warehouse_file: Path
) -> None:
    point("crm", two_accounts[0].url)
    sync_platform("crm", ["deals"])
    ((mark,),) = query(warehouse_file, "SELECT credential FROM crm._sync_source")
    assert len(mark.split(":")[1]) == 6, "24 bits: thousands of credentials of any length share it"

"""A verification reads as a sync does: filtered, reshaped, in windows, and by content where there is no key."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from platform_assets.configuration.platform_settings import Settings
from platform_assets.declarations import Incremental, Platform, RecordShape, Template
from platform_assets.http.client import ApiClient
from platform_assets.verification import Verification, verify
from platform_assets.warehouse import open_warehouse
from tests.databases import execute
from tests.servers.stub_api import StubApi, listed
from tests.sync.declared import declared, synced, things

RECORDS = [{"id": n, "state": "ab"[n % 2], "at": f"2026-01-0{n + 1}T00:00:00Z"} for n in range(6)]
WINDOWS = Incremental(
    cursor_path="at",
    start_param="since",
    end_param="until",
    initial_value="2026-01-01T00:00:00Z",
    step=timedelta(days=3650),
)


def verified(api: StubApi, platform: Platform) -> Verification:
    with (
        open_warehouse(platform) as warehouse,
        ApiClient(platform, Settings(base_url=api.url, token="t0ken")) as client,
    ):
        (found,) = verify(client, warehouse, ["things"])
    return found


def test_what_was_filtered_reshaped_and_keyed_by_content_verifies(warehouse_file: Path) -> None:
    shape = RecordShape(added={"twice": Template("{{ record.id * 2 }}")}, removed=("id",))
    served = things(record_filter=Template("{{ record.state == 'a' }}"), record=shape, incremental=WINDOWS)
    platform = declared(replace(served, columns={"at": "timestamp"}, primary_key=()))
    with StubApi({"/things": listed(RECORDS)}) as api:
        assert synced(api, platform)["things"].rows_loaded == 3
        assert verified(api, platform).examples == []
        execute(warehouse_file, "DELETE FROM shop.things WHERE twice = 4")
        assert len(verified(api, platform).examples) == 1

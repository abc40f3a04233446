"""A column that is declared, or declared otherwise, once the table has it keeps its type, and the list is read on."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from platform_assets.declarations import Incremental, RecordCursor
from tests.databases import execute
from tests.servers.stub_api import StubApi, listed
from tests.sync.declared import declared, rows, synced, things

DAYS = ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00+00:00", "2026-01-03T00:00:00Z"]
RECORDS = [
    {"id": number, "at": at, "state": "open" if number == 2 else "done"} for number, at in enumerate(DAYS, start=1)
]
UNDECLARED = replace(things(), columns={"id": "bigint"})


@pytest.mark.usefixtures("in_either_warehouse")
def test_a_key_keeps_its_type_and_its_rows(
    api: StubApi, warehouse_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    as_text = replace(things(), columns={"id": "text", "at": "timestamp"})
    api.routes["/things"] = listed(RECORDS)
    assert synced(api, declared(as_text))["things"].rows_loaded == 3
    # A declaration that has changed loads every row anew, once.
    for loaded in (3, 0):
        found = synced(api, declared(things()))["things"]
        assert (found.ok, found.rows_loaded, found.rows_in_table, found.duplicate_keys) == (True, loaded, 3, 0)
        assert "shop/things: the table keeps `id` text, as it was first loaded" in caplog.text
    assert [row["id"] for row in rows(warehouse_file)] == ["1", "2", "3"]
    execute(warehouse_file, "DROP TABLE shop.things")
    assert synced(api, declared(things()))["things"].rows_loaded == 3
    assert [row["id"] for row in rows(warehouse_file)] == [1, 2, 3], "as declared, since the table is a new one"


@pytest.mark.usefixtures("in_either_warehouse")
def test_the_next_read_begins_at_the_cursor(api: StubApi, warehouse_file: Path) -> None:
    api.routes["/things"] = listed(RECORDS)
    assert synced(api, declared(UNDECLARED))["things"].ok
    incremental = Incremental(cursor_path="at", start_param="since", reopen={"state": ("open",)})
    columns = {"id": "bigint", "at": "timestamp", "state": "text"}
    platform = declared(replace(things(incremental=incremental), columns=columns))
    assert synced(api, platform)["things"].ok
    changed = {**RECORDS[0], "state": "changed", "at": "2026-01-04T00:00:00Z"}
    api.routes["/things"] = listed([*RECORDS[1:], changed])
    found = synced(api, platform)["things"]
    assert found.ok and found.rows_loaded == 1
    assert found.cursor == datetime(2026, 1, 4, tzinfo=UTC)
    assert api.requests_to("/things")[-1]["since"] == "2026-01-02T00:00:00Z", "as old as the oldest unfinished row"
    assert rows(warehouse_file)[0] == changed


def test_the_start_date_is_kept_to(api: StubApi) -> None:
    api.routes["/things"] = listed(RECORDS)
    synced(api, declared(UNDECLARED))
    platform = declared(things(incremental=Incremental(cursor_path="at", start_param="since")))
    for _ in range(2):
        found = synced(api, platform, settings={"start_date": datetime(2025, 1, 1, tzinfo=UTC)})["things"]
        assert found.ok


def test_a_list_whose_newest_come_first_is_read_whole(api: StubApi, warehouse_file: Path) -> None:
    api.routes["/things"] = listed(RECORDS)
    synced(api, declared(UNDECLARED))
    newest_first = RecordCursor(cursor_param="before", newest_first=True, limit=10)
    incremental = Incremental(cursor_path="at", newest_first=True, lag=timedelta(days=1))
    platform = declared(things(incremental=incremental, paginator=newest_first))
    api.routes["/things"] = lambda query: listed(RECORDS[::-1] if "before" not in query else [])(query)
    assert synced(api, platform)["things"].ok and synced(api, platform)["things"].ok
    assert len(rows(warehouse_file)) == len(RECORDS)

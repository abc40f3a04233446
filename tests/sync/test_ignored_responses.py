"""A response that is ignored as declared is no answer: what came before it lands, and nothing is concluded."""

from pathlib import Path
from typing import Any

import pytest

from platform_assets.configuration.platform_settings import Settings
from platform_assets.declarations import (
    DynamicPartitions,
    Endpoint,
    ErrorHandler,
    FanOut,
    Incremental,
    PageNumber,
    Resolve,
    Resource,
    ResponseAction,
)
from platform_assets.extraction.reading import ListRead, read_records
from platform_assets.http.client import ApiClient
from platform_assets.http.errors import AnswerError
from tests.databases import fetch
from tests.servers.http_server import Query, Reply
from tests.servers.stub_api import StubApi, listed
from tests.sync.declared import declared, rows, synced, things

IGNORE = ErrorHandler(max_retries=0, response_actions=(ResponseAction(action="ignore", status_code=404),))
PAGES = PageNumber(page_param="page", limit_param="per_page", limit=2)
PARTS = Resource(
    name="parts",
    description="Parts.",
    endpoint=Endpoint(path="/things/{thing}/parts", params={"thing": Resolve("things", "id")}, error_handler=IGNORE),
    columns={"id": "bigint"},
    partition=DynamicPartitions(name="shop_thing"),
)
GONE = Reply({"text": "no such page"}, 404)


def dated(*days: int) -> list[dict[str, Any]]:
    return [{"id": day, "at": f"2026-01-{day:02}T00:00:00Z"} for day in days]


def first_page_only(records: list[dict[str, Any]]) -> Any:
    def answer(query: Query) -> Reply:
        return GONE if query.get("page") != "1" else listed(records)(query)

    return answer


def test_rows_before_an_ignored_page_land_and_none_counts_as_removed(api: StubApi, warehouse_file: Path) -> None:
    platform = declared(things(paginator=PAGES, error_handler=IGNORE))
    api.routes["/things"] = listed(dated(1, 2, 3))
    assert synced(api, platform)["things"].ignored is None
    api.routes["/things"] = first_page_only([{"id": 1, "name": "new"}, {"id": 9}])
    for _ in range(2):
        outcome = synced(api, platform)["things"]
        assert outcome.ok and outcome.ignored_responses == 1 and "no such page" in (outcome.ignored or "")
        assert (outcome.deleted, outcome.deletion_withheld) == (0, 0)
    found = {row["id"]: row.get("name") for row in rows(warehouse_file)}
    assert found == {1: "new", 2: None, 3: None, 9: None}
    (_, recorded) = fetch(warehouse_file, "SELECT status, error FROM shop._sync_state")
    assert recorded[0][0] == "skipped" and "no such page" in recorded[0][1]


def test_no_cursor_moves_past_an_ignored_response(api: StubApi) -> None:
    incremental = Incremental(cursor_path="at", start_param="since", initial_value="2025")
    platform = declared(things(paginator=PAGES, error_handler=IGNORE, incremental=incremental))
    api.routes["/things"] = first_page_only(dated(1, 2, 3))
    synced(api, platform)
    synced(api, platform)
    api.routes["/things"] = listed(dated(1, 2, 3))
    assert synced(api, platform)["things"].rows_loaded == 1
    assert {query["since"] for query in api.requests_to("/things")} == {"2025"}
    synced(api, platform)
    assert api.requests_to("/things")[-1]["since"] == "2026-01-03T00:00:00Z"


def test_one_of_several_values_that_is_ignored_leaves_the_others(api: StubApi, warehouse_file: Path) -> None:
    platform = declared(things(params={"kind": FanOut(("a", "b"))}, error_handler=IGNORE))
    api.routes["/things"] = lambda query: GONE if query["kind"] == "a" else Reply({"data": [{"id": 2}]})
    outcome = synced(api, platform)["things"]
    assert outcome.ignored_responses == 1 and [row["id"] for row in rows(warehouse_file)] == [2]


def test_parents_whose_lists_are_ignored_are_skipped_and_stay_due_without_a_failure(api: StubApi) -> None:
    platform = declared(things(), PARTS)
    api.routes["/things"] = listed([{"id": 1}, {"id": 2}])
    synced(api, platform, "things")
    outcome = synced(api, platform, "parts")["parts"]
    assert outcome.ok and sorted(outcome.skipped_parents) == ["1", "2"] and outcome.ignored_responses == 2
    api.routes["/things/1/parts"] = listed([{"id": 10}])
    outcome = synced(api, platform, "parts")["parts"]
    assert outcome.skipped_parents == ["2"] and outcome.rows_loaded == 1


def test_a_list_with_an_ignored_response_is_not_taken_for_a_whole_one(api: StubApi) -> None:
    platform = declared(things(paginator=PAGES, error_handler=IGNORE))
    api.routes["/things"] = first_page_only(dated(1, 2, 3))
    with ApiClient(platform, Settings(base_url=api.url, token="t0ken")) as client:
        found = read_records(ListRead(client, platform.resource("things")))
        with pytest.raises(AnswerError, match="not complete"):
            list(found)

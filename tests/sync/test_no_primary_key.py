"""Records without a key are told apart by their content, which is stable, and removed like any others."""

from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest

from platform_assets.declarations import (
    DynamicPartitions,
    Endpoint,
    Incremental,
    OnRemoval,
    PageNumber,
    Resolve,
    Resource,
)
from tests.servers.http_server import Query, Reply
from tests.servers.stub_api import StubApi, listed
from tests.sync.declared import declared, rows, synced, things

PARTS = Resource(
    name="parts",
    description="Parts.",
    endpoint=Endpoint(path="/things/{thing}/parts", params={"thing": Resolve("things", "name")}),
    columns={"title": "text"},
    primary_key=(),
    partition=DynamicPartitions(name="shop_thing"),
)


def keyless(**endpoint: Any) -> Resource:
    return replace(things(**endpoint), columns={"at": "timestamp", "name": "text"}, primary_key=())


def named(*names: str) -> list[dict[str, Any]]:
    return [{"name": name, "at": "2026-01-01T00:00:00Z", "tags": {"b": 1, "a": [1.0]}} for name in names]


def names(file: Path, table: str = "things", **which: Any) -> list[str]:
    return sorted(row["name"] for row in rows(file, table, **which))


@pytest.mark.usefixtures("in_either_warehouse")
def test_equal_records_are_one_row_and_what_is_gone_is_removed(api: StubApi, warehouse_file: Path) -> None:
    platform = declared(keyless())
    api.routes["/things"] = listed(named("a", "b", "a", "c"))
    first = synced(api, platform)["things"]
    assert (first.rows_loaded, first.repeats, first.duplicate_keys, first.null_keys) == (3, 1, 0, 0)
    again = synced(api, platform)["things"]
    assert (again.rows_loaded, again.deleted) == (0, 0)
    api.routes["/things"] = listed([*named("b", "c", "d")])
    changed = synced(api, platform)["things"]
    assert (changed.rows_loaded, changed.deleted) == (1, 1)
    assert names(warehouse_file) == ["b", "c", "d"] and names(warehouse_file, removed=True) == ["a"]
    api.routes["/things"] = listed(named("a", "b", "c", "d"))
    synced(api, platform)
    assert names(warehouse_file) == ["a", "b", "c", "d"]


def test_the_key_is_the_same_in_every_release(api: StubApi, warehouse_file: Path) -> None:
    api.routes["/things"] = listed([{"name": "ä", "n": [1, None], "m": {"y": 1.5, "x": "z"}}])
    synced(api, declared(keyless()))
    content = '{"m":{"x":"z","y":1.5},"n":[1,null],"name":"ä"}'
    assert rows(warehouse_file)[0]["_content_key"] == blake2b(content.encode(), digest_size=16).hexdigest()


def test_fields_that_are_never_loaded_do_not_tell_records_apart(api: StubApi, warehouse_file: Path) -> None:
    api.routes["/things"] = listed([{"name": "a", "secret": 1}, {"name": "a", "secret": 2}])
    outcome = synced(api, declared(keyless(exclude=("secret",))))["things"]
    assert outcome.rows_loaded == 1 and outcome.repeats == 1


def test_the_same_record_of_two_parents_is_two_rows(api: StubApi, warehouse_file: Path) -> None:
    platform = declared(keyless(), PARTS)
    api.routes = {
        "/things": listed(named("x", "y")),
        "/things/x/parts": listed([{"title": "same"}, {"title": "own"}]),
        "/things/y/parts": listed([{"title": "same"}]),
    }
    synced(api, platform, "things")
    assert synced(api, platform, "parts")["parts"].rows_loaded == 3
    api.routes["/things/x/parts"] = listed([{"title": "own"}])
    outcome = synced(api, platform, "parts")["parts"]
    assert outcome.deleted == 1
    left = [(row["_things_name"], row["title"]) for row in rows(warehouse_file, "parts")]
    assert sorted(left) == [("x", "own"), ("y", "same")]


def test_a_parent_that_changes_is_no_other_parent(api: StubApi, warehouse_file: Path) -> None:
    """Else most of its rows could go at once: of another parent under the name, all are gone."""
    platform = declared(keyless(), PARTS)
    api.routes = {"/things": listed(named("x", "y"))}
    api.routes["/things/x/parts"] = listed([{"title": str(number)} for number in range(9)])
    api.routes["/things/y/parts"] = listed([])
    synced(api, platform, "things")
    synced(api, platform, "parts")
    api.routes["/things"] = listed([{**named("x")[0], "more": 1}, *named("y")])
    api.routes["/things/x/parts"] = listed([{"title": "0"}])
    synced(api, platform, "things")
    assert synced(api, platform, "parts")["parts"].deletion_withheld == 8


def test_a_filtered_list_keeps_every_version(api: StubApi, warehouse_file: Path) -> None:
    incremental = Incremental(cursor_path="at", start_param="since")
    platform = declared(keyless(incremental=incremental))
    api.routes["/things"] = listed([{"name": "a", "at": "2026-01-01T00:00:00Z"}])
    synced(api, platform)
    api.routes["/things"] = listed([{"name": "a", "at": "2026-01-02T00:00:00Z"}])
    assert synced(api, platform)["things"].rows_loaded == 1
    assert names(warehouse_file) == ["a", "a"]


@pytest.mark.parametrize("size", [3, 10])
def test_equal_records_on_many_pages_are_no_circle(size: int, api: StubApi, warehouse_file: Path) -> None:
    records = named(*(f"n{number % 7}" if number % 2 else f"own{number}" for number in range(41)))

    def answer(query: Query) -> Reply:
        start = (int(query["page"]) - 1) * int(query["per_page"])
        return Reply({"data": records[start : start + int(query["per_page"])]})

    api.routes["/things"] = answer
    paginator = PageNumber(page_param="page", limit_param="per_page", limit=size)
    outcome = synced(api, declared(keyless(paginator=paginator)))["things"]
    assert outcome.error is None
    assert set(names(warehouse_file)) == {record["name"] for record in records}


def test_a_declared_content_key_is_refused() -> None:
    with pytest.raises(Exception, match="leave it out"):
        declared(replace(keyless(), columns={"_content_key": "text"}))
    assert declared(replace(keyless(), on_removal=OnRemoval.IGNORE)).resources[0].primary_key == ()

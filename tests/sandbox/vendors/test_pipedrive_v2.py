"""Pipedrive's v2, read with plain requests."""

from collections.abc import Iterator

import pytest

from platform_assets.sandbox import SandboxServer, expected_rows
from platform_assets.sandbox.data.crm_recents import CUSTOM, CUSTOM_SET_ON_SOME
from tests.sandbox.vendors.asking import ask, by_key
from tests.sandbox.vendors.pipedrive_lists import v1_pages, v2_pages

TIMED = ("deals", "deals/archived", "activities", "organizations", "persons", "products")


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxServer]:
    with SandboxServer() as running:
        yield running


def test_the_cursor_is_absent_or_null_on_the_last_page(server: SandboxServer) -> None:
    assert ask(server, "pipedrive", "/api/v2/stages").json()["additional_data"] == {}
    assert ask(server, "pipedrive", "/api/v2/deals", {"limit": 500}).json()["additional_data"] == {"next_cursor": None}
    assert ask(server, "pipedrive", "/api/v2/deals", {"limit": 5}).json()["additional_data"]["next_cursor"]
    assert ask(server, "pipedrive", "/api/v2/deals", {"cursor": "page-2"}).status_code == 400


def test_a_page_has_100_rows_and_500_at_most(server: SandboxServer) -> None:
    assert len(ask(server, "pipedrive", "/api/v2/persons").json()["data"]) == 100
    assert len(ask(server, "pipedrive", "/api/v2/persons", {"limit": 500}).json()["data"]) == 500
    assert ask(server, "pipedrive", "/api/v2/persons", {"limit": 501}).status_code == 400


@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_lists_are_sorted_by_id_unless_asked_otherwise(server: SandboxServer, direction: str) -> None:
    ids = [one["id"] for one in v2_pages(server, "/api/v2/activities")]
    assert ids == sorted(ids) and len(ids) == 1200
    rows = v2_pages(server, "/api/v2/activities", sort_by="update_time", sort_direction=direction, limit=90)
    keys = [(one["update_time"], one["id"]) for one in rows]
    assert len(keys) == 1200 and keys == sorted(keys, reverse=direction == "desc")
    assert ask(server, "pipedrive", "/api/v2/activities", {"sort_by": "subject"}).status_code == 400


def test_an_edit_between_two_pages_takes_no_neighbour_with_it() -> None:
    with SandboxServer() as moving:
        params = {"limit": 100, "sort_by": "update_time"}
        first = ask(moving, "pipedrive", "/api/v2/persons", params).json()
        moving.backend.advance(hours=1)
        rest = v2_pages(moving, "/api/v2/persons", **params, cursor=first["additional_data"]["next_cursor"])
        assert {one["id"] for one in [*first["data"], *rest]} == set(range(1, 1001))


@pytest.mark.parametrize("path", TIMED)
def test_updated_since_is_inclusive_and_updated_until_exclusive(server: SandboxServer, path: str) -> None:
    everything = v2_pages(server, f"/api/v2/{path}", limit=500)
    times = sorted(one["update_time"] for one in everything)
    since, until = times[3], times[-3]
    found = v2_pages(server, f"/api/v2/{path}", updated_since=since)
    assert {one["id"] for one in found} == {one["id"] for one in everything if one["update_time"] >= since}
    if path == "products":
        assert ask(server, "pipedrive", "/api/v2/products", {"updated_until": until}).status_code == 400
    else:
        found = v2_pages(server, f"/api/v2/{path}", updated_until=until)
        assert {one["id"] for one in found} == {one["id"] for one in everything if one["update_time"] < until}


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-01T00:00:00.000Z",
        "2026-01-01 00:00:00",
        "2026-01-01T00:00:00+00:00",
        "2026-01-01",
        "2026-1-1T00:00:00Z",
    ],
)
def test_updated_since_has_one_form(server: SandboxServer, text: str) -> None:
    response = ask(server, "pipedrive", "/api/v2/persons", {"updated_since": text})
    assert response.status_code == 400 and response.json()["success"] is False


@pytest.mark.parametrize("path", ["pipelines", "stages"])
def test_pipelines_and_stages_know_no_time(server: SandboxServer, path: str) -> None:
    response = ask(server, "pipedrive", f"/api/v2/{path}", {"updated_since": "2026-01-01T00:00:00Z"})
    assert response.status_code == 400


def test_archived_deals_are_in_their_list_only(server: SandboxServer) -> None:
    deals, archived = v2_pages(server, "/api/v2/deals"), v2_pages(server, "/api/v2/deals/archived")
    assert {one["is_archived"] for one in deals} == {False} and {one["is_archived"] for one in archived} == {True}
    assert len(deals) + len(archived) == 420 and all(one["archive_time"] for one in archived)


def test_deals_have_a_status(server: SandboxServer) -> None:
    won = v2_pages(server, "/api/v2/deals", status="won")
    assert {one["status"] for one in won} == {"won"}
    assert ask(server, "pipedrive", "/api/v2/deals", {"status": "all_not_deleted"}).status_code == 400


def test_custom_fields_are_under_their_name_and_null_where_not_set(server: SandboxServer) -> None:
    deals = v2_pages(server, "/api/v2/deals")
    assert all(set(one["custom_fields"]) == {CUSTOM, CUSTOM_SET_ON_SOME} for one in deals)
    assert not any(CUSTOM_SET_ON_SOME in one for one in deals)
    assert len({str(one["custom_fields"][CUSTOM_SET_ON_SOME]) for one in deals}) == 3
    some = ask(server, "pipedrive", "/api/v2/deals", {"custom_fields": CUSTOM}).json()["data"][0]
    assert set(some["custom_fields"]) == {CUSTOM}
    many = ",".join(f"{number:040x}" for number in range(16))
    assert ask(server, "pipedrive", "/api/v2/deals", {"custom_fields": many}).status_code == 400


def test_times_of_v2_are_rfc_3339(server: SandboxServer) -> None:
    deal = next(one for one in v2_pages(server, "/api/v2/deals") if one["won_time"])
    for name in ("add_time", "update_time", "won_time", "close_time"):
        assert len(deal[name]) == 20 and deal[name][10] == "T" and deal[name].endswith("Z")
    assert deal["local_won_date"] == deal["won_time"][:10]


def test_attendees_come_on_request(server: SandboxServer) -> None:
    assert "attendees" not in ask(server, "pipedrive", "/api/v2/activities").json()["data"][0]
    params = {"include_fields": "attendees"}
    assert ask(server, "pipedrive", "/api/v2/activities", params).json()["data"][0]["attendees"] == []


def test_records_by_id(server: SandboxServer) -> None:
    found = ask(server, "pipedrive", "/api/v2/persons", {"ids": "5,7,99999"}).json()["data"]
    assert [one["id"] for one in found] == [5, 7]
    ids = ",".join(str(number) for number in range(101))
    assert ask(server, "pipedrive", "/api/v2/persons", {"ids": ids}).status_code == 400


def test_products_of_a_deal_and_of_many(server: SandboxServer) -> None:
    lines = server.backend.tables["crm"]["deal_products"]
    chosen = [key for key, group in lines.items() if group][:3]
    found = v2_pages(server, "/api/v2/deals/products", deal_ids=",".join(chosen), limit=2)
    assert {one["id"] for one in found} == {line["id"] for key in chosen for line in lines[key]}
    alone = v2_pages(server, f"/api/v2/deals/{chosen[0]}/products")
    assert alone == [one for one in found if str(one["deal_id"]) == chosen[0]]
    assert ask(server, "pipedrive", "/api/v2/deals/99999/products").status_code == 404


def test_the_batch_of_deals_has_bounds(server: SandboxServer) -> None:
    path = "/api/v2/deals/products"
    hundred = [str(number) for number in range(1, 101)]
    assert ask(server, "pipedrive", path, {"deal_ids": ",".join(hundred)}).status_code == 200
    for wrong in ({}, {"deal_ids": ",".join([*hundred, "101"])}, {"deal_ids": "x"}, {"deal_ids": ["1", "2"]}):
        assert ask(server, "pipedrive", path, wrong).status_code == 400


def test_stages_of_a_pipeline(server: SandboxServer) -> None:
    assert len(v2_pages(server, "/api/v2/stages", pipeline_id=2)) == 4


def test_fields_of_v2_have_other_names_and_nested_subfields(server: SandboxServer) -> None:
    fields = v2_pages(server, "/api/v2/dealFields", limit=20)
    definitions = v1_pages(server, "/v1/dealFields")
    subfields = [sub for one in fields for sub in one["subfields"] or []]
    assert {one["field_code"] for one in [*fields, *subfields]} == {one["key"] for one in definitions}
    assert len(fields) == 60 and not any("id" in one for one in [*fields, *subfields])


def test_the_feeds_of_v2_have_what_v1_calls_otherwise(server: SandboxServer) -> None:
    person = by_key(v2_pages(server, "/api/v2/persons"))[1]
    assert {"emails", "phones", "is_deleted"} <= set(person) and not {"email", "phone"} & set(person)
    assert person["name"] == expected_rows(server.backend)["crm"]["persons"][0]["name"]

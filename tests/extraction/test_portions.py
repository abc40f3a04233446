"""Fields of the same records in several requests, over HTTP: merged, whole, and never of two states of a list."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import pytest

from platform_assets.configuration.platform_settings import Settings
from platform_assets.declarations import (
    Client,
    Endpoint,
    HeaderLink,
    ListedPortions,
    NoAuth,
    PageNumber,
    Platform,
    Portions,
    Resource,
    SinglePage,
    Template,
)
from platform_assets.declarations.validation import problems
from platform_assets.extraction.reading import ListRead, read_records
from platform_assets.http.client import ApiClient
from platform_assets.http.errors import AnswerError
from platform_assets.platform_files import as_yaml
from platform_assets.platform_files.reader import parse_platform
from tests.servers.http_server import HttpServer, Reply, Request

ROWS = [{"id": str(number), "a": number, "b": -number, "in": {"x": number, "y": -number}} for number in range(1, 6)]
PORTIONS = Portions(param="fields", further=("id,b,in.y",), merged_by=("id",))


def shop(**endpoint: Any) -> Platform:
    given = {"params": {"fields": "id,a,in.x"}, "portions": PORTIONS, **endpoint}
    return Platform(
        name="shop",
        title="Shop",
        description="Shop",
        base_url="https://api.example.com",
        client=Client(
            auth=NoAuth(),
            probe="/rows",
            paginator=PageNumber(limit=2, limit_param="size"),
            data_selector="",
        ),
        resources=(
            Resource(name="rows", description="Rows", endpoint=Endpoint(path="/rows", **given), columns={"id": "text"}),
        ),
    )


def asked_for(row: dict[str, Any], fields: list[str]) -> dict[str, Any]:
    found = {name: row[name] for name in fields if name in row}
    inner = {name.removeprefix("in."): row["in"][name.removeprefix("in.")] for name in fields if name.startswith("in.")}
    return {**found, **({"in": inner} if inner else {})}


class Paged:
    """Pages of rows, which a function of the number of requests so far may change."""

    def __init__(self) -> None:
        self.count = 0
        self.rows: Callable[[int, list[str]], list[dict[str, Any]]] = lambda count, fields: ROWS

    def __call__(self, request: Request) -> Reply:
        query = dict(parse_qsl(request.target.partition("?")[2]))
        self.count += 1
        fields = query["fields"].split(",")
        size = int(query.get("size", 100))
        start = (int(query.get("page", 1)) - 1) * size
        rows = self.rows(self.count, fields)[start : start + size]
        return Reply([asked_for(row, fields) for row in rows])


@pytest.fixture
def paged() -> Paged:
    return Paged()


@pytest.fixture
def server(paged: Paged) -> Iterator[HttpServer]:
    with HttpServer(paged) as found:
        yield found


def records(server: HttpServer, platform: Platform) -> list[dict[str, Any]]:
    settings = Settings(base_url=server.url, token="", backoff_factor=0.0)
    with ApiClient(platform, settings) as client:
        pages = list(read_records(ListRead(client, platform.resources[0])))
    # What overlapping pages repeat is there twice.
    found = {row["id"]: row for page in pages for row in page}
    return [found[id] for id in sorted(found)]


def test_the_fields_of_all_requests_of_a_page_are_one_record(server: HttpServer) -> None:
    assert parse_platform(as_yaml(shop()), "shop.yaml") == shop()
    assert records(server, shop()) == ROWS
    asked = [dict(parse_qsl(target.partition("?")[2])) for target in server.targets]
    fields = [one.pop("fields") for one in asked]
    assert fields == ["id,a,in.x", "id,b,in.y"] * (len(asked) // 2)
    assert asked[::2] == asked[1::2]


def test_a_page_that_moves_between_its_requests_is_asked_for_again(server: HttpServer, paged: Paged) -> None:
    # The first row is gone between the two requests of the first page.
    paged.rows = lambda count, fields: ROWS if count == 1 else ROWS[1:]
    assert records(server, shop()) == ROWS[1:]


def test_what_the_server_leaves_out_of_one_request_twice_is_null(server: HttpServer, paged: Paged) -> None:
    paged.rows = lambda count, fields: ROWS[:2] if "a" in fields else ROWS[:1]
    assert records(server, shop()) == [ROWS[0], {"id": "2", "a": 2, "in": {"x": 2}}]


def test_a_page_that_keeps_changing_is_an_error(server: HttpServer, paged: Paged) -> None:
    paged.rows = lambda count, fields: [{**ROWS[0], "id": str(count)}]
    with pytest.raises(AnswerError, match="keeps changing"):
        records(server, shop())


def test_a_record_without_the_key_is_an_error(server: HttpServer, paged: Paged) -> None:
    paged.rows = lambda count, fields: [{**ROWS[0], "id": None}]
    with pytest.raises(AnswerError, match="lacks `id`"):
        records(server, shop())


FILTER = Template("{{ record.id != '2' }}")


def test_a_page_with_filtered_records_is_not_the_last(server: HttpServer) -> None:
    assert [row["id"] for row in records(server, shop(record_filter=FILTER))] == ["1", "3", "4", "5"]


def test_what_is_filtered_is_counted_once(server: HttpServer) -> None:
    platform = shop(record_filter=FILTER, paginator=SinglePage())
    with ApiClient(platform, Settings(base_url=server.url, token="", backoff_factor=0.0)) as client:
        reading = ListRead(client, platform.resources[0])
        assert [row["id"] for page in read_records(reading) for row in page] == ["1", "3", "4", "5"]
    assert reading.counts["filtered"] == 1 and len(server.targets) == 2


def test_names_of_fields_may_come_from_another_list(server: HttpServer, paged: Paged) -> None:
    def answer(request: Request) -> Reply:
        names = [{"name": name} for name in ("a", "b", "in.x", "in.y")]
        return Reply(names) if request.path == "/names" else paged(request)

    server.answer = answer
    listed = ListedPortions(param="fields", resource="names", field="name", always=("id",), most_names=3)
    platform = shop(params={}, portions=listed)
    names = Resource(
        name="names",
        description="Names",
        endpoint=Endpoint(path="/names", paginator=SinglePage()),
        columns={"name": "text"},
        primary_key="name",
    )
    platform = replace(platform, resources=(*platform.resources, names))
    assert not list(problems(platform)) and parse_platform(as_yaml(platform), "shop.yaml") == platform
    assert records(server, platform) == ROWS
    asked = [dict(parse_qsl(target.partition("?")[2])).get("fields") for target in server.targets]
    assert asked[:3] == [None, "id,a,b,in.x", "id,in.y"] and asked.count(None) == 1


WRONG = {
    "no first portion": {"params": {}},
    "nothing further": {"portions": Portions(param="fields", further=(), merged_by=("id",))},
    "no key": {"portions": Portions(param="fields", further=("id,b",), merged_by=())},
    "names of no resource": {"params": {}, "portions": ListedPortions(param="f", resource="x", field="name")},
    "names of its own": {"params": {}, "portions": ListedPortions(param="f", resource="rows", field="id")},
    "names beside a value": {"portions": ListedPortions(param="fields", resource="rows", field="id")},
    "a link to the next page": {"paginator": HeaderLink()},
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_merged_is_refused(case: str) -> None:
    assert not list(problems(shop()))
    assert "portions" in [key for _, key, _ in problems(shop(**WRONG[case]))]

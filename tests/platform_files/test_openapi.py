"""A specification becomes a platform; what it leaves open is said."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from platform_assets.declarations import (
    ApiKeyAuth,
    BearerAuth,
    Buckets,
    Cursor,
    HttpBasicAuth,
    JsonLink,
    OAuth2ClientCredentials,
    Offset,
    PageNumber,
    Platform,
    PlatformAssetsError,
    RecordCursor,
    Resolve,
    SinglePage,
)
from platform_assets.platform_files.openapi import Draft, Specification, draft_platform, read_specification
from tests.platform_files.openapi_api import specification

Change = Callable[[dict[str, Any]], object]


def draft(content: dict[str, Any]) -> Draft:
    return draft_platform(Specification(content, "shop.json"), "shop")


def paged(*parameters: dict[str, Any], record: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """A specification with one list, in `data`, and fields beside it."""
    record = record or {"id": {"type": "integer"}, "updated_at": {"type": "string", "format": "date-time"}}
    data = {"type": "array", "items": {"type": "object", "properties": record}}
    body = {"type": "object", "properties": {"data": data, **fields}}
    get = {
        "parameters": [{"in": "query", **one} for one in parameters],
        "responses": {"200": {"content": {"application/json": {"schema": body}}}},
    }
    return {"openapi": "3.1.0", "servers": [{"url": "https://shop.example.com"}], "paths": {"/orders": {"get": get}}}


def integer(name: str, **schema: Any) -> dict[str, Any]:
    return {"name": name, "schema": {"type": "integer", **schema}}


def text(name: str, **schema: Any) -> dict[str, Any]:
    return {"name": name, "schema": {"type": "string", **schema}}


def test_lists_keys_columns_paging_parents_and_cursors_are_taken() -> None:
    found = draft(specification("https://shop.example.com"))
    shop = found.platform
    assert shop.base_url == "https://shop.example.com/v1" and shop.title == "Shop API"
    assert shop.client.auth == ApiKeyAuth(name="X-Api-Key", location="header") and shop.client.probe == "/orders"
    assert [one.name for one in shop.resources] == ["orders", "order_lines", "customers", "tags", "logs"]
    orders, lines, customers, tags, logs = shop.resources
    assert orders.description == "All orders."
    assert orders.columns == {"id": "bigint", "total": "double", "items": "json", "updated_at": "timestamp"}
    assert shop.paginator_of(orders) == PageNumber(limit=10)
    assert orders.endpoint.incremental is not None and orders.endpoint.incremental.start_param == "updated_since"
    assert lines.endpoint.params == {"order_id": Resolve("orders", "id")} and lines.partition == Buckets(count=16)
    assert shop.paginator_of(lines) == Offset(offset_param="offset", limit=2, maximum=2)
    assert shop.paginator_of(customers) == Cursor(
        cursor_path="paging.next_cursor", cursor_param="cursor", limit_param="limit", limit=2, maximum=2
    )
    assert customers.columns["vip"] == "bool" and shop.data_selector_of(customers) == "data"
    assert shop.column_descriptions == {"orders.id": "Number.", "order_lines.quantity": "Pieces."}
    assert logs.primary_key == () and tags.primary_key == "slug" and shop.paginator_of(tags) == SinglePage()


def test_what_was_assumed_or_left_out_is_said() -> None:
    found = draft(specification("https://shop.example.com"))
    assert "orders: the largest page is not said: pages of 10, as by default" in found.assumed
    assert "tags: the key is `slug`" in found.assumed
    assert "tags: no parameter pages: read as one page" in found.assumed
    assert not [line for line in found.assumed if line.startswith("team_members")], "it is left out"
    left_out = dict(line.split(": ", 1) for line in found.left_out)
    assert set(left_out) == {
        "GET /me", "GET /orders/{order_id}", "GET /search", "GET /elsewhere", "GET /teams/{team}/members",
        "GET /circle",
    }  # fmt: skip
    assert "logs: no field says which record is which: the key is a hash of the whole record" in found.assumed
    assert left_out["GET /search"] == "it needs the query parameter `q`"
    assert "leads out of the file" in left_out["GET /elsewhere"] and "in a circle" in left_out["GET /circle"]
    assert "placeholder `{team}` has no parent" in left_out["GET /teams/{team}/members"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (paged(integer("page", default=0), integer("pageSize", maximum=50)),
         PageNumber(limit_param="pageSize", limit=50, maximum=50, base_page=0)),
        (paged(integer("page"), integer("limit", maximum=100_000)),
         PageNumber(limit_param="limit", limit=1000, maximum=100_000)),
        (paged(integer("skip"), integer("limit")), Offset(offset_param="skip", limit=100)),
        (paged(text("page[after]"), integer("page[size]"), next_cursor={"type": ["string", "null"]}),
         Cursor(cursor_path="next_cursor", cursor_param="page[after]", limit_param="page[size]", limit=100)),
        (paged(text("pageToken"), nextPageToken={"type": "string"}),
         Cursor(cursor_path="nextPageToken", cursor_param="pageToken")),
        (paged(integer("starting_after"), integer("limit")), RecordCursor(cursor_param="starting_after", limit=100)),
        (paged(text("cursor"), links={"type": "object", "properties": {"next": {"type": "string", "format": "uri"}}}),
         JsonLink(next_url_path="links.next")),
        (paged(integer("limit"), nextPageUrl={"type": ["string", "null"], "format": "uri"}),
         JsonLink(next_url_path="nextPageUrl", limit_param="limit", limit=100)),
        # A dotted key has no dotted path.
        (paged(integer("limit"), **{"odata.next": {"type": "string", "format": "uri"}}), SinglePage()),
        # The next page's address is no position: the number of the page is.
        (paged(text("cursor"), integer("page"), integer("limit"), next={"type": "string", "format": "uri"}),
         PageNumber(limit_param="limit", limit=100)),
    ],
)  # fmt: skip
def test_paging_follows_from_well_known_names(content: dict[str, Any], expected: object) -> None:
    assert draft(content).platform.client.paginator == expected


@pytest.mark.parametrize("parameters", [[integer("page")], [text("cursor"), integer("limit")], [integer("offset")]])
def test_a_list_that_pages_in_an_unknown_way_is_not_read_in_part(parameters: list[dict[str, Any]]) -> None:
    with pytest.raises(PlatformAssetsError, match=r"GET /orders: it pages by `\w+`, but nothing says"):
        draft(paged(*parameters))


CREATED = {"id": {"type": "integer"}, "createdAt": {"type": "string", "format": "date-time"}}


@pytest.mark.parametrize(
    ("content", "start_param", "said"),
    [
        (paged(text("updated_since", format="date-time")), "updated_since", None),
        (paged(text("since")), "since", "`since` is taken for an inclusive lower bound of `updated_at`"),
        (paged(text("from", format="date")), "from", "`from` takes a day"),
        (
            paged(text("createdAfter"), record=CREATED),
            "createdAfter",
            "`createdAt` does not move when a record changes",
        ),
        (paged(text("updated_since"), record=CREATED), None, "filters by a time that the records do not have"),
        (paged(integer("updated_since")), None, "takes no text: read in full"),
    ],
)
def test_cursors_follow_from_well_known_names(
    content: dict[str, Any], start_param: str | None, said: str | None
) -> None:
    found = draft(content)
    incremental = found.platform.resources[0].endpoint.incremental
    assert (incremental.start_param if incremental else None) == start_param
    assert said is None or any(said in line for line in found.assumed), found.assumed


SCHEMES = {
    "bearer": ({"type": "http", "scheme": "Bearer"}, BearerAuth()),
    "basic": ({"type": "http", "scheme": "basic"}, HttpBasicAuth()),
    "query": ({"type": "apiKey", "in": "query", "name": "key"}, ApiKeyAuth(name="key")),
    "cookie": ({"type": "apiKey", "in": "cookie", "name": "key"}, BearerAuth()),
    "client": (
        {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "https://shop.example.com/token"}}},
        OAuth2ClientCredentials(access_token_url="/token"),
    ),
    "another host": (
        {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "https://evil.example.com/token"}}},
        BearerAuth(),
    ),
}


@pytest.mark.parametrize("case", SCHEMES)
def test_the_credential_is_sent_as_the_specification_says(case: str) -> None:
    scheme, expected = SCHEMES[case]
    content = paged(integer("page"), integer("limit"))
    assert draft({**content, "components": {"securitySchemes": {"a": scheme}}}).platform.client.auth == expected


SWAGGER = """\
swagger: "2.0"
info: {title: Shop}
host: shop.example.com
basePath: /api/v2
schemes: [http, https]
securityDefinitions:
  app: {type: oauth2, flow: application, tokenUrl: https://shop.example.com/api/v2/token}
paths:
  /projects/:
    parameters:
      - {name: page, in: query, type: integer}
    get:
      parameters:
        - {name: per_page, in: query, type: integer, maximum: 200}
      responses:
        200: {schema: {$ref: "#/definitions/Projects"}}
definitions:
  Projects: {type: array, items: {properties: {project_id: {type: integer}, since: {type: string, format: date}}}}
"""


def test_swagger_2_in_yaml_is_read(tmp_path: Path) -> None:
    file = tmp_path / "swagger.yaml"
    file.write_text(SWAGGER)
    shop = draft_platform(read_specification(file), "shop").platform
    (projects,) = shop.resources
    assert shop.base_url == "https://shop.example.com/api/v2"
    assert shop.client.auth == OAuth2ClientCredentials(access_token_url="/token")
    assert shop.client.paginator == PageNumber(limit=200, maximum=200) and shop.client.data_selector == ""
    assert projects.columns == {"project_id": "bigint", "since": "date"} and projects.primary_key == "project_id"


def test_what_is_given_is_taken_instead() -> None:
    content = {**paged(integer("page"), integer("limit")), "servers": [{"url": "/api"}]}
    given = draft_platform(Specification(content, "shop.json"), "shop", "https://x.example.com", HttpBasicAuth())
    assert given.platform.base_url == "https://x.example.com" and given.platform.client.auth == HttpBasicAuth()
    with pytest.raises(PlatformAssetsError, match="names no whole address of a server"):
        draft(content)


def nested(depth: int) -> str:
    return '{"openapi": "3.0.0", "paths": ' + '{"a":' * depth + "1" + "}" * depth + "}"


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        '{"openapi": "2.0"}',
        "openapi: 3.0.0\npaths: &a {x: *a}",
        nested(100_000),
        json.dumps({"openapi": "3.0.0", "servers": [{"url": "https://a.example.com"}]}),
        json.dumps({"openapi": "3.0.0", "servers": 1, "paths": {"/a": 1, "/b": {"get": {"parameters": 1}}}}),
        json.dumps({**specification("https://a.example.com"), "paths": {f"/p{n}": {} for n in range(6000)}}),
    ],
    ids=["cut", "list", "version", "alias", "deep", "no paths", "wrong types", "many"],
)
def test_what_is_no_usable_specification_is_refused_in_one_line(content: str, tmp_path: Path) -> None:
    file = tmp_path / "spec"
    file.write_text(content)
    with pytest.raises(PlatformAssetsError) as raised:
        draft_platform(read_specification(file), "shop")
    assert "\n" not in str(raised.value)


def test_schemas_that_hold_themselves_end() -> None:
    content = specification("https://shop.example.com")
    schemas = content["components"]["schemas"]
    schemas["Order"]["allOf"].append({"$ref": "#/components/schemas/Order"})
    schemas["Tag"]["properties"]["parent"] = {"$ref": "#/components/schemas/Tag"}
    schemas["Tag"]["anyOf"] = [{"$ref": "#/components/schemas/Tag"}] * 3
    tags = draft(content).platform.resource("tags")
    assert tags.columns == {"slug": "text", "color": "text", "parent": "json"}


def test_schemas_that_multiply_end_soon() -> None:
    content = specification("https://shop.example.com")
    schemas = content["components"]["schemas"]
    for word in ("allOf", "anyOf"):
        for level in range(50):
            schemas[f"{word}{level}"] = {word: [{"$ref": f"#/components/schemas/{word}{level + 1}"}] * 50}
        schemas[f"{word}50"] = {"type": "string"}
    schemas["Tag"]["properties"]["bomb"] = {"$ref": "#/components/schemas/anyOf0"}
    schemas["Tag"]["allOf"] = [{"$ref": "#/components/schemas/allOf0"}]
    started = time.monotonic()
    assert draft(content).platform.resource("tags").columns == {"slug": "text", "color": "text", "bomb": "text"}
    assert time.monotonic() - started < 5


def test_a_large_specification_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "spec").open("wb") as sparse:
        sparse.truncate(100_000_000)
    with pytest.raises(PlatformAssetsError, match="larger than"):
        read_specification(tmp_path / "spec")


def test_yaml_and_json_give_the_same(tmp_path: Path) -> None:
    content = specification("https://shop.example.com")
    found: list[Platform] = []
    for name, written in (("a.json", json.dumps(content)), ("a.yaml", yaml.safe_dump(content, sort_keys=False))):
        (tmp_path / name).write_text(written)
        found.append(draft_platform(read_specification(tmp_path / name), "shop").platform)
    assert found[0] == found[1]

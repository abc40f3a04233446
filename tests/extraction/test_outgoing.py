"""What is sent: POSTs with bodies, values and positions inside them, links and cursors in headers, over real HTTP."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest

from platform_assets.configuration.platform_settings import Settings
from platform_assets.declarations import (
    ApiKeyAuth,
    Auth,
    BearerAuth,
    Client,
    Configured,
    Cursor,
    DynamicPartitions,
    Endpoint,
    FanOut,
    HeaderLink,
    Incremental,
    JsonLink,
    Offset,
    PageNumber,
    Platform,
    RecordCursor,
    Resolve,
    Resource,
    SinglePage,
)
from platform_assets.extraction.probe_request import probe_request
from platform_assets.extraction.probing import has_newer
from platform_assets.extraction.queries import NO_PARENT, Bounds, Parent
from platform_assets.extraction.reading import ListRead, read_records
from platform_assets.http.client import ApiClient
from platform_assets.http.errors import AnswerError, RequestFailed
from tests.servers.faulty_proxy import unexpected_server
from tests.servers.http_server import HttpServer, Reply, Request

ROWS = [{"id": number, "at": f"2026-01-{number:02d}T00:00:00Z"} for number in range(1, 26)]
SECRET = "s3cr3t/key"


@pytest.fixture
def server() -> Iterator[HttpServer]:
    with HttpServer(lambda request: Reply({"data": []})) as scripted:
        yield scripted


def declared(endpoint: Endpoint, auth: Auth | None = None) -> Platform:
    things = Resource(
        name="things", description="", endpoint=endpoint, columns={"id": "bigint", "at": "timestamp", "kind": "text"}
    )
    client = Client(auth=auth or BearerAuth(), probe="/search", paginator=SinglePage())
    return Platform(name="shop", title="Shop", description="", client=client, resources=(things,))


def opened(server: HttpServer, platform: Platform, **more: Any) -> ApiClient:
    settings = Settings(base_url=server.url, token=SECRET, secrets={"api_token": SECRET}, backoff_factor=0.0, **more)
    return ApiClient(platform, settings)


def read(
    server: HttpServer, endpoint: Endpoint, parent: Parent = NO_PARENT, bounds: Bounds | None = None, **more: Any
) -> list[int]:
    """The ids that come."""
    platform = declared(endpoint, more.pop("auth", None))
    with opened(server, platform, **more) as client:
        reading = ListRead(client, platform.resources[0], (parent,), bounds or Bounds())
        return [record["id"] for records in read_records(reading) for record in records]


def bodies(server: HttpServer) -> list[Any]:
    return [orjson.loads(request.content) for request in server.requests]


def paged(position: Callable[[Mapping[str, Any]], tuple[int, int]]) -> Callable[[Request], Reply]:
    """Serves slices of the rows; `position` finds start and size in the body; refuses all but JSON."""

    def answer(request: Request) -> Reply:
        if request.headers["Content-Type"] != "application/json" or request.target != "/search":
            return Reply({"message": f"{request.target} {request.headers['Content-Type']}"}, 400)
        start, size = position(orjson.loads(request.content))
        more = {"next": str(start + size)} if start + size < len(ROWS) else {}
        return Reply({"data": ROWS[start : start + size], **more})

    return answer


def search(paginator: Any, **more: Any) -> Endpoint:
    return Endpoint(path="/search", method="POST", paginator=paginator, **{"json": {"sort": ["id"]}, **more})


PAGED = {
    "page": (
        PageNumber(page_body_path="page.number", limit_body_path="page.size", limit=10, maximum=10),
        lambda body: ((body["page"]["number"] - 1) * body["page"]["size"], body["page"]["size"]),
    ),
    "offset": (
        Offset(offset_body_path="from", limit_body_path="size", limit=10),
        lambda body: (body["from"], body["size"]),
    ),
    "cursor": (
        Cursor(cursor_path="next", cursor_body_path="after", limit_body_path="first", limit=10, stable=True),
        lambda body: (int(body.get("after", 0)), body["first"]),
    ),
    "record": (
        RecordCursor(cursor_body_path="search.after", limit_body_path="search.size", limit=10),
        lambda body: (body["search"].get("after", 0), body["search"]["size"]),
    ),
}


@pytest.mark.parametrize("way", PAGED)
def test_position_and_size_go_into_the_body(way: str, server: HttpServer) -> None:
    paginator, position = PAGED[way]
    server.answer = paged(position)
    assert sorted(set(read(server, search(paginator)))) == [row["id"] for row in ROWS]
    assert all(body["sort"] == ["id"] for body in bodies(server)), "beside what is declared"


@pytest.mark.parametrize("way", PAGED)
def test_a_server_that_ignores_the_position_in_the_body_is_noticed(way: str, server: HttpServer) -> None:
    server.answer = lambda request: Reply({"data": ROWS[:10], "next": "10"})
    with pytest.raises(AnswerError, match="circle"):
        read(server, search(PAGED[way][0]))


def test_values_fill_the_body_at_any_depth_and_the_declaration_stays_as_it_is(server: HttpServer) -> None:
    endpoint = Endpoint(
        path="/{shop}/search",
        method="POST",
        params={"shop": Configured("shop"), "verbose": 1},
        json={
            "filter": {"owner": Resolve("owners", "id"), "tags": [FanOut(("a", "b")), "c"], "a.b": None},
            "limit": 5,
        },
        headers={"X-Owner": Resolve("owners", "id"), "X-Shop": Configured("shop"), "X-Fixed": "1"},
        paginator=SinglePage(),
    )
    parent = Parent("7", {"body:filter.owner": 7, "header:X-Owner": 7})
    read(server, endpoint, parent, configured={"shop": ("main",)})
    assert [body["filter"] for body in bodies(server)] == [
        {"owner": 7, "tags": [tag, "c"], "a.b": None} for tag in ("a", "b")
    ]
    assert set(server.targets) == {"/main/search?verbose=1"} and bodies(server)[0]["limit"] == 5
    sent = server.requests[0].headers
    assert (sent["X-Owner"], sent["X-Shop"], sent["X-Fixed"]) == ("7", "main", "1")
    assert isinstance(endpoint.json, dict) and isinstance(endpoint.json["filter"]["owner"], Resolve)


def test_a_form_is_sent_as_one(server: HttpServer) -> None:
    endpoint = Endpoint(
        path="/search",
        method="POST",
        data={"kind": FanOut(("a", "b")), "tag": ("x", "y"), "n": 1},
        paginator=Offset(offset_body_path="page.from", limit_body_path="page.size", limit=10),
    )
    read(server, endpoint)
    assert server.requests[0].headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert parse_qs(server.requests[0].content.decode()) == {
        "kind": ["a"], "tag": ["x", "y"], "n": ["1"], "page.from": ["0"], "page.size": ["10"],
    }  # fmt: skip


def test_the_filter_of_an_incremental_read_goes_into_the_body(server: HttpServer) -> None:
    endpoint = search(SinglePage(), incremental=Incremental(cursor_path="at", start_param="body:filter.since"))
    read(server, endpoint, bounds=Bounds((datetime(2026, 1, 20, tzinfo=UTC),)))
    with opened(server, declared(endpoint)) as client:
        has_newer(client, client.platform.resources[0], datetime(2026, 1, 21, tzinfo=UTC))
    assert [body["filter"]["since"] for body in bodies(server)] == ["2026-01-20T00:00:00Z", "2026-01-21T00:00:00Z"]
    assert set(server.targets) == {"/search"}


def test_a_post_is_retried_with_its_body_and_named_in_messages(server: HttpServer) -> None:
    server.answer = lambda request: Reply({"data": ROWS[:1]}) if request.number > 2 else Reply({}, 503)
    assert read(server, search(SinglePage())) == [1]
    assert bodies(server) == [{"sort": ["id"]}] * 3
    server.answer = lambda request: Reply({}, 400)
    with pytest.raises(RequestFailed, match="shop: POST /search: answered 400"):
        read(server, search(SinglePage()))


@pytest.mark.parametrize("status", [301, 302, 303])
def test_a_redirect_that_makes_a_get_of_a_post_is_refused(status: int, server: HttpServer) -> None:
    server.answer = lambda request: Reply(b"", status, {"Location": "/elsewhere"})
    with pytest.raises(RequestFailed, match=f"redirects by {status}, which would lose the body"):
        read(server, search(SinglePage()))
    assert server.targets == ["/search"]


@pytest.mark.parametrize("status", [307, 308])
def test_a_redirect_that_keeps_the_body_is_followed_within_the_origin(status: int, server: HttpServer) -> None:
    def answer(request: Request) -> Reply:
        return Reply({"data": ROWS[:1]}) if request.path == "/new" else Reply(b"", status, {"Location": "/new"})

    server.answer = answer
    assert read(server, search(SinglePage())) == [1]
    assert bodies(server) == [{"sort": ["id"]}] * 2
    with unexpected_server() as (url, received):
        server.answer = lambda request: Reply(b"", status, {"Location": f"{url}/new"})
        with pytest.raises(RequestFailed, match="another origin"):
            read(server, search(SinglePage()))
    assert not received


def test_check_sends_the_body_of_the_list_that_it_probes(server: HttpServer) -> None:
    platform = declared(search(PAGED["offset"][0]))
    with opened(server, platform) as client:
        client.send(probe_request(platform, client.settings))
        other = declared(Endpoint(path="/search"))
        client.send(probe_request(other, client.settings))
    assert [request.content for request in server.requests][1] == b""
    assert orjson.loads(server.requests[0].content) == {"sort": ["id"], "from": 0, "size": 10}


# Links


def link_server(linked: Callable[[Request, int], Any], key: str = "next", *, header: bool = False) -> Any:
    """Pages of 10 by `from`; `linked` makes the link to the page at a position."""

    def answer(request: Request) -> Reply:
        start = int(request.query.get("from", 0))
        rows = ROWS[start : start + 10]
        more = start + 10 < len(ROWS)
        if header:
            links = f'<{linked(request, start + 10)}>; rel="next", ' if more else ""
            return Reply({"data": rows}, headers={"Link": f'{links}</first>; rel="first"'})
        return Reply({"data": rows, "paging": {key: linked(request, start + 10) if more else None}})

    return answer


LINKS: dict[str, Callable[[str, int], str]] = {
    "absolute": lambda url, start: f"{url}/v1/things?from={start}&q=a%2Fb",
    "path": lambda url, start: f"/v1/things?from={start}",
    "query": lambda url, start: f"?from={start}",
    "relative": lambda url, start: f"things?from={start}#top",
}


@pytest.mark.parametrize("form", LINKS)
@pytest.mark.parametrize("header", [False, True])
def test_links_lead_to_the_next_page(form: str, header: bool, server: HttpServer) -> None:
    paginator = HeaderLink() if header else JsonLink(next_url_path="paging.next", limit_param="size", limit=10)
    server.answer = link_server(lambda request, start: LINKS[form](server.url, start), header=header)
    endpoint = Endpoint(path="/v1/things", params={"sort": "id"}, paginator=paginator)
    assert read(server, endpoint) == [row["id"] for row in ROWS]
    first, *others = server.targets
    assert first == "/v1/things?sort=id" + ("" if header else "&size=10")
    expected = [LINKS[form]("", start).partition("?")[2].partition("#")[0] for start in (10, 20)]
    assert others == [f"/v1/things?{query}" for query in expected], "as the server has it, without further parameters"


@pytest.mark.parametrize("end", [{}, {"next": None}, {"next": ""}])
def test_an_absent_null_or_empty_link_is_the_end(end: dict[str, Any], server: HttpServer) -> None:
    server.answer = lambda request: Reply({"data": ROWS[:10], **end})
    assert len(read(server, Endpoint(path="/x", paginator=JsonLink()))) == 10


@pytest.mark.parametrize("where", ["host", "scheme", "user", "no address"])
def test_a_link_to_another_server_is_refused_before_anything_is_sent(where: str, server: HttpServer) -> None:
    with unexpected_server() as (url, received):
        port = server.url.rpartition(":")[2]
        links = {
            "host": f"{url}/x?page=2",
            "scheme": f"https://127.0.0.1:{port}/x",
            "user": f"http://me@127.0.0.1:{port}/x",
            "no address": "http://[oops/x",
        }
        server.answer = lambda request: Reply({"data": ROWS[:10], "next": links[where]})
        with pytest.raises(AnswerError, match=r"another origin|no address"):
            read(server, Endpoint(path="/x", paginator=JsonLink()))
    assert not received and len(server.requests) == 1


def test_a_link_that_comes_again_is_an_error(server: HttpServer) -> None:
    server.answer = lambda request: Reply({"data": [{"id": request.number}], "next": "/x?page=2&key=" + "k" * 60})
    with pytest.raises(AnswerError, match="paging goes in a circle") as caught:
        read(server, Endpoint(path="/x", paginator=JsonLink()))
    assert "kkk" not in str(caught.value), "what a link's query has may be a credential"


def test_links_to_what_was_read_already_are_an_error(server: HttpServer) -> None:
    server.answer = lambda request: Reply({"data": ROWS[:10], "next": f"/x?page={request.number + 1}"})
    with pytest.raises(AnswerError, match="paging goes in a circle"):
        read(server, Endpoint(path="/x", paginator=JsonLink()))


def test_a_link_that_repeats_the_credential_sends_it_once_and_in_no_message(server: HttpServer) -> None:
    key = ApiKeyAuth(name="key", location="query")
    server.answer = link_server(lambda request, start: f"{server.url}{request.target}&from={start}")
    paginator = JsonLink(next_url_path="paging.next")
    assert len(read(server, Endpoint(path="/x", params={"a": "1"}, paginator=paginator), auth=key)) == len(ROWS)
    assert all(parse_qs(urlsplit(target).query)["key"] == [SECRET] for target in server.targets)

    broken = link_server(lambda request, start: f"{server.url}{request.target}&from={start}")
    server.answer = lambda request: broken(request) if "from" not in request.query else Reply({}, 400)
    with pytest.raises(RequestFailed) as caught:
        read(server, Endpoint(path="/x", params={"a": "1"}, paginator=paginator), auth=key)
    assert "s3cr3t" not in str(caught.value) and "GET /x: answered 400" in str(caught.value)


def test_a_post_follows_links_with_its_body(server: HttpServer) -> None:
    server.answer = link_server(lambda request, start: f"/search?from={start}")
    assert len(read(server, search(JsonLink(next_url_path="paging.next")))) == len(ROWS)
    assert bodies(server) == [{"sort": ["id"]}] * 3


def test_a_redirected_link_keeps_its_query_or_is_refused(server: HttpServer) -> None:
    pages = link_server(lambda request, start: f"/x?from={start}")

    def answer(request: Request) -> Reply:
        if request.target == "/x?from=10":
            return Reply(b"", 302, {"Location": "/x"})
        return pages(request)

    server.answer = answer
    with pytest.raises(AnswerError, match="redirects without the parameters `from`"):
        read(server, Endpoint(path="/x", paginator=JsonLink(next_url_path="paging.next")))


# Cursors in headers


def test_a_cursor_comes_and_goes_by_header(server: HttpServer) -> None:
    def answer(request: Request) -> Reply:
        start = int(request.headers["X-After"] or 0)
        following = str(start + 10) if start + 10 < len(ROWS) else ""
        return Reply({"data": ROWS[start : start + 10]}, headers={"x-next-cursor": following})

    server.answer = answer
    paginator = Cursor(cursor_header="X-Next-Cursor", cursor_in_header="X-After")
    assert read(server, Endpoint(path="/x", paginator=paginator)) == [row["id"] for row in ROWS]
    assert [request.headers["X-After"] for request in server.requests] == [None, "10", "20"]


def test_a_cursor_in_a_header_that_comes_again_is_an_error(server: HttpServer) -> None:
    server.answer = lambda request: Reply({"data": [{"id": request.number}]}, headers={"X-Next": "abc"})
    with pytest.raises(AnswerError, match="paging goes in a circle: after=abc"):
        read(server, Endpoint(path="/x", paginator=Cursor(cursor_header="X-Next", cursor_param="after")))


def test_partitions_are_named_by_values_in_the_body() -> None:
    endpoint = search(SinglePage(), json={"owner": Resolve("owners", "id")})
    child = Resource(
        name="things", description="", endpoint=endpoint, columns={"id": "text"}, partition=DynamicPartitions(name="o")
    )
    assert child.parent == "owners" and list(endpoint.parents) == ["body:owner"]

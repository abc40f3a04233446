"""Details of any platform: what a row is filled with, how many requests are in flight, and what counts as missing."""

import io
import tarfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from platform_assets.configuration.platform_settings import Settings
from platform_assets.declarations import (
    BearerAuth,
    BodyText,
    Client,
    Detail,
    Endpoint,
    Every,
    Newest,
    Platform,
    Resource,
    SingleObject,
    SinglePage,
    validate,
)
from platform_assets.extraction.reading import ListRead, read_records
from platform_assets.http.client import ApiClient
from platform_assets.http.errors import AnswerError, RequestFailed
from tests.servers.http_server import HttpServer, Reply, Request

COLUMNS = {"id": "bigint", "owner": "json", "script": "text", "runs": "json", "last": "text", "seen": "timestamp"}
SCRIPT = Detail(path="/things/{id}/script", fields={"script": BodyText()})
RUNS = Detail(
    path="/things/{id}/runs", data_selector="runs", fields={"runs": Every("id"), "last": Newest("id", by="at")}
)
Records = list[dict[str, Any]]


def platform(*details: Detail, **changes: Any) -> Platform:
    client = {"auth": BearerAuth(), "probe": "/things", "paginator": SinglePage(), "max_concurrency": 3, **changes}
    things = Resource(
        name="things", description="Things.", endpoint=Endpoint(path="/things", details=details), columns=COLUMNS
    )
    shop = Platform(name="shop", title="Shop", description="A shop.", client=Client(**client), resources=(things,))
    validate([shop])
    return shop


def read(shop: Platform, answer: Callable[[Request], Reply], **settings: Any) -> tuple[Records, Counter[str]]:
    """All rows of `things`, and what was counted. `answer` responds to the details; there are 12 rows."""
    rows = [{"id": number, "owner": {"slug": f"o/{number}"}} for number in range(12)]

    def respond(request: Request) -> Reply:
        return Reply({"data": rows}) if request.path == "/things" else answer(request)

    counts: Counter[str] = Counter()
    with HttpServer(respond) as server:
        given = Settings(base_url=server.url, token="t0ken", **{"backoff_factor": 0.0, "details": True, **settings})
        with ApiClient(shop, given) as client:
            reading = ListRead(client, shop.resource("things"), counts=counts)
            found = [record for page in read_records(reading) for record in page]
        assert counts["requests"] == len(server.requests)
    return found, counts


def text(body: bytes, kind: str = "text/javascript") -> Callable[[Request], Reply]:
    return lambda request: Reply(body, headers={"Content-Type": kind})


def test_each_row_has_what_its_own_path_says() -> None:
    def answer(request: Request) -> Reply:
        number = int(request.path.split("/")[2])
        if request.path.endswith("/script"):
            return Reply(f"// {number}".encode())
        return Reply({"runs": [{"id": number, "at": "2026-01-01T00:00:00Z"}, {"id": 99, "at": "2025-01-01T00:00:00Z"}]})

    found, counts = read(platform(SCRIPT, RUNS), answer)
    assert [one["script"] for one in found] == [f"// {number}" for number in range(12)]
    assert [one["runs"] for one in found] == [[number, 99] for number in range(12)]
    # A number here, a text in the table.
    assert [one["last"] for one in found] == [str(number) for number in range(12)]
    assert counts["requests"] == 25 and counts["missing_details"] == 0


def test_no_more_requests_are_in_flight_than_the_client_allows() -> None:
    lock, now, most = threading.Lock(), 0, 0

    def answer(request: Request) -> Reply:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.02)
        with lock:
            now -= 1
        return Reply(b"x")

    read(platform(SCRIPT), answer)
    assert most == 3


def test_one_object_fills_several_fields_by_paths_with_encoded_values() -> None:
    whole = Detail(
        path="/owners/{owner.slug}/things/{id}",
        paginator=SingleObject(),
        data_selector="",
        fields={"script": "source.code", "seen": "seen"},
    )
    targets: list[str] = []

    def answer(request: Request) -> Reply:
        targets.append(request.target)
        return Reply({"source": {"code": "x"}, "seen": 1_700_000_000})

    found, _ = read(platform(whole, epoch_times=True), answer)
    assert "/owners/o%2F7/things/7" in targets
    assert {(one["script"], one["seen"]) for one in found} == {("x", "2023-11-14T22:13:20Z")}


def archive() -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("script.js"))
    return content.getvalue()


@pytest.mark.parametrize("body", [archive(), b"\xff\xfe", b"a\0b"])
def test_a_body_that_is_no_text_is_null_and_counted(body: bytes) -> None:
    found, counts = read(platform(SCRIPT), text(body, "application/octet-stream"))
    assert {one["script"] for one in found} == {None} and counts["missing_details"] == 12


@pytest.mark.parametrize(
    ("body", "kind", "expected"),
    [
        (b'"use strict"', "text/javascript", '"use strict"'),
        (b'"use strict"', "application/json; charset=utf-8", "use strict"),
        (b"\xef\xbb\xbf// \xc3\xbc", "application/octet-stream", "// ü"),
        (b"", "text/javascript", ""),
        (b"null", "application/json", None),
    ],
)
def test_a_text_is_the_body_or_the_json_text_in_it(body: bytes, kind: str, expected: str | None) -> None:
    found, _ = read(platform(SCRIPT), text(body, kind))
    assert {one["script"] for one in found} == {expected}


@pytest.mark.parametrize(
    ("body", "kind", "problem"),
    [
        (b'{"a": 1}', "application/json", "JSON that is not a text"),
        (b'"cut of', "application/json", "not JSON"),
        (b"<html>", "text/html", "a page of HTML"),
    ],
)
def test_a_body_that_breaks_the_contract_fails_the_list(body: bytes, kind: str, problem: str) -> None:
    with pytest.raises(AnswerError, match=problem):
        read(platform(SCRIPT), text(body, kind))


def test_a_gateways_refusal_is_no_missing_detail() -> None:
    blocked = Reply(b"<html>blocked</html>", 403, {"Content-Type": "text/html"})
    with pytest.raises(RequestFailed, match="answered 403"):
        read(platform(SCRIPT), lambda request: blocked if "/5/" in request.path else Reply(b"x"))


def test_a_row_without_the_paths_value_sends_no_request() -> None:
    by_script = Detail(path="/scripts/{script}", fields={"last": BodyText()})
    found, counts = read(platform(by_script), text(b"x"))
    assert {one["last"] for one in found} == {None}
    assert counts["requests"] == 1 and counts["missing_details"] == 12


def test_an_empty_list_is_an_empty_array_and_no_newest() -> None:
    found, counts = read(platform(RUNS), lambda request: Reply({"runs": []}))
    assert [(one["runs"], one["last"]) for one in found] == [([], None)] * 12 and counts["missing_details"] == 0


def test_a_record_without_a_time_is_older_than_all_others() -> None:
    runs = [{"id": 1, "at": "2026-01-01T00:00:00Z"}, {"id": 2, "at": None}, {"id": 3, "at": "2025-01-01T00:00:00"}]
    found, _ = read(platform(RUNS), lambda request: Reply({"runs": runs}))
    assert {one["last"] for one in found} == {"1"}


def test_personal_values_of_details_are_hashed() -> None:
    shop = platform(SCRIPT)
    things = Resource(
        name="things",
        description="Things.",
        endpoint=shop.resource("things").endpoint,
        columns=COLUMNS,
        personal=("script",),
    )
    private = Platform(name="shop", title="Shop", description="", client=shop.client, resources=(things,))
    found, _ = read(private, text(b"secret"), personal_salt="pepper")
    assert {len(one["script"]) for one in found} == {32}


def test_off_nothing_is_requested_and_no_field_is_set() -> None:
    found, counts = read(platform(SCRIPT, RUNS), text(b"x"), details=False)
    assert counts["requests"] == 1 and not {"script", "runs", "last"} & found[0].keys()

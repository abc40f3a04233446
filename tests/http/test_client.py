"""The HTTP client over real sockets: retries, retry-after, refusals, and no secret in any message."""

import gzip
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_assets.configuration.platform_settings import Settings
from platform_assets.declarations import ApiKeyAuth, Client, Platform, PlatformAssetsError, SinglePage
from platform_assets.http.client import ApiClient
from platform_assets.http.errors import AnswerError, LimitExhausted, RequestFailed
from platform_assets.http.retry_delay import retry_delay
from platform_assets.http.urls import fill_path
from tests.servers.http_server import HttpServer, Reply, Request

SECRET = "s3cr3t/+token"
PLATFORM = Platform(
    name="shop",
    title="Shop",
    description="",
    client=Client(auth=ApiKeyAuth(name="api_token"), probe="/", paginator=SinglePage()),
    resources=(),
)
Answer = Callable[[Request], Reply]


@pytest.fixture
def server() -> Iterator[HttpServer]:
    with HttpServer(lambda request: Reply({})) as scripted:
        yield scripted


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def client(server: HttpServer, waits: list[float]) -> Iterator[ApiClient]:
    with ApiClient(PLATFORM, Settings(base_url=server.url, token=SECRET), sleep=waits.append) as opened:
        yield opened


def redirect(location: str, status: int = 302) -> Reply:
    return Reply(b"", status, {"Location": location})


def failing(status: int, times: int, **headers: str) -> Answer:
    """Fails the first `times` requests; in names of headers, `_` stands for `-`."""
    failure = Reply({"data": []}, status, {name.replace("_", "-"): value for name, value in headers.items()})
    return lambda request: failure if request.number <= times else Reply({"data": []})


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_transient_errors_are_retried_three_times(
    status: int, server: HttpServer, client: ApiClient, waits: list[float]
) -> None:
    server.answer = failing(status, 3)
    counts: Counter[str] = Counter()
    assert client.get("/x", counts=counts).body == {"data": []}
    assert waits == [2.0, 4.0, 8.0]
    assert counts == {"requests": 4, "retries": 3, "waited_ms": 14000}


def test_a_fourth_transient_error_fails(server: HttpServer, client: ApiClient) -> None:
    server.answer = failing(500, 9)
    with pytest.raises(RequestFailed, match="answered 500") as caught:
        client.get("/x")
    assert caught.value.status == 500 and len(server.targets) == 4


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_permanent_errors_are_not_retried(status: int, server: HttpServer, client: ApiClient) -> None:
    server.answer = failing(status, 9)
    with pytest.raises(RequestFailed, match=str(status)):
        client.get("/x")
    assert len(server.targets) == 1


def test_retry_after_waits_do_not_use_up_the_retries(server: HttpServer, client: ApiClient, waits: list[float]) -> None:
    server.answer = failing(429, 7, Retry_After="1")
    client.get("/x")
    assert waits == [1.0] * 7


def test_a_retry_after_beyond_the_budget_fails_at_once_and_names_the_time(
    server: HttpServer, client: ApiClient
) -> None:
    server.answer = failing(429, 9, Retry_After="40000")
    with pytest.raises(LimitExhausted, match=r"come back at \d{4}-\d\d-\d\d"):
        client.get("/x")
    assert len(server.targets) == 1


@pytest.mark.parametrize(
    ("headers", "body", "expected"),
    [
        ({"Retry-After": "7"}, b"", 7),
        ({"Retry-After": "Thu, 15 Jan 2026 00:00:09 GMT"}, b"", 9),
        ({"RateLimit-Reset": "42", "RateLimit-User-Reset": "50"}, b"", 50),
        ({"x-ratelimit-reset": "2"}, b"", 2),
        ({"X-Sentry-Rate-Limit-Reset": "1768435230"}, b"", 30),
        ({}, b'{"reset": 12}', 12),
        ({"Retry-After": "soon"}, b"nothing", None),
        ({"X-Sentry-Rate-Limit-Reset": "1"}, b"", 1),
    ],
)
def test_every_form_of_retry_after(headers: dict[str, str], body: bytes, expected: float | None) -> None:
    assert retry_delay(429, headers, body, datetime(2026, 1, 15, tzinfo=UTC)) == expected


def test_reset_headers_of_other_statuses_cause_no_wait() -> None:
    assert retry_delay(500, {"RateLimit-Reset": "60"}, b"", datetime(2026, 1, 15, tzinfo=UTC)) is None


@pytest.mark.parametrize(
    "body",
    [b"<html>throttled</html>", b'{"data": [', b"", b"[" * 100_000, b'{"a": NaN}', b"\xff\xfe{\x00"],
    ids=["html", "truncated", "empty", "deep", "nan", "utf16"],
)
def test_a_body_that_is_not_json_is_a_clear_error(body: bytes, server: HttpServer, client: ApiClient) -> None:
    server.answer = lambda request: Reply(body, headers={"Content-Type": "text/html"})
    with pytest.raises(AnswerError, match="not JSON") as caught:
        client.get("/x")
    assert "text/html" in str(caught.value) and len(str(caught.value)) < 400


def test_a_byte_order_mark_and_compression_are_understood(server: HttpServer, client: ApiClient) -> None:
    packed = gzip.compress(b'\xef\xbb\xbf{"a": 1}')
    server.answer = lambda request: Reply(packed, headers={"Content-Encoding": "gzip"})
    assert client.get("/x").body == {"a": 1}


def test_broken_compression_and_other_2xx_are_errors(server: HttpServer, client: ApiClient) -> None:
    server.answer = lambda request: Reply(b"no gzip", headers={"Content-Encoding": "gzip"})
    with pytest.raises(AnswerError, match="compression"):
        client.get("/x")
    server.answer = lambda request: Reply(b"", 204)
    with pytest.raises(AnswerError, match="204"):
        client.get("/x")


def test_a_connection_that_breaks_during_the_body_is_retried(server: HttpServer, client: ApiClient) -> None:
    server.answer = lambda request: Reply({"a": 1}, break_after=None if request.number > 1 else 4)
    assert client.get("/x").body == {"a": 1}


def test_an_unreachable_host_is_a_one_line_error_and_not_retried_for_every_resource(waits: list[float]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with ApiClient(PLATFORM, Settings(base_url=url, token=SECRET), sleep=waits.append) as client:
        for _ in range(3):
            with pytest.raises(RequestFailed, match="cannot reach") as caught:
                client.get("/x")
            assert caught.value.unreachable and "SOURCES__SHOP__BASE_URL" in str(caught.value)
    assert len(waits) == 3


def test_redirects_stay_on_the_origin(server: HttpServer, client: ApiClient) -> None:
    server.answer = lambda request: Reply({"a": 1}) if request.path == "/moved" else redirect("/moved")
    assert client.get("/x").body == {"a": 1}
    with HttpServer(lambda request: Reply({})) as other:
        server.answer = lambda request: redirect(f"{other.url}/steal")
        with pytest.raises(RequestFailed, match="another origin"):
            client.get("/x")
        assert other.targets == []


@pytest.mark.parametrize("location", ["/moved", "/moved?page=2", "/moved?page=1&per_page=100", "?page=2&per_page=30"])
def test_a_redirect_that_drops_the_query_is_refused(location: str, server: HttpServer, client: ApiClient) -> None:
    server.answer = lambda request: redirect(location)
    with pytest.raises(AnswerError, match=r"without the parameters .*(page|per_page)"):
        client.get("/x", {"page": 2, "per_page": 100})
    assert len(server.targets) == 1


def test_a_redirect_that_keeps_the_query_is_followed(server: HttpServer, client: ApiClient) -> None:
    moved = redirect("/y?since=2026-01-01+00%3A00%3A00&page=2", 301)
    server.answer = lambda request: Reply({}) if request.number > 1 else moved
    assert client.get("/x", {"page": 2, "since": "2026-01-01 00:00:00"}).body == {}


@pytest.mark.parametrize(
    "body",
    [
        rb'{"data": [{"id": 1}], "d\u0061ta": []}',
        rb'{"d\u0061ta": [{"id": 1}], "\u0064ata": []}',
        rb'{"data": {"goals": [{"id": 1}], "goals": []}}',
        rb'{"data": {"goals": [{"id": 1}], "go\u0061ls": []}}',
        rb'{"data": [{"id": 1}], "additional_data": {"pagination": {"next_start": 5, "next_start": null}}}',
        rb'{"data": [{"id": 1}], "additional_data": {"pagination": {"next_start": 5}, "pagination": {}}}',
    ],
)
def test_a_duplicate_key_in_the_envelope_is_detected_in_any_spelling(
    body: bytes, server: HttpServer, client: ApiClient
) -> None:
    server.answer = lambda request: Reply(body)
    with pytest.raises(AnswerError, match="twice in one object"):
        client.get("/x")


@pytest.mark.parametrize(
    "body",
    [
        rb'{"additional_data": {"start": 0}, "data": [{"start": 1}, {"start": 2, "text": "\u00e9"}]}',
        rb'{"data": [{"a\u0062": 1}, {"ab": 2}]}',
        rb'{"data": {"id": 1, "owner": {"id": 2, "data": {"id": 3}}}, "id": 4}',
        rb'{"data": [{"data": {"id": 1}}], "note": "\u0064ata\": x"}',
    ],
)
def test_duplicate_keys_in_other_objects_are_accepted(body: bytes, server: HttpServer, client: ApiClient) -> None:
    server.answer = lambda request: Reply(body)
    assert client.get("/x").body


def test_endless_redirects_end(server: HttpServer, client: ApiClient) -> None:
    server.answer = lambda request: redirect("/x")
    with pytest.raises(RequestFailed, match="redirects"):
        client.get("/x")


@pytest.mark.parametrize("status", [200, 401, 404, 500, 302])
def test_no_message_holds_the_secret(status: int, server: HttpServer, client: ApiClient) -> None:
    """Wherever the server repeats it: body, redirect, or content type."""
    headers = {"Location": f"http://evil/{SECRET}", "Content-Type": f"text/{SECRET}"}
    server.answer = lambda request: Reply(f"{request.target}{SECRET}".encode(), status, headers)
    with pytest.raises(PlatformAssetsError) as caught:
        client.get("/x")
    shown = f"{caught.value!r} {caught.value} {caught.value.__cause__} {client.settings!r}"
    assert SECRET not in shown and "s3cr3t" not in shown
    assert "s3cr3t%2F%2Btoken" in server.targets[0]


hostile = ["../x", "a?b=c", "a#b", "ünïcode", "a b", "x" * 200, "..;/", "%2e%2e", "a/b"]


@pytest.mark.parametrize("value", hostile)
def test_a_path_value_stays_in_its_own_segment(value: str, server: HttpServer, client: ApiClient) -> None:
    client.get(fill_path("/o/{slug}/p", {"slug": value}))
    path = server.targets[0].split("?")[0]
    assert path.startswith("/o/") and path.endswith("/p") and path.count("/") == 3


@pytest.mark.parametrize("value", ["", ".", ".."])
def test_a_path_value_that_cannot_be_encoded_is_refused(value: str) -> None:
    with pytest.raises(AnswerError, match="refused"):
        fill_path("/o/{slug}/p", {"slug": value})


@given(
    st.integers(100, 599), st.dictionaries(st.sampled_from(["Retry-After", "RateLimit-Reset"]), st.text()), st.binary()
)
def test_retry_delay_never_crashes(status: int, headers: dict[str, str], body: bytes) -> None:
    wait = retry_delay(status, headers, body, datetime(2026, 1, 15, tzinfo=UTC))
    assert wait is None or wait >= 0

"""The day's budget of tokens: a request that the last answer left too few tokens for is not sent."""

from collections.abc import Iterator

import pytest

from platform_assets.configuration.platform_settings import Settings
from platform_assets.declarations import ApiKeyAuth, Client, DailyBudget, Endpoint, Platform, SinglePage
from platform_assets.http import request_limits
from platform_assets.http.client import ApiClient
from platform_assets.http.errors import LimitExhausted
from tests.servers.http_server import HttpServer, Reply

HEADER = "x-left"
PLATFORM = Platform(
    name="shop",
    title="Shop",
    description="",
    client=Client(
        auth=ApiKeyAuth(name="api_token"),
        probe="/",
        paginator=SinglePage(),
        daily_budget=DailyBudget(remaining_header=HEADER, renewed="midnight"),
    ),
    resources=(),
)
DEAR = Endpoint(path="/dear", cost=20)
CHEAP = Endpoint(path="/cheap", cost=5)


@pytest.fixture
def left() -> list[str | None]:
    return []


@pytest.fixture
def server(left: list[str | None]) -> Iterator[HttpServer]:
    def answer(_request: object) -> Reply:
        said = left.pop(0) if left else None
        return Reply({}, 200, {} if said is None else {HEADER: said})

    with HttpServer(answer) as scripted:
        yield scripted


@pytest.fixture
def client(server: HttpServer) -> Iterator[ApiClient]:
    with ApiClient(PLATFORM, Settings(base_url=server.url, token="s3cr3t"), sleep=lambda _: None) as opened:
        yield opened


def get(client: ApiClient, endpoint: Endpoint) -> None:
    client.get(endpoint.path, endpoint=endpoint)


def test_a_request_that_costs_more_than_is_left_is_not_sent_and_says_why(
    client: ApiClient, server: HttpServer, left: list[str | None]
) -> None:
    left += ["40", "19", "14"]
    get(client, DEAR)
    get(client, DEAR)
    with pytest.raises(LimitExhausted) as refused:
        get(client, DEAR)
    assert "the day's budget" in str(refused.value) and "19 tokens are left" in str(refused.value)
    assert "midnight" in str(refused.value) and "/dear" in str(refused.value) and not refused.value.permanent
    assert len(server.requests) == 2
    # What is left is enough for a cheaper one.
    get(client, CHEAP)
    assert len(server.requests) == 3


@pytest.mark.parametrize("said", [None, "", "soon", "1e3", "20", "1000000"])
def test_without_an_answer_that_says_that_too_few_are_left_nothing_is_refused(
    said: str | None, client: ApiClient, server: HttpServer, left: list[str | None]
) -> None:
    left += ["21", said]
    for _ in range(3):
        get(client, DEAR)
    assert len(server.requests) == 3


def test_a_new_days_answer_clears_it(client: ApiClient, server: HttpServer, left: list[str | None]) -> None:
    left += ["6", "30000"]
    get(client, CHEAP)
    with pytest.raises(LimitExhausted):
        get(client, DEAR)
    get(client, CHEAP)
    get(client, DEAR)
    assert len(server.requests) == 3


def test_an_old_answer_is_no_word_about_today(
    client: ApiClient, server: HttpServer, left: list[str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    left += ["0"]
    get(client, DEAR)
    monkeypatch.setattr(request_limits, "WORD_SECONDS", 0.0)
    get(client, DEAR)
    assert len(server.requests) == 2


def test_another_client_of_the_same_credential_knows_nothing_of_it(
    client: ApiClient, server: HttpServer, left: list[str | None]
) -> None:
    left += ["0"]
    get(client, DEAR)
    with ApiClient(PLATFORM, Settings(base_url=server.url, token="s3cr3t"), sleep=lambda _: None) as other:
        get(other, DEAR)
    assert len(server.requests) == 2

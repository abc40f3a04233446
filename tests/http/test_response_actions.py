"""Declared response actions and waits, over real HTTP: the first that applies counts, and every wait ends."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from platform_assets.configuration.platform_settings import Settings
from platform_assets.declarations import (
    ConstantBackoff,
    Endpoint,
    ErrorHandler,
    ExponentialBackoff,
    HeaderBackoff,
    HeaderUntil,
    ResponseAction,
    Template,
)
from platform_assets.declarations.handler_problems import handler_problems
from platform_assets.declarations.patterns import pattern_problem
from platform_assets.http.client import ApiClient
from platform_assets.http.errors import LimitExhausted, RequestFailed, ResponseIgnored
from platform_assets.http.retry_delay import declared_delay
from tests.servers.http_server import HttpServer, Reply
from tests.sync.declared import CLIENT, declared, things

NOW = datetime(2026, 1, 15, tzinfo=UTC)


@pytest.fixture
def server() -> Iterator[HttpServer]:
    with HttpServer(lambda request: Reply({"data": []})) as found:
        yield found


def asked(server: HttpServer, handler: ErrorHandler, waits: list[float] | None = None, **settings: Any) -> Any:
    """The body that a request brings, or what it raises."""
    platform = declared(things(), error_handler=handler)
    given = Settings(**{"base_url": server.url, "token": "t0ken", **settings})
    with ApiClient(platform, given, sleep=([] if waits is None else waits).append) as client:
        return client.get("/things", endpoint=platform.resource("things").endpoint).body


def action(action: Any, **conditions: Any) -> ErrorHandler:
    return ErrorHandler(response_actions=(ResponseAction(action=action, **conditions),))


@pytest.mark.parametrize(
    "conditions",
    [
        {"status_code": 402},
        {"status_code": (401, 402)},
        {"content": "no plan"},
        {"condition": Template("{{ response.code == 7 and headers['X-Kind'] == 'a' and status == 402 }}")},
        {"status_code": 402, "content": "no plan"},
    ],
)
def test_each_condition_and_all_together(conditions: dict[str, Any], server: HttpServer) -> None:
    server.answer = lambda request: Reply({"code": 7, "text": "no plan"}, 402, {"X-Kind": "a"})
    with pytest.raises(ResponseIgnored, match="ignored as declared"):
        asked(server, action("ignore", **conditions))
    server.answer = lambda request: Reply({"code": 8, "text": "other"}, 403)
    with pytest.raises(RequestFailed) as caught:
        asked(server, action("ignore", **conditions))
    assert not isinstance(caught.value, ResponseIgnored)


def test_the_first_action_that_applies_counts(server: HttpServer) -> None:
    server.answer = lambda request: Reply({"text": "quota"}, 400)
    quota = ResponseAction(action="fail", content="quota", error_message="buy more")
    every = ResponseAction(action="ignore", status_code=400)
    with pytest.raises(RequestFailed, match="buy more"):
        asked(server, ErrorHandler(response_actions=(quota, every)))
    with pytest.raises(ResponseIgnored):
        asked(server, ErrorHandler(response_actions=(every, quota)))


def test_an_error_with_status_200_can_be_a_failure_and_an_answer_with_another_status_a_success(
    server: HttpServer,
) -> None:
    server.answer = lambda request: Reply({"ok": False, "error": "nope"})
    with pytest.raises(RequestFailed, match="nope"):
        asked(server, action("fail", condition=Template("{{ response.ok == false }}")))
    server.answer = lambda request: Reply({"data": [1]}, 404)
    assert asked(server, action("success", status_code=404)) == {"data": [1]}


@pytest.mark.parametrize("status", [404, 403])
def test_a_declared_failure_is_no_parent_that_is_not_visible(status: int, server: HttpServer) -> None:
    server.answer = lambda request: Reply({}, status)
    with pytest.raises(RequestFailed) as caught:
        asked(server, action("fail", status_code=status))
    assert not caught.value.not_visible and caught.value.permanent


def test_a_declared_retry_waits_like_any_other_and_ends(server: HttpServer) -> None:
    server.answer = lambda request: Reply({"text": "later"}, 200 if request.number > 2 else 404)
    handler = action("retry", status_code=404)
    waits: list[float] = []
    assert asked(server, handler, waits) == {"text": "later"} and waits == [2.0, 4.0]
    server.answer = lambda request: Reply({}, 404)
    with pytest.raises(RequestFailed):
        asked(server, handler, waits := [])
    assert waits == [2.0, 4.0, 8.0]


def test_a_declared_rate_limit_waits_for_the_reset_and_uses_up_no_retries(server: HttpServer) -> None:
    slow = Reply({"text": "slow down"}, 403, {"X-RateLimit-Reset": "5"})
    server.answer = lambda request: Reply({"data": []}) if request.number > 6 else slow
    waits: list[float] = []
    asked(server, action("rate_limited", content="slow down"), waits)
    assert waits == [5.0] * 6


def test_an_endpoint_has_its_own_handler(server: HttpServer) -> None:
    server.answer = lambda request: Reply({}, 402)
    platform = declared(things(error_handler=action("ignore", status_code=402)))
    with ApiClient(platform, Settings(base_url=server.url, token="t0ken")) as client:
        with pytest.raises(ResponseIgnored):
            client.get("/things", endpoint=platform.resource("things").endpoint)
        with pytest.raises(RequestFailed) as caught:
            client.get("/things")
        assert not isinstance(caught.value, ResponseIgnored)


def test_no_credential_in_what_a_declared_action_says(server: HttpServer) -> None:
    server.answer = lambda request: Reply({"text": "t0ken is blocked"}, 402)
    with pytest.raises(ResponseIgnored) as caught:
        asked(server, action("ignore", status_code=402))
    assert "t0ken" not in str(caught.value)


@pytest.mark.parametrize(
    ("backoff", "headers", "expected"),
    [
        ((ConstantBackoff(7.0),), {}, [7.0, 7.0, 7.0]),
        ((ExponentialBackoff(3.0),), {}, [3.0, 6.0, 12.0]),
        ((HeaderBackoff("X-Wait"), ConstantBackoff(7.0)), {}, [7.0, 7.0, 7.0]),
        ((ConstantBackoff(7.0),), {"Retry-After": "300"}, [300.0] * 3),
        ((HeaderBackoff("X-Wait"), ConstantBackoff(7.0)), {"X-Wait": "300", "Retry-After": "1"}, [300.0] * 3),
        ((HeaderBackoff("X-Wait", r"in (\d+) s"),), {"X-Wait": "retry in 300 s"}, [300.0] * 3),
    ],
)
def test_the_first_wait_that_says_anything(
    backoff: tuple[Any, ...], headers: dict[str, str], expected: list[float], server: HttpServer
) -> None:
    server.answer = lambda request: Reply({}, 503, headers)
    waits: list[float] = []
    with pytest.raises(RequestFailed):
        asked(server, ErrorHandler(backoff=backoff), waits)
    assert waits == expected


def test_a_wait_until_a_moment() -> None:
    headers = {"X-Reset": str(NOW.timestamp() + 40)}
    assert declared_delay((HeaderUntil("X-Reset"),), headers, NOW) == 40
    assert declared_delay((HeaderUntil("X-Reset", min_wait=60.0),), headers, NOW) == 60
    assert declared_delay((HeaderUntil("X-Reset"),), {"X-Reset": "0"}, NOW) == 0
    assert declared_delay((HeaderUntil("X-Reset"),), {"X-Reset": "soon"}, NOW) is None


def test_a_wait_beyond_the_budget_fails_at_once(server: HttpServer) -> None:
    server.answer = lambda request: Reply({}, 429, {"X-Wait": "9999"})
    with pytest.raises(LimitExhausted, match="come back at"):
        asked(server, ErrorHandler(backoff=(HeaderBackoff("X-Wait"),)))
    server.answer = lambda request: Reply({}, 503)
    waits: list[float] = []
    with pytest.raises(RequestFailed):
        asked(server, ErrorHandler(backoff=(ConstantBackoff(40.0),), max_retries=1000, wait_budget=100.0), waits)
    assert waits == [40.0, 40.0]


def test_the_setting_scales_every_computed_wait(server: HttpServer) -> None:
    server.answer = lambda request: Reply({}, 503)
    for backoff in (ConstantBackoff(40.0), ExponentialBackoff(40.0)):
        waits: list[float] = []
        with pytest.raises(RequestFailed):
            asked(server, ErrorHandler(backoff=(backoff,)), waits, backoff_factor=0.0)
        assert waits == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("handler", "text"),
    [
        (action("ignore"), "without a condition"),
        (action("ignore", status_code=()), "is empty"),
        (action("ignore", status_code=200), "every 200"),
        (action("retry", status_code=700), "HTTP statuses"),
        (action("fail", content=""), "every body has it"),
        (action("fail", condition=Template("{{ record.a }}")), "`record` is not known here"),
        (action("fail", condition=Template("{{ config.api_token }}")), "credential"),
        (ErrorHandler(backoff=(ConstantBackoff(-1.0),)), "`seconds`"),
        (ErrorHandler(backoff=(ConstantBackoff(9999.0),)), "`seconds`"),
        (ErrorHandler(backoff=(ExponentialBackoff(9999.0),)), "`factor`"),
        (ErrorHandler(backoff=(HeaderBackoff(""),)), "`header` is empty"),
        (ErrorHandler(backoff=(HeaderBackoff("X", "("),)), "no regular expression"),
        (ErrorHandler(backoff=(HeaderUntil("X", min_wait=-1.0),)), "`min_wait`"),
        (ErrorHandler(backoff=(ConstantBackoff(1.0), HeaderBackoff("X"))), "ever used"),
    ],
)
def test_handlers_that_cannot_work_are_refused(handler: ErrorHandler, text: str) -> None:
    assert [text in problem for _, problem in handler_problems(handler, CLIENT.auth.secrets)] == [True]


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "(a|a)*$", ".*.*.*.*x", r"(a)\1", "a" * 300, "(?:x+x+)+y", "([a-z]+){9}"]
)
def test_patterns_that_may_take_for_ever_are_refused(pattern: str) -> None:
    assert pattern_problem(pattern) is not None


def test_the_slowest_pattern_that_is_allowed_is_fast() -> None:
    assert pattern_problem(".*.*.*x") is None and pattern_problem(r"([-+]?\d+)") is None
    began = time.process_time()
    assert declared_delay((HeaderBackoff("X", ".*.*.*x"),), {"X": "a" * 100_000}, NOW) is None
    assert time.process_time() - began < 3


def test_an_endpoints_handler_is_checked_too() -> None:
    handler = replace(ErrorHandler(), max_retries=-1)
    assert Endpoint(path="/x", error_handler=handler).error_handler is handler
    with pytest.raises(Exception, match="max_retries"):
        declared(things(error_handler=handler))

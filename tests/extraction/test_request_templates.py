"""What templates compute is sent where they stand: path, query, headers, form and JSON, over real HTTP."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import orjson
import pytest

from platform_assets.configuration.platform_settings import Settings
from platform_assets.declarations import (
    BearerAuth,
    Client,
    Configured,
    Detail,
    DynamicPartitions,
    Endpoint,
    FanOut,
    Incremental,
    Listed,
    PageNumber,
    Platform,
    RecordShape,
    Resolve,
    Resource,
    SingleObject,
    SinglePage,
    Template,
    validate,
)
from platform_assets.extraction.probe_request import probe_request
from platform_assets.extraction.probing import has_newer
from platform_assets.extraction.queries import NO_PARENT, Bounds, Parent
from platform_assets.extraction.reading import ListRead, read_records
from platform_assets.http.client import ApiClient
from platform_assets.http.errors import AnswerError
from tests.servers.http_server import HttpServer, Reply

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SINCE = datetime(2026, 1, 20, tzinfo=UTC)


@pytest.fixture
def server() -> Iterator[HttpServer]:
    with HttpServer(lambda request: Reply({"data": [{"id": 1, "at": "2026-02-01T00:00:00Z"}]})) as scripted:
        yield scripted


def declared(endpoint: Endpoint, **more: Any) -> Platform:
    columns = {"id": "bigint", "at": "timestamp", "kind": "text", "notes": "text"}
    partition = DynamicPartitions(name="owner") if endpoint.parents else None
    things = Resource(name="things", description="", endpoint=endpoint, columns=columns, partition=partition)
    owners = Resource(name="owners", description="", endpoint=Endpoint(path="/owners"), columns={"id": "bigint"})
    client = Client(auth=BearerAuth(), probe="/search", paginator=SinglePage())
    platform = Platform(name="shop", title="", description="", client=client, resources=(owners, things), **more)
    return validate([platform])[0]


def opened(server: HttpServer, platform: Platform, **more: Any) -> ApiClient:
    return ApiClient(platform, Settings(base_url=server.url, token="t0ken", backoff_factor=0.0, **more))


def read(
    server: HttpServer, endpoint: Endpoint, parent: Parent = NO_PARENT, bounds: Bounds | None = None, **settings: Any
) -> list[dict[str, Any]]:
    platform = declared(endpoint)
    with opened(server, platform, **settings) as client:
        reading = ListRead(client, platform.resource("things"), (parent,), bounds or Bounds(end=NOW))
        return [record for records in read_records(reading) for record in records]


def sent(server: HttpServer) -> list[dict[str, list[str]]]:
    """The query of each request."""
    return [parse_qs(urlsplit(request.target).query, keep_blank_values=True) for request in server.requests]


def post(**more: Any) -> Endpoint:
    return Endpoint(path="/search", method="POST", paginator=SinglePage(), **more)


def test_a_query_has_what_its_templates_come_to(server: HttpServer) -> None:
    params = {
        "plain": "a",
        "sum": Template("{{ config.n | int + 1 }}"),
        "text": Template("state:{{ config.state }}"),
        "half": Template("{{ 1 / 2 }}"),
        "true": Template("{{ 1 == 1 }}"),
        "several": Template("{{ config.states }}"),
        "empty": Template("{{ '' }}"),
        "missing": Template("{{ config.get('none') }}"),
        "zero": Template("{{ 0 }}"),
    }
    configured = {"n": ("4",), "state": ("open",), "states": ("a", "b")}
    read(server, Endpoint(path="/things", params=params), configured=configured)
    assert sent(server) == [
        {
            "plain": ["a"],
            "sum": ["5"],
            "text": ["state:open"],
            "half": ["0.5"],
            "true": ["True"],
            "several": ["a", "b"],
            "zero": ["0"],
        }
    ]


def test_json_keeps_types_and_leaves_out_what_comes_to_nothing(server: HttpServer) -> None:
    json = {
        "filter": {
            "n": Template("{{ 2 * 3 }}"),
            "active": Template("{{ true }}"),
            "ids": Template("{{ [1, 2] }}"),
            "range": Template("{{ {'from': 1} }}"),
            "none": Template("{{ config.get('none') }}"),
            "setting": Template("{{ config.n }}"),
        },
        "list": [1, Template("{{ '' }}"), Template("{{ 'x' }}")],
        "none": None,
    }
    read(server, post(json=json), configured={"n": ("4",)})
    expected = {"n": 6, "active": True, "ids": [1, 2], "range": {"from": 1}, "setting": "4"}
    assert orjson.loads(server.requests[0].content) == {"filter": expected, "list": [1, "x"], "none": None}
    assert isinstance(json["filter"]["n"], Template), "the declaration stays as it is"


def test_forms_and_headers_have_templates(server: HttpServer) -> None:
    endpoint = post(
        data={"q": Template("{{ parent.kind }}!"), "none": Template("{{ '' }}"), "kind": FanOut(("a", "b"))},
        params={"value:kind": FanOut(("c",))},
        headers={"X-Kind": Template("{{ parent.kind }}"), "X-None": Template("{{ config.get('none') }}")},
    )
    read(server, endpoint)
    assert [parse_qsl(request.content.decode()) for request in server.requests] == [
        [("kind", kind), ("q", "c!")] for kind in "ab"
    ]
    assert [(request.headers["X-Kind"], request.headers["X-None"]) for request in server.requests] == [("c", None)] * 2
    assert set(server.targets) == {"/search"}, "what is called `value:` is not sent"


def test_a_parents_value_keeps_its_type_for_templates(server: HttpServer) -> None:
    endpoint = post(
        params={"value:owner": Resolve("owners", "id"), "value:twice": Template("{{ parent.owner * 2 }}")},
        json={"owner": Template("{{ stream_partition.owner }}"), "twice": Template("{{ stream_slice['twice'] }}")},
        record=RecordShape(from_path={"kind": "value:owner"}, added={"notes": Template("o{{ parent.owner }}")}),
    )
    (record,) = read(server, endpoint, Parent("7", {"value:owner": 7}))
    assert orjson.loads(server.requests[0].content) == {"owner": 7, "twice": 14}
    assert (record["kind"], record["notes"]) == (7, "o7")


def test_templates_are_rendered_for_each_combination(server: HttpServer) -> None:
    params = {
        "kind": FanOut(("a", "b")),
        "owner": Listed("owners", "id"),
        "q": Template("{{ parent.kind }}/{{ parent.owner }}"),
    }
    server.answer = lambda request: Reply({"data": [{"id": 5}, {"id": 6}]})
    read(server, Endpoint(path="/things", params=params))
    assert [query["q"] for query in sent(server) if "q" in query] == [["a/5"], ["a/6"], ["b/5"], ["b/6"]]


def test_every_page_of_a_walk_has_the_same_values(server: HttpServer) -> None:
    """Of a template with a clock too, which would be another list otherwise."""
    pages = [[{"id": number} for number in range(start, start + 2)] for start in (0, 2)] + [[]]
    server.answer = lambda request: Reply({"data": pages[int(request.query["page"]) - 1]})
    endpoint = Endpoint(
        path="/things", params={"at": Template("{{ now_utc() }}")}, paginator=PageNumber(limit=2, maximum=2)
    )
    assert {record["id"] for record in read(server, endpoint)} == {0, 1, 2, 3}
    assert len(sent(server)) > 2 and len({query["at"][0] for query in sent(server)}) == 1


PATHS = {
    "whole": ("/{q}/x", "a/b?c", "/a%2Fb%3Fc/x"),
    "parts": ("/{+q}/x", "a/b?c", "/a/b%3Fc/x"),
    "a slash that is there": ("/v1/{+q}", "/a/b", "/v1/a/b"),
    "a slash that is not there": ("/v1{+q}", "/a", "/v1/a"),
}


@pytest.mark.parametrize("case", PATHS)
def test_a_template_fills_the_path(case: str, server: HttpServer) -> None:
    path, value, expected = PATHS[case]
    read(server, Endpoint(path=path, params={"q": Template("{{ config.q }}")}), configured={"q": (value,)})
    assert server.targets == [expected]


@pytest.mark.parametrize("path", ["/{q}/x", "/{+q}/x"])
def test_a_path_without_a_setting_is_refused(path: str, server: HttpServer) -> None:
    with pytest.raises(AnswerError, match="refused"):
        read(server, Endpoint(path=path, params={"q": Template("{{ config.get('none') }}")}))
    assert not server.requests


@pytest.mark.parametrize("path", ["/{q}/x", "/{+q}/x"])
@pytest.mark.parametrize("value", ["", "..", "."])
def test_a_path_without_a_value_is_refused(path: str, value: str, server: HttpServer) -> None:
    with pytest.raises(AnswerError, match="refused"):
        read(server, Endpoint(path=path, params={"q": Template(f"{{{{ {value!r} }}}}")}))
    assert not server.requests


@pytest.mark.parametrize("value", ["../x", "a/../b", "a/..", "//"])
def test_no_segment_of_a_path_leads_upwards(value: str, server: HttpServer) -> None:
    endpoint = Endpoint(path="/v1/{+q}", params={"q": Template("{{ config.q }}")})
    with pytest.raises(AnswerError, match="refused"):
        read(server, endpoint, configured={"q": (value,)})
    assert not server.requests


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"params": {"q": Template("{{ {'a': 1} }}")}}, "`q` of /search comes to an object"),
        ({"params": {"q": Template("{{ [[1]] }}")}}, "`q` of /search comes to a list"),
        ({"headers": {"X-Q": Template("{{ [1] }}")}}, "`header:X-Q` of /search comes to a list"),
        ({"params": {"q": Template("{{ 1 / 0 }}")}}, "`q` of /search: the template"),
    ],
)
def test_what_cannot_be_sent_is_an_error_that_names_its_place(
    more: dict[str, Any], text: str, server: HttpServer
) -> None:
    with pytest.raises(AnswerError) as caught:
        read(server, Endpoint(path="/search", **more))
    assert text in str(caught.value) and not server.requests


# Bounds


def bounded(**more: Any) -> Endpoint:
    incremental = Incremental(cursor_path="at", start_param="value:start", format="%Y-%m-%d", **more)
    query = "{% if interval.start %}at:{{ interval.start }}..{{ interval.end or '' }}{% endif %}"
    params = {"q": Template(query), "t": Template("{{ stream_slice.start_time }}/{{ stream_interval.start_time }}")}
    return Endpoint(path="/things", params=params, incremental=incremental)


ENDS: dict[str, Any] = {"end_param": "value:end", "end_required": True}


def test_a_bound_that_is_not_sent_by_itself_is_seen_by_templates(server: HttpServer) -> None:
    read(server, bounded(**ENDS), bounds=Bounds((SINCE,), end=NOW))
    assert sent(server) == [{"q": ["at:2026-01-20..2026-03-02"], "t": ["2026-01-20/2026-01-20"]}]


def test_a_first_read_without_a_bound_sends_none(server: HttpServer) -> None:
    read(server, replace(bounded(**ENDS), params={"q": bounded().params["q"], "e": Template("{{ interval.end }}")}))
    assert sent(server) == [{}]


def test_each_window_has_its_bounds(server: HttpServer) -> None:
    endpoint = bounded(end_param="value:end", initial_value="2026-02-20", step=timedelta(days=5))
    read(server, endpoint, bounds=Bounds(end=NOW))
    assert [query["q"] for query in sent(server)] == [["at:2026-02-20..2026-02-25"], ["at:2026-02-25..2026-03-01"]]


def test_what_an_unfinished_read_left_is_what_templates_see(server: HttpServer) -> None:
    endpoint = bounded(end_param="value:end", row_order="desc", initial_value="2026-01-01")
    read(server, endpoint, bounds=Bounds(rest={"value:end": "2026-02-02"}, only_rest=True, end=NOW))
    assert [query["q"] for query in sent(server)] == [["at:2026-01-01..2026-02-02"]]


def test_a_probe_asks_from_the_cursor_on(server: HttpServer) -> None:
    platform = declared(
        replace(bounded(**ENDS), params={"q": bounded().params["q"], "s": Template("{{ config.state }}")})
    )
    with opened(server, platform, configured={"state": ("open",)}) as client:
        assert has_newer(client, platform.resource("things"), SINCE)
    assert sent(server)[0]["q"][0].startswith("at:2026-01-20..") and sent(server)[0]["s"] == ["open"]


# Where a first read begins

INITIAL = {
    "ISO 8601": ("{{ config.get('since', '2026-01-05T10:00:00+02:00') }}", "2026-01-05T08:00:00Z"),
    "a day": ("{{ config.get('since', '2026-01-05') }}", "2026-01-05T00:00:00Z"),
    "a clock": ("{{ config.get('none', (now_utc() - duration('P1D')).strftime('%Y-%m-%d')) }}", None),
    "the setting": ("{{ config.start }}", "2026-01-07T00:00:00Z"),
    "a longer default": ("{{ config.start if 'none' in config else day_delta(-1) }}", None),
}


@pytest.mark.parametrize("step", [None, timedelta(days=3650)])
@pytest.mark.parametrize("case", INITIAL)
def test_a_first_read_begins_where_a_template_says(case: str, step: timedelta | None, server: HttpServer) -> None:
    text, expected = INITIAL[case]
    incremental = Incremental(
        cursor_path="at", start_param="since", end_param="until", initial_value=Template(text), step=step
    )
    read(server, Endpoint(path="/things", incremental=incremental), configured={"start": ("2026-01-07",)})
    bound = sent(server)[0]["since"][0]
    if expected is not None:
        assert bound == expected
    else:
        assert timedelta(0) < datetime.now(UTC) - datetime.fromisoformat(bound) < timedelta(days=2)


@pytest.mark.parametrize("step", [None, timedelta(days=1)])
@pytest.mark.parametrize("text", ["{{ config.start }}", "{{ config.get('none') }}"])
def test_a_beginning_that_is_no_time_is_an_error(text: str, step: timedelta | None, server: HttpServer) -> None:
    incremental = Incremental(
        cursor_path="at", start_param="since", end_param="until", initial_value=Template(text), step=step
    )
    endpoint = Endpoint(path="/things", incremental=incremental)
    if step is None and "none" in text:
        read(server, endpoint)
        assert sent(server) == [{}]
        return
    with pytest.raises(AnswerError, match="`initial_value` comes to"):
        read(server, endpoint, configured={"start": ("tomorrow",)})
    assert not server.requests
    read(server, endpoint, bounds=Bounds((SINCE,), end=SINCE), configured={"start": ("tomorrow",)})
    assert sent(server)[0]["since"] == ["2026-01-20T00:00:00Z"], "a read from a cursor does not need it"


# Elsewhere


def test_details_go_where_their_list_is_and_keep_slashes(server: HttpServer) -> None:
    server.answer = lambda request: Reply({"data": [{"id": "a/b"}], "notes": "n"})
    detail = Detail(path="/things/{+id}/notes", fields={"notes": "notes"}, paginator=SingleObject(), data_selector="")
    endpoint = Endpoint(path="/things", base_url=Template("{{ config.url }}/v2"), details=(detail,))
    (record,) = read(server, endpoint, details=True, configured={"url": (server.url,)})
    assert server.targets == ["/v2/things", "/v2/things/a/b/notes"] and record["notes"] == "n"


def test_check_sends_the_body_that_templates_make(server: HttpServer) -> None:
    platform = declared(post(json={"q": Template("{{ config.q }}")}))
    broken = replace(platform.resources[1], name="broken", endpoint=post(json={"q": Template("{{ 1 / 0 }}")}))
    platform = replace(platform, resources=(broken, *platform.resources))
    with opened(server, platform, configured={"q": ("x",)}) as client:
        client.send(probe_request(platform, client.settings))
    assert orjson.loads(server.requests[0].content) == {"q": "x"}


def test_a_configured_value_is_seen_too(server: HttpServer) -> None:
    params = {"value:org": Configured("org"), "q": Template("org:{{ parent.org }}")}
    read(server, Endpoint(path="/things", params=params), configured={"org": ("a", "b")})
    assert sent(server) == [{"q": ["org:a"]}, {"q": ["org:b"]}]

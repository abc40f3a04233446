"""What each part of a manifest becomes, and what is said of it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from platform_assets.declarations import (
    AddFields,
    ApiKeyAuth,
    BearerAuth,
    ComputedCursor,
    Configured,
    ConstantBackoff,
    Cursor,
    Endpoint,
    FanOut,
    Flatten,
    Gzip,
    HeaderLink,
    HttpBasicAuth,
    JsonLines,
    JsonLink,
    NoAuth,
    OAuth2ClientCredentials,
    Offset,
    PageNumber,
    Platform,
    Portions,
    RateLimit,
    RecordShape,
    RemoveFields,
    Resolve,
    SessionToken,
    Template,
    TemplateAuth,
    UnsizedPages,
)
from platform_assets.declarations.validation import problems
from platform_assets.importing.findings import Findings, UnreadableDocument
from platform_assets.importing.manifest.converting import import_manifest
from platform_assets.importing.manifest.reading import read_manifest
from platform_assets.platform_files import as_yaml
from platform_assets.platform_files.reader import parse_platform
from tests.importing.manifest.cases import CASES, QUERY, SPEC, cursor, option, paged, stream
from tests.importing.manifest.shaped import adding, lifting, removing

_EITHER = "{{ config.get('old_key') or config.get('nested_key') }}"

_REALM = "{{ config['realm_id'] }}"

Said = set[tuple[str, str | None, str]]


def imported(*streams: Any, **more: Any) -> tuple[Platform, Said]:
    """The platform and the findings, without those about cursors that are not declared."""
    manifest = {
        "type": "DeclarativeSource",
        "version": "7.0.0",
        "check": {"type": "CheckStream", "stream_names": ["items"]},
    }
    text = json.dumps({**manifest, "streams": streams, "spec": SPEC, **more}).replace(
        "{url}", "https://api.example.com"
    )
    findings = Findings()
    found = import_manifest(read_manifest(text, Path("manifest.json"), findings), "shop", findings)
    said = {(str(one.severity), one.resource, one.what) for one in found.findings if one.what != "incremental"}
    return replace(found.platform, base_url=found.base_url), said


OFFSETS = {"type": "OffsetIncrement", "page_size": 10}


def custom(kind: str) -> dict[str, str]:
    return {"type": f"Custom{kind}", "class_name": "a.B"}


def filtered(condition: str) -> dict[str, Any]:
    return {"selector": {"record_filter": {"type": "RecordFilter", "condition": condition}}}


def handled(**response_filter: Any) -> dict[str, Any]:
    filters = [{"type": "HttpResponseFilter", **response_filter}]
    return {"requester": {"error_handler": {"type": "DefaultErrorHandler", "response_filters": filters}}}


def endpoint(*streams: Any, name: str = "items", **more: Any) -> Endpoint:
    return imported(*streams, **more)[0].resource(name).endpoint


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("page numbers", PageNumber(limit=10)),
        ("pages from 0", PageNumber(limit=10, base_page=0)),
        ("pages whose size is never sent", UnsizedPages(base_is_sent=False)),
        ("offsets", Offset(limit=7)),
        ("offsets in a JSON body", Offset(offset_body_path="page.start", limit_body_path="page.size", limit=7)),
        ("a cursor in the body", Cursor(cursor_path="next.cursor", cursor_param="cursor")),
        ("a cursor by get", Cursor(cursor_path="next.cursor", cursor_param="cursor")),
        ("a cursor with its own absence as the end", Cursor(cursor_path="next.cursor", cursor_param="cursor")),
        ("a cursor and whether there is more", Cursor(cursor_path="at", cursor_param="cursor", more_path="more")),
        ("a cursor in a header", Cursor(cursor_header="X-Next", cursor_param="cursor")),
        ("absolute links", JsonLink(next_url_path="links.next")),
        (
            "a cursor of the last record",
            ComputedCursor(
                cursor=Template("{{ last_record['id'] }}"), stop=Template("{{ last_page_size == 0 }}"),
                cursor_param="after_id", limit_param="limit", limit=6,
            ),
        ),
    ],
)  # fmt: skip
def test_ways_of_paging(case: str, expected: object) -> None:
    platform, _ = imported(*CASES[case].streams)
    assert platform.paginator_of(platform.resource("items")) == expected


def test_a_link_in_the_header_without_a_stop_condition() -> None:
    one = stream("/x", **paged(cursor("{{ headers['link']['next']['url'] }}"), {"type": "RequestPath"}))
    assert imported(one)[0].client.paginator == HeaderLink()


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("bearer", BearerAuth(token="key")),
        ("basic", HttpBasicAuth(username="user", password="key")),
        ("key as the user", HttpBasicAuth(username="key", password=None)),
        ("key in a header", ApiKeyAuth(name="X-Api-Key", location="header", api_key="key")),
        ("key with a prefix", ApiKeyAuth(name="Authorization", location="header", api_key="key", prefix="Token ")),
        ("key in the query", ApiKeyAuth(name="api_key", api_key="key")),
        ("one of two settings", TemplateAuth(headers={"Authorization": Template("Bearer " + _EITHER)})),
        (
            "computed user",
            TemplateAuth(
                headers={
                    "Authorization": Template(
                        "Basic {{ ((config['user'] + '/token') ~ ':' ~ (config['key'])) | base64encode }}"
                    )
                }
            ),
        ),
        ("credentials in the body", TemplateAuth(json={"login.key": Template("{{ config['key'] }}")})),
        (
            "a credential beside the authenticator",
            TemplateAuth(
                headers={
                    "Authorization": Template("Bearer {{ config['key'] }}"),
                    "X-Key": Template("{{ config['key'] }}"),
                }
            ),
        ),
    ],
)
def test_credentials(case: str, expected: object) -> None:
    assert imported(*CASES[case].streams)[0].client.auth == expected


def test_credentials_inside_an_object_that_no_specification_declares() -> None:
    oauth = {
        "type": "OAuthAuthenticator",
        "token_refresh_endpoint": "https://login.example.com/token",
        "grant_type": "client_credentials",
        "client_id": "{{ config['credentials']['client_id'] }}",
        "client_secret": "{{ config.get('credentials', {}).get('client_secret') }}",
    }
    bearer = {"type": "BearerAuthenticator", "api_token": "{{ config['credentials']['access_token'] }}"}
    selective = {
        "type": "SelectiveAuthenticator",
        "authenticator_selection_path": ["credentials", "auth_type"],
        "authenticators": {"token": bearer, "oauth": oauth},
    }
    platform, _ = imported(stream("/x", requester={"authenticator": selective}), spec={})
    assert platform.client.auth == BearerAuth(token="access_token")
    assert platform.with_contract("oauth").client.auth.secrets == ("client_id", "client_secret")


@pytest.mark.parametrize(
    ("authenticator", "why"),
    [
        ({"type": "CustomAuthenticator", "class_name": "source_shop.Auth"}, "authenticator"),
        ({"type": "BearerAuthenticator", "api_token": "written-out"}, "authenticator"),
        ({"type": "JwtAuthenticator", "secret_key": "{{ config['key'] }}", "algorithm": "HS256"}, "authenticator"),
    ],
)
def test_a_credential_that_cannot_be_carried_is_said_and_the_streams_are_written(authenticator: Any, why: str) -> None:
    platform, said = imported(stream("/x", requester={"authenticator": authenticator}))
    assert ("not carried", None, why) in said and platform.client.auth == BearerAuth()
    assert "written-out" not in as_yaml(platform)


def test_a_choice_of_credentials_is_a_choice_of_contracts() -> None:
    bearer = {"type": "BearerAuthenticator", "api_token": "{{ config['key'] }}"}
    basic = {"type": "BasicHttpAuthenticator", "username": "{{ config['user'] }}", "password": "{{ config['key'] }}"}
    selective = {
        "type": "SelectiveAuthenticator",
        "authenticator_selection_path": ["auth_type"],
        "authenticators": {"token": bearer, "Basic Auth": basic, "other": custom("Authenticator")},
    }
    platform, said = imported(stream("/x", requester={"authenticator": selective}))
    assert platform.client.auth == BearerAuth(token="key")
    chosen = platform.with_contract("basic_auth")
    assert chosen.client.auth == HttpBasicAuth(username="user", password="key")
    assert chosen.resource("items").endpoint == platform.resource("items").endpoint
    assert ("assumed", None, "authenticator") in said and ("not carried", None, "authenticator") in said
    assert parse_platform(as_yaml(platform), "shop.yaml") == platform


def test_streams_with_another_credential_have_it_on_their_endpoint() -> None:
    bearer = {"authenticator": {"type": "BearerAuthenticator", "api_token": "{{ config['key'] }}"}}
    basic = {"authenticator": {"type": "BasicHttpAuthenticator", "username": "{{ config['key'] }}"}}
    platform, said = imported(
        stream("/a", name="a", requester=bearer),
        stream("/b", name="b", requester=bearer),
        stream("/c", name="c", requester=basic),
        stream("/d", name="d"),
    )
    assert platform.client.auth == BearerAuth(token="key") and not any(one[0] == "not carried" for one in said)
    found = [one.endpoint.auth for one in platform.resources]
    assert found == [None, None, HttpBasicAuth(username="key", password=None), NoAuth()]
    assert platform.client.probe == "/a"
    assert parse_platform(as_yaml(platform), "shop.yaml") == platform


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("body_data", TemplateAuth(data={"apiKey": Template("{{ config['key'] }}")})),
        ("body_json", TemplateAuth(json={"apiKey": Template("{{ config['key'] }}")})),
    ],
)
def test_a_key_in_a_body_is_sent_by_post_only(place: str, expected: object) -> None:
    authenticator = {
        "type": "ApiKeyAuthenticator",
        "api_token": "{{ config['key'] }}",
        "inject_into": {"type": "RequestOption", "inject_into": place, "field_name": "apiKey"},
    }
    requester = {"authenticator": authenticator}
    platform, said = imported(
        stream("/a", name="a", requester={**requester, "http_method": "POST"}),
        stream("/b", name="b", requester=requester),
    )
    assert platform.client.auth == expected and [one.name for one in platform.resources] == ["a"]
    assert ("not carried", "b", "the whole resource") in said


def test_a_login_at_another_address_with_a_credential_of_its_own() -> None:
    login = {
        "type": "HttpRequester",
        "url_base": "{{ config['host'] }}/oauth",
        "path": "token",
        "http_method": "POST",
        "authenticator": {
            "type": "BasicHttpAuthenticator", "username": "{{ config['id'] }}", "password": "{{ config['key'] }}",
        },
        "request_body_json": {"user": "{{ config['user'] }}", "grant_type": "password"},
    }  # fmt: skip
    authenticator = {
        "type": "SessionTokenAuthenticator",
        "login_requester": login,
        "session_token_path": ["access_token"],
        "request_authentication": {"type": "Bearer"},
    }
    platform, _ = imported(stream("/a", name="a", requester={"authenticator": authenticator}))
    auth = platform.client.auth
    assert isinstance(auth, SessionToken) and auth.login_path == Template("{{ config.get('host') }}/oauth/token")
    assert auth.login_constants == {"grant_type": "password"} and auth.secrets == ("user", "id", "key")
    assert platform.optional_of("reference") == ("host",)
    for wrong in ({"http_method": "GET"}, {"request_parameters": {"a": "b"}}, {"url_base": "http://login.example.com"}):
        given = {**authenticator, "login_requester": {**login, **wrong}}
        _, said = imported(stream("/a", name="a", requester={"authenticator": given}))
        assert any(one[0] == "not carried" for one in said), wrong


def _asked_for(**properties: Any) -> Endpoint | None:
    given = {"type": "QueryProperties", "property_list": ["a", "bb", "ccc"], **properties}
    platform, _ = imported(
        stream("/x", name="x", requester={"request_parameters": {"f": given}}), stream("/y", name="y")
    )
    return next((one.endpoint for one in platform.resources if one.name == "x"), None)


@pytest.mark.parametrize(
    ("properties", "first", "portions"),
    [
        ({}, "a,bb,ccc", None),
        ({"always_include_properties": ["id"]}, "id,a,bb,ccc", None),
        (
            {"property_chunking": {"property_limit": 2, "property_limit_type": "property_count"}},
            "a,bb",
            Portions(param="f", further=("ccc",), merged_by=("id",)),
        ),
        (
            {
                "always_include_properties": ["k", "l"],
                "property_chunking": {
                    "property_limit": 9,
                    "property_limit_type": "characters",
                    "record_merge_strategy": {"type": "GroupByKeyMergeStrategy", "key": ["k", "l"]},
                },
            },
            "k,l,a,bb",
            Portions(param="f", further=("k,l,ccc",), merged_by=("k", "l")),
        ),
    ],
)
def test_properties_are_asked_for_as_the_cdk_does(properties: Any, first: str, portions: Portions | None) -> None:
    endpoint = _asked_for(**properties)
    assert endpoint is not None and (endpoint.params, endpoint.portions) == ({"f": first}, portions)


@pytest.mark.parametrize(
    "properties",
    [
        {"property_list": {"type": "PropertiesFromEndpoint", "property_field_path": ["a", "b"]}},
        {"property_chunking": {"property_limit": 1, "record_merge_strategy": {"type": "X", "class_name": "a.B"}}},
        {"property_list": ["{{ config['a'] }}"]},
    ],
)
def test_properties_that_nobody_knows_are_not_carried(properties: Any) -> None:
    assert _asked_for(**properties) is None


def test_a_choice_of_credentials_holds_for_streams_with_their_own() -> None:
    def chosen(*names: str) -> dict[str, Any]:
        options = {
            f"by_{name}": {"type": "BearerAuthenticator", "api_token": "{{ config['" + name + "'] }}"} for name in names
        }
        authenticator = {
            "type": "SelectiveAuthenticator",
            "authenticator_selection_path": ["kind"],
            "authenticators": options,
        }
        return {"authenticator": authenticator}

    only = {"authenticator": {"type": "BearerAuthenticator", "api_token": "{{ config['alone'] }}"}}
    other = chosen("admin", "oauth")
    other["authenticator"]["authenticators"] = dict(
        zip(("by_key", "by_oauth"), other["authenticator"]["authenticators"].values(), strict=True)
    )
    platform, _ = imported(
        stream("/a", name="a", requester=chosen("key", "oauth")),
        stream("/b", name="b", requester=chosen("key", "oauth")),
        stream("/c", name="c", requester=other),
        stream("/d", name="d", requester=only),
    )
    applied = platform.with_contract("by_oauth")
    assert [platform.auth_of(one.endpoint).secrets for one in platform.resources] == [
        ("key",), ("key",), ("admin",), ("alone",),
    ]  # fmt: skip
    assert [applied.auth_of(one.endpoint).secrets for one in applied.resources] == [
        ("oauth",), ("oauth",), ("oauth",), ("alone",),
    ]  # fmt: skip


def test_parameters_that_are_a_text_are_not_sent_as_in_the_cdk() -> None:
    platform, said = imported(stream("/a", name="a", requester={"request_parameters": "state=open&kind="}))
    assert platform.resource("a").endpoint.params == {}
    assert ("suspected", "a", "request_parameters") in said


def test_addresses_of_several_servers() -> None:
    other = {"url_base": "https://files.example.com/v2"}
    platform, _ = imported(stream("/a", name="a"), stream("/b", name="b"), stream("/c", name="c", requester=other))
    assert platform.base_url == "https://api.example.com/v1"
    assert [one.endpoint.base_url for one in platform.resources] == [None, None, "https://files.example.com/v2"]


def test_values_of_partitions_stand_in_one_place() -> None:
    """Two places of a list's values would be combined, each with each."""
    kinds = {"type": "ListPartitionRouter", "cursor_field": "kind", "values": ["a", "b"]}
    one = stream(
        "/x",
        requester={"request_parameters": {"k": "{{ stream_partition.kind }}", "again": "{{ stream_slice['kind'] }}"}},
        retriever={"partition_router": kinds},
    )
    again = Template("{{ parent.kind }}")
    assert endpoint(one).params == {"k": again, "again": again, "value:kind": FanOut(("a", "b"))}
    once = stream("/x", retriever={"partition_router": {**kinds, "request_option": option(QUERY, "k")}})
    assert endpoint(once).params == {"k": FanOut(("a", "b"))}
    never = stream("/x", retriever={"partition_router": kinds})
    assert endpoint(never).params == {"value:kind": FanOut(("a", "b"))}
    of_setting = stream("/x", retriever={"partition_router": {**kinds, "values": "{{ config['part'] }}"}})
    assert endpoint(of_setting).params == {"value:kind": Configured("part")}


def test_parents_of_parents_give_their_values() -> None:
    (tasks,) = CASES["children of children"].streams
    platform, _ = imported(tasks)
    assert platform.resource("tasks").endpoint.path == "/orgs/{+slug}/projects/{+project}/tasks"
    assert platform.resource("tasks").endpoint.params == {
        "slug": Resolve(resource="orgs", field="slug"),
        "project": Resolve(resource="projects", field="id"),
    }


def test_windows_and_bounds() -> None:
    incremental = endpoint(*CASES["windows"].streams).incremental
    assert incremental is not None and incremental.step is not None and incremental.step.days == 30
    assert (incremental.start_param, incremental.end_param) == ("from", "to")
    assert incremental.initial_value == Template("{{ config['start_date'] }}")
    worded = endpoint(*CASES["a cursor in a template"].streams)
    assert worded.params == {"q": Template("updated>={{ interval.start }} state:any")}
    assert worded.incremental is not None and worded.incremental.start_param == "value:start"


@pytest.mark.parametrize(
    ("parts", "what"),
    [
        ({"transformations": [custom("Transformation")]}, "transformations.CustomTransformation"),
        ({"selector": {"record_filter": custom("RecordFilter")}}, "record_filter"),
        ({"requester": custom("Requester")}, "requester"),
        ({"incremental_sync": custom("IncrementalSync")}, "incremental_sync"),
        (paged(custom("PaginationStrategy"), None), "the whole resource"),
        ({"retriever": {"partition_router": custom("PartitionRouter")}}, "the whole resource"),
        ({"retriever": {"decoder": {"type": "CustomDecoder", "class_name": "a.B"}}}, "the whole resource"),
        ({"retriever": {"decoder": {"type": "CsvDecoder", "delimiter": ";;"}}}, "the whole resource"),
        ({"retriever": {"decoder": {"type": "IterableDecoder"}}, "at": ["record"]}, "the whole resource"),
        ({"requester": {"http_method": "PUT"}}, "the whole resource"),
        ({"requester": {"request_parameters": {"q": "{{ next_page_token.a }}x"}}}, "the whole resource"),
        ({"requester": {"request_parameters": {"q": "{{ config['key'] ~ record.x }}"}}}, "the whole resource"),
        ({"at": ["a", "**"]}, "the whole resource"),
    ],
)  # fmt: skip
def test_what_is_not_carried_is_named_and_the_rest_runs(parts: dict[str, Any], what: str) -> None:
    platform, said = imported(stream("/x", name="x", **parts), stream("/y", name="y"))
    assert ("not carried", "x", what) in said
    assert [one.name for one in platform.resources] == (["y"] if what == "the whole resource" else ["x", "y"])


@pytest.mark.parametrize(
    ("parts", "found"),
    [
        ({"key": None}, ("suspected", "items", "primary_key")),
        (filtered("{{ stream_state.x }}"), ("assumed", "items", "record_filter")),
        (paged({"type": "PageIncrement"}, None), ("suspected", "items", "page_token_option")),
        (
            paged(OFFSETS, option(QUERY, "skip"), option(QUERY, "skip")),
            ("suspected", "items", "page_size_option"),
        ),
        (
            paged(OFFSETS, option(QUERY, "skip"), request_parameters={"skip": "0"}),
            ("mended", "items", "request_parameters.skip"),
        ),
        (paged(OFFSETS, option("body_data", "skip")), ("mended", "items", "skip")),
        (paged({"type": "PageIncrement", "page_size": 5}, option(QUERY, "page")), ("suspected", "items", "page_size")),
        (paged({"type": "PageIncrement"}, option(QUERY, "page")), ("suspected", "items", "start_from_page")),
        ({"requester": {"request_body_json": {"a": 1}}}, ("suspected", "items", "request_body")),
        (
            {"requester": {"request_parameters": {"token": "{{ config['key'] }}"}}},
            ("suspected", "items", "request_parameters.token"),
        ),
        (handled(http_codes=[403], action="IGNORE"), ("suspected", "items", "error_handler")),
    ],
)  # fmt: skip
def test_the_doctor_says_what_is_probably_not_meant(parts: dict[str, Any], found: tuple[str, str, str]) -> None:
    assert found in imported(stream("/x", **parts))[1]


def test_cursors_that_filter_nothing_are_suspected() -> None:
    for case in ("a cursor that filters nothing", "a client-side cursor"):
        platform, said = imported(*CASES[case].streams)
        assert ("suspected", "items", "incremental_sync") in said
        incremental = platform.resource("items").endpoint.incremental
        assert incremental is not None and not incremental.partial


def test_records_are_reshaped_in_the_written_order() -> None:
    record = endpoint(*CASES["added and removed fields"].streams).record
    assert record is not None and record.removed == ("internal", "tags")
    assert record.added["currency"] == Template("{{ record['price']['currency'] }}")
    flat = endpoint(*CASES["an object made flat"].streams).record
    assert flat is not None and flat.steps == (Flatten(path="price", separator=None, deep=False, clash="leave"),)
    late = endpoint(*CASES["a field of a removed one's name"].streams).record
    assert late is not None and late.steps == (
        RemoveFields(fields=("name",)),
        AddFields(fields={"name": Template("{{ record.id ~ '!' }}")}),
    )


@pytest.mark.parametrize(
    "change",
    [
        adding((["a", "0"], "x")),
        adding((["{{ config['part'] }}"], "x")),
        removing(["**", "a", "**"]),
        removing(["a.b"]),
        lifting("*"),
        lifting("price", key_transformation={"type": "KeyTransformation", "prefix": "{{ config['part'] }}"}),
        {"type": "KeysReplace", "old": "{{ record.a }}", "new": ""},
    ],
)
def test_transformations_that_depend_on_what_is_not_known_are_named(change: dict[str, Any]) -> None:
    platform, said = imported(stream("/x", transformations=[change, adding((["b"], "y"))]))
    assert ("not carried", "items", f"transformations.{change['type']}") in said
    assert platform.resource("items").endpoint.record == RecordShape(added={"b": "y"})


def test_a_condition_of_a_removal_that_names_a_place_is_suspected() -> None:
    change = removing(["a"], condition="{{ property == '' }}")
    platform, said = imported(stream("/x", transformations=[change]))
    assert ("suspected", "items", "RemoveFields") in said
    record = platform.resource("items").endpoint.record
    assert record is not None and record.steps == (
        RemoveFields(fields=("**",), condition=Template("{{ property == '' }}")),
    )


def test_decoders_are_formats() -> None:
    lines = {"type": "JsonLineParser", "encoding": "utf-8"}
    packed = {"type": "CompositeRawDecoder", "parser": {"type": "GzipParser", "inner_parser": lines}}
    items = {"type": "JsonItemsDecoder", "items_path": "data.users"}
    platform, _ = imported(
        stream("/x", name="x", at=["a.b"], retriever={"decoder": packed}),
        stream("/y", name="y", at=["row"], retriever={"decoder": items}),
    )
    x, y = platform.resources
    assert (x.endpoint.response_format, platform.data_selector_of(x)) == (Gzip(of=JsonLines()), "*.['a.b']")
    assert (y.endpoint.response_format, platform.data_selector_of(y)) == (None, "data.users.*.row")
    (table,) = CASES["CSV"].streams
    assert imported(table)[0].resource("items").columns["id"] == "text"


def test_waits_behind_one_that_always_says_are_left_out() -> None:
    platform, said = imported(*CASES["several waits, the first of which always says"].streams)
    assert platform.error_handler_of(platform.resource("items").endpoint).backoff == (ConstantBackoff(seconds=0.01),)
    assert ("mended", "items", "backoff.ExponentialBackoff") in said


def test_fields_with_an_underscore_are_items_of_data() -> None:
    platform, _ = imported(*CASES["links in a field with an underscore"].streams)
    paginator = platform.paginator_of(platform.resource("items"))
    assert isinstance(paginator, ComputedCursor) and paginator.cursor.text == "{{ response['_links'].next.href }}"
    kept = endpoint(stream("/x", **filtered("{{ record._meta.kind == 'a._b' }}"))).record_filter
    assert kept == Template("{{ record['_meta'].kind == 'a._b' }}")
    assert ("not carried", "items", "record_filter") in imported(
        stream("/x", **filtered("{{ record.__class__.mro() }}"))
    )[1]


def test_limits_of_the_api() -> None:
    rates = [{"type": "Rate", "limit": 100, "interval": "PT1M"}]
    policy = {"type": "MovingWindowCallRatePolicy", "matchers": [], "rates": rates}
    budget = {"type": "HTTPAPIBudget", "policies": [policy]}
    platform, _ = imported(
        stream("/x"), api_budget=budget, concurrency_level={"type": "ConcurrencyLevel", "default_concurrency": 4}
    )
    assert platform.client.rate_limit == RateLimit(requests=100, seconds=60.0) and platform.client.max_concurrency == 4


def test_a_manifest_of_nothing_that_can_be_carried_is_refused() -> None:
    with pytest.raises(UnreadableDocument, match=r"items: the retriever `a\.B` is Python, which is never run"):
        imported(
            {
                "type": "DeclarativeStream",
                "name": "items",
                "retriever": {"type": "CustomRetriever", "class_name": "a.B"},
            }
        )


@given(names=st.lists(st.sampled_from(sorted(CASES)), min_size=1, max_size=6, unique=True))
@settings(max_examples=25, deadline=None)
def test_any_streams_together_are_a_platform_that_can_run(names: list[str]) -> None:
    streams = [
        {**one, "name": f"{one['name']}_{number}"}
        for number, name in enumerate(names)
        for one in CASES[name].streams
        if "retriever" in one
    ]
    if not streams or all(one["retriever"]["type"] == "CustomRetriever" for one in streams):
        return
    platform, _ = imported(*streams)
    assert not list(problems(platform))
    assert parse_platform(as_yaml(platform), "shop.yaml") == platform


_SECRET = {"type": "string", "airbyte_secret": True}
_IDENTIFIERS = {
    "connection_specification": {"properties": dict.fromkeys(("key", "realm_id", "region_id", "path_token"), _SECRET)}
}


def test_an_identifier_in_an_address_is_an_ordinary_setting() -> None:
    bearer = {"authenticator": {"type": "BearerAuthenticator", "api_token": "{{ config['key'] }}"}}
    realm = stream("/{{ config['realm_id'] }}/x", requester={**bearer, "request_parameters": {"r": _REALM}})
    token = stream("/{{ config['path_token'] }}/y", name="y", requester=bearer)
    platform, said = imported(realm, token, spec=_IDENTIFIERS)
    assert platform.client.auth == BearerAuth(token="key")
    assert [one.name for one in platform.resources] == ["items"] and platform.optional_of("reference") == ("realm_id",)
    assert ("assumed", None, "settings") in said and ("not carried", "y", "the whole resource") in said


def test_an_identifier_beside_a_token_that_is_bought_is_an_ordinary_setting() -> None:
    oauth = {
        "type": "OAuthAuthenticator",
        "token_refresh_endpoint": "https://login.example.com/token",
        "grant_type": "client_credentials",
        "client_id": "{{ config['region_id'] }}",
        "client_secret": "{{ config['key'] }}",
    }
    sent = {"authenticator": oauth, "request_headers": {"X-Realm": _REALM}}
    platform, said = imported(stream("/x", requester=sent), spec=_IDENTIFIERS)
    assert platform.client.auth.secrets == ("region_id", "key")
    assert platform.optional_of("reference") == ("realm_id",) and ("assumed", None, "settings") in said
    sent["request_headers"] = {"X-Client": "{{ config['region_id'] }}", "X-Kind": "plain"}
    platform, _ = imported(stream("/x", requester=sent), spec=_IDENTIFIERS)
    auth = platform.client.auth
    assert isinstance(auth, OAuth2ClientCredentials) and auth.secrets == ("region_id", "key")
    assert auth.beside == TemplateAuth(headers={"X-Client": Template("{{ config['region_id'] }}")})
    assert platform.resources[0].endpoint.headers == {"X-Kind": "plain"} and not platform.optional_of("reference")
    assert parse_platform(as_yaml(replace(platform, base_url="https://x.example.com")), "x.yaml").client.auth == auth


def test_two_credentials_for_the_header_of_the_token_are_not_carried() -> None:
    oauth = {
        "type": "OAuthAuthenticator",
        "token_refresh_endpoint": "https://login.example.com/token",
        "client_id": "{{ config['region_id'] }}",
        "client_secret": "{{ config['key'] }}",
        "refresh_token": "{{ config['path_token'] }}",
    }
    sent = {"authenticator": oauth, "request_headers": {"authorization": "{{ config['key'] }}"}}
    with pytest.raises(UnreadableDocument, match="'Authorization' of `beside` has the token already"):
        imported(stream("/x", requester=sent), spec=_IDENTIFIERS)


def test_the_host_of_a_token_is_an_ordinary_setting() -> None:
    oauth = {
        "type": "OAuthAuthenticator",
        "token_refresh_endpoint": "{{ config['realm_id'] }}/identity/token",
        "grant_type": "client_credentials",
        "client_id": "{{ config['region_id'] }}",
        "client_secret": "{{ config['key'] }}",
    }
    sent = {"authenticator": oauth, "url_base": "{{ config['realm_id'] }}/rest"}
    platform, _ = imported(stream("/x", requester=sent), spec=_IDENTIFIERS)
    assert isinstance(platform.base_url, Template) and platform.client.auth.secrets == ("region_id", "key")


def test_an_address_that_is_computed_from_a_credential_is_a_setting() -> None:
    of_region = "https://{{ config['key'].split('.')[-1] }}.example.com/v1"
    platform, said = imported(stream("/x", requester={"url_base": of_region}))
    assert platform.base_url is None and ("assumed", None, "url_base") in said
    assert "key" not in as_yaml(platform).partition("resources")[2]
    with_others = [stream("/a", name="a"), stream("/b", name="b"), stream("/x", requester={"url_base": of_region})]
    platform, said = imported(*with_others)
    assert [one.name for one in platform.resources] == ["a", "b"]
    assert ("not carried", "items", "the whole resource") in said


def test_a_credential_in_a_group_or_beside_it_is_either() -> None:
    """Whether the group is there is asked by its other settings, which are no credentials."""
    spec = {"type": "object", "properties": {"auth_type": {"type": "string"}, "token": _SECRET}}
    text = "{{ config['login']['token'] if config.get('login') else config['token'] }}"
    one = stream(
        "/x",
        requester={
            "url_base": "https://{{ 'test' if config.get('login', {}).get('auth_type') == 'test' else 'api' }}.x.com",
            "authenticator": {"type": "BearerAuthenticator", "api_token": text},
        },
    )
    settings = {"properties": {"token": _SECRET, "login": spec}}
    platform, _ = imported(one, spec={"connection_specification": settings})
    either = Template("Bearer {{ config.get('login_token') or config.get('token') }}")
    assert platform.client.auth == TemplateAuth(headers={"Authorization": either})


def test_a_wait_that_is_longer_than_all_waits_is_waited_once() -> None:
    half_an_hour = {"type": "ConstantBackoffStrategy", "backoff_time_in_seconds": 1800}
    handler = {"type": "DefaultErrorHandler", "backoff_strategies": [half_an_hour]}
    platform, said = imported(stream("/x", requester={"error_handler": handler}))
    assert platform.error_handler_of(platform.resource("items").endpoint).wait_budget == 1800
    assert ("assumed", "items", "error_handler.wait_budget") in said


@pytest.mark.parametrize(
    "text",
    [
        "START {{ next_page_token.next_page_token + 1 }}",
        "START {{ (next_page_token.next_page_token or 5) + 1 }}",
        "{{ next_page_token.next_page_token or 0 }} {{ next_page_token.next_page_token or 0 }}",
        "{} {{ (next_page_token.next_page_token or 0) + 1 }}",
    ],
)
def test_a_position_that_is_not_counted_from_the_first_page_on_is_not_carried(text: str) -> None:
    pages = paged({"type": "OffsetIncrement", "page_size": 10}, None, request_parameters={"q": text})
    with pytest.raises(UnreadableDocument, match="position of the"):
        imported(stream("/x", **pages))


def test_what_a_key_needs_and_is_not_carried_makes_it_a_hash() -> None:
    platform, said = imported(*CASES["a key that is the time of the read"].streams)
    assert platform.resource("items").primary_key == () and ("assumed", "items", "primary_key") in said
    assert ("mended", "items", "transformations.AddFields") in said


@pytest.mark.parametrize("value", ["{{ now_utc() }}", "{{ today_utc() if record.x else record.y }}"])
def test_the_time_of_the_read_is_left_out(value: str) -> None:
    platform, said = imported(stream("/x", transformations=[adding((["a"], value), (["b"], "y"))]))
    assert ("mended", "items", "transformations.AddFields") in said
    assert platform.resource("items").endpoint.record == RecordShape(added={"b": "y"})


def test_a_password_that_nobody_is_asked_for_is_empty() -> None:
    basic = {
        "type": "BasicHttpAuthenticator",
        "username": "{{ config['key'] }}",
        "password": "{{ config['password'] }}",
    }
    one = stream("/x", requester={"authenticator": basic})
    platform, _ = imported(one, spec={"connection_specification": {"properties": {"key": _SECRET}}})
    assert platform.client.auth == HttpBasicAuth(username="key", password=None)
    platform, _ = imported(one, spec={})
    assert platform.client.auth == HttpBasicAuth(username="key", password="password")


def test_a_list_at_the_address_itself_has_no_slash_behind_it() -> None:
    here = {"url_base": "https://api.example.com/v3/accounts"}
    platform, _ = imported(stream("/", requester=here), stream("/", name="b", requester={"url_base": "https://b.com/"}))
    paths = {one.name: (one.endpoint.base_url or platform.base_url, one.endpoint.path) for one in platform.resources}
    assert paths == {"items": ("https://api.example.com", "/v3/accounts"), "b": ("https://b.com", "/")}


def test_a_path_that_is_an_address_or_has_a_query_without_names() -> None:
    platform, _ = imported(
        stream("https://other.example.com/v2/x", name="a"),
        stream("/index.php?/api/v2/get_users", name="b"),
        stream("/c?sort=id", name="c"),
    )
    a, b, c = (one.endpoint for one in platform.resources)
    assert (a.base_url, a.path) == ("https://other.example.com", "/v2/x")
    assert (b.path, dict(b.params)) == ("/index.php?/api/v2/get_users", {})
    assert (c.path, dict(c.params)) == ("/c", {"sort": "id"})


def test_a_text_of_a_body_that_is_a_list_of_one_value() -> None:
    body = {"ids": "[{{ config['part'] }}]", "text": "[a]"}
    platform, _ = imported(stream("/x", requester={"http_method": "POST", "request_body_json": body}))
    assert platform.resource("items").endpoint.json == {"ids": [Configured("part")], "text": "[a]"}

"""What each word of a dlt configuration becomes, and what the report says of words that are not carried."""

import json
from typing import Any

import pytest

from platform_assets.declarations import (
    ApiKeyAuth,
    BearerAuth,
    Configured,
    Cursor,
    HeaderCursor,
    HeaderLink,
    HttpBasicAuth,
    Incremental,
    JsonLink,
    NoAuth,
    OAuth2ClientCredentials,
    Offset,
    OnRemoval,
    PageNumber,
    Resolve,
    SingleObject,
    SinglePage,
)
from platform_assets.importing.dlt_config import Imported, import_document
from platform_assets.importing.findings import Severity, UnreadableDocument
from platform_assets.platform_files import as_yaml
from tests.importing.dlt_documents import parse_document


def source(text: str) -> Imported:
    return import_document(parse_document(text, "shop.py"), "shop")


def imported(*resources: Any, client: Any = None, **keys: Any) -> Imported:
    config = {"client": {"base_url": "https://api.shop.dev", **(client or {})}, "resources": list(resources), **keys}
    return import_document(parse_document(json.dumps(config), "shop.json"), "shop")


def orders(client: Any = None, **endpoint: Any) -> Imported:
    """The import of one resource with these keys of its endpoint."""
    return imported({"name": "orders", "primary_key": "id", "endpoint": {"path": "orders", **endpoint}}, client=client)


def said(found: Imported, severity: Severity) -> list[str]:
    """What of the first resource or the platform has a finding of a severity."""
    return [one.what for one in found.findings if one.severity is severity]


PAGINATORS = {
    "page number": ({"type": "page_number", "base_page": 1}, PageNumber(limit=100)),
    "page number of dlt": ({"type": "page_number"}, PageNumber(limit=100, base_page=0)),
    "page number with a size": (
        {"type": "page_number", "page_param": "p", "limit_param": "n", "limit": 5},
        PageNumber(page_param="p", limit_param="n", limit=5),
    ),
    "page number in the body": (
        {"type": "page_number", "base_page": 1, "page_body_path": "page.no"},
        PageNumber(limit=100, page_body_path="page.no"),
    ),
    "offset": ({"type": "offset", "limit": 20}, Offset(limit=20)),
    "offset by other names": (
        {"type": "offset", "limit": 20, "offset_param": "skip", "limit_param": "take"},
        Offset(offset_param="skip", limit_param="take", limit=20),
    ),
    "cursor": ({"type": "cursor"}, Cursor(cursor_path="cursors.next", cursor_param="cursor")),
    "cursor with more": (
        {"type": "cursor", "cursor_path": "$.meta.next", "cursor_param": "after", "has_more_path": "meta.more"},
        Cursor(cursor_path="meta.next", cursor_param="after", more_path="meta.more"),
    ),
    "cursor in the body": (
        {"type": "cursor", "cursor_path": "next", "cursor_body_path": "from"},
        Cursor(cursor_path="next", cursor_body_path="from"),
    ),
    "cursor that counts": (
        {"type": "cursor", "cursor_path": "page.next_start", "cursor_param": "start"},
        Cursor(cursor_path="page.next_start", cursor_param="start", counts_records=True),
    ),
    "cursor in the Link header": (
        {"type": "cursor", "cursor_path": "headers.link.next.cursor", "cursor_param": "c"},
        HeaderCursor(cursor_param="c"),
    ),
    "header cursor": (
        {"type": "header_cursor", "cursor_key": "X-Next"},
        Cursor(cursor_header="X-Next", cursor_param="cursor"),
    ),
    "json link": ({"type": "json_link", "next_url_path": "links.next"}, JsonLink(next_url_path="links.next")),
    "a word": ("json_link", JsonLink()),
    "an old word": ("json_response", JsonLink()),
    "header link": ("header_link", HeaderLink()),
    "single page": ("single_page", SinglePage()),
    "auto": ("auto", SinglePage()),
}


@pytest.mark.parametrize("case", PAGINATORS)
def test_every_paginator_of_dlt_is_carried(case: str) -> None:
    written, ours = PAGINATORS[case]
    found = orders(paginator=written, method="POST" if "body" in case else "GET")
    assert found.platform.paginator_of(found.platform.resource("orders")) == ours
    assert not said(found, Severity.NOT_CARRIED)


def test_a_paginator_written_as_an_object_of_python_is_carried() -> None:
    found = source(
        "rest_api_source({'client': {'base_url': 'https://api.shop.dev',"
        " 'paginator': PageNumberPaginator(1, None, 'p')}, 'resources': ['orders']})"
    )
    assert found.platform.client.paginator == PageNumber(page_param="p", limit=100)


def test_a_page_size_among_the_parameters_becomes_the_paginators() -> None:
    found = orders(paginator={"type": "page_number", "base_page": 1}, params={"per_page": 50, "state": "open"})
    resource = found.platform.resource("orders")
    assert found.platform.paginator_of(resource) == PageNumber(limit_param="per_page", limit=50)
    assert resource.endpoint.params == {"state": "open"}


@pytest.mark.parametrize(
    "paginator", ["unheard_of", {"type": "unheard_of"}, {"type": "json_link", "next_url_path": "links[?rel='next']"}]
)
def test_a_list_whose_pages_cannot_be_followed_is_left_out(paginator: Any) -> None:
    found = imported("posts", {"name": "orders", "endpoint": {"paginator": paginator}})
    assert [one.name for one in found.platform.resources] == ["posts"]
    assert "the whole resource" in said(found, Severity.NOT_CARRIED)


AUTHS = {
    "none": (None, NoAuth()),
    "bearer": ({"type": "bearer", "token": "${SHOP_TOKEN}"}, BearerAuth(token="shop_token")),
    "bearer without its word": ({"token": "${SHOP_TOKEN}"}, BearerAuth(token="shop_token")),
    "bearer in clear": ({"type": "bearer", "token": "s3cr3t"}, BearerAuth()),
    "only a word": ("bearer", BearerAuth()),
    "api key": (
        {"type": "api_key", "name": "X-Key", "api_key": "${KEY}", "location": "header"},
        ApiKeyAuth(name="X-Key", location="header", api_key="key"),
    ),
    "api key in a cookie": (
        {"type": "api_key", "name": "sid", "api_key": "${KEY}", "location": "cookie"},
        ApiKeyAuth(name="sid", location="cookie", api_key="key"),
    ),
    "basic": (
        {"type": "http_basic", "username": "${SHOP_USER}", "password": "${PASSWORD}"},
        HttpBasicAuth(username="shop_user"),
    ),
    "client credentials": (
        {
            "type": "oauth2_client_credentials",
            "access_token_url": "https://api.shop.dev/token",
            "client_id": "${CLIENT_ID}",
        },
        OAuth2ClientCredentials(access_token_url="/token"),
    ),
    "client credentials elsewhere": (
        {"type": "oauth2_client_credentials", "access_token_url": "https://login.shop.dev/token", "client_id": "me"},
        OAuth2ClientCredentials(access_token_url="https://login.shop.dev/token"),
    ),
}


@pytest.mark.parametrize("case", AUTHS)
def test_every_way_to_authenticate_is_carried_and_no_secret_is_kept(case: str) -> None:
    written, ours = AUTHS[case]
    found = orders(client={"auth": written})
    assert found.platform.client.auth == ours
    assert "s3cr3t" not in repr(found)
    assert not said(found, Severity.NOT_CARRIED)


@pytest.mark.parametrize(
    ("config", "ours"),
    [
        ("'headers': {'Authorization': f\"Bearer {dlt.secrets['t']}\"}", BearerAuth(token="t")),
        ("'headers': {'Authorization': 'Bearer s3cr3t'}", BearerAuth()),
        (
            "'headers': {'X-Key': dlt.secrets['t'], 'Accept': 'a/b'}",
            ApiKeyAuth(name="X-Key", location="header", api_key="t"),
        ),
        (
            "'auth': HttpBasicAuth(dlt.secrets['u'], os.environ['SHOP_P'])",
            HttpBasicAuth(username="u", password="shop_p"),
        ),
    ],
)
def test_a_credential_in_a_header_is_a_credential(config: str, ours: object) -> None:
    found = source(f"c = {{'client': {{'base_url': 'https://api.shop.dev', {config}}}, 'resources': ['orders']}}")
    assert found.platform.client.auth == ours
    assert found.platform.client.headers == ({"Accept": "a/b"} if "Accept" in config else {})
    assert "s3cr3t" not in repr(found)


def test_a_credential_in_the_query_string_is_said_and_not_written_to_the_file() -> None:
    found = imported("orders", resource_defaults={"endpoint": {"params": {"api_key": "s3cr3t", "v": 2}}})
    assert found.platform.client.auth == ApiKeyAuth(name="api_key", location="query", api_key="api_key")
    assert found.platform.resource("orders").endpoint.params == {"v": 2}
    assert "params.api_key" in said(found, Severity.SUSPECTED)
    assert "s3cr3t" not in repr(found)


SINCE = {"since": "{incremental.start_value}"}
INCREMENTALS = {
    "a parameter": (
        {"params": SINCE, "incremental": {"cursor_path": "at", "initial_value": "2024-01-01T00:00:00Z"}},
        Incremental(cursor_path="at", start_param="since", initial_value="2024-01-01T00:00:00Z"),
    ),
    "start and end": (
        {"incremental": {"cursor_path": "at", "start_param": "a", "end_param": "b", "initial_value": "2024-01-01"}},
        Incremental(cursor_path="at", start_param="a", end_param="b", initial_value="2024-01-01", format="%Y-%m-%d"),
    ),
    "inside params": (
        {"params": {"since": {"type": "incremental", "cursor_path": "at", "initial_value": "2024-01-01 00:00:00"}}},
        Incremental(
            cursor_path="at", start_param="since", initial_value="2024-01-01 00:00:00", format="%Y-%m-%d %H:%M:%S"
        ),
    ),
    "with text around it": (
        {
            "params": {"filter": "at>={incremental.start_value}"},
            "incremental": {"cursor_path": "at", "initial_value": "2024-01-01T00:00:00.000+00:00"},
        },
        Incremental(
            cursor_path="at",
            start_param="filter",
            initial_value="at>=2024-01-01T00:00:00.000+00:00",
            format="at>=%Y-%m-%dT%H:%M:%S.000+00:00",
        ),
    ),
    "nothing sends it": (
        {"incremental": {"cursor_path": "at", "initial_value": "2024-01-01"}},
        Incremental(cursor_path="at", bounded=True),
    ),
    "a number": (
        {"params": SINCE, "incremental": {"cursor_path": "at", "initial_value": 1700000000}},
        Incremental(cursor_path="at"),
    ),
    "inside an object": ({"params": SINCE, "incremental": {"cursor_path": "meta.at"}}, None),
}


@pytest.mark.parametrize("case", INCREMENTALS)
def test_every_form_of_a_cursor_is_carried_or_the_list_is_read_in_full(case: str) -> None:
    endpoint, ours = INCREMENTALS[case]
    resource = orders(**endpoint).platform.resource("orders")
    assert resource.endpoint.incremental == ours
    assert resource.endpoint.params == {}


def test_what_only_running_would_tell_is_left_out_or_the_resource_is() -> None:
    found = source(
        "c = {'client': {'base_url': 'https://api.shop.dev', 'x': f()}, 'resources': [\n"
        "{'name': 'a', 'processing_steps': [{'filter': lambda x: x}], 'endpoint': {'params': {'p': f()}}},\n"
        "{'name': 'b', 'endpoint': {'path': f()}},\n{'name': 'c', 'endpoint': {'paginator': f()}},\nf()]}"
    )
    assert [one.name for one in found.platform.resources] == ["a"]
    places = {(one.resource, one.what): one.why for one in found.findings if one.severity is Severity.NOT_CARRIED}
    assert places[None, "client.x"] == "cannot be read without running it: line 1"
    assert places["a", "processing_steps[0].filter"] == "functions are never run; do it in a dbt model"
    assert places["a", "endpoint.params.p"] == "cannot be read without running it: line 2 (`f()`)"
    assert places["b", "the whole resource"] == "its path cannot be read without running it: line 3"
    assert places["c", "the whole resource"] == "its paginator cannot be read without running it: line 4"
    assert places[None, "resources[3]"].startswith("cannot be read without running it: line 5")


def test_lag_order_and_functions_of_a_cursor() -> None:
    found = source(
        "c = {'client': {'base_url': 'https://api.shop.dev'}, 'resources': [{'name': 'orders', 'endpoint': {'params':"
        " {'s': '{incremental.start_value}'}, 'incremental': {'cursor_path': 'at', 'initial_value': '2024-01-01',"
        " 'lag': 3600, 'row_order': 'asc', 'convert': lambda x: x}}}]}"
    )
    incremental = found.platform.resource("orders").endpoint.incremental
    assert incremental is not None
    assert (incremental.lag.total_seconds(), incremental.row_order) == (3600, "asc")
    assert "endpoint.incremental.convert" in said(found, Severity.NOT_CARRIED)


@pytest.mark.parametrize(
    ("path", "parents"),
    [
        ("orgs/{resources.orgs.login}/repos", {"orgs_login": Resolve("orgs", "login")}),
        ("orgs/{org_slug}/repos", {"org_slug": Resolve("orgs", "slug")}),
        ("orgs/{org}/repos", {"org": Resolve("orgs", "slug")}),
        ("orgs/{owner}/{org_id}/repos", {"owner": Resolve("orgs", "owner.slug"), "org_id": Resolve("orgs", "id")}),
        ("v2/stats/orgs/{org_id}/repos", {"org_id": Resolve("orgs", "id")}),
        ("orgs/{{ stream_slice.parent_id }}/repos", {"org_id": Resolve("orgs", "id")}),
    ],
)
def test_parents_are_found_where_nobody_declared_them(path: str, parents: dict[str, Resolve]) -> None:
    found = imported("orgs", {"name": "repos", "endpoint": path})
    assert found.platform.resource("repos").endpoint.parents == parents
    assumed = [one for one in found.findings if one.resource == "repos" and one.what.startswith("path {")]
    assert len(assumed) == (0 if "resources." in path else len(parents))
    assert all(one.severity is Severity.ASSUMED for one in assumed)


def test_children_of_children_have_the_values_of_all_their_ancestors() -> None:
    found = imported(
        "orgs",
        {"name": "repos", "endpoint": "orgs/{org_id}/repos"},
        {"name": "issues", "endpoint": "orgs/{org_id}/repos/{repo_id}/issues"},
        {"name": "notes", "endpoint": "issues/{resources.issues.id}/notes"},
    )
    parents = {one.name: list(one.endpoint.parents.values()) for one in found.platform.resources}
    assert parents["issues"] == [Resolve("orgs", "id"), Resolve("repos", "id")]
    assert parents["notes"] == [Resolve("issues", "id")]


def test_children_without_a_parent_are_left_out_with_their_reason() -> None:
    found = imported(
        "orgs",
        {"name": "lost", "endpoint": "shops/{shop_id}/orders"},
        {"name": "orphans", "endpoint": "lost/{resources.lost.id}/x"},
        {"name": "orphaned", "endpoint": "x/{resources.nowhere.id}"},
    )
    assert [one.name for one in found.platform.resources] == ["orgs"]
    assert {one.resource for one in found.findings if one.what == "the whole resource"} == {
        "lost",
        "orphans",
        "orphaned",
    }


def test_a_path_that_ends_with_a_value_is_one_object() -> None:
    found = imported("orgs", {"name": "org_details", "endpoint": "orgs/{resources.orgs.id}"})
    resource = found.platform.resource("org_details")
    assert found.platform.paginator_of(resource) == SingleObject()


def test_defaults_are_merged_as_dlt_merges_them() -> None:
    found = imported(
        {"name": "orders", "endpoint": {"params": {"b": 3}}, "columns": {"total": {"data_type": "double"}}},
        {"name": "notes", "primary_key": ["a", "b"], "write_disposition": "append"},
        resource_defaults={
            "primary_key": "uid",
            "columns": {"uid": {"data_type": "bigint"}},
            "endpoint": {"params": {"a": 1, "b": 2}, "data_selector": "$.items[*]"},
        },
    )
    first, second = found.platform.resources
    assert first.endpoint.params == {"a": 1, "b": 3}
    assert found.platform.data_selector_of(first) == found.platform.data_selector_of(second) == "items"
    assert (first.primary_key, second.primary_key) == ("uid", ("a", "b"))
    assert first.columns == {"uid": "bigint", "total": "double"}
    assert second.on_removal is OnRemoval.IGNORE


def test_what_is_in_the_path_is_sent_as_it_was() -> None:
    found = imported(
        {
            "name": "a",
            "endpoint": {"path": "/v{version}/a?state=open", "params": {"version": 2, "on": True, "n": [1, 2]}},
        },
        {"name": "b", "endpoint": "https://api.shop.dev/b"},
        {"name": "c", "endpoint": "https://other.shop.dev/c"},
        {"name": "d", "endpoint": "{{ config['account_id'] }}/d"},
    )
    a, b, d = found.platform.resources
    assert (a.endpoint.path, a.endpoint.params) == ("/v2/a", {"on": "true", "n": ("1", "2"), "state": "open"})
    assert (b.endpoint.path, d.endpoint.path) == ("/b", "/{account_id}/d")
    assert d.endpoint.params == {"account_id": Configured("account_id")}


NOT_CARRIED = {
    "processing_steps[0].map": {"processing_steps": [{"map": "f"}]},
    "merge_key": {"merge_key": "day"},
    "table_name": {"table_name": "other"},
    "write_disposition": {"write_disposition": {"disposition": "merge", "strategy": "scd2"}},
    "unheard_of": {"unheard_of": 1},
    "endpoint.unheard_of": {"endpoint": {"unheard_of": 1}},
    "endpoint.auth": {"endpoint": {"auth": {"type": "digest", "token": "x"}}},
    "response_actions[0]": {"endpoint": {"response_actions": [{"status_code": 500, "action": "raise"}]}},
    "incremental.end_value": {"endpoint": {"incremental": {"cursor_path": "at", "end_value": "2024-01-01"}}},
    "paginator.maximum_page": {"endpoint": {"paginator": {"type": "page_number", "maximum_page": 3}}},
    "paginator.stop_condition": {"endpoint": {"paginator": {"type": "cursor", "stop_condition": "x"}}},
    "columns.at.x-hint": {"columns": {"at": {"data_type": "text", "x-hint": 1}}},
    "include_from_parent.name": {"include_from_parent": ["name"]},
}


@pytest.mark.parametrize("what", NOT_CARRIED)
def test_what_is_not_carried_is_said_and_the_rest_runs(what: str) -> None:
    found = imported({"name": "orders", **NOT_CARRIED[what]})
    assert [one.name for one in found.platform.resources] == ["orders"]
    assert what in said(found, Severity.NOT_CARRIED)


def test_a_credential_of_one_endpoint_is_its_own_setting() -> None:
    found = imported(
        {"name": "orders"},
        {"name": "users", "endpoint": {"auth": {"type": "api_key", "name": "X-Key", "api_key": "s3cr3t"}}},
    )
    orders, users = found.platform.resources
    assert orders.endpoint.auth is None
    assert users.endpoint.auth == ApiKeyAuth(name="X-Key", location="header", api_key="users_api_key")
    assert "endpoint.auth.api_key" in said(found, Severity.MENDED) and "s3cr3t" not in as_yaml(found.platform)


SUSPECTED = {
    "creation time": (
        {"params": SINCE, "incremental": {"cursor_path": "created_at", "initial_value": "2024-01-01"}},
        "incremental",
    ),
    "a cursor that filters nothing": ({"incremental": {"cursor_path": "updated_at"}}, "incremental"),
    "pages from 0": ({"paginator": "page_number"}, "paginator.base_page"),
    "a size that is never sent": ({"paginator": {"type": "cursor", "limit": 50}}, "paginator.limit"),
    "a GET with a body": ({"json": {"a": 1}}, "endpoint.json"),
}


@pytest.mark.parametrize("case", SUSPECTED)
def test_the_doctor_suspects_what_runs_and_is_probably_not_meant(case: str) -> None:
    endpoint, what = SUSPECTED[case]
    assert what in said(orders(**endpoint), Severity.SUSPECTED)


def test_the_doctor_finds_nothing_wrong_with_what_is_right() -> None:
    found = imported(
        {
            "name": "orders",
            "primary_key": "id",
            "columns": {"id": {"data_type": "bigint"}},
            "endpoint": {
                "data_selector": "data",
                "paginator": {"type": "page_number", "base_page": 1},
                "params": {"per_page": 100, "since": "{incremental.start_value}"},
                "incremental": {"cursor_path": "updated_at", "initial_value": "2024-01-01"},
            },
        },
        client={"auth": {"token": "${TOKEN}"}},
    )
    assert found.findings == ()


def test_a_configuration_without_a_resource_that_can_be_carried_is_refused_with_the_reasons() -> None:
    with pytest.raises(UnreadableDocument, match=r"its path is at another place: other\.dev"):
        imported({"name": "a", "endpoint": "https://other.dev/a"})

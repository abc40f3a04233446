"""Manifests in every way of the language, each with the rows that its streams have on `api.VendorApi`."""

from dataclasses import dataclass, field, replace
from typing import Any

from tests.importing.manifest.api import ITEMS, KEY, KINDS, ORGS, USER, Record, prices_of, projects_of, tasks_of
from tests.importing.manifest.bodies import LINES, WRITTEN
from tests.importing.manifest.reports import REPORTS, SALES, SHOPS
from tests.importing.manifest.shaped import SHAPED, adding

Json = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """A manifest, and what is to come of it.

    Attributes:
        streams: of the manifest, whose requesters lack `url_base`.
        rows: stream -> its rows; a stream that is not here is not carried.
        more: further parts of the manifest.
        not_carried: what the report says of that, as (resource, what).
        cdk: why the CDK reads other rows, if it does.
    """

    streams: list[Json]
    rows: dict[str, list[Record]]
    more: Json = field(default_factory=dict)
    not_carried: frozenset[tuple[str | None, str]] = frozenset()
    cdk: str | None = None


CONFIG: Json = {
    "key": KEY,
    "user": USER,
    "start_date": "2026-01-01T00:00:00Z",
    "kinds": list(KINDS),
    "part": "paged",
    "nested": {"key": KEY},
}
SPEC: Json = {
    "type": "Spec",
    "connection_specification": {
        "type": "object",
        "required": ["key", "start_date", "part"],
        "properties": {
            "key": {"type": "string", "airbyte_secret": True},
            "user": {"type": "string"},
            "start_date": {"type": "string"},
            "kinds": {"type": "array"},
            "part": {"type": "string"},
            "nested": {"type": "object", "properties": {"key": {"type": "string", "airbyte_secret": True}}},
        },
    },
}


def stream(path: str, *, name: str = "items", key: Any = "id", **parts: Any) -> Json:
    """A stream at a path below `/v1`; `requester`, `retriever` and `selector` are merged in, others are its own."""
    selector = parts.pop("selector", {})
    types = {
        "id": {"type": "string" if name in ("prices", "tasks") else "integer"},
        "a": {"type": ["null", "integer"]},
        "b": {"type": "integer"},
        "name": {"type": ["null", "string"]},
        "price": {"type": "object"},
        "tags": {"type": "array"},
    }
    found: Json = {
        "type": "DeclarativeStream",
        "name": name,
        "schema_loader": {"type": "InlineSchemaLoader", "schema": {"type": "object", "properties": types}},
        "retriever": {
            "type": "SimpleRetriever",
            "requester": {
                "type": "HttpRequester",
                "url_base": "{url}/v1",
                "path": path,
                "http_method": "GET",
                **parts.pop("requester", {}),
            },
            "record_selector": {
                "type": "RecordSelector",
                "extractor": {"type": "DpathExtractor", "field_path": parts.pop("at", ["items"])},
                **selector,
            },
            **parts.pop("retriever", {}),
        },
        **parts,
    }
    return {**found, "primary_key": key} if key is not None else found


def option(place: str, *names: str) -> Json:
    if len(names) == 1:
        return {"type": "RequestOption", "inject_into": place, "field_name": names[0]}
    return {"type": "RequestOption", "inject_into": place, "field_path": list(names)}


def paged(strategy: Json, token: Json | None, size: Json | None = None, **requester: Any) -> Json:
    found: Json = {"type": "DefaultPaginator", "pagination_strategy": strategy}
    if token:
        found["page_token_option"] = token
    if size:
        found["page_size_option"] = size
    return {"retriever": {"paginator": found}, "requester": requester}


def cursor(value: str, **more: Any) -> Json:
    return {"type": "CursorPagination", "cursor_value": value, **more}


QUERY = "request_parameter"
_PATH: Json = {"type": "RequestPath"}
_NUMBERED = {"type": "PageIncrement", "page_size": 10, "start_from_page": 1}
_PAGES: dict[str, tuple[str, Json]] = {
    "page numbers": ("numbered", paged(_NUMBERED, option(QUERY, "page"), option(QUERY, "per_page"))),
    "page numbers on the first request": (
        "numbered",
        paged({**_NUMBERED, "inject_on_first_request": True}, option(QUERY, "page"), option(QUERY, "per_page")),
    ),
    "pages from 0": (
        "zero",
        paged({"type": "PageIncrement", "page_size": 10}, option(QUERY, "page"), option(QUERY, "per_page")),
    ),
    "pages whose size is never sent": ("unsized", paged(_NUMBERED, option(QUERY, "page"))),
    "pages of no size": ("unsized", paged({"type": "PageIncrement", "start_from_page": 1}, option(QUERY, "page"))),
    "offsets": (
        "offset",
        paged({"type": "OffsetIncrement", "page_size": 7}, option(QUERY, "offset"), option(QUERY, "limit")),
    ),
    "offsets whose size is never sent": (
        "skipped",
        paged({"type": "OffsetIncrement", "page_size": 10}, option(QUERY, "skip")),
    ),
    "offsets in a JSON body": (
        "body",
        paged(
            {"type": "OffsetIncrement", "page_size": 7, "inject_on_first_request": True},
            option("body_json", "page", "start"),
            option("body_json", "page", "size"),
            http_method="POST",
        ),
    ),
    "pages in a form": (
        "form",
        paged(
            {**_NUMBERED, "inject_on_first_request": True},
            option("body_data", "page"),
            option("body_data", "size"),
            http_method="POST",
            request_body_data={"kind": "all"},
        ),
    ),
    "pages whose size has no name": ("unsized", paged(_NUMBERED, option(QUERY, "page"), option(QUERY, ""))),
    "pages whose size is named by a setting of nobody": (
        "unsized",
        paged(_NUMBERED, option(QUERY, "page"), option(QUERY, "{{ config['nothing'] }}")),
    ),
    "pages whose size has the name of the position": (
        "skipped",
        paged({"type": "OffsetIncrement", "page_size": 10}, option(QUERY, "skip"), option(QUERY, "skip")),
    ),
    "offsets beside a size in one parameter": (
        "slice",
        paged(
            {"type": "OffsetIncrement", "page_size": 10},
            None,
            request_parameters={"limit": "'{{ next_page_token['next_page_token'] or '0' }},10'"},
        ),
    ),
    "a position in a query language": (
        "asked",
        paged(
            {"type": "OffsetIncrement", "page_size": 5},
            None,
            request_parameters={
                "q": "FROM {{ config['part'] }} START {{ (next_page_token.next_page_token or 0) + 1 }} MAX {{ 5 * 2 }}"
            },
        ),
    ),
    "a page that is counted from another number": (
        "listed",
        paged(
            {"type": "PageIncrement", "page_size": 10},
            None,
            http_method="POST",
            request_body_json={"at": {"page": "{{ (next_page_token['next_page_token'] or 0) + 1 }}"}},
        ),
    ),
    "a position beside an equal parameter": (
        "skipped",
        paged({"type": "OffsetIncrement", "page_size": 10}, option(QUERY, "skip"), request_parameters={"skip": "0"}),
    ),
    "a cursor in the body": ("cursor", paged(cursor("{{ response.next.cursor }}"), option(QUERY, "cursor"))),
    "a cursor by get": (
        "cursor",
        paged(cursor("{{ response.get('next', {}).get('cursor') }}"), option(QUERY, "cursor")),
    ),
    "a cursor with its own absence as the end": (
        "cursor",
        paged(
            cursor("{{ response['next']['cursor'] }}", stop_condition="{{ not response['next']['cursor'] }}"),
            option(QUERY, "cursor"),
        ),
    ),
    "a cursor and whether there is more": (
        "more",
        paged(cursor("{{ response.at }}", stop_condition="{{ not response.more }}"), option(QUERY, "cursor")),
    ),
    "a cursor that is computed": (
        "counted",
        paged(
            cursor("{{ response.meta.start + last_page_size }}", stop_condition="{{ last_page_size < 10 }}"),
            option(QUERY, "start"),
        ),
    ),
    "a cursor of the last record": (
        "after",
        paged(
            cursor("{{ last_record['id'] }}", page_size=6, stop_condition="{{ last_page_size == 0 }}"),
            option(QUERY, "after_id"),
            option(QUERY, "limit"),
        ),
    ),
    "a cursor in a header": ("header", paged(cursor("{{ headers['X-Next'] }}"), option(QUERY, "cursor"))),
    "a cursor in a header that is computed": (
        "header",
        paged(
            cursor("{{ headers.get('X-Next') }}", stop_condition="{{ 'X-Next' not in headers and true }}"),
            option(QUERY, "cursor"),
        ),
    ),
    "a cursor in a template of the parameters": (
        "cursor",
        paged(
            cursor("{{ response.next.cursor }}"),
            None,
            request_parameters={"cursor": "{{ next_page_token['next_page_token'] }}"},
        ),
    ),
    "absolute links": ("link", paged(cursor("{{ response.links.next }}"), _PATH)),
    "relative links": (
        "relative",
        paged(cursor("{{ response.links.next }}", stop_condition="{{ not response.links.next }}"), _PATH),
    ),
    "links in a field with an underscore": (
        "hal",
        paged(
            cursor("{{ response._links.next.href }}", stop_condition="{{ 'next' not in response._links }}"),
            _PATH,
        ),
    ),
    "links in the header": (
        "link_header",
        paged(
            cursor("{{ headers['link']['next']['url'] }}", stop_condition="{{ 'next' not in headers['link'] }}"), _PATH
        ),
    ),
    "GraphQL": (
        "graphql",
        paged(
            cursor("{{ response.cursor }}"),
            option("body_json", "variables", "after"),
            http_method="POST",
            request_body={"type": "RequestBodyGraphQL", "value": {"query": "query { items { id } }"}},
        ),
    ),
}


def _secret(name: str) -> str:
    return "{{ config['" + name + "'] }}"


_EITHER = "{{ config.get('old_key') or config['nested']['key'] }}"


def _ticket(headers: Json) -> Json:
    return {
        "type": "OAuthAuthenticator",
        "grant_type": "client_credentials",
        "token_refresh_endpoint": "{url}/{{ config['part'] }}/token",
        "client_id": _secret("user"),
        "client_secret": _secret("key"),
        "client_id_name": "app",
        "client_secret_name": "code",
        "access_token_name": "ticket",
        "expires_in_name": "expires_at",
        "token_expiry_is_time_of_expiration": True,
        "token_expiry_date_format": "%Y-%m-%dT%H:%M:%SZ",
        "refresh_request_headers": {"Content-Type": "application/x-www-form-urlencoded", **headers},
        "refresh_request_body": {"tenant": "x-{{ config['nested']['key'] }}", "version": 2},
    }


_AUTH: dict[str, tuple[str, Json]] = {
    "no credential": ("none", {"type": "NoAuth"}),
    "bearer": ("bearer", {"type": "BearerAuthenticator", "api_token": _secret("key")}),
    "nested setting": ("bearer", {"type": "BearerAuthenticator", "api_token": "{{ config['nested']['key'] }}"}),
    "basic": ("basic", {"type": "BasicHttpAuthenticator", "username": _secret("user"), "password": _secret("key")}),
    "key as the user": ("key_as_user", {"type": "BasicHttpAuthenticator", "username": _secret("key"), "password": ""}),
    "key in a header": (
        "header",
        {"type": "ApiKeyAuthenticator", "api_token": _secret("key"), "inject_into": option("header", "X-Api-Key")},
    ),
    "key with a prefix": (
        "prefixed",
        {
            "type": "ApiKeyAuthenticator",
            "api_token": "Token {{ config['key'] }}",
            "inject_into": option("header", "Authorization"),
        },
    ),
    "key in the query": (
        "query",
        {"type": "ApiKeyAuthenticator", "api_token": _secret("key"), "inject_into": option(QUERY, "api_key")},
    ),
    "key in a signed header": (
        "signed",
        {
            "type": "ApiKeyAuthenticator",
            "api_token": "OAuth user=\"{{ config['user'] }}\", token=\"{{ config['key'] }}\"",
            "inject_into": option("header", "Authorization"),
        },
    ),
    "one of two settings": ("bearer", {"type": "BearerAuthenticator", "api_token": _EITHER}),
    "computed user": (
        "support",
        {
            "type": "BasicHttpAuthenticator",
            "username": "{{ config['user'] + '/token' }}",
            "password": "{{ config.get('key') or config['key'] }}",
        },
    ),
    "client credentials": (
        "bought",
        {
            "type": "OAuthAuthenticator",
            "grant_type": "client_credentials",
            "token_refresh_endpoint": "{url}/token",
            "client_id": _secret("user"),
            "client_secret": _secret("key"),
        },
    ),
    "client credentials with other names": ("bought", _ticket({"X-Tenant": "t-{{ config['key'] }}"})),
    "client credentials in a header": (
        "bought",
        _ticket({"Authorization": "Basic {{ (config['user'] ~ ':' ~ config['key']) | base64encode }}"}),
    ),
    "session token of an older manifest": (
        "session",
        {
            "type": "LegacySessionTokenAuthenticator",
            "login_url": "/old_login",
            "header": "X-Session",
            "session_token_response_key": "id",
            "username": _secret("user"),
            "password": _secret("key"),
            "session_token": "{{ config['session_token'] }}",
            "validate_session_url": "me",
        },
    ),
    "session token": (
        "session",
        {
            "type": "SessionTokenAuthenticator",
            "login_requester": {
                "type": "HttpRequester",
                "url_base": "{url}/v1",
                "path": "/login",
                "http_method": "POST",
                "request_body_json": {"user": _secret("user"), "password": _secret("key")},
            },
            "session_token_path": ["session", "id"],
            "expiration_duration": "PT1H",
            "request_authentication": {"type": "ApiKey", "inject_into": option("header", "X-Session")},
        },
    ),
    "session token of a login at a computed address": (
        "bought",
        {
            "type": "SessionTokenAuthenticator",
            "login_requester": {
                "type": "HttpRequester",
                "url_base": "{url}/{{ config['part'] }}",
                "path": "login",
                "http_method": "POST",
                "request_headers": {"X-Tenant": "t"},
                "authenticator": {
                    "type": "BasicHttpAuthenticator",
                    "username": _secret("user"),
                    "password": _secret("key"),
                },
                "request_body_json": {
                    "username": _secret("user"),
                    "password": _secret("key"),
                    "grant_type": "password",
                },
            },
            "session_token_path": ["access_token"],
            "request_authentication": {"type": "Bearer"},
        },
    ),
}


def _cursored(**more: Any) -> Json:
    return {
        "type": "DatetimeBasedCursor",
        "cursor_field": "updated_at",
        "datetime_format": "%Y-%m-%dT%H:%M:%SZ",
        "start_datetime": {"type": "MinMaxDatetime", "datetime": "{{ config['start_date'] }}"},
        **more,
    }


def _of(*configs: Json) -> Json:
    return {"type": "SubstreamPartitionRouter", "parent_stream_configs": list(configs)}


def _parent(stream: Json, key: str, name: str, **more: Any) -> Json:
    found = {"type": "ParentStreamConfig", "stream": stream, "parent_key": key, "partition_field": name}
    return {**found, **more}


_ORGS = stream("/orgs", name="orgs", key="slug", at=["orgs"])
_PROJECTS = stream(
    "/orgs/{{ stream_partition.slug }}/projects",
    name="projects", at=[], retriever={"partition_router": _of(_parent(_ORGS, "slug", "slug"))},
)  # fmt: skip
_SLUGS = {
    "type": "InlineSchemaLoader",
    "schema": {"properties": {"id": {"type": "integer"}, "slug": {"type": "string"}}},
}


def _groups(**requester: Any) -> Json:
    router = {
        "type": "GroupingPartitionRouter",
        "group_size": 2,
        "underlying_partition_router": _of(_parent(_ORGS, "slug", "org")),
    }
    return stream(
        "/grouped", name="projects", at=[], requester=requester, retriever={"partition_router": router},
        schema_loader=_SLUGS,
    )  # fmt: skip


def _properties(limit: int, **chunking: Any) -> Json:
    return {
        "type": "QueryProperties",
        "property_list": ["id", "price", "big", "tags"],
        "always_include_properties": ["name"],
        "property_chunking": {"type": "PropertyChunking", "property_limit": limit, **chunking},
    }


def _portioned(properties: Json, names: tuple[str, ...] = ("id", "price", "big", "tags", "name")) -> Case:
    paging = paged({**_NUMBERED, "inject_on_first_request": True}, option(QUERY, "page"))
    paging["requester"]["request_parameters"] = {"fields": properties}
    return _plain("/portioned", [{name: one[name] for name in names} for one in ITEMS], **paging)


_BY_NAME: Json = {"record_merge_strategy": {"type": "GroupByKeyMergeStrategy", "key": ["name"]}}
_GROUPED = [{**one, "slug": one["org"]} for org in ORGS for one in projects_of(org["slug"])]
_KINDS = {"type": "ListPartitionRouter", "cursor_field": "kind", "values": list(KINDS)}
_ALL_PROJECTS = [one for org in ORGS for one in projects_of(org["slug"])]
_ALL_TASKS = [task for one in _ALL_PROJECTS for task in tasks_of(one["org"], one["id"])]
_ALL_PRICES = [one for org in ORGS for kind in KINDS for one in prices_of(org["slug"], kind)]


def _handled(*filters: Json, backoff: Json | None = None) -> Json:
    handler: Json = {
        "type": "DefaultErrorHandler",
        "response_filters": [{"type": "HttpResponseFilter", **one} for one in filters],
    }
    if backoff:
        handler["backoff_strategies"] = [backoff]
    return {"requester": {"error_handler": handler}}


def _without(*names: str) -> list[Record]:
    return [{key: value for key, value in one.items() if key not in names} for one in ITEMS]


def _plain(path: str, rows: list[Record] = ITEMS, **parts: Any) -> Case:
    return Case([stream(path, **parts)], {"items": rows})


# Why the CDK does not read what is published all the same, or was read by older releases of it.
_REFUSED = {
    "pages whose size has no name": "it refuses an empty name today",
    "pages whose size has the name of the position": "it refuses two values of one name today",
    "a position beside an equal parameter": "it refuses two values of one name today",
}
# Jobs at once, for whoever reads them one after the other.
_JOBS: Json = {"max_concurrent_async_job_count": 4}
_CONSTANT: Json = {"type": "ConstantBackoffStrategy", "backoff_time_in_seconds": 0.01}
_ADD = "AddedFieldDefinition"

CASES: dict[str, Case] = {
    **{
        name: replace(_plain(f"/paged/{kind}", **parts), cdk=_REFUSED.get(name))
        for name, (kind, parts) in _PAGES.items()
    },
    **{
        name: _plain(f"/auth/{kind}", requester={"authenticator": authenticator})
        for name, (kind, authenticator) in _AUTH.items()
    },
    **{
        name: Case(streams, {"sales": SALES, **({"shops": SHOPS} if len(streams) > 1 else {})}, more=_JOBS)
        for name, streams in REPORTS.items()
    },
    "a key in a form": _plain(
        "/auth/in_form",
        requester={
            "http_method": "POST",
            "authenticator": {
                "type": "ApiKeyAuthenticator",
                "api_token": _secret("key"),
                "inject_into": option("body_data", "apiKey"),
            },
        },
    ),
    "a key among the fields of a form": _plain(
        "/auth/in_form",
        requester={"http_method": "POST", "request_body_data": {"apiKey": _secret("key"), "kind": "new"}},
    ),
    "streams with credentials of their own": Case(
        [
            stream("/auth/bearer", name="items", requester={"authenticator": _AUTH["bearer"][1]}),
            stream("/auth/bearer", name="more", requester={"authenticator": _AUTH["nested setting"][1]}),
            stream("/auth/header", name="keyed", requester={"authenticator": _AUTH["key in a header"][1]}),
            stream("/auth/basic", name="named", requester={"authenticator": _AUTH["basic"][1]}),
            stream("/auth/none", name="public"),
        ],
        dict.fromkeys(("items", "more", "keyed", "named", "public"), ITEMS),
    ),
    "basic authentication written as a header": _plain(
        "/auth/basic",
        requester={
            "request_headers": {"Authorization": "Basic {{ (config['user'] ~ ':' ~ config['key']) | base64encode }}"}
        },
    ),
    "properties in several requests": _portioned(_properties(2, property_limit_type="property_count", **_BY_NAME)),
    "properties by their letters": _portioned(_properties(16, property_limit_type="characters", **_BY_NAME)),
    "properties that an endpoint names": _portioned(
        {
            **_properties(2, property_limit_type="property_count", **_BY_NAME),
            "property_list": {
                "type": "PropertiesFromEndpoint",
                "property_field_path": ["key"],
                "retriever": stream("/properties", at=[])["retriever"],
            },
        }
    ),
    "properties that are always asked for": _portioned(
        {"type": "QueryProperties", "property_list": ["price"], "always_include_properties": ["id", "name"]},
        ("id", "name", "price"),
    ),
    "groups of parents whose records say whose they are": Case(
        [_ORGS, _groups(request_parameters={"slugs": "{{ stream_partition['org'] | join(',') }}"})],
        {"orgs": ORGS, "projects": _GROUPED},
    ),
    "groups of parents in a body": Case(
        [
            _ORGS,
            _groups(http_method="POST", request_body_json={"where": {"slugs": "{{ stream_partition.org }}"}}),
        ],
        {"orgs": ORGS, "projects": _GROUPED},
    ),
    "groups of parents inside a text": Case(
        [_ORGS, _groups(request_parameters={"q": "org in ({{ stream_partition['org'] | join('|') }})"})],
        {"orgs": ORGS, "projects": _GROUPED},
    ),
    "an empty parameter in the path": _plain(
        "/empties?category=", requester={"request_parameters": {"kind": "new", "other": "", "more": "{{ '' }}"}}
    ),
    "empty fields of a body": _plain(
        "/empties",
        requester={
            "http_method": "POST",
            "request_body_json": {
                "where": {"kind": "new", "state": "", "at": None},
                "of": {"name": ""},
                "all": ["", None, "a"],
                "none": "",
            },
        },
    ),
    "empty fields of a form": _plain(
        "/empties", requester={"http_method": "POST", "request_body_data": {"kind": "new", "state": ""}}
    ),
    "a credential among the headers": _plain(
        "/auth/header", requester={"request_headers": {"X-Api-Key": "{{ config['key'] }}"}}
    ),
    "a credential among the parameters": _plain(
        "/auth/query", requester={"request_parameters": {"api_key": "{{ config['key'] }}"}}
    ),
    "pages in the body of a GET": replace(
        _plain("/paged/numbered", **paged(_NUMBERED, option("body_data", "page"), option("body_json", "per_page"))),
        cdk="it sends the page in the body of a GET",
    ),
    "two credentials among the headers": _plain(
        "/auth/two_headers",
        requester={
            "request_headers": {"X-Id": "{{ config['nested']['key'] and config['user'] }}", "X-Key": _secret("key")}
        },
    ),
    "a credential beside the authenticator": _plain(
        "/auth/bearer_and_header",
        requester={
            "authenticator": {"type": "BearerAuthenticator", "api_token": _secret("key")},
            "request_headers": {"X-Key": "{{ config['key'] }}"},
        },
    ),
    "credentials in the body": _plain(
        "/auth/in_body",
        requester={
            "http_method": "POST",
            "request_body_json": {"login": {"key": _secret("key")}, "id": _secret("user"), "n": 1},
        },
    ),
    "children": Case([_ORGS, _PROJECTS], {"orgs": ORGS, "projects": _ALL_PROJECTS}),
    "a parent that is no stream": Case([_PROJECTS], {"projects": _ALL_PROJECTS}),
    "children of children": Case(
        [
            stream(
                "/orgs/{{ stream_partition.parent_slice.slug }}/projects/{{ stream_partition.project }}/tasks",
                name="tasks",
                at=[],
                retriever={"partition_router": _of(_parent(_PROJECTS, "id", "project"))},
            )
        ],
        {"tasks": _ALL_TASKS},
    ),
    "parents and a list": Case(
        [
            stream(
                "/orgs/{{ stream_slice['slug'] }}/prices/{{ stream_slice.get('kind') }}",
                name="prices",
                at=[],
                retriever={"partition_router": [_of(_parent(_ORGS, "slug", "slug")), _KINDS]},
            )
        ],
        {"prices": _ALL_PRICES},
    ),
    "partitions as parameters": Case(
        [
            stream(
                "/prices",
                name="prices",
                at=[],
                retriever={
                    "partition_router": [
                        _of(_parent(_ORGS, "slug", "slug", request_option=option(QUERY, "org"))),
                        {**_KINDS, "request_option": option(QUERY, "kind")},
                    ]
                },
            )
        ],
        {"prices": _ALL_PRICES},
    ),
    "partitions in the body and a header": Case(
        [
            stream(
                "/bodied",
                name="prices",
                at=[],
                requester={"http_method": "POST"},
                retriever={
                    "partition_router": [
                        _of(_parent(_ORGS, "slug", "slug", request_option=option("body_json", "filter", "org"))),
                        {**_KINDS, "request_option": option("header", "X-Kind")},
                    ]
                },
            )
        ],
        {"prices": _ALL_PRICES},
    ),
    "a list of a setting": Case(
        [
            stream(
                "/prices",
                name="prices",
                at=[],
                requester={"request_parameters": {"org": "blue", "kind": "{{ stream_partition['kind'] }}"}},
                retriever={"partition_router": {**_KINDS, "values": "{{ config['kinds'] }}"}},
            )
        ],
        {"prices": [one for kind in KINDS for one in prices_of("blue", kind)]},
    ),
    "a path of the parent behind the host": Case(
        [
            stream(
                "",
                name="projects",
                at=[],
                requester={"url_base": "{url}{{ stream_partition['uris'][none or 'projects'] }}"},
                retriever={"partition_router": _of(_parent(_ORGS, "uris", "uris"))},
            )
        ],
        {"projects": _ALL_PROJECTS},
    ),
    "a setting whose name is joined": _plain("/{{ config['pa' + \"rt\"] }}/unsized", ITEMS[:10]),
    "a setting in the path": _plain("/{{ config['part'] }}/unsized", ITEMS[:10]),
    "a cursor in the query": _plain(
        "/filtered/since", incremental_sync=_cursored(start_time_option=option(QUERY, "since"))
    ),
    "a cursor in the body of a search": _plain(
        "/filtered/searched",
        requester={"http_method": "POST"},
        incremental_sync=_cursored(start_time_option=option("body_json", "filter", "since")),
    ),
    "a cursor inside a list of a body": _plain(
        "/filtered/listed",
        requester={
            "http_method": "POST",
            "request_body_json": {
                "all": [
                    {"after": "{{ stream_interval.start_time }}"},
                    {"before": "{{ stream_interval.end_time }}", "x": 1},
                ]
            },
        },
        incremental_sync=_cursored(step="P30D", cursor_granularity="PT1S"),
    ),
    "a cursor in a template": _plain(
        "/filtered/worded",
        incremental_sync=_cursored(lookback_window="P1D"),
        requester={"request_parameters": {"q": "updated>={{ stream_interval.start_time }} state:any"}},
    ),
    "a cursor alone in a template": _plain(
        "/filtered/since",
        incremental_sync=_cursored(),
        requester={"request_parameters": {"since": "{{ stream_interval.get('start_time') }}"}},
    ),
    "the state of the last sync": replace(
        _plain(
            "/filtered/since",
            incremental_sync=_cursored(),
            requester={
                "request_parameters": {"since": "{{ stream_state['updated_at'] }}", "x": "{{ stream_state.get('y') }}"}
            },
        ),
        cdk="it refuses the state in requests since 6.34",
    ),
    "windows": _plain(
        "/filtered/between",
        incremental_sync=_cursored(
            step="P30D",
            cursor_granularity="PT1S",
            start_time_option=option(QUERY, "from"),
            end_time_option=option(QUERY, "to"),
        ),
    ),
    "seconds since 1970 in the request": _plain(
        "/filtered/stamped",
        incremental_sync=_cursored(
            datetime_format="%s",
            cursor_datetime_formats=["%Y-%m-%dT%H:%M:%SZ"],
            start_datetime={"type": "MinMaxDatetime", "datetime": "2026-01-01", "datetime_format": "%Y-%m-%d"},
            start_time_option=option(QUERY, "since"),
        ),
    ),
    "a cursor that filters nothing": _plain("/filtered/nothing", incremental_sync=_cursored()),
    "days as a cursor": _plain(
        "/filtered/days",
        [{**one, "day": one["updated_at"][:10]} for one in ITEMS],
        incremental_sync={
            "type": "DatetimeBasedCursor",
            "cursor_field": "day",
            "datetime_format": "%Y-%m-%d",
            "start_datetime": "{{ config['start_date'][:10] }}",
            "start_time_option": option(QUERY, "since"),
        },
    ),
    "a client-side cursor": _plain("/filtered/nothing", incremental_sync=_cursored(is_client_side_incremental=True)),
    "a server's fault": _plain("/faulty/server", **_handled(backoff=_CONSTANT)),
    "retries by text": _plain(
        "/faulty/text", **_handled({"action": "RETRY", "error_message_contains": "slow down"}, backoff=_CONSTANT)
    ),
    "retries by predicate": _plain(
        "/faulty/predicate",
        **_handled({"action": "RETRY", "predicate": "{{ response.status == 'pending' }}"}, backoff=_CONSTANT),
    ),
    "rate limits with a header": _plain(
        "/faulty/limited",
        **_handled(
            {"action": "RATE_LIMITED", "http_codes": [429]}, backoff={"type": "WaitTimeFromHeader", "header": "X-Wait"}
        ),
    ),
    "several waits, the first of which always says": _plain(
        "/faulty/server",
        requester={
            "error_handler": {
                "type": "CompositeErrorHandler",
                "error_handlers": [
                    {"type": "DefaultErrorHandler", "backoff_strategies": [_CONSTANT]},
                    {
                        "type": "DefaultErrorHandler",
                        "backoff_strategies": [{"type": "ExponentialBackoffStrategy", "factor": 2}],
                    },
                ],
            }
        },
    ),
    "rate limits until a moment": _plain(
        "/faulty/until", **_handled(backoff={"type": "WaitUntilTimeFromHeader", "header": "X-Until"})
    ),
    "what is ignored": Case(
        [stream("/faulty/ignored", **_handled({"action": "IGNORE", "http_codes": [422]}))], {"items": []}
    ),
    "filtered records": _plain(
        "/shaped/all",
        [one for one in ITEMS if not one["deleted"]],
        selector={"record_filter": {"type": "RecordFilter", "condition": "{{ not record.deleted }}"}},
    ),
    "records filtered by an added field": _plain(
        "/shaped/all",
        [{**one, "half": one["id"] / 2} for one in ITEMS if one["id"] > 10],
        selector={
            "record_filter": {"type": "RecordFilter", "condition": "{{ record.half > 5 }}"},
            "transform_before_filtering": True,
        },
        transformations=[adding((["half"], "{{ record.id / 2 }}"))],
    ),
    "added and removed fields": _plain(
        "/shaped/all",
        [{**one, "currency": "EUR", "twice": one["id"] * 2} for one in _without("internal", "tags")],
        transformations=[
            {
                "type": "AddFields",
                "fields": [
                    {"type": _ADD, "path": ["currency"], "value": "{{ record['price']['currency'] }}"},
                    {"type": _ADD, "path": ["twice"], "value": "{{ record.id * 2 }}"},
                ],
            },
            {"type": "RemoveFields", "field_pointers": [["internal"], ["tags"]]},
        ],
    ),
    "a nested removal": _plain(
        "/shaped/all",
        [{**one, "internal": {"rank": one["internal"]["rank"]}} for one in ITEMS],
        transformations=[{"type": "RemoveFields", "field_pointers": [["internal", "note"]]}],
    ),
    "an object made flat": _plain(
        "/shaped/all",
        [{**{key: value for key, value in one.items() if key != "price"}, **one["price"]} for one in ITEMS],
        transformations=[{"type": "DpathFlattenFields", "field_path": ["price"], "delete_origin_value": True}],
    ),
    **{name: _plain("/shaped/all", rows, transformations=given) for name, (given, rows) in SHAPED.items()},
    **{
        name: _plain(f"/written/{kind}", rows, at=at, retriever={"decoder": decoder})
        for name, (kind, decoder, at, rows) in WRITTEN.items()
    },
    "lines of text": _plain(
        "/written/lines", LINES, at=[], key=None, retriever={"decoder": {"type": "IterableDecoder"}}
    ),
    "one object": _plain("/shaped/object", ITEMS[:1], at=["data"]),
    "null": _plain("/shaped/null", [], at=["data"]),
    "a name with a dot": _plain("/shaped/dotted", at=["items.json"]),
    "names with dots in a list": Case(
        [stream("/shaped/dotted", at=["data", "*", "items.json"])],
        {"items": ITEMS},
        cdk="it takes each list of records for a record",
    ),
    "groups": Case(
        [stream("/shaped/grouped", at=["groups", "*", "rows"])],
        {"items": ITEMS},
        cdk="it takes each list of records for a record",
    ),
    "an object of objects": _plain("/shaped/keyed", at=["data", "*"]),
    "no primary key": _plain(
        "/shaped/keyless", [{"message": one["name"], "at": one["updated_at"]} for one in ITEMS], at=[], key=None
    ),
    "a key that is the time of the read": replace(
        _plain("/shaped/all", key="uid", transformations=[adding((["uid"], "{{ now_utc() }}"))]),
        cdk="it adds the time of the read",
    ),
    "a composite key": _plain(
        "/shaped/composite",
        [{"a": one["id"] % 5, "b": one["id"], "v": one["name"]} for one in ITEMS],
        at=[],
        key=["a", "b"],
    ),
    "Python is named": Case(
        [
            stream("/shaped/all"),
            {
                "type": "DeclarativeStream",
                "name": "odd",
                "retriever": {"type": "CustomRetriever", "class_name": "source_shop.components.Odd"},
            },
        ],
        {"items": ITEMS},
        not_carried=frozenset({("odd", "the whole resource")}),
        cdk="it cannot run without the Python class",
    ),
    "conditional streams": Case(
        [{"type": "ConditionalStreams", "condition": "{{ config['user'] }}", "streams": [stream("/shaped/all")]}],
        {"items": ITEMS},
    ),
}

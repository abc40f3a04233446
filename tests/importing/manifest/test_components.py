"""Streams are read as whole components: types, parameters, parents and legacy words are as the CDK has them."""

from pathlib import Path
from typing import Any

import pytest

from platform_assets.importing.findings import Findings, UnreadableDocument
from platform_assets.importing.manifest.reading import is_manifest, manifest_in
from tests.importing.manifest.reading import component, manifest, reasons

SHOP = """
definitions:
  requester:
    type: HttpRequester
    url_base: https://api.shop.dev
    request_parameters: {limit: "{{ parameters['limit'] }}", "{{ parameters['key'] }}": x}
  retriever:
    requester: {$ref: "#/definitions/requester"}
    record_selector: {extractor: {field_path: ["{{ parameters['field'] }}"]}}
  orders:
    retriever: {$ref: "#/definitions/retriever"}
    $parameters: {name: orders, path: /orders, field: data, limit: 50, key: sort, colour: red}
  lines:
    name: lines
    $parameters: {path: "/orders/{{ stream_partition.order }}/lines", field: lines, limit: 10, key: by}
    retriever:
      $ref: "#/definitions/retriever"
      partition_router:
        type: SubstreamPartitionRouter
        parent_stream_configs: [{stream: "#/definitions/orders", parent_key: id, partition_field: order}]
streams: ["#/definitions/orders", "#/definitions/lines"]
"""


def test_components_get_types_and_parameters_and_only_fields_that_they_have() -> None:
    assert component(SHOP) == {
        "type": "DeclarativeStream",
        "name": "orders",
        "retriever": {
            "type": "SimpleRetriever",
            "requester": {
                "type": "HttpRequester",
                "url_base": "https://api.shop.dev",
                "path": "/orders",
                "request_parameters": {"limit": 50, "sort": "x"},
            },
            "record_selector": {
                "type": "RecordSelector",
                "extractor": {"type": "DpathExtractor", "field_path": ["data"]},
            },
        },
    }


def test_a_parent_is_the_whole_component_and_the_same_object_as_the_stream() -> None:
    orders, lines = manifest(SHOP).streams
    (parent,) = lines.component["retriever"]["partition_router"]["parent_stream_configs"]
    assert parent["stream"] is orders.component
    assert lines.component["retriever"]["requester"]["path"] == "/orders/{{ stream_partition.order }}/lines"


def test_inner_parameters_win_and_a_written_field_wins_over_a_parameter() -> None:
    found = component("""
streams:
- name: orders
  $parameters: {path: /outer, http_method: POST}
  retriever:
    $parameters: {path: /inner}
    requester: {http_method: GET, request_headers: {x: "{{ parameters.path }}"}}
""")
    requester = found["retriever"]["requester"]
    assert (requester["path"], requester["http_method"], requester["request_headers"]) == (
        "/inner",
        "GET",
        {"x": "/inner"},
    )


def test_parameters_of_the_whole_manifest_are_those_of_every_stream() -> None:
    found = component("$parameters: {path: /all}\nstreams: [{name: orders, retriever: {requester: {}}}]\n")
    assert found["retriever"]["requester"]["path"] == "/all"


def test_a_body_with_a_type_and_a_schema_with_templates_stay_as_they_are() -> None:
    found = component("""
streams:
- name: orders
  $parameters: {name: orders, path: /orders}
  schema_loader:
    type: InlineSchemaLoader
    schema: {properties: {"{{ parameters.name }}": {type: [string, "null"]}}, items: {type: string}}
  retriever:
    requester: {request_body_json: {type: report, name: "{{ parameters.path }}", list: [{type: x}]}}
""")
    schema = {"properties": {"{{ parameters.name }}": {"type": ["string", "null"]}}, "items": {"type": "string"}}
    assert found["schema_loader"]["schema"] == schema
    body = found["retriever"]["requester"]["request_body_json"]
    assert body == {"type": "report", "name": "/orders", "list": [{"type": "x"}]}


def test_code_of_their_own_is_named_and_gets_no_fields() -> None:
    found = component("""
streams:
- name: orders
  $parameters: {path: /orders}
  retriever: {class_name: source_shop.components.OrdersRetriever}
  transformations: [{class_name: source_shop.components.Renamed, old: "{{ parameters.path }}"}]
""")
    assert found["retriever"] == {"type": "CustomRetriever", "class_name": "source_shop.components.OrdersRetriever"}
    assert found["transformations"] == [
        {"type": "CustomTransformation", "class_name": "source_shop.components.Renamed", "old": "/orders"}
    ]


LEGACY: dict[str, tuple[str, Any, Any]] = {
    "options": (
        "$options: {name: orders, path: /o}\n  retriever: {requester: {request_headers: {x: '{{ options.path }}'}}}",
        ["retriever", "requester", "request_headers"],
        {"x": "/o"},
    ),
    "url": (
        "retriever: {requester: {url: 'https://api.shop.dev/v1'}}",
        ["retriever", "requester"],
        {"type": "HttpRequester", "url_base": "https://api.shop.dev/v1", "path": ""},
    ),
    "request options provider": (
        "retriever: {requester: {request_options_provider: {type: InterpolatedRequestOptionsProvider,"
        " request_parameters: {a: 1}, request_body_json: {b: 2}}}}",
        ["retriever", "requester"],
        {"type": "HttpRequester", "request_parameters": {"a": 1}, "request_body_json": {"b": 2}, "path": ""},
    ),
    "header of a key": (
        "retriever: {requester: {authenticator: {type: ApiKeyAuthenticator, header: X-Key, api_token: t}}}",
        ["retriever", "requester", "authenticator"],
        {
            "type": "ApiKeyAuthenticator",
            "api_token": "t",
            "inject_into": {"type": "RequestOption", "inject_into": "header", "field_name": "X-Key"},
        },
    ),
    "session token": (
        "retriever: {requester: {authenticator: {type: SessionTokenAuthenticator, login_url: session, header: X}}}",
        ["retriever", "requester", "authenticator", "type"],
        "LegacySessionTokenAuthenticator",
    ),
    "built-in class": (
        "retriever: {class_name: airbyte_cdk.sources.declarative.retrievers.simple_retriever.SimpleRetriever}",
        ["retriever"],
        {"type": "SimpleRetriever"},
    ),
    "list slicer": (
        "retriever: {stream_slicer: {type: ListStreamSlicer, slice_values: [a, b], cursor_field: x}}",
        ["retriever", "partition_router"],
        {"type": "ListPartitionRouter", "values": ["a", "b"], "cursor_field": "x"},
    ),
    "single slice": ("retriever: {stream_slicer: {type: SingleSlice}}", ["retriever"], {"type": "SimpleRetriever"}),
    "datetime slicer": (
        "checkpoint_interval: 10\n  retriever: {stream_slicer: {type: DatetimeStreamSlicer, start_datetime: 2020-01-01,"
        " end_datetime: {datetime: '{{ now_utc() }}'}, step: 30d, cursor_field: [at], stream_slice_field_start: from}}",
        ["incremental_sync"],
        {
            "type": "DatetimeBasedCursor",
            "start_datetime": {"type": "MinMaxDatetime", "datetime": "2020-01-01"},
            "end_datetime": {"type": "MinMaxDatetime", "datetime": "{{ now_utc() }}"},
            "step": "P30D",
            "cursor_field": "at",
            "partition_field_start": "from",
        },
    ),
    "product of slicers": (
        "retriever: {stream_slicer: {type: CartesianProductStreamSlicer, stream_slicers: [{type: DatetimeStreamSlicer,"
        " cursor_field: at}, {type: ListStreamSlicer, values: [a]}, {type: SubstreamSlicer, parent_streams_configs:"
        " [{stream_slice_field: p}]}]}}",
        ["retriever", "partition_router"],
        [
            {"type": "ListPartitionRouter", "values": ["a"]},
            {
                "type": "SubstreamPartitionRouter",
                "parent_stream_configs": [{"type": "ParentStreamConfig", "partition_field": "p"}],
            },
        ],
    ),
    "paginator": (
        "retriever: {paginator: {type: LimitPaginator, limit_option: {field_name: n}, page_token_option:"
        " {type: RequestOption, inject_into: path}, pagination_strategy: {type: CursorPaginationStrategy}}}",
        ["retriever", "paginator"],
        {
            "type": "DefaultPaginator",
            "page_token_option": {"type": "RequestPath"},
            "pagination_strategy": {"type": "CursorPagination"},
            "page_size_option": {"field_name": "n", "type": "RequestOption"},
        },
    ),
    "backoff": (
        "retriever: {requester: {error_handler: {backoff_strategy: {class_name:"
        " airbyte_cdk.sources.declarative.requesters.error_handlers.WaitTimeFromHeaderBackoffStrategy, header: R}}}}",
        ["retriever", "requester", "error_handler", "backoff_strategies"],
        [{"type": "WaitTimeFromHeader", "header": "R"}],
    ),
}


@pytest.mark.parametrize("case", LEGACY)
def test_legacy_words_are_read_as_todays(case: str) -> None:
    written, path, value = LEGACY[case]
    found = component(f"streams:\n- name: orders\n  {written}\n")
    for key in path:
        found = found[key]
    assert found == value


def test_streams_of_a_condition_are_carried_and_said() -> None:
    findings = Findings()
    found = manifest(
        "streams:\n- type: ConditionalStreams\n  condition: \"{{ config['beta'] }}\"\n  $parameters: {path: /o}\n"
        "  streams: [{name: orders, retriever: {requester: {}}}]\n",
        findings,
    )
    assert found.streams[0].component["retriever"]["requester"]["path"] == "/o"
    assert reasons(findings) == [("assumed", "orders", "ConditionalStreams")]


def test_of_a_stream_that_depends_on_state_the_incremental_one_is_carried() -> None:
    findings = Findings()
    found = component(
        "streams:\n- type: StateDelegatingStream\n  name: orders\n"
        "  full_refresh_stream: {type: DeclarativeStream, name: x, retriever: {requester: {path: /all}}}\n"
        "  incremental_stream: {type: DeclarativeStream, name: y, retriever: {requester: {path: /new}}}\n",
        findings,
    )
    assert (found["name"], found["type"]) == ("orders", "DeclarativeStream")
    assert found["retriever"]["requester"]["path"] == "/new"
    assert reasons(findings) == [("assumed", "orders", "StateDelegatingStream")]


def test_a_second_stream_of_a_name_is_left_out_unless_it_is_the_same() -> None:
    findings = Findings()
    one, other = "{name: orders, retriever: {}}", "{name: orders, primary_key: id, retriever: {}}"
    assert len(manifest(f"streams: [{one}, {one}, {other}]", findings).streams) == 1
    assert reasons(findings) == [("not carried", "orders", "the whole stream")]


def test_what_a_manifest_says_besides_its_streams() -> None:
    found = manifest(
        SHOP + "concurrency_level: {default_concurrency: \"{{ config['workers'] }}\"}\n"
        "api_budget: {type: HTTPAPIBudget, policies: [{type: UnlimitedCallRatePolicy, matchers: []}]}\n"
        "spec:\n  documentation_url: https://docs.shop.dev/integrations/sources/the-shop\n"
        "  connection_specification: {title: Shop API Source Spec, properties: {workers: {default: 4}}}\n"
    )
    assert (found.name, found.title, found.file) == ("the_shop", "Shop API", "manifest.yaml")
    assert (found.check, found.concurrency, found.settings.all) == (("orders",), 4, ("workers",))
    assert found.docs_url == "https://docs.shop.dev/integrations/sources/the-shop"
    assert found.api_budget is not None
    assert found.api_budget["policies"] == [{"type": "UnlimitedCallRatePolicy", "matchers": []}]


@pytest.mark.parametrize(
    ("level", "number"),
    [("5", 5), ("'5'", 5), ("\"{{ config['workers'] or 3 }}\"", None), ("0", None), ("true", None), ("[]", None)],
)
def test_concurrency_is_a_number_or_not_said(level: str, number: int | None) -> None:
    text = f"concurrency_level: {{default_concurrency: {level}}}\nstreams: [{{name: orders, retriever: {{}}}}]\n"
    assert manifest(text).concurrency == (number if "config" not in level else 3)


def test_a_manifest_is_named_after_its_folder_if_nothing_else_says(tmp_path: Path) -> None:
    folder = tmp_path / "source-web-shop"
    text = "streams: [{name: orders, retriever: {}}]"
    assert manifest(text, file=folder / "manifest.yaml").name == "web_shop"
    assert manifest(text, file=tmp_path / "manifest.yaml").name is None


@pytest.mark.parametrize(
    ("loaded", "is_one"),
    [
        ({"streams": [{"retriever": {}}]}, True),
        ({"type": "DeclarativeSource", "streams": []}, True),
        ({"dynamic_streams": [{"stream_template": {}}]}, True),
        ({"streams": ["#/definitions/a"], "definitions": {}}, True),
        ({"streams": [{"name": "a"}]}, False),
        ({"client": {}, "resources": []}, False),
        ({"streams": "a", "type": "DeclarativeSource"}, False),
        ([], False),
        (None, False),
    ],
)
def test_manifests_are_told_from_other_files(loaded: Any, *, is_one: bool) -> None:
    assert is_manifest(loaded) is is_one
    # As the Connector Builder saves it.
    assert (manifest_in({"name": "x", "declarativeManifest": {"manifest": loaded}}) is not None) is is_one


def test_a_file_without_a_stream_says_why() -> None:
    with pytest.raises(UnreadableDocument, match=r"manifest.yaml: no stream can be read: orders: `#/no` is not in"):
        manifest("streams: [{name: orders, retriever: '#/no'}]")
    with pytest.raises(UnreadableDocument, match="no manifest found"):
        manifest("a: 1")

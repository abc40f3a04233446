"""Streams that a template makes of a list in the manifest are like others; a list that an API has is not asked for."""

from typing import Any

import pytest

from platform_assets.importing.findings import Findings
from tests.importing.manifest.reading import manifest, reasons

TEMPLATE = """
dynamic_streams:
- type: DynamicDeclarativeStream
  name: reports
  stream_template:
    name: report
    retriever:
      requester:
        $parameters: {endpoint: none}
        path: "{{ parameters['endpoint'] }}"
        request_parameters: {a: old, b: old}
      record_selector: {extractor: {field_path: []}}
  components_resolver:
"""


def streams(resolver: str, findings: Findings | None = None) -> dict[str, Any]:
    found = manifest(TEMPLATE + resolver + "\nstreams: [{name: orders, retriever: {}}]", findings)
    return {one.name: one.component for one in found.streams if one.name != "orders"}


def parametrized(mappings: str, values: str = "[{name: sales, path: /sales}, {name: costs, path: /costs}]") -> str:
    return (
        "    type: ParametrizedComponentsResolver\n"
        f"    stream_parameters: {{list_of_parameters_for_stream: {values}}}\n    components_mapping:\n{mappings}"
    )


def test_each_item_of_the_list_is_a_stream() -> None:
    found = streams(
        parametrized("""
    - {field_path: [name], value: "report_{{ components_values['name'] }}"}
    - {field_path: [retriever, requester, $parameters, endpoint], value: "{{ components_values.path }}"}
    - {field_path: [retriever, record_selector, extractor, field_path], value: "['{{ components_values.name }}', rows]"}
    - {field_path: [retriever, requester, request_parameters, "*"], value: "{{ stream_template_config['name'] }}"}
    - {field_path: [retriever, requester, request_headers, x], value: "{{ config['y'] }}", create_or_update: true}
    - {field_path: [retriever, paginator], value: never}
""")
    )
    assert list(found) == ["report_sales", "report_costs"]
    retriever = found["report_costs"]["retriever"]
    assert retriever["requester"] == {
        "type": "HttpRequester",
        "path": "/costs",
        "request_parameters": {"a": "report", "b": "report"},
        "request_headers": {"x": "{{ config['y'] }}"},
    }
    assert retriever["record_selector"]["extractor"]["field_path"] == ["costs", "rows"]
    assert "paginator" not in retriever


def test_a_condition_of_a_mapping_holds_or_not_and_is_said_if_a_setting_decides() -> None:
    findings = Findings()
    found = streams(
        parametrized("""
    - {field_path: [name], value: "{{ components_values.name }}"}
    - field_path: [primary_key]
      value: id
      create_or_update: true
      condition: "{{ components_values.name == 'sales' }}"
    - {field_path: [retriever, requester, path], value: /x, condition: "{{ config.beta }}"}
"""),
        findings,
    )
    assert [one.get("primary_key") for one in found.values()] == ["id", None]
    assert [one["retriever"]["requester"]["path"] for one in found.values()] == ["/x", "/x"]
    assert reasons(findings) == [("assumed", None, "reports")]


def test_defaults_of_a_list_in_the_settings_are_streams_each_with_each_of_several_lists() -> None:
    findings = Findings()
    found = streams(
        """
    type: ConfigComponentsResolver
    stream_config:
    - {configs_pointer: [reports], default_values: [{name: a}, {name: b}]}
    - {configs_pointer: [units], default_values: [day, week]}
    components_mapping:
    - {field_path: [name], value: "{{ components_values.name }}_{{ components_values.source_config_1[1] }}"}
""",
        findings,
    )
    assert list(found) == ["a_day", "a_week", "b_day", "b_week"]
    assert reasons(findings) == [("assumed", None, "reports")]


@pytest.mark.parametrize(
    "resolver",
    [
        "    type: HttpComponentsResolver\n    retriever: {}\n    components_mapping: []",
        "    type: ConfigComponentsResolver\n    stream_config: {configs_pointer: [a]}\n    components_mapping: []",
        "    type: ParametrizedComponentsResolver\n    components_mapping: []",
        "    class_name: source_shop.Resolver",
        "    []",
    ],
)
def test_streams_that_only_the_api_or_the_user_knows_are_named(resolver: str) -> None:
    findings = Findings()
    assert streams(resolver, findings) == {}
    assert reasons(findings) == [("not carried", "reports", "dynamic_streams")]

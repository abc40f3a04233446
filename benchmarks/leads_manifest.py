"""A declarative manifest of the benchmarks' list of leads, for readers in any environment."""

from typing import Any

from benchmarks.server import PAGE, record

_PARAMETER = "request_parameter"
_NEXT = "response['additional_data']['pagination']"
BY_CURSOR = "a cursor, which ours reads twice"
# Pages by offset overlap by a row, so that one pass proves that none was missed. Pages by a cursor cannot: ours reads
# such a list twice before it concludes anything.
PAGING: dict[str, dict[str, Any]] = {
    "offsets": {"type": "OffsetIncrement", "page_size": PAGE},
    BY_CURSOR: {
        "type": "CursorPagination",
        "page_size": PAGE,
        "cursor_value": f"{{{{ {_NEXT}['next_start'] }}}}",
        "stop_condition": f"{{{{ not {_NEXT}.get('next_start') }}}}",
    },
}


def leads(url: str, paging: str) -> dict[str, Any]:
    """A manifest of the benchmarks' list, paged in one of the ways of `PAGING`."""
    option = {"type": "RequestOption", "inject_into": _PARAMETER}
    stream = {
        "type": "DeclarativeStream",
        "name": "leads",
        "primary_key": ["id"],
        "schema_loader": {
            "type": "InlineSchemaLoader",
            "schema": {"type": "object", "additionalProperties": True, "properties": _types()},
        },
        "retriever": {
            "type": "SimpleRetriever",
            "requester": {
                "type": "HttpRequester", "url_base": url, "path": "/v1/leads", "http_method": "GET",
                "authenticator": {
                    "type": "ApiKeyAuthenticator", "api_token": "{{ config['key'] }}",
                    "inject_into": {**option, "field_name": "api_token"},
                },
            },
            "record_selector": {
                "type": "RecordSelector", "extractor": {"type": "DpathExtractor", "field_path": ["data"]}
            },
            "paginator": {
                "type": "DefaultPaginator",
                "page_token_option": {**option, "field_name": "start"},
                "page_size_option": {**option, "field_name": "limit"},
                "pagination_strategy": PAGING[paging],
            },
        },
    }  # fmt: skip
    properties = {"key": {"type": "string", "airbyte_secret": True}}
    return {
        "version": "7.0.0",
        "type": "DeclarativeSource",
        "check": {"type": "CheckStream", "stream_names": ["leads"]},
        "streams": [stream],
        "spec": {
            "type": "Spec",
            "connection_specification": {"type": "object", "required": ["key"], "properties": properties},
        },
    }


def _types() -> dict[str, Any]:
    """The schema of the benchmarks' records, as a connector has it."""
    names = {str: "string", int: "integer", float: "number", bool: "boolean", list: "array", dict: "object"}
    kinds = {
        field: {names[type(value)] for value in values if value is not None} for field, values in _examples().items()
    }
    return {field: {"type": ["null", *sorted(found)]} for field, found in kinds.items()}


def _examples() -> dict[str, list[Any]]:
    records = [record(number) for number in range(3)]
    return {field: [one[field] for one in records] for field in records[0]}

"""Words of earlier versions of the language, as today's.

`with_own_type` and `modernized` rename a component and its fields before its parameters are given to it; `settled`
moves parts of one that is complete to where they stand today.
"""

import re
from collections.abc import Mapping
from typing import Any

from platform_assets.importing.manifest.vocabulary import FIELDS

_BUILT_IN = "airbyte_cdk."
_TYPES = {
    "CursorPaginationStrategy": "CursorPagination",
    "DatetimeStreamSlicer": "DatetimeBasedCursor",
    "DeclarativeOauth2Authenticator": "OAuthAuthenticator",
    "DeclarativeSingleUseRefreshTokenOauth2Authenticator": "OAuthAuthenticator",
    "JsonSchema": "JsonFileSchemaLoader",
    "LimitPaginator": "DefaultPaginator",
    "ListStreamSlicer": "ListPartitionRouter",
    "SubstreamSlicer": "SubstreamPartitionRouter",
    "WaitTimeFromHeaderBackoffStrategy": "WaitTimeFromHeader",
    "WaitUntilTimeFromHeaderBackoffStrategy": "WaitUntilTimeFromHeader",
}
_PRODUCT = "CartesianProductStreamSlicer"
_SINGLE = "SingleSlice"
_REQUEST_OPTIONS = "InterpolatedRequestOptionsProvider"
# Of these only their parts are kept.
_STRUCTURES = frozenset({_PRODUCT, _SINGLE, _REQUEST_OPTIONS})
_FIELDS: Mapping[str, Mapping[str, str]] = {
    "DatetimeBasedCursor": {
        "stream_slice_field_start": "partition_field_start",
        "stream_slice_field_end": "partition_field_end",
        "stream_state_field_start": "partition_field_start",
        "stream_state_field_end": "partition_field_end",
    },
    "DefaultErrorHandler": {"backoff_strategy": "backoff_strategies"},
    "DefaultPaginator": {"limit_option": "page_size_option"},
    "ListPartitionRouter": {"slice_values": "values"},
    "ParentStreamConfig": {"stream_slice_field": "partition_field"},
    "SubstreamPartitionRouter": {"parent_streams_configs": "parent_stream_configs"},
}
_GONE = {"DatetimeBasedCursor": ("checkpoint_interval",), "DeclarativeStream": ("checkpoint_interval",)}
_STEP = re.compile(r"(\d{1,6})\s*([dwmy])")


def with_own_type(component: Mapping[str, Any]) -> dict[str, Any]:
    """A copy in which a built-in class under `class_name` is its type."""
    found = dict(component)
    class_name = found.get("class_name")
    if isinstance(class_name, str) and class_name.startswith(_BUILT_IN):
        name = class_name.rpartition(".")[2]
        if _TYPES.get(name, name) in FIELDS or name in _STRUCTURES:
            found["type"] = _TYPES.get(name, name)
            del found["class_name"]
    return found


def modernized(component: Mapping[str, Any]) -> dict[str, Any]:
    """A copy with today's names of its type and fields; as it is without a type."""
    found = dict(component)
    kind = found.get("type")
    if not isinstance(kind, str):
        return found
    kind = _TYPES.get(kind, kind)
    if kind == "SessionTokenAuthenticator" and "login_url" in found:
        kind = "LegacySessionTokenAuthenticator"
    found["type"] = kind
    for old, new in _FIELDS.get(kind, {}).items():
        if old in found:
            found.setdefault(new, found.pop(old))
    for gone in _GONE.get(kind, ()):
        found.pop(gone, None)
    return found


def settled(component: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of a component, whose parts are settled, in the form that it has today."""
    found = dict(component)
    kind = found.get("type")
    settle = _SETTLED.get(kind) if isinstance(kind, str) else None
    if settle is not None:
        settle(found)
    return found


def _settle_api_key(found: dict[str, Any]) -> None:
    header = found.pop("header", None)
    if header and not found.get("inject_into"):
        found["inject_into"] = {"type": "RequestOption", "inject_into": "header", "field_name": header}


def _settle_requester(found: dict[str, Any]) -> None:
    provider = found.pop("request_options_provider", None)
    if isinstance(provider, dict):
        is_own = str(provider.get("type", _REQUEST_OPTIONS)) != _REQUEST_OPTIONS
        if is_own:
            # Somebody's own class: named as what it is.
            found["request_options_provider"] = provider
        else:
            for name, value in provider.items():
                if name != "type":
                    found.setdefault(name, value)
    url = found.pop("url", None)
    if url and not found.get("url_base"):
        found["url_base"] = url
    found.setdefault("path", "")


def _settle_cursor(found: dict[str, Any]) -> None:
    field = found.get("cursor_field")
    if isinstance(field, list):
        found["cursor_field"] = ".".join(map(str, field))
    for name in ("start_datetime", "end_datetime"):
        if isinstance(found.get(name), str):
            found[name] = {"type": "MinMaxDatetime", "datetime": found[name]}
    step = _STEP.fullmatch(found["step"]) if isinstance(found.get("step"), str) else None
    if step:
        found["step"] = f"P{step[1]}{step[2].upper()}"


def _settle_paginator(found: dict[str, Any]) -> None:
    option = found.get("page_token_option")
    if isinstance(option, dict) and option.get("inject_into") == "path":
        found["page_token_option"] = {"type": "RequestPath"}


def _settle_error_handler(found: dict[str, Any]) -> None:
    if isinstance(found.get("backoff_strategies"), dict):
        found["backoff_strategies"] = [found["backoff_strategies"]]


def _settle_parents(found: dict[str, Any]) -> None:
    if isinstance(found.get("parent_stream_configs"), dict):
        found["parent_stream_configs"] = [found["parent_stream_configs"]]


def _settle_stream(found: dict[str, Any]) -> None:
    """What sliced a stream is its incremental sync, its partitions, or both."""
    found.pop("stream_cursor_field", None)
    retriever = found.get("retriever")
    slicer = retriever.get("stream_slicer") if isinstance(retriever, dict) else None
    if not isinstance(retriever, dict) or slicer is None:
        return
    retriever = {name: value for name, value in retriever.items() if name != "stream_slicer"}
    is_product = isinstance(slicer, dict) and slicer.get("type") == _PRODUCT
    slicers = slicer.get("stream_slicers", []) if is_product else slicer
    slicers = slicers if isinstance(slicers, list) else [slicers]
    routers = [one for one in slicers if not _is(one, "DatetimeBasedCursor") and not _is(one, _SINGLE)]
    cursor = next((one for one in slicers if _is(one, "DatetimeBasedCursor")), None)
    if cursor is not None:
        found.setdefault("incremental_sync", cursor)
    if routers:
        retriever.setdefault("partition_router", routers[0] if len(routers) == 1 else routers)
    found["retriever"] = retriever


def _is(component: Any, kind: str) -> bool:
    return isinstance(component, dict) and component.get("type") == kind


_SETTLED = {
    "ApiKeyAuthenticator": _settle_api_key,
    "DatetimeBasedCursor": _settle_cursor,
    "DeclarativeStream": _settle_stream,
    "DefaultErrorHandler": _settle_error_handler,
    "DefaultPaginator": _settle_paginator,
    "HttpRequester": _settle_requester,
    "SubstreamPartitionRouter": _settle_parents,
}

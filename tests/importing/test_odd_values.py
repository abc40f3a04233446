"""A key with a value of any kind is carried, or said: no configuration ends in a traceback."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from platform_assets.declarations import validate
from platform_assets.importing.dlt_config import import_document
from platform_assets.importing.findings import UnreadableDocument
from tests.importing.dlt_documents import parse_document
from tests.tiers import one_in

ODD: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    10**30,
    1.5,
    "",
    " ",
    "{",
    "{}",
    "{x}",
    "{{ x }}",
    "$",
    "a.b",
    "*",
    "%",
    "\x00",
    "/",
    "é",
    "a" * 500,
    [],
    [None],
    [[]],
    ["id", "id"],
    {},
    {"type": None},
    {"type": "resolve"},
    {"type": "incremental"},
    {"": ""},
    {"type": []},
    "${X}",
    {"a": {"b": [1, {"c": None}]}},
    "https://api.shop.dev/x",
    "http://[",
    "{resources.orders.id}",
    "{incremental.x}",
)
WHOLE = {
    "client": {
        "base_url": "https://api.shop.dev/v1",
        "headers": {"Accept": "x"},
        "auth": {"type": "oauth2_client_credentials", "access_token_url": "https://x.dev/t", "client_id": "a"},
        "paginator": {"type": "page_number", "base_page": 1, "limit": 5, "limit_param": "n"},
    },
    "resource_defaults": {
        "primary_key": "id",
        "endpoint": {"params": {"a": 1}},
        "columns": {"id": {"data_type": "text"}},
    },
    "resources": [
        {
            "name": "orders",
            "write_disposition": {"disposition": "merge", "strategy": "upsert"},
            "primary_key": ["id"],
            "incremental_sync": {"cursor_field": "at", "start_time_option": {"field_name": "s"}},
            "endpoint": {
                "path": "orders",
                "params": {"since": "{incremental.start_value}"},
                "data_selector": "data[*]",
                "incremental": {"cursor_path": "at", "initial_value": "2024-01-01", "lag": 5},
                "response_actions": [{"status_code": 404, "action": "ignore"}],
                "paginator": {"type": "cursor", "cursor_path": "next", "cursor_param": "c"},
                "headers": {"X": "1"},
                "error_handler": {"retry_on_status_codes": [429], "max_retries": 3, "backoff_factor": 2},
            },
        },
        {
            "name": "lines",
            "include_from_parent": ["id"],
            "processing_steps": [{"map": None}],
            "endpoint": {
                "method": "POST",
                "path": "orders/{order_id}/lines",
                "params": {"order_id": {"type": "resolve", "resource": "orders", "field": "id"}},
                "json": {"a": {"b": "{resources.orders.id}"}},
                "paginator": {"type": "offset", "limit": 5, "offset_body_path": "a.o"},
            },
        },
    ],
}


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, part in inner for place in places(part, (*path, key)))]


def replaced(value: Any, path: tuple[Any, ...], odd: Any) -> Any:
    if not path:
        return odd
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], odd)
    return copy


def check(config: Any) -> None:
    """Import a configuration, to a platform that is valid or to one line of error."""
    try:
        found = import_document(parse_document(json.dumps(config), "shop.json"), "shop")
    except UnreadableDocument as error:
        assert "\n" not in str(error)
        return
    validate([found.platform])
    assert all(one.why for one in found.findings)


@pytest.mark.parametrize("odd", one_in(4, range(len(ODD)), slow=1))
def test_an_odd_value_at_any_place_is_carried_or_said(odd: int) -> None:
    for place in places(WHOLE)[1:]:
        try:
            check(replaced(WHOLE, place, ODD[odd]))
        except Exception as error:
            error.add_note(f"{ODD[odd]!r} at {place}")
            raise


@pytest.mark.parametrize("seed", one_in(20, range(20)))
def test_several_odd_values_at_once_are_carried_or_said(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    for _ in range(200):
        config: Any = WHOLE
        for _ in range(chance.randint(2, 5)):
            place = chance.choice(places(config)[1:] or [()])
            config = replaced(config, place, chance.choice(ODD))
        check(config)

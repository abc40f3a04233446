"""Arbitrary declarations: accepted with their columns, or refused with the name of the part that is wrong.

Each property also covers valid input, whose exact result the test knows: refusing everything would fail.
"""

from typing import Any

import pytest
from dlt.common.schema import Schema
from hypothesis import given
from hypothesis import strategies as st

from platform_assets.declarations import (
    BearerAuth,
    Client,
    Endpoint,
    Incremental,
    Platform,
    PlatformAssetsError,
    Resource,
    SinglePage,
    validate,
)
from platform_assets.warehouse.dlt_source import table_columns
from tests.faults.fuzzing import QUICK

DATA_TYPES = ["text", "bigint", "timestamp", "json"]


def declare(
    name: str, path: str, selector: str, columns: dict[str, Any], key: Any, cursor: str | None
) -> tuple[Platform, Resource]:
    """A platform of one resource, as its file would declare it. Raises PlatformAssetsError if it is invalid."""
    incremental = None if cursor is None else Incremental(cursor_path=cursor, start_param="since")
    resource = Resource(
        name=name,
        description="Things.",
        endpoint=Endpoint(path=path, data_selector=selector, incremental=incremental),
        columns=columns,
        primary_key=key,
    )
    client = Client(auth=BearerAuth(), probe="/", paginator=SinglePage())
    platform = Platform(name="shop", title="Shop", description="", client=client, resources=(resource,))
    validate([platform])
    return platform, resource


@QUICK
@given(
    name=st.text(max_size=12),
    path=st.text(max_size=20) | st.sampled_from(["/a/{b}", "/{a}/{a}", "/{", "/}{", "a", "//x", "/a?b=c"]),
    selector=st.text(max_size=8),
    columns=st.dictionaries(st.text(max_size=6), st.sampled_from([*DATA_TYPES, "nonsense"]), max_size=3),
    key=st.text(max_size=6) | st.lists(st.text(max_size=4), max_size=2).map(tuple),
    cursor=st.none() | st.text(max_size=6),
)
def test_any_declaration_is_accepted_or_refused_by_name(
    name: str, path: str, selector: str, columns: dict[str, Any], key: Any, cursor: str | None
) -> None:
    try:
        platform, resource = declare(name, path, selector, columns, key, cursor)
    except PlatformAssetsError as error:
        assert "shop" in str(error)
    else:
        table_columns(platform, resource, Schema("shop").naming)


WORD = st.from_regex(r"[a-z][a-z0-9]{0,6}", fullmatch=True)


@QUICK
@given(
    words=st.lists(WORD, min_size=1, max_size=3),
    segments=st.lists(WORD, min_size=1, max_size=4),
    selector=st.just("") | st.lists(WORD, min_size=1, max_size=3).map(".".join),
    others=st.dictionaries(WORD, st.sampled_from(DATA_TYPES), max_size=3),
    key=st.lists(WORD, min_size=1, max_size=2, unique=True),
    has_cursor=st.booleans(),
)
def test_a_valid_declaration_is_accepted_with_its_columns(
    words: list[str],
    segments: list[str],
    selector: str,
    others: dict[str, str],
    key: list[str],
    has_cursor: bool,
) -> None:
    columns = {**others, **dict.fromkeys(key, "text"), **({"changed_at": "timestamp"} if has_cursor else {})}
    cursor = "changed_at" if has_cursor else None
    made = declare("_".join(words), "/" + "/".join(segments), selector, columns, tuple(key), cursor)
    found = table_columns(*made, Schema("shop").naming).types
    assert {name: kind for name, kind in found.items() if not name.startswith("_")} == columns


@pytest.mark.parametrize(
    ("key", "value", "place"),
    [
        ("name", "Some Thing", "name"),
        ("path", "things", "path"),
        ("path", "/a/{b}", "path"),
        ("columns", {"id": "nonsense"}, "columns"),
        ("key", "number", "primary_key"),
        ("cursor", "nowhere", "cursor 'nowhere'"),
    ],
)
def test_the_only_invalid_part_of_a_declaration_is_named(key: str, value: Any, place: str) -> None:
    sound = {"name": "things", "path": "/things", "selector": "data", "columns": {"id": "text"}, "key": "id"}
    declare(**sound, cursor=None)
    with pytest.raises(PlatformAssetsError, match=place):
        declare(**{"cursor": None, **sound, key: value})

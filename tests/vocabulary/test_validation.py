"""A declaration that cannot run is refused when the definitions load, by platform, resource and key."""

from typing import Any

import pytest

from platform_assets.vocabulary import (
    BearerAuth,
    Buckets,
    Client,
    Contract,
    Cursor,
    DeclarationError,
    DynamicPartitions,
    Endpoint,
    Incremental,
    Offset,
    PageNumber,
    Platform,
    PlatformAssetsError,
    Resolve,
    Resource,
    SinglePage,
    partition_key,
    validate,
)

COLUMNS = {"id": "text", "slug": "text", "updated": "timestamp"}
PARTITION = DynamicPartitions(name="shop_parent")


def resource(**changes: Any) -> Resource:
    given: dict[str, Any] = {
        "name": "things",
        "description": "Things.",
        "endpoint": Endpoint(path="/things"),
        "columns": COLUMNS,
    }
    return Resource(**{**given, **changes})


def platform(*resources: Resource, **changes: Any) -> Platform:
    given: dict[str, Any] = {
        "name": "shop",
        "title": "Shop",
        "description": "A shop.",
        "client": Client(auth=BearerAuth(), probe="/things", paginator=SinglePage()),
        "resources": resources,
    }
    return Platform(**{**given, **changes})


def problem(*resources: Resource, **changes: Any) -> DeclarationError:
    with pytest.raises(DeclarationError) as caught:
        validate([platform(*resources, **changes)])
    return caught.value


def child(**changes: Any) -> Resource:
    endpoint = Endpoint(path="/things/{slug}/parts", params={"slug": Resolve("things", "slug")})
    return resource(**{"name": "parts", "endpoint": endpoint, "partition": PARTITION, **changes})


def test_a_sound_platform_passes() -> None:
    validate([platform(resource(), child())])


def test_unknown_key_names_platform_resource_and_key() -> None:
    error = problem(resource(endpoint=Endpoint(path="/things", paginatr=SinglePage())))  # pyright: ignore[reportCallIssue] -- the point of the test
    assert (error.platform, error.resource, error.key) == ("shop", "things", "paginatr")
    assert "shop.things" in str(error) and "unknown key of Endpoint" in str(error)


def test_unknown_key_of_a_resource_is_named() -> None:
    assert problem(resource(primry_key="id")).key == "primry_key"


def test_missing_key_names_the_declaration() -> None:
    with pytest.raises(PlatformAssetsError, match=r"Resource 'things': .*endpoint"):
        Resource(name="things", description="", columns={})  # pyright: ignore[reportCallIssue] -- the point of the test


def test_path_placeholder_without_parent() -> None:
    error = problem(resource(endpoint=Endpoint(path="/a/{slug}/b"), partition=PARTITION))
    assert error.key == "path" and "{slug}" in str(error)


def test_parent_that_is_no_resource() -> None:
    endpoint = Endpoint(path="/a/{slug}", params={"slug": Resolve("nobody", "slug")})
    assert "nobody" in str(problem(resource(endpoint=endpoint, partition=PARTITION)))


def test_parent_column_that_is_not_declared() -> None:
    endpoint = Endpoint(path="/a/{slug}", params={"slug": Resolve("things", "nothing")})
    assert "nothing" in str(problem(resource(), child(endpoint=endpoint)))


def test_child_without_partition() -> None:
    assert problem(resource(), child(partition=None)).key == "partition"


def test_partition_without_parent() -> None:
    assert problem(resource(partition=Buckets(count=4))).key == "partition"


def test_duplicate_table() -> None:
    error = problem(resource(), resource())
    assert error.key == "name" and error.resource == "things"


@pytest.mark.parametrize(
    "paginator",
    [
        PageNumber(limit=0),
        PageNumber(limit=10, limit_param=""),
        Offset(offset_param="after", limit=0),
        Cursor(cursor_path="", cursor_param="start"),
    ],
)
def test_paginator_without_stop_rule(paginator: Any) -> None:
    error = problem(resource(endpoint=Endpoint(path="/things", paginator=paginator)))
    assert error.key == "paginator" and "stop rule" in str(error)


def test_page_size_over_the_servers_maximum() -> None:
    paginator = PageNumber(limit=500, maximum=100)
    assert "maximum" in str(problem(resource(endpoint=Endpoint(path="/things", paginator=paginator))))


def test_primary_key_and_cursor_must_be_declared_columns() -> None:
    assert problem(resource(primary_key="uuid")).key == "primary_key"
    cursor = Endpoint(path="/things", incremental=Incremental(cursor_path="changed"))
    assert problem(resource(endpoint=cursor)).key == "incremental"


def test_unknown_column_type_and_disposition() -> None:
    assert problem(resource(columns={"id": "varchar"})).key == "columns"
    assert problem(resource(write_disposition="upsert")).key == "write_disposition"


def test_table_names_are_snake_case() -> None:
    assert problem(resource(name="mailThreads")).key == "name"


def test_composite_partition_keys_never_collide() -> None:
    assert partition_key(["acme", "web"]) == "acme/web"
    assert partition_key(["a/b", "c"]) != partition_key(["a", "b/c"])
    assert partition_key(["a%2Fb", "c"]) != partition_key(["a/b", "c"])
    assert "..." not in partition_key(["a...b"])


def test_buckets_are_stable() -> None:
    # These values are documented; another hash would read every parent again.
    assert [Buckets(count=16).key_of(str(n)) for n in (1, 17, 100000)] == ["bucket_07", "bucket_02", "bucket_03"]


def test_a_contract_serves_the_same_tables_from_other_endpoints() -> None:
    live = Contract(
        client=Client(auth=BearerAuth(), probe="/live", paginator=SinglePage(), data_selector=""),
        endpoints={"things": Endpoint(path="/live/things")},
    )
    (checked,) = validate([platform(resource(), child(), contracts={"live": live})])
    speaking = checked.speaking("live")
    assert speaking.client.data_selector == "" and checked.client.data_selector == "data"
    assert [r.endpoint.path for r in speaking.resources] == ["/live/things", "/things/{slug}/parts"]
    assert [r.columns for r in speaking.resources] == [r.columns for r in checked.resources]


def test_a_contract_for_a_resource_that_is_not_there() -> None:
    live = Contract(
        client=Client(auth=BearerAuth(), probe="/", paginator=SinglePage()), endpoints={"others": Endpoint(path="/o")}
    )
    assert "others" in str(problem(resource(), contracts={"live": live}))

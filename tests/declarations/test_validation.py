"""A declaration that cannot run is refused when the definitions load, by platform, resource and key."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from inspect import currentframe
from typing import Any

import pytest

from platform_assets.declarations import (
    Account,
    ApiKeyAuth,
    BearerAuth,
    Buckets,
    Cadence,
    Client,
    Contract,
    Cursor,
    DeclarationError,
    DynamicPartitions,
    Endpoint,
    ErrorHandler,
    Freshness,
    HeaderCursor,
    Incremental,
    MisspeltError,
    Offset,
    OnRemoval,
    PageNumber,
    Platform,
    RateLimit,
    Resolve,
    Resource,
    Scope,
    SinglePage,
    TooDeep,
    partition_key,
    validate,
)
from platform_assets.declarations.validation import is_cron

COLUMNS = {"id": "text", "slug": "text", "updated": "timestamp"}
DAILY = "0 3 * * *"
PARTITION = DynamicPartitions(name="shop_parent")


def resource(**changes: Any) -> Resource:
    given: dict[str, Any] = {
        "name": "things",
        "description": "Things.",
        "endpoint": Endpoint(path="/things"),
        "columns": COLUMNS,
    }
    return Resource(**{**given, **changes})


def client(**changes: Any) -> Client:
    return Client(**{"auth": BearerAuth(), "probe": "/things", "paginator": SinglePage(), **changes})


def platform(*resources: Resource, **changes: Any) -> Platform:
    given: dict[str, Any] = {
        "name": "shop",
        "title": "Shop",
        "description": "A shop.",
        "client": client(),
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


def test_a_valid_platform_passes() -> None:
    validate([platform(resource(), child())])


TOO_DEEP = TooDeep(status=400, text="too deep")

MISSPELT: dict[str, tuple[Callable[[], object], str]] = {
    "paginator": (lambda: Cursor(cursor_path="a", cursor_param="b", maxium=100), r"Cursor: `maxium`.*`maximum`"),  # pyright: ignore[reportCallIssue] -- the point of the test
    "limits": (lambda: RateLimit(request=1, seconds=1.0), r"RateLimit: `request`.*`requests`"),  # pyright: ignore[reportCallIssue] -- the point of the test
    "cadence": (lambda: Cadence(cursord="", snapshots="", full=""), r"Cadence: `cursord`.*`cursored`"),  # pyright: ignore[reportCallIssue] -- the point of the test
    "freshness": (lambda: Freshness(alowed_lag=timedelta(1)), r"Freshness: `alowed_lag`.*`allowed_lag`"),  # pyright: ignore[reportCallIssue] -- the point of the test
    "endpoint": (lambda: Endpoint(path="/a", paginatr=SinglePage()), r"Endpoint '/a': `paginatr`.*`paginator`"),  # pyright: ignore[reportCallIssue] -- the point of the test
    "resource": (lambda: resource(primry_key="id"), r"Resource 'things': `primry_key`.*`primary_key`"),
    "partition": (lambda: Buckets(cout=4), r"Buckets: `cout`.*`count`"),  # pyright: ignore[reportCallIssue] -- the point of the test
    "platform": (lambda: platform(resource(), owner=("team:a",)), r"Platform 'shop': `owner`.*`owners`"),
    "handler": (lambda: ErrorHandler(max_retry=1), r"ErrorHandler: `max_retry`.*`max_retries`"),  # pyright: ignore[reportCallIssue] -- the point of the test
    "an unimplemented one": (
        lambda: resource(write_disposition="append"),
        r"`write_disposition`: there is no such key",
    ),
    "another": (
        lambda: Incremental(cursor_path="a", on_cursor=1),  # pyright: ignore[reportCallIssue] -- the point of the test
        r"`on_cursor`: there is no such key",
    ),
    "twice": (lambda: Resolve("a", resource="b", field="c"), r"Resolve: `resource`: is given twice"),  # pyright: ignore[reportCallIssue] -- the point of the test
    "without a name": (lambda: PageNumber("page"), r"PageNumber: takes its values by name"),  # pyright: ignore[reportCallIssue] -- the point of the test
}


@pytest.mark.parametrize("case", MISSPELT)
def test_an_unknown_key_is_refused_with_its_line(case: str) -> None:
    declare, message = MISSPELT[case]
    with pytest.raises(MisspeltError, match=message) as caught:
        declare()
    assert "test_validation.py:" in str(caught.value) and "\n" not in str(caught.value)


WRONG: dict[str, tuple[Callable[[], object], str]] = {
    "a paginator by its name": (lambda: Endpoint(path="/", paginator="header_link"), "`paginator`: must be PageNumber"),  # pyright: ignore[reportArgumentType] -- the point of the test
    "a class": (lambda: Endpoint(path="/", paginator=HeaderCursor), "not the class HeaderCursor itself"),  # pyright: ignore[reportArgumentType] -- the point of the test
    "number as text": (lambda: PageNumber(limit="10"), "`limit`: must be a whole number, not '10'"),  # pyright: ignore[reportArgumentType] -- the point of the test
    "true as number": (lambda: PageNumber(limit=True), "`limit`: must be a whole number, not True"),
    "number as bool": (lambda: Incremental(cursor_path="a", bounded=1), "`bounded`: must be True or False"),  # pyright: ignore[reportArgumentType] -- the point of the test
    "text as tuple": (lambda: resource(exclude=("secret")), "`exclude`: must be a tuple"),
    "seconds as span": (lambda: Freshness(allowed_lag=3600), "`allowed_lag`: must be a timedelta, not 3600"),  # pyright: ignore[reportArgumentType] -- the point of the test
    "text as enum": (lambda: resource(on_removal="kept"), r"`on_removal`: must be OnRemoval\(...\) or None"),
    "inside a mapping": (lambda: resource(columns={"id": 1}), "`columns`: must be a mapping"),
    "a param": (lambda: Endpoint(path="/", params={"all": True}), "`params`: must be a mapping"),
    "a choice": (lambda: ApiKeyAuth(name="a", location="body"), "`location`: must be 'query' or 'header' or 'cookie'"),  # pyright: ignore[reportArgumentType] -- the point of the test
    "a number without end": (
        lambda: RateLimit(requests=1, seconds=float("inf")),
        "`seconds`: must be a number, not inf",
    ),
    "auth": (lambda: Client(auth="token", probe="/", paginator=SinglePage()), "`auth`: must be BearerAuth"),  # pyright: ignore[reportArgumentType] -- the point of the test
    "missing": (lambda: Resource(name="things", description="", columns={}), "'things': `endpoint`: is missing"),  # pyright: ignore[reportCallIssue] -- the point of the test
}


@pytest.mark.parametrize("case", WRONG)
def test_a_value_of_the_wrong_type_is_refused_with_its_line(case: str) -> None:
    declare, message = WRONG[case]
    with pytest.raises(MisspeltError, match=message) as caught:
        declare()
    assert "test_validation.py:" in str(caught.value)


def test_the_reported_line_is_where_the_declaration_begins() -> None:
    here = currentframe()
    begins = here.f_lineno + 2 if here else 0
    with pytest.raises(MisspeltError) as caught:
        Cursor(
            cursor_path="next",
            maxium=100,  # pyright: ignore[reportCallIssue] -- the point of the test
        )
    assert caught.value.line == begins


REFUSED: dict[str, tuple[str, Callable[[], dict[str, Any]]]] = {
    "cron of four fields": ("cadence", lambda: {"cadence": Cadence(cursored="0 * * *", snapshots=DAILY, full=DAILY)}),
    "cron hour 24": ("cadence", lambda: {"cadence": Cadence(cursored=DAILY, snapshots="0 24 * * *", full=DAILY)}),
    "cron step 0": ("cadence", lambda: {"cadence": Cadence(cursored="*/0 * * * *", snapshots=DAILY, full=DAILY)}),
    "owner": ("owners", lambda: {"owners": ("data platform",)}),
    "no lag": ("freshness", lambda: {"freshness": Freshness(allowed_lag=timedelta(0))}),
    "probe": ("probe", lambda: {"client": client(probe="me")}),
    "no request in flight": ("max_concurrency", lambda: {"client": client(max_concurrency=0)}),
    "negative retries": ("error_handler", lambda: {"client": client(error_handler=ErrorHandler(max_retries=-1))}),
    "no status": ("error_handler", lambda: {"client": client(error_handler=ErrorHandler(retry_on_status_codes=(5,)))}),
    "scope": ("scopes", lambda: {"scopes": (Scope(setting="a", resource="thing", field="slug"),)}),
    "a contract's client": (
        "probe",
        lambda: {"contracts": {"live": Contract(client=client(probe="live"))}},
    ),
}


ACCOUNT = Account(path="/me", resource="things", fields=("id",))
REFUSED |= {
    "cron of the weekly comparison": (
        "cadence",
        lambda: {"cadence": Cadence(cursored=DAILY, snapshots=DAILY, full=DAILY, verified="sundays")},
    ),
    "lag beyond dates": ("freshness", lambda: {"freshness": Freshness(allowed_lag=timedelta.max)}),
    "dbt's schema": ("name", lambda: {"name": "marts"}),
    "scope of no parent": ("scopes", lambda: {"scopes": (Scope(setting="a", resource="things", field="slug"),)}),
    "account without fields": ("account", lambda: {"client": client(account=replace(ACCOUNT, fields=()))}),
    "account of no column": ("account", lambda: {"client": client(account=replace(ACCOUNT, fields=("uuid",)))}),
    "a contract's account": (
        "account",
        lambda: {"contracts": {"live": Contract(client=client(account=replace(ACCOUNT, resource="thing")))}},
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_an_invalid_value_is_refused(case: str) -> None:
    key, changes = REFUSED[case]
    assert problem(resource(), **changes()).key == key


def test_valid_cron_expressions_are_accepted() -> None:
    for cron in ("0 * * * *", "*/15 0-6,22 1 1-12/2 0", "59 23 31 12 7"):
        assert is_cron(cron), cron


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"row_order": "desc"}, '`row_order` "desc" needs `end_param`'),
        ({"row_order": "asc", "start_param": None, "too_deep": TOO_DEEP}, '`row_order` "asc" needs `start_param`'),
        ({"end_required": True}, "`end_required` needs the `end_param`"),
        ({"end_param": "until", "too_deep": TOO_DEEP}, '`too_deep` needs `row_order` "desc"'),
    ],
)
def test_a_list_that_is_read_in_parts_needs_a_bound_to_go_on_from(keys: dict[str, Any], message: str) -> None:
    incremental = Incremental(**{"cursor_path": "updated", "start_param": "since", **keys})
    assert message in str(problem(resource(endpoint=Endpoint(path="/things", incremental=incremental))))


def test_keys_for_server_side_filtering_need_the_filter_parameter() -> None:
    unread: list[dict[str, Any]] = [
        {"lag": timedelta(1)},
        {"initial_value": "0"},
        {"reopen": {"slug": ("a",)}},
        {"format": "%s"},
    ]
    for given in unread:
        endpoint = Endpoint(path="/things", incremental=Incremental(cursor_path="updated", **given))
        assert "does nothing without `start_param`" in str(problem(resource(endpoint=endpoint)))


FILTERED = Incremental(cursor_path="updated", start_param="since")
BODY_CURSOR = Cursor(cursor_path="next", cursor_param="start")
CONTRADICTIONS: dict[str, tuple[str, Callable[[], dict[str, Any]]]] = {
    "marks what a filter leaves out": (
        "takes each row that the filtered list leaves out for gone",
        lambda: {"on_removal": OnRemoval.SOFT_DELETE, "endpoint": Endpoint(path="/things", incremental=FILTERED)},
    ),
    "deletes what a filter leaves out": (
        "takes each row that the filtered list leaves out for gone",
        lambda: {"on_removal": OnRemoval.HARD_DELETE, "endpoint": Endpoint(path="/things", incremental=FILTERED)},
    ),
    "deletes without a parent": ("is for a parent's list", lambda: {"on_removal": OnRemoval.HARD_DELETE}),
    "bounds twice": (
        "`bounded` is for a list that the server does not filter",
        lambda: {"endpoint": Endpoint(path="/things", incremental=replace(FILTERED, bounded=True))},
    ),
    "a limit to nothing": (
        "`reopen_limit` does nothing without `reopen`",
        lambda: {"endpoint": Endpoint(path="/things", incremental=replace(FILTERED, reopen_limit=timedelta(1)))},
    ),
    "reopens nothing": (
        "`reopen` names no values",
        lambda: {"endpoint": Endpoint(path="/things", incremental=replace(FILTERED, reopen={"slug": ()}))},
    ),
    "a time without directives": (
        "says no time",
        lambda: {"endpoint": Endpoint(path="/things", incremental=replace(FILTERED, format="iso"))},
    ),
    "a filter without a name": (
        "`start_param` is empty",
        lambda: {"endpoint": Endpoint(path="/things", incremental=replace(FILTERED, start_param=""))},
    ),
    "a column that is not loaded": ("is a declared column too", lambda: {"exclude": ("slug",)}),
    "no key": ("`primary_key`: is empty", lambda: {"primary_key": ""}),
    "a key twice": ("names a column twice", lambda: {"primary_key": ("id", "id")}),
    "a maximum of nothing": (
        "`maximum` does nothing",
        lambda: {"endpoint": Endpoint(path="/things", paginator=replace(BODY_CURSOR, maximum=5))},
    ),
    "an echo of no number": (
        "`start_echo_path` does nothing",
        lambda: {"endpoint": Endpoint(path="/things", paginator=replace(BODY_CURSOR, start_echo_path="start"))},
    ),
    "a page size twice": (
        "`per_page` has two meanings",
        lambda: {"endpoint": Endpoint(path="/things", params={"per_page": 5}, paginator=PageNumber(limit=50))},
    ),
    "a filter twice": (
        "`since` has two meanings",
        lambda: {"endpoint": Endpoint(path="/things", params={"since": 5}, incremental=FILTERED)},
    ),
    "a page that is its size": (
        "`page` has two meanings",
        lambda: {"endpoint": Endpoint(path="/things", paginator=PageNumber(limit=50, limit_param="page"))},
    ),
}


@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_keys_that_contradict_one_another_are_refused(case: str) -> None:
    message, changes = CONTRADICTIONS[case]
    assert message in str(problem(resource(**changes())))


def test_a_field_that_children_need_cannot_be_excluded() -> None:
    endpoint = Endpoint(path="/things/{org}/parts", params={"org": Resolve("things", "owner.slug")})
    parent = resource(columns={**COLUMNS, "owner": "json"}, exclude=("owner.slug",))
    assert "`exclude`: 'owner.slug' is in the paths of children" in str(problem(parent, child(endpoint=endpoint)))


def test_a_scope_names_a_column() -> None:
    scope = Scope(setting="a", resource="things", field="title")
    assert problem(resource(), child(), scopes=(scope,)).key == "scopes"


def test_a_page_size_that_is_not_sent_is_refused() -> None:
    paginator = Cursor(cursor_path="next", cursor_param="start", limit=100)
    assert "belong together" in str(problem(resource(endpoint=Endpoint(path="/things", paginator=paginator))))


def test_partitions_of_one_name_have_one_kind_of_parents() -> None:
    other = Endpoint(path="/things/{id}/others", params={"id": Resolve("things", "id")})
    clash = problem(resource(), child(), child(name="others", endpoint=other))
    assert clash.key == "partition" and clash.resource == "others"
    with pytest.raises(DeclarationError, match="shop has partitions called 'shop_parent' too"):
        validate([platform(resource(), child()), platform(resource(), child(), name="other")])


def test_a_problem_names_the_line_of_its_resource() -> None:
    error = problem(resource(), resource(name="mailThreads"))
    assert error.line is not None and "mailThreads" in str(error)


def test_path_placeholder_without_parent() -> None:
    error = problem(resource(endpoint=Endpoint(path="/a/{slug}/b"), partition=PARTITION))
    assert error.key == "path" and "{slug}" in str(error)


def test_parent_that_is_not_a_resource() -> None:
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


def test_unknown_column_type() -> None:
    assert problem(resource(columns={"id": "varchar"})).key == "columns"


def test_table_names_are_snake_case() -> None:
    assert problem(resource(name="mailThreads")).key == "name"


def test_composite_partition_keys_never_collide() -> None:
    assert partition_key(["acme", "web"]) == "acme/web"
    assert partition_key(["a/b", "c"]) != partition_key(["a", "b/c"])
    assert partition_key(["a%2Fb", "c"]) != partition_key(["a/b", "c"])
    assert "..." not in partition_key(["a...b"])


def test_buckets_are_stable() -> None:
    # These values are documented; a different hash would cause every parent to be read again.
    assert [Buckets(count=16).key_of(str(n)) for n in (1, 17, 100000)] == ["bucket_07", "bucket_02", "bucket_03"]


def test_a_contract_serves_the_same_tables_from_other_endpoints() -> None:
    live = Contract(
        client=Client(auth=BearerAuth(), probe="/live", paginator=SinglePage(), data_selector=""),
        endpoints={"things": Endpoint(path="/live/things")},
    )
    (checked,) = validate([platform(resource(), child(), contracts={"live": live})])
    live = checked.with_contract("live")
    assert live.client.data_selector == "" and checked.client.data_selector == "data"
    assert [r.endpoint.path for r in live.resources] == ["/live/things", "/things/{slug}/parts"]
    assert [r.columns for r in live.resources] == [r.columns for r in checked.resources]


def test_a_contract_for_an_unknown_resource() -> None:
    live = Contract(
        client=Client(auth=BearerAuth(), probe="/", paginator=SinglePage()), endpoints={"others": Endpoint(path="/o")}
    )
    assert "others" in str(problem(resource(), contracts={"live": live}))

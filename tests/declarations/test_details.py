"""A detail that cannot be requested per row, or whose fields something else fills, is refused at its declaration."""

from typing import Any

import pytest

from platform_assets.declarations import (
    BearerAuth,
    BodyText,
    Client,
    DeclarationError,
    Detail,
    Endpoint,
    Every,
    Incremental,
    MisspeltError,
    Newest,
    PageNumber,
    Platform,
    Resource,
    SingleObject,
    SinglePage,
    validate,
)

COLUMNS = {"id": "text", "updated": "timestamp", "script": "text", "runs": "json", "last": "text"}
RUNS = {"runs": Every("id"), "last": Newest("id", by="created")}
ONE = SingleObject()


def platform(*details: Detail, **changes: Any) -> Platform:
    endpoint = Endpoint(
        path="/things", incremental=Incremental(cursor_path="updated"), details=details, **changes.pop("endpoint", {})
    )
    things = Resource(name="things", description="Things.", endpoint=endpoint, columns=COLUMNS, **changes)
    client = Client(auth=BearerAuth(), probe="/things", paginator=SinglePage())
    return Platform(name="shop", title="Shop", description="A shop.", client=client, resources=(things,))


def script(**changes: Any) -> Detail:
    return Detail(**{"path": "/things/{id}/script", "fields": {"script": BodyText()}, **changes})


def runs(**changes: Any) -> Detail:
    return Detail(**{"path": "/things/{id}/runs", "fields": RUNS, **changes})


def test_details_that_can_be_requested_are_accepted() -> None:
    whole = Detail(path="/things/{id}", paginator=ONE, data_selector="", fields={"script": "source.code"})
    for details in ((script(), runs()), (whole, runs(params={"order": "created"}))):
        validate([platform(*details)])


REFUSED: dict[str, tuple[Detail, str]] = {
    "a path without a slash": (script(path="things/{id}/script"), "must start with `/`"),
    "one path for all rows": (script(path="/script"), "it would be the same request for every row"),
    "a path of no column": (script(path="/things/{uuid}/script"), "placeholder `{uuid}`"),
    "no field": (script(fields={}), "fills no field"),
    "no column": (script(fields={"source": BodyText()}), "'source' is not a declared column"),
    "the key": (
        script(path="/things/{updated}", fields={"id": BodyText()}),
        "'id' is a key, the cursor or in the path",
    ),
    "the cursor": (script(fields={"updated": BodyText()}), "'updated' is a key, the cursor or in the path"),
    "its own path": (script(path="/things/{script}"), "'script' is a key, the cursor or in the path"),
    "two fields of one text": (script(fields={"script": BodyText(), "last": BodyText()}), "is one text"),
    "a text beside values": (script(fields={"script": BodyText(), **RUNS}), "is one text"),
    "pages of a text": (script(paginator=SinglePage()), "do nothing for '/things/{id}/script'"),
    "records of a text": (script(data_selector=""), "do nothing for '/things/{id}/script'"),
    "an object's path in a list": (runs(fields={"last": "latest.id"}), "use `SingleObject()`"),
    "a list in an object": (runs(paginator=ONE), "`SingleObject` is one object"),
    "many values in one": (runs(fields={"last": Every("id")}), "must be a `json` column"),
    "a paging parameter": (
        runs(params={"page": 3}, paginator=PageNumber(limit=5)),
        "the query parameter `page` of '/things/{id}/runs' is the paginator's",
    ),
    "no stop rule": (runs(paginator=PageNumber(limit=0)), "stop rule"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_detail_that_cannot_run_is_refused(case: str) -> None:
    detail, message = REFUSED[case]
    with pytest.raises(DeclarationError) as caught:
        validate([platform(detail)])
    assert message in str(caught.value) and "shop.things" in str(caught.value)


def test_a_field_is_filled_once() -> None:
    other = script(path="/things/{id}/code")
    with pytest.raises(DeclarationError, match="'script' is filled by two details"):
        validate([platform(script(), other)])
    with pytest.raises(DeclarationError, match="would be requested twice for every row"):
        validate([platform(script(), script(fields={"last": BodyText()}))])


def test_an_excluded_field_is_not_requested_for_nothing() -> None:
    with pytest.raises(DeclarationError, match="'script' is in `exclude`"):
        validate([platform(script(), endpoint={"exclude": ("script",)})])


def test_the_details_of_further_lists_are_checked_too() -> None:
    further = Endpoint(path="/archived", details=(script(path="/script"),))
    with pytest.raises(DeclarationError, match="the same request for every row"):
        validate([platform(endpoint={"also": (further,)})])


def test_what_fills_a_field_is_one_of_the_known_sources() -> None:
    with pytest.raises(MisspeltError, match="`fields`: must be a mapping"):
        script(fields={"script": 5})

"""A request that cannot be sent as it is declared, or a paginator without an end, is refused when definitions load."""

from dataclasses import replace
from typing import Any

import pytest

from platform_assets.declarations import (
    BearerAuth,
    Buckets,
    Client,
    Configured,
    Cursor,
    DeclarationError,
    Detail,
    Endpoint,
    Every,
    FanOut,
    HeaderLink,
    Incremental,
    JsonLink,
    Offset,
    PageNumber,
    Platform,
    Resolve,
    Resource,
    SinglePage,
    Template,
    UnsizedPages,
    validate,
)

BODY_PAGES = PageNumber(page_body_path="page", limit_body_path="size", limit=10)
IN_A_VALUE = UnsizedPages(page_param="q", sent_as=None)
BY_ID = Cursor(cursor_path="next", cursor_param="after")


def post(**more: Any) -> Endpoint:
    return Endpoint(path="/things", method="POST", **more)


WRONG: dict[str, tuple[Endpoint, str]] = {
    "two bodies": (post(json={}, data={}), "a request has one body"),
    "a form by GET": (Endpoint(path="/things", data={"a": "b"}), 'a form is sent by `method="POST"`'),
    "no JSON": (post(json={"a": [{"b": {1, 2}}]}), "`a.0.b` is set, which JSON does not have"),
    "no header": (Endpoint(path="/things", headers={"X A": "1"}), "'X A' cannot be a header's name"),
    "no values": (post(json={"a": FanOut(())}), "`body:a` fans out over no values"),
    "paging in the body of a GET": (Endpoint(path="/things", paginator=BODY_PAGES), "a position in the body needs"),
    "a filter in the body of a GET": (
        Endpoint(path="/things", incremental=Incremental(cursor_path="at", start_param="body:since")),
        "a position in the body needs",
    ),
    "twice": (post(json={"page": Configured("page")}, paginator=BODY_PAGES), "`body:page` of the request has two"),
    "inside a number": (
        post(json={"page": 1}, paginator=PageNumber(page_body_path="page.number", limit=10)),
        "`page.number` leads into a value of the body that is no object",
    ),
    "two places": (
        post(paginator=Cursor(cursor_path="a", cursor_header="A", cursor_param="after")),
        "two places for one position",
    ),
    "sent twice": (
        post(paginator=Cursor(cursor_path="a", cursor_param="after", cursor_in_header="A")),
        "the position is sent once",
    ),
    "never sent": (post(paginator=Cursor(cursor_path="a")), "has no stop rule"),
    "half a page size": (post(paginator=JsonLink(limit=10)), "`limit` and `limit_param` belong together"),
    "no place for the position": (post(paginator=UnsizedPages(sent_as="50")), "`sent_as` needs one"),
    "no template for the position": (post(paginator=IN_A_VALUE), "`sent_as=None` needs a template `q`"),
    "no place in the template": (
        Endpoint(path="/things", params={"q": Template("{{ 1 }}")}, paginator=IN_A_VALUE),
        "`sent_as=None` needs a template `q`",
    ),
    "a first request without the position": (
        Endpoint(
            path="/things",
            params={"q": Template("at {} of {{ 9 }}")},
            paginator=UnsizedPages(page_param="q", sent_as=None, base_is_sent=False),
        ),
        "the first request needs its position too",
    ),
    "no link": (post(paginator=JsonLink(next_url_path="")), "has no stop rule"),
    "no rel": (post(paginator=HeaderLink(links_next_key="")), "has no stop rule"),
    "a link without the position": (
        post(paginator=Offset(offset_body_path="from", limit=10, next_link_path="next")),
        "does not go with `offset_body_path`",
    ),
    "a detail with a body": (
        Endpoint(path="/things", details=(Detail(path="/{id}/t", fields={"tags": Every("id")}, paginator=BODY_PAGES),)),
        "its paginator cannot have the position in a body",
    ),
}  # fmt: skip
GOOD = {
    "paging in JSON": post(json={"filter": {"page": 1}}, paginator=BODY_PAGES),
    "paging that makes the body": post(paginator=BODY_PAGES),
    "paging in a form": post(data={"kind": "a"}, paginator=BODY_PAGES),
    "a position in a template": Endpoint(
        path="/things", params={"q": Template("at {} of {{ 9 }}")}, paginator=IN_A_VALUE
    ),
    "paging over a first value": post(json={"page": 1}, paginator=BODY_PAGES),
    "a GET with a body": Endpoint(path="/things", json={"size": 1}, paginator=BY_ID),
    "links": Endpoint(path="/things", paginator=JsonLink(limit_param="size", limit=10)),
    "a header": Endpoint(path="/things", headers={"X-A": "1"}, paginator=Cursor(cursor_header="X", cursor_param="a")),
}


def declared(endpoint: Endpoint) -> Platform:
    columns = {"id": "text", "at": "timestamp", "tags": "json"}
    things = Resource(name="things", description="", endpoint=endpoint, columns=columns)
    client = Client(auth=BearerAuth(), probe="/things", paginator=SinglePage())
    return Platform(name="shop", title="", description="", client=client, resources=(things,))


@pytest.mark.parametrize("case", WRONG)
def test_a_request_that_cannot_be_sent_is_refused(case: str) -> None:
    endpoint, message = WRONG[case]
    with pytest.raises(DeclarationError) as caught:
        validate([declared(endpoint)])
    assert message in str(caught.value)


@pytest.mark.parametrize("case", GOOD)
def test_a_request_that_can_be_sent_is_accepted(case: str) -> None:
    validate([declared(GOOD[case])])


def child(name: str, path: str, **params: Any) -> Resource:
    endpoint = Endpoint(path=path, params=params)
    return Resource(name=name, description="", endpoint=endpoint, columns={"id": "text"}, partition=Buckets(count=2))


ORGS = Resource(name="orgs", description="", endpoint=Endpoint(path="/orgs"), columns={"id": "text", "slug": "text"})
PROJECTS = child("projects", "/{org}/projects", org=Resolve("orgs", "slug"))
TREES: dict[str, tuple[tuple[Resource, ...], str]] = {
    "its own parent": ((child("a", "/{a}", a=Resolve("a", "id")),), "read for 'a' itself"),
    "a loop": (
        (child("a", "/{b}", b=Resolve("b", "id")), child("b", "/{a}", a=Resolve("a", "id"))),
        "read for 'a' itself",
    ),
    "a grandparent's value that the parent has not": (
        (ORGS, PROJECTS, child("x", "/{org}/{p}", org=Resolve("orgs", "id"), p=Resolve("projects", "id"))),
        "'id' of 'orgs' is not in the rows of 'projects'",
    ),
    "no such parent column": (
        (ORGS, PROJECTS, child("x", "/{org}", org=Resolve("projects", "_orgs_id"))),
        "parent 'projects' has no column '_orgs_id'",
    ),
    "a field without a name": ((ORGS, child("x", "/{p}", p=Resolve("orgs", "..id"))), "'..id' is no path of fields"),
    "nothing for the path": ((ORGS, child("x", "/{org}/{p}", org=Resolve("orgs", "id"))), "`{p}` has no parent"),
}


@pytest.mark.parametrize("case", TREES)
def test_parents_that_cannot_be_joined_are_refused(case: str) -> None:
    resources, message = TREES[case]
    with pytest.raises(DeclarationError) as caught:
        validate([replace(declared(Endpoint(path="/things")), resources=resources)])
    assert message in str(caught.value)

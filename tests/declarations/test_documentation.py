"""What a platform says for people is checked like what it does: descriptions of nothing, and links to nowhere."""

from dataclasses import replace
from typing import Any

import pytest

from platform_assets.declarations import (
    BearerAuth,
    Client,
    Contract,
    DeclarationError,
    Endpoint,
    Platform,
    Resource,
    SinglePage,
    validate,
)

CLIENT = Client(auth=BearerAuth(), probe="/orders", paginator=SinglePage())
ORDERS = Resource(
    name="orders",
    description="Orders.",
    endpoint=Endpoint(path="/orders"),
    columns={"id": "text", "event.type": "text"},
)
LINES = Resource(name="lines", description="Lines.", endpoint=Endpoint(path="/lines"), columns={"id": "text"})


def shop(**changes: Any) -> Platform:
    given: dict[str, Any] = {"client": CLIENT, "resources": (ORDERS, LINES), **changes}
    return Platform(name="shop", title="Shop", description="A shop.", **given)


def refused(platform: Platform) -> DeclarationError:
    with pytest.raises(DeclarationError) as caught:
        validate([platform])
    return caught.value


def test_a_description_is_of_one_table_or_else_of_all() -> None:
    platform = shop(column_descriptions={"id": "Number.", "orders.id": "Order number.", "event.type": "Kind."})
    validate([platform])
    assert platform.description_of(ORDERS, "id") == "Order number."
    assert platform.description_of(LINES, "id") == "Number."
    assert platform.description_of(ORDERS, "event.type") == "Kind."
    assert shop().description_of(ORDERS, "id") is None


@pytest.mark.parametrize(
    ("descriptions", "said"),
    [
        ({"idd": "A."}, "no resource has a column 'idd'; did you mean `id`"),
        ({"lines.event.type": "A."}, "no resource has a column 'lines.event.type'"),
        ({"line.id": "A."}, "no resource has a column 'line.id'"),
        ({"id": "A.", "orders.id": "B.", "lines.id": "C."}, "'id' is never read"),
        ({"id": " "}, "'id' is empty"),
    ],
)
def test_a_description_of_nothing_is_refused(descriptions: dict[str, str], said: str) -> None:
    error = refused(shop(column_descriptions=descriptions))
    assert error.key == "column_descriptions" and said in str(error)


@pytest.mark.parametrize("url", ["shop.example/docs", "javascript:alert(1)", ""])
def test_a_link_is_an_address(url: str) -> None:
    linked = replace(ORDERS, endpoint=Endpoint(path="/orders", docs_url=url))
    assert refused(shop(resources=(linked, LINES))).key == "docs_url"
    assert refused(shop(client=replace(CLIENT, docs_url=url))).key == "docs_url"
    assert refused(shop(contracts={"live": Contract(client=replace(CLIENT, docs_url=url))})).key == "docs_url"


def test_a_resource_is_documented_by_its_page_or_else_by_the_api_in_use() -> None:
    page, api, old = "https://shop.example/docs/orders", "https://shop.example/docs", "https://old.example"
    live = Contract(
        client=replace(CLIENT, docs_url=api), endpoints={"orders": Endpoint(path="/v2/orders", docs_url=page)}
    )
    platform = shop(contracts={"old": Contract(client=replace(CLIENT, docs_url=old)), "live": live})
    validate([platform])
    served = platform.with_contract("live")
    assert [served.docs_url_of(one) for one in served.resources] == [page, api]
    # The reference has no vendor of its own.
    assert [platform.docs_url_of(one) for one in platform.resources] == [page, old]
    assert shop().docs_url_of(ORDERS) is None
    assert shop(client=replace(CLIENT, docs_url=api)).docs_url_of(ORDERS) == api

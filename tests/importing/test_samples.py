"""What one answer of each list tells about what a configuration left out."""

import json
from typing import Any

from platform_assets.declarations import HeaderLink, JsonLink, Resolve, SingleObject
from platform_assets.importing.dlt_config import Imported, import_document
from platform_assets.importing.samples import Sample, learn
from tests.importing.dlt_documents import parse_document

BASE = {"base_url": "https://api.shop.dev"}


def learnt(resources: list[Any], samples: dict[str, Any], **keys: Any) -> Imported:
    config = {"client": BASE, "resources": resources, **keys}
    found = import_document(parse_document(json.dumps(config), "shop.json"), "shop")
    return learn(found, {name: one if isinstance(one, Sample) else Sample(one) for name, one in samples.items()})


def test_records_and_pages_are_looked_for_as_dlt_looks_for_them() -> None:
    found = learnt(
        ["listed", "linked", "whole"],
        {
            "listed": {"links": {"next": "https://api.shop.dev/listed?p=2"}, "errors": [], "results": [{"id": 1}]},
            "linked": Sample([{"id": 1}], '<https://api.shop.dev/linked?p=2>; rel="next"'),
            "whole": [{"id": "a"}],
        },
    ).platform
    listed, linked, whole = found.resources
    assert found.data_selector_of(listed) == "results"
    assert found.paginator_of(listed) == JsonLink(next_url_path="links.next")
    assert found.paginator_of(linked) == HeaderLink()
    assert found.data_selector_of(whole) == ""
    assert [one.columns["id"] for one in found.resources] == ["bigint", "bigint", "text"]


def test_what_is_known_now_is_no_longer_assumed() -> None:
    found = learnt(["orders"], {"orders": [{"id": 1}]})
    assert found.untyped == found.undetected == ()
    assert "columns.id" not in {one.what for one in found.findings}


def test_one_object_another_key_and_an_object_of_records() -> None:
    found = learnt(
        [
            {"name": "me", "endpoint": {"data_selector": "data", "paginator": {"type": "page_number", "base_page": 1}}},
            {"name": "by_id", "endpoint": {"data_selector": "data.*"}},
        ],
        {"me": {"data": {"uuid": "u-1"}}, "by_id": {"data": {"1": {"code": "a"}, "2": {"code": "b"}}}},
        resource_defaults={"primary_key": "id"},
    ).platform
    me, by_id = found.resources
    assert found.paginator_of(me) == SingleObject()
    assert (me.primary_key, me.columns) == ("uuid", {"uuid": "text"})
    assert (found.data_selector_of(by_id), by_id.primary_key) == ("data.*", "code")


def test_a_key_that_a_resource_names_itself_is_not_replaced() -> None:
    found = learnt([{"name": "orders", "primary_key": "no"}], {"orders": [{"id": 1}]})
    assert found.platform.resource("orders").primary_key == "no"
    assert any("have no `no`" in one.why for one in found.findings)


def test_a_path_value_that_the_parents_records_do_not_have_is_another_of_theirs() -> None:
    found = learnt(["orgs", {"name": "repos", "endpoint": "orgs/{org}/repos"}], {"orgs": [{"id": 7, "login": "acme"}]})
    assert found.platform.resource("repos").endpoint.parents == {"org": Resolve("orgs", "id")}
    assert any("records of the parent have no `slug`" in one.why for one in found.findings)


def test_an_empty_answer_changes_nothing_and_is_said() -> None:
    found = learnt(["orders"], {"orders": []})
    assert found.platform.resource("orders").columns == {"id": "text"}
    assert ("orders", "id") in found.untyped
    assert any(one.what == "sample" for one in found.findings)

"""What a YAML file cannot hold, each with its line."""

import time
import tracemalloc
from pathlib import Path

import pytest

from platform_assets.declarations import BearerAuth, DeclarationError, MisspeltError, OnRemoval, SinglePage
from platform_assets.declarations.strict import declared_on
from platform_assets.platform_files import read_platform
from platform_assets.platform_files.reader import parse_platform

SHOP = """\
name: shop
title: Shop
description: Orders and their lines.
client:
  auth: {type: bearer}
  probe: /orders
  paginator:
    type: page_number
    limit: 100
    maximum: 100
resources:
  - name: orders
    description: Orders.
    endpoint:
      path: /orders
      params: {status: any, fields: [id, total], archived: 0}
      incremental: {cursor_path: updated, start_param: since, lag: 5m}
    columns: {id: text, updated: timestamp}
    on_removal: ignore
  - name: lines
    description: Lines of an order.
    endpoint:
      path: /orders/{order}/lines
      params:
        order: {type: resolve, resource: orders, field: id}
      paginator: single_page
    partition: {type: buckets, count: 8}
    columns: {id: text}
"""


def changed(old: str, new: str) -> str:
    assert SHOP.count(old) == 1, old
    return SHOP.replace(old, new)


def problem(text: str) -> str:
    with pytest.raises((MisspeltError, DeclarationError)) as raised:
        parse_platform(text, "platforms/shop.yaml")
    error = raised.value
    return str(error) if isinstance(error, MisspeltError) else f"{error.line}: {error}"


def test_a_file_becomes_a_platform_whose_declarations_know_their_lines() -> None:
    shop = parse_platform(SHOP, "shop.yaml")
    orders, lines = shop.resources
    assert shop.client.auth == BearerAuth() and lines.endpoint.paginator == SinglePage()
    assert orders.endpoint.params == {"status": "any", "fields": ("id", "total"), "archived": 0}
    assert orders.on_removal is OnRemoval.IGNORE and lines.parent == "orders"
    assert [declared_on(one) for one in (shop, orders, lines, lines.endpoint)] == [1, 12, 20, 23]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("maximum:", "maxium:", ":10: PageNumber: `maxium`: there is no such key; did you mean `maximum`?"),
        ("    limit: 100\n", "", ":8: PageNumber: `limit`: is missing"),
        ("limit: 100", "limit: many", ":9: PageNumber: `limit`: must be a whole number, not `many`"),
        ("limit: 100", "limit: 010", ":9: PageNumber: `limit`: must be a whole number, not `010`"),
        ("limit: 100", "limit: 1.5", ":9: PageNumber: `limit`: must be a whole number, not `1.5`"),
        (
            "page_number",
            "page_numbr",
            ":8: Client: `paginator`: there is no `type` 'page_numbr'; did you mean `page_number`?",
        ),
        ("    type: page_number\n", "", ":8: Client: `paginator`: needs a `type`: page_number, unsized_pages, "),
        ("title: Shop", "title: yes", ":2: Platform 'shop': `title`: readers of YAML differ in what `yes` is"),
        ("title: Shop", "title: 012", ":2: Platform 'shop': `title`: readers of YAML differ"),
        ("title: Shop", "title: 1e3", ":2: Platform 'shop': `title`: must be a text, and `1e3` without quotes is none"),
        ("title: Shop", "title:", ":2: Platform 'shop': `title`: must be a text, and nothing without quotes is none"),
        ("title: Shop", "title: [Shop]", ":2: Platform 'shop': `title`: must be a text, not a list"),
        ("title: Shop", "title: {a: b}", ":2: Platform 'shop': `title`: must be a text, not a mapping"),
        ("lag: 5m", "lag: 5", "`lag`: must be a duration as `5m`, `26h` or `3d`, not `5`"),
        (
            "on_removal: ignore",
            "on_removal: ignored",
            ":19: Resource 'orders': `on_removal`: must be soft_delete or ignore",
        ),
        (
            "paginator: single_page",
            "paginator: offset",
            ":26: Endpoint '/orders/{order}/lines': `paginator`: `offset` needs",
        ),
        ("{id: text, updated", "{1: text, updated", ":18: Resource 'orders': `columns`: its key `1`: must be a text"),
        (
            "{id: text, updated",
            "{id: text, id: text, updated",
            ":18: YAML: the key `id` is there twice, first in line 18",
        ),
        ("{id: text, updated", "{[id]: text, updated", ":18: YAML: a key must be a text"),
        ("title: Shop", "title: !!python/object/apply:os.system [id]", ":2: YAML: tags such as"),
        ("title: Shop", "title: !!str Shop", ":2: YAML: tags such as"),
        ("title: Shop", "title: *shop", ":2: YAML: "),
        ("title: Shop", "title: &shop [*shop]", ":2: YAML: `*shop` refers to itself"),
        ("title: Shop", "title: 'Shop", ":"),
        ("title: Shop", "title: \x07", ":2: YAML: "),
        ("title: Shop", "reference: {}", ":2: Platform 'shop': `reference`: there is no such key"),
    ],
)
def test_a_wrong_value_is_reported_where_it_stands(old: str, new: str, expected: str) -> None:
    found = problem(changed(old, new))
    assert f"platforms/shop.yaml{expected}" in found or (not expected.startswith(":") and expected in found), found


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "updated: timestamp",
            "updated: text",
            "12: shop.orders: `incremental`: cursor 'updated' must be a `timestamp`",
        ),
        ("resource: orders", "resource: order", "20: shop.lines: `params`: parent 'order' is not a resource of shop"),
        ("path: /orders\n", "path: orders\n", "12: shop.orders: `path`: 'orders' must start with `/`"),
        ("name: shop", "name: Shop", "1: Shop: `name`: 'Shop' is not snake_case"),
    ],
)
def test_what_cannot_run_is_reported_at_its_resource(old: str, new: str, expected: str) -> None:
    assert problem(changed(old, new)).startswith(expected)


@pytest.mark.parametrize("text", ["", "# nothing\n", "- a\n", "text\n", f"{SHOP}---\n{SHOP}", "[" * 1000, "a: " * 9])
def test_a_file_that_is_no_platform_is_refused(text: str) -> None:
    assert problem(text).startswith("platforms/shop.yaml:")


def test_anchors_and_merged_mappings_are_read() -> None:
    text = changed("columns: {id: text, updated: timestamp}", "columns: &c {id: text, updated: timestamp}").replace(
        "    columns: {id: text}\n", "    columns: {<<: *c, total: double}\n"
    )
    assert parse_platform(text, "shop.yaml").resources[1].columns == {
        "id": "text",
        "updated": "timestamp",
        "total": "double",
    }


BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 60))
MERGE_BOMB = "a0: &a0 {x: 1}\n" + "".join(f"a{i}: &a{i} {{<<: [*a{i - 1}, *a{i - 1}]}}\n" for i in range(1, 60))


@pytest.mark.parametrize(
    "text",
    [
        BOMB,
        MERGE_BOMB,
        "a: " + "[" * 400_000,
        "a:\n" + "".join(" " * i + "- \n" for i in range(1, 1000)),
        "- " * 400_000,
        "{a: " * 200_000,
        "? " * 400_000,
        "a: [" + "x," * 110_000 + "]",
        "a: '" + "x" * 900_000,
        "&a " * 300_000,
        "a: " + "9" * 900_000,
    ],
    ids=["aliases", "merges", "flow", "indented", "dashes", "mappings", "keys", "items", "quote", "anchors", "digits"],
)
def test_a_hostile_file_is_refused_in_bounded_time_and_memory(text: str, tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(text)
    started = time.monotonic()
    tracemalloc.start()
    with pytest.raises(MisspeltError):
        read_platform(tmp_path / "shop.yaml")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert time.monotonic() - started < 10 and peak < 200_000_000


@pytest.mark.parametrize("text", [BOMB, MERGE_BOMB], ids=["aliases", "merges"])
def test_an_alias_counts_as_often_as_it_is_repeated(text: str) -> None:
    assert "has more than 100000 values, those that aliases repeat included" in problem(text)


def test_a_large_file_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "shop.yaml"
    with file.open("wb") as sparse:
        sparse.truncate(100_000_000_000)
    with pytest.raises(MisspeltError, match="larger than 1000 kB"):
        read_platform(file)


def test_what_is_no_file_of_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"name: caf\xe9")
    for name, reason in (("none.yaml", "no such file"), (".", "is no file"), ("latin.yaml", "not UTF-8")):
        with pytest.raises(MisspeltError, match=reason):
            read_platform(tmp_path / name)

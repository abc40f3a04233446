"""Parents of parents, several parents at once, and lists of values: each combination is a parent of its own.

The server is the oracle: it keeps what it has and what it was asked, and knows nothing of the code that asks.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from platform_assets.declarations import (
    Buckets,
    DynamicPartitions,
    FanOut,
    Listed,
    OnRemoval,
    RecordShape,
    Resolve,
    Resource,
    Scope,
)
from tests.databases import fetch
from tests.sync.generations import ORG, Api, declared, grow, resource, row, tree


@pytest.fixture
def api() -> Iterator[Api]:
    with Api() as server:
        yield server


@pytest.fixture
def forest(api: Api) -> Api:
    grow(api)
    return api


def loaded(file: Path, table: str, *columns: str) -> list[tuple[Any, ...]]:
    """Rows that are not soft-deleted."""
    return sorted(fetch(file, f"SELECT {', '.join(columns)} FROM shop.{table} WHERE _deleted_at IS NULL")[1])


def of(file: Path, table: str, *columns: str) -> list[tuple[Any, ...]]:
    return sorted(fetch(file, f"SELECT {', '.join(columns)} FROM shop.{table}")[1])


@pytest.mark.parametrize(
    ("organization", "column"),
    [
        pytest.param(ORG, "_orgs_slug", id="named by the grandparent"),
        pytest.param(
            Resolve("projects", "_orgs_slug"),
            "_projects_orgs_slug",
            id="by the parent's column",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_child_of_a_child_has_the_values_of_both(
    organization: Resolve, column: str, forest: Api, warehouse_file: Path
) -> None:
    outcomes, asked = forest.sync(declared(*tree(organization)))
    assert all(outcome.ok for outcome in outcomes.values())
    assert of(warehouse_file, "issues", "id", column, "_projects_id") == [
        (110, "acme", 11), (120, "acme", 12), (210, "globex/eu", 21),
    ]  # fmt: skip
    assert sorted(asked)[-1] == "/orgs/globex%2Feu/projects/21/issues", "a value keeps to its own segment"
    assert len(asked) == 6


@pytest.mark.slow
def test_each_combination_has_a_cursor_and_is_read_when_its_own_parent_changes(
    forest: Api, warehouse_file: Path
) -> None:
    platform = declared(*tree())
    forest.sync(platform)
    _, asked = forest.sync(platform)
    assert not [target for target in asked if "issues" in target], "no project has changed"
    forest.lists["/orgs/acme/projects"] = [row(11), row(12, 9)]
    forest.lists["/orgs/acme/projects/12/issues"] = [row(120, 4), row(121, 9)]
    _, asked = forest.sync(platform)
    assert [target for target in asked if "issues" in target] == [
        "/orgs/acme/projects/12/issues?since=2026-01-04T00%3A00%3A00Z"
    ]
    assert [id for (id,) in of(warehouse_file, "issues", "id")] == [110, 120, 121, 210]


@pytest.mark.slow
def test_a_failed_combination_stops_no_other_and_is_read_again(forest: Api, warehouse_file: Path) -> None:
    platform = declared(*tree())
    forest.lists["/orgs/acme/projects/11/issues"] = 500
    outcomes, _ = forest.sync(platform)
    assert len(outcomes["issues"].failed_partitions) == 1
    assert [id for (id,) in of(warehouse_file, "issues", "id")] == [120, 210]
    forest.lists["/orgs/acme/projects/11/issues"] = [row(110, 3)]
    outcomes, asked = forest.sync(platform, "issues")
    assert asked == ["/orgs/acme/projects/11/issues"] and outcomes["issues"].ok
    assert [id for (id,) in of(warehouse_file, "issues", "id")] == [110, 120, 210]


def test_what_belongs_to_a_removed_grandparent_is_kept_and_not_asked_for(forest: Api, warehouse_file: Path) -> None:
    platform = declared(*tree())
    forest.sync(platform)
    forest.lists["/orgs"] = [row(1, slug="acme")]
    forest.sync(platform, "orgs")
    outcomes, asked = forest.sync(platform, "projects", "issues", full_refresh=True)
    assert not [target for target in asked if "globex" in target]
    assert [id for (id,) in of(warehouse_file, "issues", "id")] == [110, 120, 210] and outcomes["issues"].ok


@pytest.mark.slow
def test_a_scope_of_the_grandparents_holds_for_the_grandchildren(forest: Api) -> None:
    platform = declared(*tree(), scopes=(Scope(setting="org", resource="orgs", field="slug"),))
    forest.sync(platform)
    _, asked = forest.sync(platform, "projects", "issues", scopes={"org": ("acme",)}, full_refresh=True)
    assert asked and not [target for target in asked if "globex" in target]


@pytest.mark.slow
def test_a_renamed_grandparent_loses_and_doubles_no_row(forest: Api, warehouse_file: Path) -> None:
    platform = declared(*tree())
    forest.sync(platform)
    renamed = {path.replace("acme", "apex"): found for path, found in forest.lists.items()}
    forest.lists = {**renamed, "/orgs": [row(1, slug="apex"), row(2, slug="globex/eu")]}
    outcomes, _ = forest.sync(platform)
    assert all(outcome.ok for outcome in outcomes.values())
    assert loaded(warehouse_file, "projects", "id", "_orgs_slug") == [(11, "apex"), (12, "apex"), (21, "globex/eu")]
    assert [id for (id,) in of(warehouse_file, "issues", "id")] == [110, 120, 210]
    outcomes, asked = forest.sync(platform, "issues")
    assert not asked, "all of them were read under the new name"


@pytest.mark.slow
def test_great_grandchildren_are_read_for_three_generations(forest: Api, warehouse_file: Path) -> None:
    notes = resource(
        "notes",
        "/orgs/{org}/projects/{project}/issues/{issue}/notes",
        endpoint={"params": {"org": ORG, "project": Resolve("projects", "id"), "issue": Resolve("issues", "id")}},
        partition=Buckets(count=4),
    )
    forest.lists["/orgs/acme/projects/11/issues/110/notes"] = [row(1100)]
    forest.lists["/orgs/acme/projects/12/issues/120/notes"] = []
    outcomes, asked = forest.sync(declared(*tree(), notes))
    assert of(warehouse_file, "notes", "id", "_orgs_slug", "_projects_id", "_issues_id") == [(1100, "acme", 11, 110)]
    assert len([target for target in asked if "notes" in target]) == 3
    assert outcomes["notes"].ok and sum(map(len, (p.skipped for p in outcomes["notes"].partitions.values()))) == 1


def products() -> tuple[Resource, ...]:
    return (
        resource("shops", "/shops"),
        resource("kinds", "/kinds", {"slug": "text"}),
        resource(
            "prices",
            "/shops/{shop}/{kind}/prices",
            {"shop": "bigint", "kind": "text"},
            primary_key=("shop", "kind", "id"),
            endpoint={
                "params": {"kind": Resolve("kinds", "slug"), "shop": Resolve("shops", "id")},
                "record": RecordShape(from_path={"shop": "shop", "kind": "kind"}),
            },
            partition=Buckets(count=4),
        ),
    )


def test_several_parents_are_read_in_every_combination_and_each_has_its_own_state(
    api: Api, warehouse_file: Path
) -> None:
    platform = declared(*products())
    api.lists = {"/shops": [row(1), row(2)], "/kinds": [row(1, slug="a"), row(2, slug="b")]}
    api.lists |= {f"/shops/{shop}/{kind}/prices": [row(1), row(2)] for shop in (1, 2, 3) for kind in "ab"}
    outcomes, asked = api.sync(platform)
    assert all(outcome.ok for outcome in outcomes.values())
    assert sorted(asked) == ["/kinds", "/shops"] + [f"/shops/{shop}/{kind}/prices" for shop in (1, 2) for kind in "ab"]
    combinations = [(shop, kind, id) for shop in (1, 2) for kind in "ab" for id in (1, 2)]
    assert of(warehouse_file, "prices", "_shops_id", "_kinds_slug", "id") == combinations

    api.lists["/shops"] = [row(1), row(2), row(3)]
    _, asked = api.sync(platform)
    assert sorted(asked) == ["/kinds", "/shops", "/shops/3/a/prices", "/shops/3/b/prices"], "only what is new"

    api.lists["/shops/1/b/prices"] = [row(1)]
    outcomes, _ = api.sync(platform, "prices", full_refresh=True)
    gone = [(2, "b", 1)]
    found = fetch(warehouse_file, "SELECT id, kind, shop FROM shop.prices WHERE _deleted_at IS NOT NULL")[1]
    assert list(map(tuple, found)) == gone, "of one combination, and no row of another"

    api.lists["/kinds"] = [row(1, slug="a")]
    outcomes, asked = api.sync(platform, "kinds", "prices", full_refresh=True)
    assert not [target for target in asked if "/b/" in target] and outcomes["prices"].ok
    assert len(loaded(warehouse_file, "prices", "id")) == 11, "rows of a combination that is gone stay"


@pytest.mark.slow
def test_a_parent_that_was_never_loaded_is_named(api: Api) -> None:
    api.lists = {"/shops": [row(1)]}
    platform = declared(*products())
    outcomes, _ = api.sync(platform, "shops", "prices")
    assert "its parent shop/kinds was never loaded" in str(outcomes["prices"].error)


def test_lists_of_values_and_parents_are_combined_in_the_path(api: Api, warehouse_file: Path) -> None:
    api.lists = {"/orgs": [row(1, slug="acme"), row(2, slug="globex")]}
    api.lists |= {f"/v1/{kind}/of/{org}": [row(1)] for kind in ("cats", "dogs") for org in ("acme", "globex")}
    pets = resource(
        "pets",
        "/v1/{kind}/of/{org}",
        {"kind": "text", "org": "text"},
        primary_key=("kind", "org", "id"),
        endpoint={
            "params": {"kind": FanOut(("cats", "dogs")), "org": ORG},
            "record": RecordShape(from_path={"kind": "kind", "org": "org"}),
        },
        on_removal=OnRemoval.SOFT_DELETE,
        partition=DynamicPartitions(name="shop_org"),
    )
    platform = declared(tree()[0], pets)
    outcomes, asked = api.sync(platform)
    assert len(asked) == 5 and set(outcomes["pets"].partitions) == {"acme", "globex"}
    every = [(kind, org) for kind in ("cats", "dogs") for org in ("acme", "globex")]
    assert loaded(warehouse_file, "pets", "kind", "org") == every
    api.lists["/v1/dogs/of/acme"] = []
    api.sync(platform, "pets")
    assert loaded(warehouse_file, "pets", "kind", "org") == [one for one in every if one != ("dogs", "acme")]


@pytest.mark.slow
def test_a_list_is_read_once_per_row_of_a_grandchild(forest: Api, warehouse_file: Path) -> None:
    logs = resource("logs", "/logs/{issue}", endpoint={"params": {"issue": Listed("issues", "id")}})
    forest.lists |= {f"/logs/{id}": [row(id * 10)] for id in (110, 120, 210)}
    outcomes, _ = forest.sync(declared(*tree(), logs), "logs")
    assert outcomes["logs"].ok and [id for (id,) in of(warehouse_file, "logs", "id")] == [1100, 1200, 2100]

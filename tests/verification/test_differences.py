"""Every difference between an API and the warehouse is found, at its key and column, and no other."""

import random
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from platform_assets.platforms import platform_named
from platform_assets.sandbox import FakeBackend, SandboxServer, expected_rows
from platform_assets.verification import Kind
from tests.conftest import Sync
from tests.databases import copy_row
from tests.settings import PointAt
from tests.tiers import one_in, only
from tests.verification.checking import PLATFORMS, findings, tamper, verified
from tests.warehouse_rows import query

pytestmark = pytest.mark.usefixtures("in_either_warehouse")


@pytest.mark.parametrize("name", only([], PLATFORMS, slow=["load_testing", PLATFORMS[0], PLATFORMS[3]]))
def test_no_difference_is_reported_for_equal_tables(
    name: str, server: SandboxServer, sync_platform: Sync, warehouse_file: Path
) -> None:
    """For all resources, also after rows were added, changed and removed. Each page is requested once, and a list that
    ends on its first page a second time: nothing else shows that it ends there."""
    sync_platform(name)
    for hours in (1, 30, 24 * 20):
        server.backend.advance(hours=hours)
        sync_platform(name)
        before = len(server.requests)
        found = verified(name)
        expected = {table: len(rows) for table, rows in expected_rows(server.backend)[name].items()}
        assert {table: one.rows_served for table, one in found.items()} == expected
        for table, one in found.items():
            assert (one.error, one.examples, one.not_synced_examples) == (None, [], []), table
            assert one.complete
        requested = Counter((r["path"], str(r["query"])) for r in server.requests[before:])
        assert all("'page': '1'" in query or "'after': '0'" in query for (_, query), n in requested.items() if n > 1), (
            requested
        )
        assert max(requested.values()) <= 2
        assert sum(requested.values()) == sum(one.requests for one in found.values())


@pytest.mark.parametrize(
    ("backend", "name"),
    one_in(10, [(backend, name) for backend in (FakeBackend.empty, FakeBackend.tiny) for name in PLATFORMS], slow=4),
)
def test_no_difference_is_reported_for_empty_and_one_row_lists(
    name: str, backend: Callable[[], FakeBackend], point_at: PointAt, sync_platform: Sync
) -> None:
    with SandboxServer(backend=backend()) as server:
        point_at(server)
        sync_platform(name)
        assert {table: one.ok for table, one in verified(name).items()} == {
            resource.name: True for resource in platform_named(name).resources
        }


CHANGES: Mapping[str, tuple[str, str, str]] = {
    "text": ("leads", "title", "'Tampered'"),
    "text to null": ("leads", "title", "NULL"),
    "null to text": ("mail_threads", "lead_id", "''"),
    "bigint": ("deals", "owner_id", "owner_id + 1"),
    "double": ("deals", "value", "coalesce(value, 0) + 0.0001"),
    "bool": ("deals", "is_deleted", "NOT is_deleted"),
    "timestamp": ("deals", "add_time", "add_time + INTERVAL '1 MICROSECOND'"),
    "date": ("leads", "expected_close_date", "DATE '1999-12-31'"),
    "json": ("leads", "value", """'{"amount":1,"currency":"XXX"}'"""),
    "parent's column": ("deal_products", "_deals_id", "_deals_id + 1000000"),
}


@pytest.mark.parametrize("case", only(["text to null", "double", "json", "parent's column"], CHANGES, slow=CHANGES))
def test_a_changed_cell_is_found_with_its_key_and_column(
    case: str, server: SandboxServer, sync_platform: Sync, warehouse_file: Path
) -> None:
    """Although the row's stored hash is still that of the correct content."""
    table, column, value = CHANGES[case]
    sync_platform("crm", {table, "deals"})
    ((key,),) = query(warehouse_file, f"SELECT id FROM crm.{table} ORDER BY id LIMIT 1 OFFSET 1")
    literal = f"'{key}'" if isinstance(key, str) else key
    tamper(warehouse_file, f"UPDATE crm.{table} SET {column} = {value} WHERE id = {literal}")
    found = verified("crm", table)[table]
    assert findings(found) == {("changed", key, (column,))}
    assert found.counts == {Kind.MISSING: 0, Kind.EXTRA: 0, Kind.CHANGED: 1} and not found.ok


def test_a_value_in_a_variant_column_is_compared_too(
    server: SandboxServer, sync_platform: Sync, warehouse_file: Path
) -> None:
    lead = server.backend.tables["crm"]["leads"][0]
    lead["owner_id"] = "nobody"
    sync_platform("crm", ["leads"])
    assert verified("crm", "leads")["leads"].ok
    assert query(warehouse_file, "SELECT owner_id__v_text FROM crm.leads WHERE owner_id IS NULL") == [("nobody",)]
    tamper(warehouse_file, "UPDATE crm.leads SET owner_id__v_text = 'somebody' WHERE owner_id__v_text = 'nobody'")
    assert findings(verified("crm", "leads")["leads"]) == {("changed", lead["id"], ("owner_id__v_text",))}


def test_missing_extra_removed_and_repeated_rows_are_found(
    server: SandboxServer, sync_platform: Sync, warehouse_file: Path
) -> None:
    sync_platform("crm", ["leads"])
    one, two, three = (row["id"] for row in expected_rows(server.backend)["crm"]["leads"][:3])
    tamper(
        warehouse_file,
        f"DELETE FROM crm.leads WHERE id = '{one}'",
        f"UPDATE crm.leads SET _deleted_at = TIMESTAMPTZ '2026-01-01 00:00:00Z' WHERE id = '{two}'",
        f"INSERT INTO crm.leads SELECT * FROM crm.leads WHERE id = '{three}'",
    )
    copy_row(warehouse_file, "crm.leads", f"id = '{three}'", id="'made-up'")
    deleted_at = "TIMESTAMPTZ '2026-01-01 00:00:00Z'"
    copy_row(warehouse_file, "crm.leads", f"id = '{three}'", id="'gone'", _deleted_at=deleted_at)
    found = verified("crm", "leads")["leads"]
    assert findings(found) == {
        ("missing", one, ()),
        ("missing", two, ()),
        ("extra", "made-up", ()),
        ("changed", three, ("(the row is there more than once)",)),
    }


def test_rows_that_the_server_drops_by_design_are_not_extra(
    server: SandboxServer, sync_platform: Sync, warehouse_file: Path
) -> None:
    """Builds are kept in the warehouse after the server drops them."""
    sync_platform("ci_analytics", ["builds"])
    copy_row(warehouse_file, "ci_analytics.builds", id="'kept'")
    assert verified("ci_analytics", "builds")["builds"].ok


def test_the_order_of_a_json_objects_keys_is_not_a_difference(
    server: SandboxServer, sync_platform: Sync, warehouse_file: Path
) -> None:
    sync_platform("crm", ["leads"])
    for lead in server.backend.tables["crm"]["leads"]:
        if isinstance(lead["value"], dict):
            lead["value"] = dict(reversed(lead["value"].items()))
    assert sync_platform("crm", ["leads"])["leads"].rows_loaded == 0
    assert verified("crm", "leads")["leads"].ok


@pytest.mark.long
def test_random_changes_in_every_table_are_all_found(
    server: SandboxServer, sync_platform: Sync, warehouse_file: Path
) -> None:
    """In each of the 47 tables a row is deleted or a cell of a random column is changed; nothing else is found."""
    rng = random.Random(11)
    other = {"VARCHAR": "'~tampered'", "JSON": "'[\"~tampered\"]'", "BIGINT": "-77", "DOUBLE": "-77.5"}
    other |= {"BOOLEAN": None, "DATE": "DATE '1901-02-03'"}
    other |= {"TIMESTAMP WITH TIME ZONE": "TIMESTAMPTZ '1901-02-03 00:00:00+00'"}
    other |= {"CHARACTER VARYING": other["VARCHAR"], "DOUBLE PRECISION": other["DOUBLE"]}
    for name in PLATFORMS:
        sync_platform(name)
        expected: dict[str, set[tuple[str, tuple[str, ...], tuple[str, ...]]]] = {}
        for resource in platform_named(name).resources:
            table, key = f"{name}.{resource.name}", platform_named(name).primary_key_of(resource)[0]
            columns = [
                (column, kind)
                for column, kind in query(
                    warehouse_file,
                    "SELECT column_name, data_type FROM information_schema.columns"
                    f" WHERE table_schema = '{name}' AND table_name = '{resource.name}'",
                )
                if column not in ("_dlt_id", "_dlt_load_id", "_loaded_at", "_deleted_at", key)
            ]
            keys = sorted(str(row[0]) for row in query(warehouse_file, f"SELECT {key} FROM {table}"))
            chosen = rng.sample(keys, min(len(keys), 3))
            expected[resource.name] = set()
            for place, value in enumerate(chosen):
                where = f"WHERE CAST({key} AS VARCHAR) = '{value}'"
                if place == 1:
                    # The children of a deleted parent cannot be verified.
                    if any(child.parent == resource.name for child in platform_named(name).resources):
                        continue
                    tamper(warehouse_file, f"DELETE FROM {table} {where}")
                    expected[resource.name].add(("missing", (value,), ()))
                    continue
                column, kind = rng.choice(columns)
                while any(child.parent == resource.name for child in platform_named(name).resources) and (
                    column in ("slug", "organization")
                ):
                    column, kind = rng.choice(columns)
                new = other[kind.upper()] or f'CASE WHEN "{column}" THEN FALSE ELSE TRUE END'
                tamper(warehouse_file, f'UPDATE {table} SET "{column}" = {new} {where}')
                expected[resource.name].add(("changed", (value,), (column,)))
        found = verified(name)
        assert {
            table: {(str(f.kind), tuple(map(str, f.key.values())), f.columns) for f in one.examples}
            for table, one in found.items()
        } == expected
        assert {table: one.differences for table, one in found.items()} == {t: len(e) for t, e in expected.items()}


def test_a_row_listed_by_two_parents_may_name_either(
    server: SandboxServer, sync_platform: Sync, warehouse_file: Path
) -> None:
    """But not a third one."""
    pipelines = server.backend.tables["ci_analytics"]["organizations_pipelines"]
    first, second, *_ = pipelines
    shared = pipelines[first][0]
    pipelines[second].append(dict(shared))
    sync_platform("ci_analytics", ["organizations", "organizations_pipelines"])
    table = "ci_analytics.organizations_pipelines"
    for slug, ok in ((first, True), (second, True), ("third", False)):
        tamper(warehouse_file, f"UPDATE {table} SET _organizations_slug = '{slug}' WHERE id = '{shared['id']}'")
        assert verified("ci_analytics", "organizations_pipelines")["organizations_pipelines"].ok is ok

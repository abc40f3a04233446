"""Every difference between an API and the warehouse is found, at its key and column, and none that is not there."""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from platform_assets.configuration.platform_settings import read_settings
from platform_assets.http.client import ApiClient
from platform_assets.platforms import all_platforms, platform_named
from platform_assets.sandbox import FakeBackend, Fault, SandboxServer, expected_rows
from platform_assets.verification import Budget, Kind, Verification, verify
from platform_assets.warehouse import open_warehouse
from tests.conftest import Sync
from tests.servers.postgres import postgres_server
from tests.settings import PointAt
from tests.warehouse_rows import differences, query

PLATFORMS = [platform.name for platform in all_platforms()]
Found = dict[str, Verification]


def verified(name: str, *resources: str, **options: object) -> Found:
    """Verify resources of a platform, by default all of them."""
    platform = platform_named(name)
    settings = read_settings(platform)
    names = resources or [resource.name for resource in platform.resources]
    with open_warehouse(platform) as warehouse, ApiClient(platform, settings) as client:
        return {found.name: found for found in verify(client, warehouse, names, **options)}  # pyright: ignore[reportArgumentType] -- keywords of verify


def tamper(path: Path, *statements: str) -> None:
    """Change the warehouse behind our back."""
    with duckdb.connect(str(path)) as connection:
        for statement in statements:
            connection.execute(statement)


def findings(found: Verification) -> set[tuple[str, object, tuple[str, ...]]]:
    """Kind, value of the (single) key, and columns of the examples."""
    return {(str(one.kind), *one.key.values(), one.columns) for one in found.examples}  # pyright: ignore[reportReturnType] -- one key column


@pytest.fixture
def server(point_at: PointAt) -> Iterator[SandboxServer]:
    with SandboxServer() as running:
        point_at(running)
        yield running


@pytest.mark.parametrize("name", PLATFORMS)
def test_nothing_is_found_where_nothing_differs(
    name: str, server: SandboxServer, sync_platform: Sync, warehouse_file: Path
) -> None:
    """Of all resources; also after rows were added, changed and removed. Each page is asked for once, and a list that
    ends on its first page a second time: nothing else says that it ends there."""
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
        asked = Counter((r["path"], str(r["query"])) for r in server.requests[before:])
        assert all("'page': '1'" in query or "'after': '0'" in query for (_, query), n in asked.items() if n > 1), asked
        assert max(asked.values()) <= 2
        assert sum(asked.values()) == sum(one.requests for one in found.values())


@pytest.mark.parametrize("name", PLATFORMS)
@pytest.mark.parametrize("backend", [FakeBackend.empty, FakeBackend.tiny], ids=["empty", "one-row"])
def test_nothing_is_found_in_empty_and_one_row_lists(
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
    "timestamp": ("deals", "add_time", "add_time + INTERVAL 1 MICROSECOND"),
    "date": ("leads", "expected_close_date", "DATE '1999-12-31'"),
    "json": ("leads", "value", """'{"amount":1,"currency":"XXX"}'"""),
    "parent's column": ("deal_products", "_deals_id", "_deals_id + 1000000"),
}


@pytest.mark.parametrize("case", CHANGES)
def test_a_changed_cell_is_found_with_its_key_and_column(
    case: str, server: SandboxServer, sync_platform: Sync, warehouse_file: Path
) -> None:
    """Although the row's stored hash is still that of the right content."""
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
        f"INSERT INTO crm.leads SELECT * REPLACE ('made-up' AS id) FROM crm.leads WHERE id = '{three}' LIMIT 1",
        f"INSERT INTO crm.leads SELECT * REPLACE ('gone' AS id, TIMESTAMPTZ '2026-01-01 00:00:00Z' AS _deleted_at)"
        f" FROM crm.leads WHERE id = '{three}' LIMIT 1",
    )
    found = verified("crm", "leads")["leads"]
    assert findings(found) == {
        ("missing", one, ()),
        ("missing", two, ()),
        ("extra", "made-up", ()),
        ("changed", three, ("(the row is there more than once)",)),
    }


def test_what_absence_does_not_tell_is_not_extra(
    server: SandboxServer, sync_platform: Sync, warehouse_file: Path
) -> None:
    """Builds are kept when the server drops them."""
    sync_platform("ci_analytics", ["builds"])
    tamper(
        warehouse_file,
        "INSERT INTO ci_analytics.builds SELECT * REPLACE ('kept' AS id) FROM ci_analytics.builds LIMIT 1",
    )
    assert verified("ci_analytics", "builds")["builds"].ok


def test_the_order_of_a_json_objects_keys_is_no_difference(
    server: SandboxServer, sync_platform: Sync, warehouse_file: Path
) -> None:
    sync_platform("crm", ["leads"])
    for lead in server.backend.tables["crm"]["leads"]:
        if isinstance(lead["value"], dict):
            lead["value"] = dict(reversed(lead["value"].items()))
    assert sync_platform("crm", ["leads"])["leads"].rows_loaded == 0
    assert verified("crm", "leads")["leads"].ok


def test_random_tamperings_of_every_table_are_all_found(
    server: SandboxServer, sync_platform: Sync, warehouse_file: Path
) -> None:
    """In each of the 47 tables a row is missing or a cell of a random column is another; nothing else is found."""
    chance = random.Random(11)
    other = {"VARCHAR": "'~tampered'", "JSON": "'[\"~tampered\"]'", "BIGINT": "-77", "DOUBLE": "-77.5"}
    other |= {"BOOLEAN": None, "DATE": "DATE '1901-02-03'"}
    other |= {"TIMESTAMP WITH TIME ZONE": "TIMESTAMPTZ '1901-02-03 00:00:00+00'"}
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
            chosen = chance.sample(keys, min(len(keys), 3))
            expected[resource.name] = set()
            for place, value in enumerate(chosen):
                where = f"WHERE CAST({key} AS VARCHAR) = '{value}'"
                if place == 1:
                    # A parent that is gone takes its children out of what can be verified.
                    if any(child.parent == resource.name for child in platform_named(name).resources):
                        continue
                    tamper(warehouse_file, f"DELETE FROM {table} {where}")
                    expected[resource.name].add(("missing", (value,), ()))
                    continue
                column, kind = chance.choice(columns)
                while any(child.parent == resource.name for child in platform_named(name).resources) and (
                    column in ("slug", "organization")
                ):
                    column, kind = chance.choice(columns)
                new = other[kind] or f'CASE WHEN "{column}" THEN FALSE ELSE TRUE END'
                tamper(warehouse_file, f'UPDATE {table} SET "{column}" = {new} {where}')
                expected[resource.name].add(("changed", (value,), (column,)))
        found = verified(name)
        assert {
            table: {(str(f.kind), tuple(map(str, f.key.values())), f.columns) for f in one.examples}
            for table, one in found.items()
        } == expected
        assert {table: one.differences for table, one in found.items()} == {t: len(e) for t, e in expected.items()}


@pytest.mark.parametrize("name", PLATFORMS)
def test_a_fix_heals_everything_and_the_next_verification_and_sync_find_nothing(
    name: str, server: SandboxServer, sync_platform: Sync, warehouse_file: Path
) -> None:
    sync_platform(name)
    platform = platform_named(name)
    for resource in platform.resources:
        table, key = f"{name}.{resource.name}", platform.primary_key_of(resource)[0]
        text = next(
            column for column, kind in resource.columns.items() if kind == "text" and column not in (key, "slug")
        )
        tamper(
            warehouse_file,
            f"DELETE FROM {table} WHERE {key} = (SELECT min({key}) FROM {table})",
            f"UPDATE {table} SET \"{_snake(text)}\" = 'tampered' WHERE {key} = (SELECT max({key}) FROM {table})",
        )
        if "_deleted_at" in {row[0] for row in query(warehouse_file, f"DESCRIBE {table}")}:
            new = "'made up'" if resource.columns[key] == "text" else "-5"
            tamper(warehouse_file, f"INSERT INTO {table} SELECT * REPLACE ({new} AS {key}) FROM {table} LIMIT 1")
    assert not any(one.ok for table, one in verified(name).items() if platform.resource(table).parent is None)
    fixed = verified(name, fix=True)
    assert {table: one.ok for table, one in fixed.items()} == dict.fromkeys(fixed, True)
    assert all(one.ok and one.fixed is None for one in verified(name).values())
    expected = expected_rows(server.backend)[name]
    for resource in platform.resources:
        assert differences(warehouse_file, platform, resource, expected[resource.name]) == []
    assert {outcome.rows_loaded for outcome in sync_platform(name).values()} == {0}


def _snake(name: str) -> str:
    """As dlt names the columns of these tables."""
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in name).replace("_i_d", "_id")


def test_a_fix_removes_nothing_on_the_word_of_a_suspiciously_small_answer(
    server: SandboxServer, sync_platform: Sync, warehouse_file: Path
) -> None:
    sync_platform("crm", ["leads"])
    leads = server.backend.tables["crm"]["leads"]
    count = len(leads)
    del leads[1:]
    found = verified("crm", "leads", fix=True)["leads"]
    assert found.fixed is not None and found.fixed.removal_withheld == count - 1 and not found.ok
    assert found.counts[Kind.EXTRA] == count - 1
    assert query(warehouse_file, "SELECT count(*) FROM crm.leads WHERE _deleted_at IS NULL") == [(count,)]


def test_a_row_that_is_newer_than_the_last_sync_is_not_synced_yet(
    server: SandboxServer, sync_platform: Sync, warehouse_file: Path
) -> None:
    sync_platform("crm", ["deals"])
    deal = server.backend.tables["crm"]["deals"][0]
    deal["title"], deal["update_time"] = "Edited", "2026-01-15 08:00:00"
    found = verified("crm", "deals")["deals"]
    assert found.ok and found.counts[Kind.CHANGED] == 0 and found.not_synced_yet[Kind.CHANGED] == 1
    assert found.not_synced_examples[0].key == {"id": deal["id"]}
    deal["update_time"] = "2020-01-15 08:00:00"
    assert not verified("crm", "deals")["deals"].ok


def test_what_cannot_be_read_is_not_verified_and_never_extra(
    server: SandboxServer, sync_platform: Sync, warehouse_file: Path
) -> None:
    sync_platform("ci_analytics")
    server.faults.append(Fault("/v2/builds", status=404, times=None))
    refused = server.backend.tables["ci_analytics"]["organizations"][0]["slug"]
    server.faults.append(Fault(f"/v2/organizations/{refused}/pipelines", status=403, times=None))
    found = verified("ci_analytics")
    assert "404" in str(found["builds"].error) and not found["builds"].ok
    pipelines = found["organizations_pipelines"]
    assert list(pipelines.not_verified) == [refused] and not pipelines.ok and pipelines.differences == 0
    assert found["organizations"].ok and found["analytics_organizations_suites"].ok


def test_what_was_never_loaded_says_so(server: SandboxServer, sync_platform: Sync) -> None:
    found = verified("ci_analytics", "builds")["builds"]
    assert "never loaded" in str(found.error) and not found.ok


def test_a_table_that_was_emptied_by_hand_is_missing_as_a_whole_and_comes_back(
    server: SandboxServer, sync_platform: Sync, warehouse_file: Path
) -> None:
    sync_platform("ci_analytics", ["builds"])
    count = len(expected_rows(server.backend)["ci_analytics"]["builds"])
    tamper(warehouse_file, "DELETE FROM ci_analytics.builds")
    assert verified("ci_analytics", "builds")["builds"].counts[Kind.MISSING] == count
    assert verified("ci_analytics", "builds", fix=True)["builds"].ok
    assert query(warehouse_file, "SELECT count(*) FROM ci_analytics.builds") == [(count,)]


def test_a_row_that_two_parents_list_may_name_either(
    server: SandboxServer, sync_platform: Sync, warehouse_file: Path
) -> None:
    """But no third one."""
    pipelines = server.backend.tables["ci_analytics"]["organizations_pipelines"]
    first, second, *_ = pipelines
    shared = pipelines[first][0]
    pipelines[second].append(dict(shared))
    sync_platform("ci_analytics", ["organizations", "organizations_pipelines"])
    table = "ci_analytics.organizations_pipelines"
    for slug, ok in ((first, True), (second, True), ("third", False)):
        tamper(warehouse_file, f"UPDATE {table} SET _organizations_slug = '{slug}' WHERE id = '{shared['id']}'")
        assert verified("ci_analytics", "organizations_pipelines")["organizations_pipelines"].ok is ok


def test_rows_before_start_date_are_left_alone(
    server: SandboxServer, sync_platform: Sync, warehouse_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They were loaded before it was set; neither missing, nor extra, nor read again."""
    sync_platform("ci_analytics", ["builds"])
    sync_platform("device_management", ["activities"])
    moment = (server.backend.now - timedelta(days=2)).isoformat()
    monkeypatch.setenv("SOURCES__CI_ANALYTICS__START_DATE", moment)
    monkeypatch.setenv("SOURCES__DEVICE_MANAGEMENT__START_DATE", moment)
    for name, table in (("ci_analytics", "builds"), ("device_management", "activities")):
        found = verified(name, table)[table]
        assert found.ok and 0 < found.rows_served < len(expected_rows(server.backend)[name][table])


def test_a_budget_of_requests_ends_the_reading_and_the_next_one_goes_on(
    server: SandboxServer, sync_platform: Sync, warehouse_file: Path
) -> None:
    """Part of a list tells of what was read, never of what is extra; parents take their turns."""
    sync_platform("crm", ["deals", "leads", "deal_products"])
    tamper(warehouse_file, "UPDATE crm.deal_products SET name = 'tampered'")
    rows = len(expected_rows(server.backend)["crm"]["deal_products"])
    found, start, turns = 0, None, 0
    while True:
        budget = Budget(25)
        firsts = {"deal_products": start} if start else {}
        one = verified("crm", "deal_products", budget=budget, first_parents=firsts)["deal_products"]
        assert one.requests <= 27 and one.counts[Kind.EXTRA] == 0
        found, start, turns = found + one.counts[Kind.CHANGED], one.next_parent, turns + 1
        if start is None or turns * 25 >= one.parents_known:
            break
    assert turns > 2 and found >= rows
    assert verified("crm", "deals", "leads", budget=Budget(1)).keys() == {"deals"}


def test_part_of_a_list_says_nothing_of_extra_rows(
    server: SandboxServer, sync_platform: Sync, warehouse_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync_platform("crm", ["leads"])
    monkeypatch.setenv("SOURCES__CRM__PAGE_SIZE", "5")
    one = verified("crm", "leads", budget=Budget(2))["leads"]
    assert not one.complete and one.differences == 0 and 0 < one.rows_served < one.rows_in_table


def test_a_scope_narrows_what_is_verified(
    server: SandboxServer, sync_platform: Sync, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync_platform("error_tracking")
    organization = expected_rows(server.backend)["error_tracking"]["projects"][0]["organization"]["slug"]
    monkeypatch.setenv("SOURCES__ERROR_TRACKING__ORGANIZATION", organization)
    found = verified("error_tracking")
    assert all(one.ok for one in found.values()) and found["releases"].parents_known == 1


def test_postgres_is_compared_and_mended_as_duckdb_is(
    server: SandboxServer, sync_platform: Sync, monkeypatch: pytest.MonkeyPatch
) -> None:
    import psycopg2

    with postgres_server() as settings:
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        for name in ("crm", "error_tracking"):
            sync_platform(name)
            assert {table: one.ok for table, one in verified(name).items()} == {
                resource.name: True for resource in platform_named(name).resources
            }
        connection = psycopg2.connect(settings["DESTINATION__POSTGRES__CREDENTIALS"])
        with connection, connection.cursor() as cursor:
            cursor.execute("UPDATE crm.leads SET title = 'x' WHERE id = (SELECT min(id) FROM crm.leads)")
            cursor.execute(
                "UPDATE crm.deals SET custom_fields = '{\"a\": 1}' WHERE id = (SELECT min(id) FROM crm.deals)"
            )
            cursor.execute(
                "UPDATE crm.deals SET add_time = add_time + interval '1 us' WHERE id = (SELECT max(id) FROM crm.deals)"
            )
            cursor.execute("DELETE FROM crm.roles WHERE id = (SELECT min(id) FROM crm.roles)")
        connection.close()
        found = verified("crm", "leads", "deals", "roles")
        assert [f.columns for one in found.values() for f in one.examples] == [
            ("title",),
            ("custom_fields",),
            ("add_time",),
            (),
        ]
        assert all(one.ok for one in verified("crm", "leads", "deals", "roles", fix=True).values())

"""`verify --fix` corrects what differs, and nothing that a doubtful response suggests."""

from pathlib import Path

import pytest

from platform_assets.declarations import OnRemoval
from platform_assets.platforms import platform_named
from platform_assets.sandbox import SandboxServer, expected_rows
from platform_assets.verification import Kind
from tests.conftest import Sync
from tests.databases import copy_row
from tests.servers.postgres import postgres_server
from tests.tiers import only
from tests.verification.checking import PLATFORMS, tamper, verified
from tests.warehouse_rows import differences, query

pytestmark = pytest.mark.usefixtures("in_either_warehouse")


@pytest.mark.parametrize("name", only([], PLATFORMS, slow=["load_testing"]))
def test_a_fix_corrects_everything_and_the_next_verification_and_sync_find_nothing(
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
        if resource.removal_policy is OnRemoval.SOFT_DELETE:
            new = "'made up'" if resource.columns[key] == "text" else "-5"
            copy_row(warehouse_file, table, **{key: new})
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


def test_a_fix_removes_nothing_after_a_suspiciously_small_response(
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


def test_a_table_emptied_by_hand_is_reported_missing_and_restored(
    server: SandboxServer, sync_platform: Sync, warehouse_file: Path
) -> None:
    sync_platform("ci_analytics", ["builds"])
    count = len(expected_rows(server.backend)["ci_analytics"]["builds"])
    tamper(warehouse_file, "DELETE FROM ci_analytics.builds")
    assert verified("ci_analytics", "builds")["builds"].counts[Kind.MISSING] == count
    assert verified("ci_analytics", "builds", fix=True)["builds"].ok
    assert query(warehouse_file, "SELECT count(*) FROM ci_analytics.builds") == [(count,)]


@pytest.mark.slow
def test_postgres_is_compared_and_fixed_like_duckdb(
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

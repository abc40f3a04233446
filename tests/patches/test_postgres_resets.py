"""A statement that fails leaves its connection the locks by which loads exclude each other."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from dlt.destinations.exceptions import DatabaseUndefinedRelation
from dlt.destinations.sql_client import SqlClientBase

from platform_assets.patches.postgres_resets import keep_locks
from platform_assets.warehouse import open_warehouse
from platform_assets.warehouse.backends.advisory_locks import lock
from tests.servers.postgres import query
from tests.sync.shop import SHOP

LOCKS = """
    SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""


def locks(settings: Mapping[str, str]) -> int:
    """How many advisory locks are held in the test's database."""
    return query(settings, LOCKS)[0][0]


@pytest.fixture
def dlt_client(in_postgres: Mapping[str, str]) -> Callable[[], SqlClientBase[Any]]:
    """Makes a client as dlt has it."""
    with open_warehouse(SHOP) as warehouse:
        return lambda: warehouse._pipeline.sql_client()


def left_after_a_failure(client: SqlClientBase[Any], settings: Mapping[str, str]) -> int:
    """How many locks of two are left after a statement that failed."""
    with client:
        lock(client.native_connection, "shop", 10)
        lock(client.native_connection, "shop/words", 10)
        with pytest.raises(DatabaseUndefinedRelation):
            client.execute_sql("SELECT 1 FROM missing")
        assert client.execute_sql("SELECT 1") == [(1,)]
        return locks(settings)


def test_upstream_still_lets_locks_go(
    dlt_client: Callable[[], SqlClientBase[Any]], in_postgres: Mapping[str, str]
) -> None:
    assert left_after_a_failure(dlt_client(), in_postgres) == 0, "platform_assets/patches/postgres_resets.py can go"


def test_locks_are_kept(dlt_client: Callable[[], SqlClientBase[Any]], in_postgres: Mapping[str, str]) -> None:
    client = dlt_client()
    keep_locks(client)
    assert left_after_a_failure(client, in_postgres) == 2


def test_a_failed_transaction_is_undone_and_the_next_statement_stands_alone(
    dlt_client: Callable[[], SqlClientBase[Any]], in_postgres: Mapping[str, str]
) -> None:
    client = dlt_client()
    keep_locks(client)
    with client:
        client.execute_sql("CREATE TABLE public.kept (id int)")
        with pytest.raises(DatabaseUndefinedRelation), client.begin_transaction():
            client.execute_sql("INSERT INTO public.kept VALUES (1)")
            client.execute_sql("SELECT 1 FROM missing")
        client.execute_sql("INSERT INTO public.kept VALUES (2)")
        assert query(in_postgres, "SELECT id FROM public.kept") == [(2,)], "nobody has to commit it"


def test_a_session_that_finds_no_table_still_holds_its_platform(in_postgres: Mapping[str, str]) -> None:
    with open_warehouse(SHOP) as warehouse:
        for alone in (False, True):
            with warehouse.session(alone=alone) as session:
                assert not session.has_table("words")
                assert locks(in_postgres) == 1

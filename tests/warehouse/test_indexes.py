"""The indexes by which a landing finds its rows in Postgres: what uses them, and that they come by themselves."""

import json
import random
import re
import string
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from platform_assets.configuration.platform_settings import Settings
from platform_assets.http.client import ApiClient
from platform_assets.sync import Selection, sync
from platform_assets.warehouse import open_warehouse
from tests.servers.postgres import CREDENTIALS, logged, query
from tests.sync.shop import PARTS, SHOP, Shop

SETTINGS = Mapping[str, str]
ROWS = 30_000
FILL = (
    """INSERT INTO shop.parts (id, title, _words_id, _dlt_id, _loaded_at)
       SELECT n, 'part', 'w' || n / 10, md5(n::text), now() - interval '1 day'
       FROM generate_series(100::bigint, %s) n""",
    """INSERT INTO shop.pairs ("left", "right", _dlt_id, _loaded_at)
       SELECT mod(n, 7), 'pair ' || n, md5(n::text), now() - interval '1 day'
       FROM generate_series(100::bigint, %s) n""",
    """INSERT INTO shop._sync_state (resource, parent, parent_id, partition_key, status)
       SELECT 'others', 'w' || n, 'w' || n, 'w' || n, 'ok' FROM generate_series(100::bigint, %s) n""",
)
CONTENTS = """
    UPDATE shop._sync_tables SET row_count = (SELECT count(*) FROM shop.{0}),
        newest_loaded_at = (SELECT max(_loaded_at) FROM shop.{0}) WHERE resource = '{0}'"""
INDEXES = "SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'shop' AND starts_with(indexname, '_lookup_')"


@pytest.fixture
def shop(in_postgres: SETTINGS) -> Iterator[Shop]:
    """A shop with one word, its parts, and pairs, that have landed once."""
    with Shop() as server:
        serve(server, "first")
        server.answers["/words"] = b'[{"id": "a", "title": "word"}]'
        landed(server, "words")
        landed(server, "parts", "pairs")
        yield server


def serve(shop: Shop, title: str, parts: int = 20, **more: Any) -> None:
    shop.answers["/words/a/parts"] = json.dumps([{"id": n, "title": title, **more} for n in range(parts)]).encode()
    shop.answers["/pairs"] = json.dumps([{"left": 1, "right": f"{title} {n}"} for n in range(parts)]).encode()


def landed(shop: Shop, *names: str) -> None:
    outcomes = shop.sync(*names)
    assert all(outcomes[name].ok and outcomes[name].reset is None for name in names), outcomes


def definitions(settings: SETTINGS) -> dict[str, set[str]]:
    """Table -> what its indexes have."""
    found: dict[str, set[str]] = {}
    for table, definition in query(settings, INDEXES):
        found.setdefault(table, set()).add(definition.partition(" USING btree ")[2])
    return found


def sequential(settings: SETTINGS, statements: list[str], table: str) -> tuple[list[str], int]:
    """Those of the statements about some rows of a table that read all of it, and how many are about some.

    The table of the rows that wait, which is `s` in them, is read whole.
    """
    found, count = [], 0
    for statement in statements:
        planned = re.sub(r'"shop_load_[0-9a-f]{8}"', '"staged"', statement)
        if f'"{table}"' in planned and (" WHERE " in planned):
            count += 1
            plan = "\n".join(row for (row,) in query(settings, f"EXPLAIN {planned.replace('%', '%%')}"))
            found += [f"{statement[:200]}\n{plan}"] if re.search(rf"Seq Scan on {table}(?! s )", plan) else []
    return found, count


def test_no_statement_about_some_rows_reads_a_whole_table(shop: Shop, in_postgres: SETTINGS) -> None:
    for statement in FILL:
        query(in_postgres, statement, ROWS)
    for table in ("parts", "pairs"):
        query(in_postgres, CONTENTS.format(table))
    query(in_postgres, "ANALYZE")
    serve(shop, "second", parts=18)
    with logged(in_postgres, "log_statement = 'all'") as entries:
        outcome = shop.sync("parts", partitions=frozenset(["a"]))["parts"]
    assert (outcome.rows_loaded, outcome.deleted, outcome.reset) == (18, 2, None)
    query(in_postgres, "CREATE SCHEMA staged")
    query(in_postgres, "CREATE TABLE staged.parts AS SELECT * FROM shop.parts WHERE _words_id = 'a'")
    query(in_postgres, "ANALYZE staged.parts")
    statements = [entry.partition("statement: ")[2] for entry in entries]
    statements = [one for one in statements if one.startswith(("SELECT", "DELETE", "UPDATE")) and "pg_" not in one]
    # One parent among few of its resource, and among many.
    by_parent = [one.replace("'parts'", "'others'") for one in statements if '"parent" IN' in one]
    for table, about, at_least in (("parts", statements, 6), ("_sync_state", [*statements, *by_parent], 7)):
        reading, count = sequential(in_postgres, about, table)
        assert not reading, "\n\n".join(reading)
        assert count >= at_least, statements


def test_tables_without_indexes_get_them_with_the_next_load(shop: Shop, in_postgres: SETTINGS) -> None:
    expected = {
        "parts": {"(id)", "(hashtextextended((_words_id)::text, (0)::bigint))", "(_dlt_id)"},
        "pairs": {'("left", hashtextextended(("right")::text, (0)::bigint))', "(_dlt_id)"},
        "words": {"(hashtextextended((id)::text, (0)::bigint))", "(_dlt_id)"},
        "_sync_state": {
            "(resource, hashtextextended((parent)::text, (0)::bigint))",
            "(resource) WHERE ((status)::text = 'failed'::text)",
        },
    }
    assert definitions(in_postgres) == expected
    for (name,) in query(in_postgres, INDEXES.replace("tablename, indexdef", "indexname")):
        query(in_postgres, f"DROP INDEX shop.{name}")
    landed(shop, "parts", "pairs")
    assert definitions(in_postgres) == {}, "a sync that lands nothing does not look for them"
    serve(shop, "second")
    landed(shop, "parts", "pairs")
    assert definitions(in_postgres) == {name: found for name, found in expected.items() if name != "words"}


def test_a_key_and_a_parent_that_are_too_long_for_an_index_land(shop: Shop, in_postgres: SETTINGS) -> None:
    rng = random.Random(17)
    long = "".join(rng.choice(string.ascii_letters + string.digits) for _ in range(4_000))
    shop.answers["/pairs"] = json.dumps([{"left": 1, "right": f"{long}{n}"} for n in range(3)]).encode()
    shop.answers["/words"] = json.dumps([{"id": "a", "title": "word"}, {"id": long, "title": "word"}]).encode()
    shop.answers[f"/words/{long}/parts"] = b'[{"id": 4711}]'
    landed(shop, "words", "pairs")
    landed(shop, "parts")
    shop.answers["/pairs"] = json.dumps([{"left": 1, "right": f"{long}{n}", "more": n} for n in range(3)]).encode()
    shop.answers[f"/words/{long}/parts"] = b'[{"id": 4711, "title": "second"}]'
    landed(shop, "parts", "pairs")
    assert query(in_postgres, 'SELECT count(*), count(more) FROM shop.pairs WHERE length("right") > 4000') == [(3, 3)]
    assert query(in_postgres, "SELECT title, _words_id FROM shop.parts WHERE id = 4711") == [("second", long)]
    recorded = "SELECT count(*) FROM shop._sync_state WHERE resource = 'parts' AND parent = %s"
    assert query(in_postgres, recorded, long) == [(1,)]


@pytest.mark.slow
def test_a_table_that_was_dropped_renamed_or_read_in_full_has_its_indexes(shop: Shop, in_postgres: SETTINGS) -> None:
    before = definitions(in_postgres)
    query(in_postgres, "DROP TABLE shop.parts")
    query(in_postgres, "ALTER TABLE shop.pairs RENAME TO old_pairs")
    assert all(outcome.ok for outcome in shop.sync("parts", "pairs").values())
    assert query(in_postgres, "SELECT count(*) FROM shop.pairs") == [(20,)]
    found = definitions(in_postgres)
    assert {name: found[name] for name in before} == before
    assert shop.sync("parts", full_refresh=True)["parts"].ok
    assert {name: definitions(in_postgres)[name] for name in before} == before


@pytest.mark.slow
def test_an_index_that_was_not_made_to_its_end_is_made_again(shop: Shop, in_postgres: SETTINGS) -> None:
    query(in_postgres, "UPDATE pg_index SET indisvalid = false WHERE indrelid = 'shop.parts'::regclass")
    serve(shop, "second")
    landed(shop, "parts")
    assert query(in_postgres, "SELECT bool_and(indisvalid) FROM pg_index WHERE indrelid = 'shop.parts'::regclass") == [
        (True,)
    ]


@pytest.mark.slow
def test_another_primary_key_has_another_index_and_that_of_the_former_goes(shop: Shop, in_postgres: SETTINGS) -> None:
    other = replace(PARTS, primary_key=("id", "title"))
    platform = replace(SHOP, resources=tuple(other if one.name == "parts" else one for one in SHOP.resources))
    serve(shop, "second")
    settings = Settings(base_url=shop.url, token="t0ken", backoff_factor=0.0)
    with open_warehouse(platform) as warehouse, ApiClient(platform, settings) as client:
        (outcome,) = sync(client, warehouse, Selection(("parts",)))
    assert outcome.ok, outcome
    found = definitions(in_postgres)["parts"]
    assert "(id)" not in found and "(id, hashtextextended((title)::text, (0)::bigint))" in found


@pytest.mark.slow
def test_a_user_who_may_not_change_the_tables_lands_without_indexes(
    shop: Shop, in_postgres: SETTINGS, monkeypatch: pytest.MonkeyPatch
) -> None:
    for (name,) in query(in_postgres, INDEXES.replace("tablename, indexdef", "indexname")):
        query(in_postgres, f"DROP INDEX shop.{name}")
    database = in_postgres[CREDENTIALS].rpartition("/")[2]
    user = f"loader_of_{database}"
    for statement in (
        f"CREATE ROLE {user} LOGIN",
        f"GRANT CREATE ON DATABASE {database} TO {user}",
        f"GRANT USAGE ON SCHEMA shop TO {user}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA shop TO {user}",
    ):
        query(in_postgres, statement)
    monkeypatch.setenv(CREDENTIALS, in_postgres[CREDENTIALS].replace("postgres:unused", f"{user}:unused"))
    serve(shop, "second")
    landed(shop, "parts")
    assert query(in_postgres, "SELECT DISTINCT title FROM shop.parts") == [("second",)]
    assert definitions(in_postgres) == {}

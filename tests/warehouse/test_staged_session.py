"""Loads of one platform into Postgres at the same time: what they exclude each other from, and what they do not.

A load is held up at a chosen moment by the database itself: a trigger of the test waits there for a lock that the test
holds.
"""

import json
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from platform_assets.sync import ResourceOutcome
from platform_assets.warehouse import WarehouseError, open_warehouse
from platform_assets.warehouse.staged_session import StagedSession
from tests.forkserver import processes
from tests.servers.postgres import connection, query
from tests.sync.shop import SHOP, Shop

SETTINGS = Mapping[str, str]
# Of the lock that the triggers of these tests wait for.
GATE = 4711
WHILE_STAGED = f"""
    CREATE FUNCTION public.wait() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
        IF to_regclass('public.held') IS NOT NULL THEN PERFORM pg_advisory_xact_lock_shared({GATE}); END IF;
    END $$;
    CREATE EVENT TRIGGER held ON ddl_command_end WHEN TAG IN ('CREATE SCHEMA') EXECUTE FUNCTION public.wait()"""
WHILE_MOVED = f"""
    CREATE FUNCTION public.wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF to_regclass('public.held') IS NOT NULL THEN PERFORM pg_advisory_xact_lock_shared({GATE}); END IF;
        RETURN NULL;
    END $$;
    CREATE TRIGGER held AFTER INSERT ON shop.parts FOR EACH STATEMENT EXECUTE FUNCTION public.wait()"""

WHILE_MADE = WHILE_STAGED.replace("CREATE SCHEMA", "CREATE TABLE")


class Gate:
    """Holds up the next load that comes to the trigger `at`, until it is opened."""

    def __init__(self, settings: SETTINGS, opened: Any) -> None:
        self._settings = settings
        self._opened = opened

    def close(self, at: str) -> None:
        query(self._settings, "CREATE TABLE public.held (held int)")
        query(self._settings, at)
        self._execute(f"SELECT pg_advisory_lock({GATE})")

    def reached(self) -> None:
        """Wait until a load is held up. Loads that come later are not."""
        self._until(f"objid = {GATE} AND NOT granted")
        query(self._settings, "DROP TABLE public.held")

    def waiting(self) -> None:
        """Wait until another load waits for a lock of ours."""
        self._until(f"objid <> {GATE} AND NOT granted")

    def open(self) -> None:
        self._execute(f"SELECT pg_advisory_unlock({GATE})")

    def left(self) -> None:
        """Wait until the server has noticed that its client was killed."""
        self._until("true", expected=False)

    def _until(self, condition: str, *, expected: bool = True) -> None:
        """Wait until there is an advisory lock with that condition, or none."""
        deadline = time.monotonic() + 30
        ours = "locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        sql = f"SELECT 1 FROM pg_locks WHERE {ours} AND {condition}"
        while bool(query(self._settings, sql)) != expected:
            assert time.monotonic() < deadline, "no load came there, or it did not end"
            time.sleep(0.02)

    def _execute(self, sql: str) -> None:
        with self._opened.cursor() as cursor:
            cursor.execute(sql)


@pytest.fixture
def gate(in_postgres: SETTINGS) -> Iterator[Gate]:
    with connection(in_postgres) as opened:
        yield Gate(in_postgres, opened)


@pytest.fixture
def shop(in_postgres: SETTINGS) -> Iterator[Shop]:
    """A shop with two words, each with two parts, of which the first load has made the tables."""
    with Shop() as server:
        serve(server, ["a", "b"], title="first")
        assert server.sync("words")["words"].ok and server.sync("parts")["parts"].ok
        yield server


def serve(shop: Shop, words: list[str], *, title: str, parts: int = 2) -> None:
    shop.answers["/words"] = json.dumps([{"id": word, "title": title} for word in words]).encode()
    for word in words:
        serve_parts(shop, word, [{"id": number, "title": f"{title} {word}"} for number in ids(word, parts)])


def serve_parts(shop: Shop, word: str, parts: list[dict[str, Any]]) -> None:
    shop.answers[f"/words/{word}/parts"] = json.dumps(parts).encode()


def ids(word: str, parts: int) -> list[int]:
    """Ids that no other word's parts have."""
    return [int.from_bytes(word.encode()) * 1000 + number for number in range(parts)]


def titles(settings: SETTINGS) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for word, title in query(settings, "SELECT _words_id, title FROM shop.parts WHERE _deleted_at IS NULL"):
        found.setdefault(word, set()).add(title)
    return found


@contextmanager
def syncing(shop: Shop, word: str) -> Iterator[Future[dict[str, ResourceOutcome]]]:
    """A sync of one word's parts in a thread."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(shop.sync, "parts", partitions=frozenset([word]))


def staging_schemas(settings: SETTINGS) -> list[str]:
    return [name for (name,) in query(settings, "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'shop_load%'")]


def test_another_partition_lands_while_one_is_landing(shop: Shop, gate: Gate, in_postgres: SETTINGS) -> None:
    serve(shop, ["a", "b"], title="second")
    gate.close(WHILE_STAGED)
    with syncing(shop, "a") as slow:
        gate.reached()
        assert shop.sync("parts", partitions=frozenset(["b"]))["parts"].ok
        assert titles(in_postgres) == {"a": {"first a"}, "b": {"second b"}}
        gate.open()
        assert slow.result(60)["parts"].ok
    assert titles(in_postgres) == {"a": {"second a"}, "b": {"second b"}}
    assert shop.sync("parts")["parts"].reset is None, "what the table holds is on record"
    assert staging_schemas(in_postgres) == []


def test_another_resource_lands_while_one_moves_its_rows(shop: Shop, gate: Gate, in_postgres: SETTINGS) -> None:
    serve(shop, ["a", "b"], title="second")
    gate.close(WHILE_MOVED)
    with syncing(shop, "a") as slow:
        gate.reached()
        assert shop.sync("words")["words"].ok
        assert titles(in_postgres)["a"] == {"first a"}, "nothing is seen of a load before it is whole"
        gate.open()
        assert slow.result(60)["parts"].ok
    assert query(in_postgres, "SELECT DISTINCT title FROM shop.words") == [("second",)]


def test_a_load_of_rows_that_another_run_has_overtaken_is_read_again(
    shop: Shop, gate: Gate, in_postgres: SETTINGS
) -> None:
    """It found nobody before it when it began to land."""
    serve(shop, ["a"], title="second")
    gate.close(WHILE_STAGED)
    with syncing(shop, "a") as early:
        gate.reached()
        serve(shop, ["a"], title="third", parts=3)
        assert shop.sync("parts", partitions=frozenset(["a"]))["parts"].rows_loaded == 3
        gate.open()
        outcome = early.result(60)["parts"]
    assert outcome.ok and outcome.rows_loaded == 0, "what it had read first was not landed"
    assert titles(in_postgres)["a"] == {"third a"}
    assert query(in_postgres, "SELECT count(*), count(DISTINCT id) FROM shop.parts WHERE _words_id = 'a'") == [(3, 3)]


def test_a_row_that_two_partitions_bring_at_once_is_there_once(shop: Shop, gate: Gate, in_postgres: SETTINGS) -> None:
    for word in ("a", "b"):
        serve_parts(shop, word, [{"id": 7, "title": f"of {word}"}])
    gate.close(WHILE_MOVED)
    with syncing(shop, "a") as first:
        gate.reached()
        with syncing(shop, "b") as second:
            gate.waiting()
            gate.open()
            assert first.result(60)["parts"].ok and second.result(60)["parts"].ok
    assert query(in_postgres, "SELECT title FROM shop.parts WHERE id = 7") == [("of b",)]


@pytest.mark.slow
def test_a_load_that_makes_an_index_waits_for_the_loads_before_it(
    shop: Shop, gate: Gate, in_postgres: SETTINGS
) -> None:
    indexes = "SELECT indexname FROM pg_indexes WHERE tablename = 'parts' AND starts_with(indexname, '_lookup_')"
    before = query(in_postgres, indexes)
    serve(shop, ["a", "b"], title="second")
    gate.close(WHILE_STAGED)
    with syncing(shop, "a") as early:
        gate.reached()
        for (name,) in before:
            query(in_postgres, f"DROP INDEX shop.{name}")
        with syncing(shop, "b") as late:
            gate.waiting()
            assert query(in_postgres, indexes) == []
            gate.open()
            assert early.result(60)["parts"].ok and late.result(60)["parts"].ok
    assert titles(in_postgres) == {"a": {"second a"}, "b": {"second b"}}
    assert sorted(query(in_postgres, indexes)) == sorted(before)


def test_a_change_of_the_schema_waits_for_the_loads_before_it(shop: Shop, gate: Gate, in_postgres: SETTINGS) -> None:
    serve(shop, ["a"], title="second")
    serve_parts(shop, "b", [{"id": number, "title": "second b", "colour": "red"} for number in ids("b", 2)])
    gate.close(WHILE_STAGED)
    with syncing(shop, "a") as before:
        gate.reached()
        with syncing(shop, "b") as changing:
            gate.waiting()
            columns = "SELECT 1 FROM information_schema.columns WHERE table_name = 'parts' AND column_name = 'colour'"
            assert query(in_postgres, columns) == []
            gate.open()
            assert before.result(60)["parts"].ok and changing.result(60)["parts"].ok
    assert titles(in_postgres) == {"a": {"second a"}, "b": {"second b"}}
    assert query(in_postgres, "SELECT _words_id, count(colour) FROM shop.parts GROUP BY 1 ORDER BY 1") == [
        ("a", 0),
        ("b", 2),
    ]


def test_the_first_load_excludes_the_others_while_it_makes_the_tables(gate: Gate, in_postgres: SETTINGS) -> None:
    """It finds out by statements that fail which tables are missing."""
    with Shop() as server:
        serve(server, ["a", "b"], title="first")
        gate.close(WHILE_MADE)
        with ThreadPoolExecutor(2) as pool:
            first = pool.submit(server.sync, "words")
            gate.reached()
            second = pool.submit(server.sync, "words")
            try:
                gate.waiting()
            finally:
                gate.open()
            assert first.result(60)["words"].ok and second.result(60)["words"].ok
    assert query(in_postgres, "SELECT id FROM shop.words ORDER BY 1") == [("a",), ("b",)]
    assert query(in_postgres, "SELECT count(*) FROM shop._sync_version") == [(1,)]


def test_a_load_whose_locks_are_lost_writes_nothing(
    shop: Shop, in_postgres: SETTINGS, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As behind a pooler that gives each transaction another connection to the server."""
    serve(shop, ["a", "b"], title="second")
    move = StagedSession.load

    def load_and_lose(self: StagedSession, *args: Any) -> None:
        move(self, *args)
        self._client.execute_sql("SELECT pg_advisory_unlock_all()")

    monkeypatch.setattr(StagedSession, "load", load_and_lose)
    with pytest.raises(WarehouseError, match="the lock on shop was lost, nothing was written"):
        shop.sync("parts")
    assert titles(in_postgres) == {"a": {"first a"}, "b": {"first b"}}
    monkeypatch.undo()
    for name, value in in_postgres.items():
        monkeypatch.setenv(name, value)
    assert shop.sync("parts")["parts"].rows_loaded == 4
    assert staging_schemas(in_postgres) == []


def test_loads_that_bring_new_fields_at_once_keep_both(in_postgres: SETTINGS) -> None:
    """Also the first loads of all, which make the tables."""
    words = [f"w{number}" for number in range(4)]
    with Shop() as shop:
        serve(shop, words, title="first")
        shop.sync("words")
        for word in words:
            serve_parts(shop, word, [{"id": number, f"new_{word}": word} for number in ids(word, 2)])
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda word: shop.sync("parts", partitions=frozenset([word]))["parts"], words))
    assert all(outcome.ok for outcome in found), [outcome.error for outcome in found]
    columns = ", ".join(f"count(new_{word})" for word in words)
    assert query(in_postgres, f"SELECT count(*), {columns} FROM shop.parts") == [(8, 2, 2, 2, 2)]
    assert query(in_postgres, "SELECT count(*), count(DISTINCT version_hash) FROM shop._dlt_version")[0][0] <= 6


def test_rows_are_dropped_only_while_nobody_loads(shop: Shop, gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE__LOCK_WAIT", "0.2")
    with open_warehouse(SHOP) as one, open_warehouse(SHOP) as other:
        with one.session(), pytest.raises(WarehouseError, match="kept the lock on shop"):
            other.start_over()
        with one.session(), other.session():
            pass
        other.start_over()
        with one.session() as session:
            assert not session.has_table("parts")


def load_partitions(url: str, words: list[str], environment: dict[str, str]) -> None:
    """Syncs of some words' parts one after the other, run in another process."""
    os.environ.update(environment)
    tempfile.tempdir = None  # the process that this one was forked from may have cached one that is gone
    shop = Shop.__new__(Shop)
    shop.url = url
    for word in words:
        if not shop.sync("parts", partitions=frozenset([word]))["parts"].ok:
            raise SystemExit(word)


@pytest.mark.parametrize("at", [WHILE_STAGED, WHILE_MOVED], ids=["staged", "moved"])
def test_a_killed_load_leaves_all_as_it_was_and_the_next_one_completes(
    at: str, shop: Shop, gate: Gate, in_postgres: SETTINGS
) -> None:
    serve(shop, ["a", "b"], title="second", parts=3)
    state = "SELECT * FROM shop._sync_state ORDER BY resource, parent"
    before = query(in_postgres, state)
    gate.close(at)
    process = processes.Process(target=load_partitions, args=(shop.url, ["a"], dict(in_postgres)))
    process.start()
    gate.reached()
    process.kill()
    process.join()
    gate.open()
    gate.left()
    assert titles(in_postgres) == {"a": {"first a"}, "b": {"first b"}} and query(in_postgres, state) == before
    assert len(staging_schemas(in_postgres)) == 1
    outcome = shop.sync("parts")["parts"]
    assert outcome.ok and outcome.reset is None
    assert titles(in_postgres) == {"a": {"second a"}, "b": {"second b"}}
    assert staging_schemas(in_postgres) == [], "what the killed one has left is gone"


@pytest.mark.parametrize(("count", "each"), [(2, 4), pytest.param(4, 25, marks=pytest.mark.long)])
def test_partitions_loaded_by_many_processes_equal_the_source(
    count: int, each: int, shop: Shop, in_postgres: SETTINGS
) -> None:
    words = [f"w{number:03d}" for number in range(count * each)]
    serve(shop, words, title="many", parts=30)
    shop.sync("words")
    running = [
        processes.Process(target=load_partitions, args=(shop.url, words[first::count], dict(in_postgres)))
        for first in range(count)
    ]
    for process in running:
        process.start()
    for process in running:
        process.join(300)
    assert [process.exitcode for process in running] == [0] * count
    expected = sorted((number, word, f"many {word}") for word in words for number in ids(word, 30))
    found = query(in_postgres, "SELECT id, _words_id, title FROM shop.parts WHERE title LIKE 'many%' ORDER BY 1")
    assert found == expected
    states = "SELECT parent, status, rows_loaded FROM shop._sync_state WHERE resource = 'parts' AND parent LIKE 'w%'"
    assert sorted(query(in_postgres, states)) == [(word, "ok", 30) for word in words]
    assert query(in_postgres, "SELECT count(*) FROM shop._sync_tables WHERE resource = 'parts'") == [(1,)]
    assert query(in_postgres, "SELECT count(*) FROM shop._sync_source") == [(1,)]
    again = shop.sync("parts", partitions=frozenset(words))["parts"]
    assert again.ok and again.reset is None and again.rows_loaded == 0

"""Measures one partition of 1,000 rows landing in Postgres, in tables of up to two million rows.

Run `python -m benchmarks.landings`. It starts a server of its own; see docs/scaling.md for what it has shown.
"""

import argparse
import json
import os
import time
from collections.abc import Mapping

from tests.servers.postgres import PostgresServer, logged, query
from tests.sync.shop import Shop

ROWS = 1_000
SIZES = (20_000, 200_000, 2_000_000)
# Syncs measured for each size.
SYNCS = 3
# Milliseconds from which on a statement is shown.
SLOW = 20
FILL = f"""
    INSERT INTO shop.parts (id, title, _words_id, _dlt_id, _loaded_at)
    SELECT n, 'part ' || n, 'w' || n / {ROWS}, md5(n::text), TIMESTAMPTZ '2026-01-01'
    FROM generate_series({ROWS}::bigint, %s) AS n"""
STATE = f"""
    INSERT INTO shop._sync_state (resource, parent, parent_id, partition_key, status, rows_read, rows_loaded,
        attempted_at, succeeded_at)
    SELECT 'parts', 'w' || n, 'w' || n, 'w' || n, 'ok', {ROWS}, {ROWS}, now(), now()
    FROM generate_series(1::bigint, %s) AS n"""
CONTENT = """
    UPDATE shop._sync_tables SET row_count = (SELECT count(*) FROM shop.parts),
        newest_loaded_at = (SELECT max(_loaded_at) FROM shop.parts) WHERE resource = 'parts'"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--statements", action="store_true", help="list the statements that are slow")
    given = parser.parse_args()
    with PostgresServer() as server:
        os.environ.update(server.settings)
        for size in SIZES:
            query(server.settings, "DROP SCHEMA IF EXISTS shop CASCADE")
            with Shop() as shop:
                _fill(shop, server.settings, size)
                seconds = []
                for number in range(SYNCS):
                    _serve(shop, f"change {number}")
                    seconds.append(_landed(shop))
                print(
                    f"{size:>10,} rows: {min(seconds):.2f} s ({', '.join(f'{one:.2f}' for one in seconds)})", flush=True
                )
                if given.statements:
                    _serve(shop, "the last change")
                    with logged(server.settings, f"log_min_duration_statement = {SLOW}") as entries:
                        _landed(shop)
                    print(
                        "\n".join(entry.partition("duration: ")[2][:200] for entry in entries if "duration: " in entry)
                    )


def _fill(shop: Shop, settings: Mapping[str, str], size: int) -> None:
    shop.answers["/words"] = json.dumps([{"id": "w0", "title": "w"}]).encode()
    _serve(shop, "first")
    assert shop.sync("words")["words"].ok and shop.sync("parts")["parts"].ok
    query(settings, FILL, size - 1)
    query(settings, STATE, size // ROWS - 1)
    query(settings, CONTENT)
    query(settings, "ANALYZE")
    query(settings, "VACUUM shop.parts")


def _serve(shop: Shop, title: str) -> None:
    shop.answers["/words/w0/parts"] = json.dumps([{"id": n, "title": title} for n in range(ROWS)]).encode()


def _landed(shop: Shop) -> float:
    began = time.perf_counter()
    outcome = shop.sync("parts", partitions=frozenset(["w0"]))["parts"]
    assert outcome.ok and outcome.rows_loaded == ROWS and outcome.reset is None, outcome
    return time.perf_counter() - began


if __name__ == "__main__":
    main()

"""`python -m tests.simulation`: run new histories for some minutes, or replay one.

--minutes 60            new seeds until the time is up (make simulate MINUTES=60)
--seed 17               this history
--seed 17 --keep 0,4,9  only these steps of this history, as printed for a shrunk one
--warehouse postgres    in a Postgres server that is started for it (make simulate WAREHOUSE=postgres)
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from tests.simulation.history import make
from tests.simulation.play import COUNTED
from tests.simulation.playing import Result, failure_report, play, shrink
from tests.simulation.warehouse import DuckDBFile, Make, PostgresDatabase

# Seconds to look for the shortest history that still fails.
SHRINKING = 240.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seed", type=int)
    parser.add_argument("--keep", default=None)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--first", type=int, default=int(time.time()), help="first seed of --minutes")
    parser.add_argument("--no-shrinking", action="store_true")
    parser.add_argument("--warehouse", choices=("duckdb", "postgres"), default="duckdb")
    given = parser.parse_args()
    with _warehouses(given.warehouse) as make_warehouse:
        if given.seed is not None:
            return _replay(given.seed, given.keep, make_warehouse)
        return _explore(given.first, given.minutes, 0 if given.no_shrinking else SHRINKING, make_warehouse)


@contextmanager
def _warehouses(name: str) -> Iterator[Make]:
    if name == "duckdb":
        yield DuckDBFile
        return
    # Here, since not everyone who simulates has a driver of Postgres.
    from tests.servers.postgres import postgres_server

    with postgres_server() as settings:
        yield partial(PostgresDatabase, server=settings)


def _explore(seed: int, minutes: float, shrinking: float, make_warehouse: Make) -> int:
    counts: Counter[str] = Counter()
    failed = 0
    deadline = time.monotonic() + minutes * 60
    while time.monotonic() < deadline:
        result = play(make(seed), make_warehouse=make_warehouse)
        counts.update(result.counts)
        counts["histories"] += 1
        if result.found:
            failed += 1
            _print_failure(result, shrinking, make_warehouse)
        seed += 1
    print(f"simulation: {counts['histories']} histories, " + ", ".join(f"{counts[name]} {name}" for name in COUNTED))
    return 1 if failed else 0


def _replay(seed: int, keep: str | None, make_warehouse: Make) -> int:
    numbers = None if keep is None else [int(number) for number in keep.split(",") if number.isdecimal()]
    result = play(make(seed), numbers, make_warehouse=make_warehouse)
    print(failure_report(result, numbers, shown=50))
    print("simulation: " + ", ".join(f"{result.counts[name]} {name}" for name in COUNTED))
    return 1 if result.found else 0


def _print_failure(result: Result, seconds: float, make_warehouse: Make) -> None:
    print(failure_report(result), flush=True)
    if seconds:
        kept = shrink(result.history, result, seconds, make_warehouse=make_warehouse)
        shrunk = play(result.history, kept, make_warehouse=make_warehouse)
        print("shrunk:\n" + failure_report(shrunk, kept) + "\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())

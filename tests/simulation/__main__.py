"""`python -m tests.simulation`: run new histories for some minutes, or replay one.

--minutes 60            new seeds until the time is up (make simulate MINUTES=60)
--seed 17               this history
--seed 17 --keep 0,4,9  only these steps of this history, as printed for a shrunk one
"""

import argparse
import sys
import time
from collections import Counter

from tests.simulation.history import make
from tests.simulation.play import COUNTED
from tests.simulation.playing import Result, failure_report, play, shrink

# Seconds to look for the shortest history that still fails.
SHRINKING = 240.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seed", type=int)
    parser.add_argument("--keep", default=None)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--first", type=int, default=int(time.time()), help="first seed of --minutes")
    parser.add_argument("--no-shrinking", action="store_true")
    given = parser.parse_args()
    if given.seed is not None:
        return _replay(given.seed, given.keep)
    counts: Counter[str] = Counter()
    failed = 0
    deadline = time.monotonic() + given.minutes * 60
    seed = given.first
    while time.monotonic() < deadline:
        result = play(make(seed))
        counts.update(result.counts)
        counts["histories"] += 1
        if result.found:
            failed += 1
            _print_failure(result, 0 if given.no_shrinking else SHRINKING)
        seed += 1
    print(f"simulation: {counts['histories']} histories, " + ", ".join(f"{counts[name]} {name}" for name in COUNTED))
    return 1 if failed else 0


def _replay(seed: int, keep: str | None) -> int:
    numbers = None if keep is None else [int(number) for number in keep.split(",") if number.isdecimal()]
    result = play(make(seed), numbers)
    print(failure_report(result, numbers, shown=50))
    print("simulation: " + ", ".join(f"{result.counts[name]} {name}" for name in COUNTED))
    return 1 if result.found else 0


def _print_failure(result: Result, seconds: float) -> None:
    print(failure_report(result), flush=True)
    if seconds:
        kept = shrink(result.history, result, seconds)
        print("shrunk:\n" + failure_report(play(result.history, kept), kept) + "\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())

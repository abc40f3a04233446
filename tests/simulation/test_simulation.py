"""Histories with fixed seeds: in the end the tables equal the API.

`make simulate MINUTES=60` runs new ones. A failure prints the command that replays its history, and the fewest steps
that still show it.
"""

from collections.abc import Callable, Mapping
from functools import partial

import pytest

from tests.simulation.counting import record
from tests.simulation.history import make
from tests.simulation.playing import failure_report, play, shrink
from tests.simulation.warehouse import DuckDBFile, Make, PostgresDatabase
from tests.tiers import only

SEEDS = range(30)
# Short ones. What a history has found before is a test of its own in this folder, so that these need not find it.
SHORT = (13, 16, 20, 24, 27)
# The first is the shortest.
SEEDS_ON_POSTGRES = (13, 16, 20, 27)
# Seconds for shrinking all failures of one session together.
SHRINKING = 90.0


class _Time:
    left = SHRINKING


@pytest.mark.parametrize("seed", only(SHORT[:1], SEEDS, slow=SHORT))
def test_the_tables_end_equal_to_the_api(seed: int, record_property: Callable[[str, object], None]) -> None:
    _play(seed, record_property, DuckDBFile)


@pytest.mark.parametrize("seed", only((), SEEDS_ON_POSTGRES, slow=SEEDS_ON_POSTGRES[:1]))
def test_the_tables_end_equal_to_the_api_on_postgres(
    seed: int, record_property: Callable[[str, object], None], postgres_settings: Mapping[str, str]
) -> None:
    _play(seed, record_property, partial(PostgresDatabase, server=postgres_settings))


def _play(seed: int, record_property: Callable[[str, object], None], make_warehouse: Make) -> None:
    history = make(seed)
    result = play(history, make_warehouse=make_warehouse)
    record(record_property, result.counts)
    if not result.found:
        return
    text = failure_report(result)
    if _Time.left > 0:
        seconds, _Time.left = _Time.left, 0.0
        kept = shrink(history, result, seconds, make_warehouse=make_warehouse)
        text += "\nshrunk:\n" + failure_report(play(history, kept, make_warehouse=make_warehouse), kept)
    pytest.fail(text, pytrace=False)

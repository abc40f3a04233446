"""Histories with fixed seeds: in the end the tables equal the API.

`make simulate MINUTES=60` runs new ones. A failure prints the command that replays its history, and the fewest steps
that still show it.
"""

from collections.abc import Callable

import pytest

from tests.simulation.counting import record
from tests.simulation.history import make
from tests.simulation.playing import failure_report, play, shrink
from tests.tiers import only

SEEDS = range(30)
# Short ones. What a history has found before is a test of its own in this folder, so that these need not find it.
SHORT = (13, 16, 20, 24, 27)
# Seconds for shrinking all failures of one session together.
SHRINKING = 90.0


class _Time:
    left = SHRINKING


@pytest.mark.parametrize("seed", only(SHORT[:1], SEEDS, slow=SHORT))
def test_the_tables_end_equal_to_the_api(seed: int, record_property: Callable[[str, object], None]) -> None:
    history = make(seed)
    result = play(history)
    record(record_property, result.counts)
    if not result.found:
        return
    text = failure_report(result)
    if _Time.left > 0:
        seconds, _Time.left = _Time.left, 0.0
        kept = shrink(history, result, seconds)
        text += "\nshrunk:\n" + failure_report(play(history, kept), kept)
    pytest.fail(text, pytrace=False)

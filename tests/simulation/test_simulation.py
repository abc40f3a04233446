"""Histories under fixed seeds: whatever happens to an API and to its readers, the tables end as the API is.

`make simulate MINUTES=60` plays new ones. A failure prints the command that plays its history again, and the fewest
steps that still show it.
"""

from collections.abc import Callable

import pytest

from tests.simulation.counting import record
from tests.simulation.history import make
from tests.simulation.playing import play, shrink, story

SEEDS = range(30)
SHRINKING = 90.0
"""Seconds that all failures of one session together may take to become shorter."""


class _Time:
    left = SHRINKING


@pytest.mark.parametrize("seed", SEEDS)
def test_the_tables_end_equal_to_the_api(seed: int, record_property: Callable[[str, object], None]) -> None:
    history = make(seed)
    result = play(history)
    record(record_property, result.counts)
    if not result.found:
        return
    text = story(result)
    if _Time.left > 0:
        seconds, _Time.left = _Time.left, 0.0
        kept = shrink(history, result, seconds)
        text += "\nshrunk:\n" + story(play(history, kept), kept)
    pytest.fail(text, pytrace=False)

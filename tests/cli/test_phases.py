"""Every moment of a sync belongs to one phase, and the line of the phases adds up to the whole it begins with."""

import re

from hypothesis import given
from hypothesis import strategies as st

from platform_assets.cli.phases import PhaseClock, phases_line
from platform_assets.progress import Observer, Phase, observed_by, timed


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Watch(Observer):
    def __init__(self, clock: PhaseClock) -> None:
        self.phase = clock.phase


def test_a_moment_belongs_to_the_innermost_phase_also_if_it_fails() -> None:
    clock = Clock()
    phases = PhaseClock(clock)
    clock.now += 1
    try:
        with phases.phase(Phase.DAGSTER):
            clock.now += 2
            with phases.phase(Phase.LOADING):
                clock.now += 4
                raise ValueError
    except ValueError:
        clock.now += 8
    assert phases.now is Phase.OTHER
    spent = {phase: seconds for phase, seconds in phases.seconds().items() if seconds}
    assert spent == {Phase.OTHER: 9, Phase.DAGSTER: 2, Phase.LOADING: 4}


def test_what_is_done_with_the_events_of_a_generator_is_not_its_time() -> None:
    clock, closed = Clock(), []
    phases = PhaseClock(clock)

    def events():
        try:
            for number in range(3):
                clock.now += 1
                yield number
        finally:
            closed.append(True)

    with observed_by(Watch(phases)):
        for number in timed(events(), Phase.MODELS):
            clock.now += 10
            if number == 1:
                break
    assert phases.seconds()[Phase.MODELS] == 2 and phases.seconds()[Phase.OTHER] == 20
    assert closed == [True]


def test_the_line() -> None:
    seconds = {Phase.LOADING: 11.21, Phase.MODELS: 9.83, Phase.CHECKS: 1.36, Phase.DAGSTER: 3.74, Phase.OTHER: 0.01}
    assert phases_line(seconds) == "26.2 s: loading 11.3, models 9.8, checks 1.4, Dagster 3.7"
    assert phases_line(dict.fromkeys(Phase, 0.0)) == "0.0 s"


@given(st.lists(st.floats(0, 10_000), min_size=len(Phase), max_size=len(Phase)))
def test_the_line_adds_up(spent: list[float]) -> None:
    whole, *parts = (
        float(number) for number in re.findall(r"\d+\.\d", phases_line(dict(zip(Phase, spent, strict=True))))
    )
    assert abs(whole - sum(spent)) <= 0.051
    assert round(sum(parts), 1) == whole

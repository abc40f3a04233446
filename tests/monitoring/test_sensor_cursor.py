"""The cursor of a freshness sensor: short and readable, exact enough to decide by, and readable after an upgrade."""

import json
from math import ceil

from hypothesis import given
from hypothesis import strategies as st

from platform_assets.monitoring import freshness
from platform_assets.monitoring.freshness import WHOLE, RunState, SensorState
from platform_assets.monitoring.sensor_cursor import read_cursor, write_cursor
from platform_assets.platforms import all_platforms

NOW = 1_795_364_521.123456
TIMES = st.floats(1, 4e9)
STATES = st.builds(
    SensorState,
    run_key=st.sampled_from(["", "crm:deals=never#1:ab12"]),
    requested_at=TIMES,
    requested=st.lists(st.sampled_from([WHOLE, "acme", "globex/web"]), unique=True),
    attempts=st.dictionaries(
        st.sampled_from([WHOLE, "acme"]), st.tuples(st.integers(1, 9).map(float), TIMES).map(list)
    ),
    loaded_at=TIMES,
    idle_streak=st.integers(0, 99),
    next_probe_at=TIMES,
)


def test_assets_with_one_history_share_an_entry_with_times_for_people() -> None:
    state = SensorState(loaded_at=NOW, idle_streak=2)
    assert write_cursor({"deals": state, "notes": SensorState(), "stages": state}) == (
        '[{"loaded_at": "2026-11-22T16:22:02Z", "idle_streak": 2, "assets": ["deals", "stages"]}]'
    )


def test_after_a_load_of_everything_the_cursor_is_a_few_lines() -> None:
    names = [resource.name for platform in all_platforms() for resource in platform.resources]
    states = {name: SensorState(loaded_at=NOW + number % 3, idle_streak=1) for number, name in enumerate(names)}
    assert len(write_cursor(states)) < 1200


@given(st.dictionaries(st.sampled_from(["deals", "notes", "mail"]), STATES))
def test_nothing_is_lost_but_fractions_of_seconds(states: dict[str, SensorState]) -> None:
    read = read_cursor(write_cursor(states))
    for name, state in states.items():
        found = read[name]
        assert (found.run_key, found.requested, found.idle_streak) == (
            state.run_key,
            state.requested,
            state.idle_streak,
        )
        assert found.loaded_at == ceil(state.loaded_at) and found.next_probe_at == ceil(state.next_probe_at)
        assert found.attempts == {part: [count, ceil(until)] for part, (count, until) in state.attempts.items()}
    assert read_cursor(write_cursor(read)) == read


def test_no_cursor_is_no_memory() -> None:
    assert read_cursor(None) == read_cursor("") == read_cursor(write_cursor({})) == {}


def test_a_cursor_of_the_version_before_keeps_what_is_in_flight_backing_off_and_counted() -> None:
    before = {
        "deals": {"run_key": "k", "requested_at": NOW, "requested": [WHOLE], "loaded_at": NOW, "idle_streak": 3},
        "notes": {"attempts": {WHOLE: [2.0, NOW + 100.5]}, "loaded_at": NOW},
    }
    read = read_cursor(json.dumps(before))
    assert freshness.due(read["deals"], [WHOLE], NOW) == []
    for state in read.values():
        # The load that was counted before the upgrade.
        freshness.record_load(state, NOW, 0)
    assert read["deals"].idle_streak == 3
    assert freshness.due(read["notes"], [WHOLE], NOW + 100) == []
    assert freshness.due(read["notes"], [WHOLE], NOW + 102) == [WHOLE]
    freshness.record_run(read["deals"], RunState.FAILED, [], NOW + 200)
    assert freshness.most_attempts(read["deals"], [WHOLE]) == 1


def test_a_load_is_counted_once_and_the_next_one_as_well() -> None:
    state = SensorState()
    for loaded_at in (NOW, NOW, NOW + 1, NOW + 1):
        freshness.record_load(state, loaded_at, 0)
        state = read_cursor(write_cursor({"deals": state}))["deals"]
    assert state.idle_streak == 2

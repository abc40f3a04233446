"""Keys, values and columns that once changed or mixed, by their numbers in issue 12, section A.

Each runs against the simulation's server and is checked by its oracle. A fault may be worked around or reported as an
error; it must not go unreported.
"""

import pytest

from tests.simulation.history import Faulty, Step, Sync
from tests.simulation.server import Spelling
from tests.simulation.staging import DAY, PAGED, Stage, name_of, no_findings, synced, wait
from tests.tiers import one_in


@pytest.mark.parametrize(
    ("label", "spelling"),
    one_in(
        9,
        [
            *(("device_management/locations", kind) for kind in Spelling.KINDS),
            ("crm/deals", "twice"),
            ("load_testing/projects", "mixed"),
        ],
        slow=3,
    ),
)
def test_13_a_key_is_the_same_in_any_spelling(label: str, spelling: str, stage: Stage) -> None:
    play = stage(label, 4, size=30)
    name = name_of(label)
    play.do(Step("spell", name, what=spelling))
    no_findings(play.sync())
    play.do(Step("spell", name))
    no_findings(play.sync())
    play.do(Step("spell", name, what=spelling))
    play.store.edit(name, play.store.keys(name)[1])
    no_findings(play.sync())
    no_findings(play.settle())


def test_13_ids_beyond_64_bits_stay_distinct(stage: Stage) -> None:
    play = stage("device_management/locations", 2, more=("roles",))
    play.store.insert("locations", key=2**64 + 1)
    play.store.insert("locations", key=2**64 + 2)
    play.sync()
    report = play.reports[0]
    assert not report.raised
    assert report.outcomes["roles"].ok
    locations, rows = report.outcomes["locations"], play.tables()["locations"].live
    assert (locations.error and "locations" in locations.error) or len(rows) == 4


@pytest.mark.parametrize(
    ("spelling", "first"),
    one_in(9, [(spelling, first) for spelling in Spelling.INVALID for first in (True, False)], slow=3),
)
def test_14_an_invalid_key_fails_only_its_resource(spelling: str, first: bool, stage: Stage) -> None:
    play = stage("device_management/locations", 3, more=("roles", "software_products"))
    if not first:
        no_findings(play.sync())
    play.do(Step("spell", "locations", what=spelling))
    play.store.insert("roles")
    outcomes = synced(play).outcomes
    assert "locations" in (outcomes["locations"].error or "")
    assert outcomes["roles"].ok
    assert outcomes["software_products"].ok
    no_findings(play.settle())


@pytest.mark.parametrize("moment", one_in(2, ["9999-12-31T23:59:59-08:00", "0001-01-01T00:00:00+14:00"]))
def test_14_an_out_of_range_date_does_not_fail_a_sync(moment: str, stage: Stage) -> None:
    play = stage("device_management/groups", 3, more=("roles",))
    play.store.edit("groups", play.store.keys("groups")[0], {"updated": moment, "lastEvaluated": moment})
    no_findings(play.sync())
    play.store.edit("groups", play.store.keys("groups")[1])
    no_findings(play.settle())


@pytest.mark.parametrize(
    ("pair", "label"), one_in(4, [(pair, label) for pair in (0, 1) for label in ("crm/leads", "crm/deals")])
)
def test_15_a_field_keeps_its_column_in_any_field_order(pair: int, label: str, stage: Stage) -> None:
    play = stage(label, 3)
    name = name_of(label)
    for turn in range(4):
        play.do(Step("collide", name, turn % 3, what=pair))
        play.do(Step("reorder", name))
        no_findings(play.sync())
        wait(play, DAY)
    no_findings(play.settle())


@pytest.mark.parametrize(
    ("label", "field", "values"),
    one_in(
        5,
        [
            ("device_management/groups", "shared", (2, 0.5, "yes", "")),
            ("device_management/groups", "deviceCount", ("007", "0x1f", "1_000", 2.5, 2**70, True)),
            ("device_management/groups", "lastEvaluated", (1700000000, "2026-13-45T00:00:00Z", True)),
            ("crm/leads", "expected_close_date", ("2026-05-01T23:30:00-05:00", 1700000000, "soon")),
            ("crm/organizations", "annual_revenue", (2**53 + 1, "1e400", "0x1f", True)),
        ],
    ),
)
def test_16_a_value_is_never_changed_to_fit(label: str, field: str, values: tuple[object, ...], stage: Stage) -> None:
    play = stage(label, len(values) + 1)
    name = name_of(label)
    no_findings(play.sync())
    for key, value in zip(play.store.keys(name), values, strict=False):
        play.store.edit(name, key, {field: value})
    no_findings(play.settle())


@pytest.mark.parametrize("label", one_in(4, PAGED))
def test_17_a_server_that_ignores_the_page_position_is_an_error(label: str, stage: Stage) -> None:
    play = stage(label, 9)
    no_findings(play.sync())
    outcome = synced(play, Sync(faults=(Faulty("ignore_offset", name_of(label)),))).outcomes[name_of(label)]
    assert not outcome.ok
    assert play.server.request_counts.total() < 50
    no_findings(play.settle())

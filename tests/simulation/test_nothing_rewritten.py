"""Rows written again without a change, and lists whose end moves, by their numbers in issue 12, section A.

Each runs against the simulation's server and is checked by its oracle. A fault may be worked around or reported as an
error; it must not go unreported.
"""

import pytest

from tests.simulation.findings import rewritten
from tests.simulation.history import Faulty, Sync
from tests.simulation.staging import FILTERED, Stage, name_of, no_findings
from tests.tiers import one_in


@pytest.mark.parametrize(
    "label", one_in(3, ["load_testing/projects", "ci_analytics/organizations_pipelines", "error_tracking/issues"])
)
def test_18_a_row_listed_by_two_parents_is_not_written_again(label: str, stage: Stage) -> None:
    play = stage(label, 3)
    name = name_of(label)
    parents = list(play.store.parents(name))
    for key in play.store.keys(name)[:2]:
        play.store.move(name, key, parents[-1], also=True)
    no_findings(play.sync())
    for _ in range(3):
        no_findings(play.settle())


@pytest.mark.parametrize("label", one_in(5, FILTERED))
def test_18_rows_from_before_1970_are_not_written_again(label: str, stage: Stage) -> None:
    play = stage(label, 0 if "issues" not in label and "events" not in label else 1)
    name = name_of(label)
    parent = next(iter(play.store.parents(name))) if play.store.resources[name].parent else None
    for key in play.store.keys(name):
        play.store.remove(name, key)
    for _ in range(3):
        play.store.insert(name, parent, "ancient")
    no_findings(play.sync())
    before = play.tables()
    no_findings(play.sync())
    no_findings(rewritten(before, play.tables(), play.platform))


@pytest.mark.parametrize(
    ("label", "first"),
    one_in(
        3,
        [
            (label, first)
            for label in ("ci_analytics/organizations", "device_management/locations", "load_testing/tests")
            for first in (True, False)
        ],
    ),
)
def test_21_a_page_limit_lowered_during_a_read_does_not_end_a_list_early(label: str, first: bool, stage: Stage) -> None:
    play = stage(label, 15, size=4)
    if not first:
        no_findings(play.sync())
    no_findings(play.sync(Sync(faults=(Faulty("lower_cap", name_of(label), page=1),))))
    no_findings(play.settle())


@pytest.mark.parametrize(
    "label", one_in(3, ["device_management/roles", "crm/currencies", "ci_analytics/organizations"])
)
def test_21_a_duplicate_key_is_detected_in_any_spelling(label: str, stage: Stage) -> None:
    play = stage(label, 5, size=30)
    no_findings(play.sync())
    no_findings(play.sync(Sync(faults=(Faulty("repeated_key", name_of(label)),))))
    no_findings(play.settle())

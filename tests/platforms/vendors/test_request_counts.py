"""Requests per sync: within a tenth of the fewest that the contract allows, counted from the sandbox's own records."""

import pytest

from benchmarks.requests import CONTRACTS, SYNCS, measure
from tests.tiers import one_in

VENDORS = [label for label in CONTRACTS if not label.startswith("reference")]


@pytest.mark.slow
@pytest.mark.parametrize("label", one_in(6, CONTRACTS, slow=3))
def test_a_sync_sends_at_most_a_tenth_more_requests_than_it_needs(label: str) -> None:
    """What is needed beyond the least is counted by reason, e.g. a second read before rows are marked as removed."""
    for one in measure(label):
        assert one.sent <= 1.1 * one.least.total + one.needed, (one, one.above)
        unexplained = one.sent - sum(one.by_resource.values()) - sum(one.least.account.values())
        assert unexplained <= 0, one
        if label in VENDORS and one.kind in SYNCS[:2]:
            assert one.ratio <= 1.1, (one, one.above)

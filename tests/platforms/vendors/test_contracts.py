"""Under every live vendor's contract the tables hold what the vendor serves, cell by cell, on every later sync too."""

import pytest

from platform_assets.sandbox import VENDOR_PLATFORMS
from tests.platforms.vendors.conftest import MakeVendor
from tests.tiers import one_in, only

CONTRACTS = sorted(VENDOR_PLATFORMS)


@pytest.mark.parametrize(
    "contract", only(["ninjaone"], CONTRACTS, slow=[name for name in CONTRACTS if name != "ninjaone"])
)
def test_every_cell_arrives_and_a_second_sync_writes_nothing(contract: str, vendor: MakeVendor) -> None:
    api = vendor(contract)
    outcomes = api.sync()
    assert {name: outcome.error for name, outcome in outcomes.items() if not outcome.ok} == {}
    assert api.problems() == []
    before = api.contents()
    again = api.sync()
    assert {name: outcome.rows_loaded for name, outcome in again.items() if outcome.rows_loaded} == {}
    assert api.contents() == before


@pytest.mark.slow
@pytest.mark.parametrize("contract", one_in(len(CONTRACTS), CONTRACTS, slow=3))
def test_what_is_added_changed_and_removed_upstream_is_followed(contract: str, vendor: MakeVendor) -> None:
    api = vendor(contract)
    api.sync()
    for hours in (1, 30, 24 * 5):
        api.server.backend.advance(hours=hours)
        outcomes = api.sync()
        assert {name: outcome.error for name, outcome in outcomes.items() if not outcome.ok} == {}
        assert api.problems() == []

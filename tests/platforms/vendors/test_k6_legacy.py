"""k6 before v6: a hundred short lists, with a number beside them that may count the list or only the page."""

import pytest

from tests.platforms.vendors.conftest import MakeVendor, Vendor, errors
from tests.tiers import only


def asked_for_tests(api: Vendor) -> int:
    return sum(one["path"].endswith("/loadtests/v2/tests") for one in api.server.requests)


def test_a_list_of_tests_per_project_costs_one_request_each_once_totals_are_proven(vendor: MakeVendor) -> None:
    api = vendor("k6_legacy")
    assert errors(api.sync()) == {} and api.problems() == []
    projects = sum(map(len, api.server.backend.tables["load_testing"]["projects"].values()))
    # The first list with tests proves the end of all others.
    assert projects <= asked_for_tests(api) <= projects + 2


@pytest.mark.slow
@pytest.mark.parametrize("limits", only([[3]], [[3], [2, 3, 100]], slow=[[2, 3, 100]]), ids=str)
def test_totals_that_count_the_page_and_a_low_limit_lose_no_test(limits: list[int], vendor: MakeVendor) -> None:
    api = vendor("k6_legacy")
    options = api.server.vendors.k6_legacy
    for limit in limits:
        options.counts_page, options.highest_page_size = True, limit
        assert errors(api.sync()) == {} and api.problems() == []
        api.server.backend.advance(days=1)


@pytest.mark.slow
def test_totals_that_count_the_list_and_a_low_limit_lose_no_test(vendor: MakeVendor) -> None:
    api = vendor("k6_legacy")
    api.server.vendors.k6_legacy.highest_page_size = 2
    for _ in range(2):
        assert errors(api.sync()) == {} and api.problems() == []
        api.server.backend.advance(days=1)

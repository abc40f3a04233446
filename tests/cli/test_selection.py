"""`--select` takes names and patterns, and says what was probably meant."""

import pytest

from platform_assets.cli.sync_request import SyncRequest, selected_assets
from platform_assets.declarations import SettingsError


def selected(*assets: str, platforms: tuple[str, ...] = ()) -> list[str]:
    return selected_assets(SyncRequest(platforms=platforms, assets=assets))


def test_a_pattern_selects_all_that_match() -> None:
    assert selected("crm/deal*") == ["crm/deals", "crm/deal_fields", "crm/deal_products"]
    assert {name.split("/")[0] for name in selected("*/organizations")} == {
        "ci_analytics",
        "crm",
        "device_management",
        "load_testing",
    }
    assert selected("crm/rol?s") == ["crm/roles"]


def test_names_and_patterns_are_taken_once_in_the_order_given() -> None:
    assert selected("crm/deals", "crm/roles", "crm/deal?") == ["crm/deals", "crm/roles"]


def test_a_pattern_is_kept_to_the_named_platforms() -> None:
    assert selected("*/organizations", platforms=("crm",)) == ["crm/organizations"]


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("crm/deels", "did you mean `crm/deals`?"),
        ("crm/deal", "did you mean `crm/deals` or `crm/deal_fields` or `crm/deal_products`?"),
        ("deals", "did you mean `crm/deals`?"),
        ("mailThreads", "did you mean `crm/mail_threads`?"),
    ],
)
def test_a_name_that_does_not_exist_suggests_the_nearest(name: str, near: str) -> None:
    with pytest.raises(SettingsError, match="no asset is called") as raised:
        selected(name)
    assert str(raised.value).endswith(near)


@pytest.mark.parametrize("pattern", ["crm/nothing*", "*/zzz"])
def test_a_pattern_that_matches_nothing_is_an_error_that_says_what_there_is(pattern: str) -> None:
    with pytest.raises(SettingsError, match="no asset is called") as raised:
        selected(pattern)
    assert str(raised.value).endswith(
        "; there are 'ci_analytics/*', 'crm/*', 'device_management/*', 'error_tracking/*', 'load_testing/*'"
    )


@pytest.mark.parametrize("pattern", ["ci_analytics/builds", "ci_analytics/*"])
def test_a_platform_and_an_asset_of_another_contradict_each_other(pattern: str) -> None:
    with pytest.raises(SettingsError, match="contradict each other") as raised:
        selected(pattern, platforms=("crm",))
    assert f"--select {pattern} and --platform crm" in str(raised.value)

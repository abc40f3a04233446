"""Every column of the five platforms says more than its name."""

import re

import pytest

from platform_assets.declarations import Platform
from platform_assets.platforms import all_platforms

LONGEST = 90
REFERENCE = re.compile(r"`(\w+)\.(\w+)\.([\w.]+)`")


def words(text: str) -> set[str]:
    apart = re.sub(r"([a-z])([A-Z])", r"\1 \2", text)
    return {word.removesuffix("s") for word in re.findall(r"[a-z0-9]+", apart.lower())}


# Words that add nothing to a name.
EMPTY = words("a an the of in is its it this that for to and or field column value record name id key")


def every_platform(test):
    return pytest.mark.parametrize("platform", all_platforms(), ids=lambda platform: platform.name)(test)


@every_platform
def test_every_column_has_a_short_description(platform: Platform) -> None:
    described = {
        f"{resource.name}.{name}": platform.description_of(resource, name)
        for resource in platform.resources
        for name in resource.columns
    }
    assert not [name for name, text in described.items() if text is None]
    assert not [name for name, text in described.items() if text and (len(text) >= LONGEST or not text.endswith("."))]


@every_platform
def test_no_description_repeats_its_name(platform: Platform) -> None:
    repeated = {
        name: text for name, text in platform.column_descriptions.items() if len(words(text) - words(name) - EMPTY) < 1
    }
    assert not repeated


@every_platform
def test_columns_that_a_description_names_exist(platform: Platform) -> None:
    columns = {
        (one.name, resource.name, name)
        for one in all_platforms()
        for resource in one.resources
        for name in resource.columns
    }
    named = {found for text in platform.column_descriptions.values() for found in REFERENCE.findall(text)}
    assert not named - columns


@every_platform
def test_every_resource_leads_to_the_vendors_documentation(platform: Platform) -> None:
    for contract in platform.contract_names:
        served = platform.with_contract(contract)
        assert all((served.docs_url_of(resource) or "").startswith("https://") for resource in served.resources)

"""A platform that changes to the vendor's contract and back keeps its rows: none removed, doubled or without column.

What an earlier contract has loaded stays as it is until it changes, so that only what is there is compared here.
"""

from collections.abc import Mapping
from typing import Any

import pytest

from platform_assets.extraction.connection import connect
from platform_assets.platforms import platform_named
from platform_assets.sandbox import VENDOR_PLATFORMS, expected_rows, vendor_rows
from tests.platforms.vendors.conftest import MakeVendor, Vendor, errors
from tests.settings import sandbox_settings, vendor_settings
from tests.tiers import one_in
from tests.warehouse_rows import differences, query

CONTRACTS = sorted(VENDOR_PLATFORMS)
Counts = Mapping[str, tuple[Any, ...]]


def use(monkeypatch: pytest.MonkeyPatch, api: Vendor, contract: str) -> None:
    """Point the platform's settings at the same sandbox by another contract."""
    prefix = f"SOURCES__{api.platform.upper()}__"
    found = sandbox_settings(api.server)
    if contract == "reference":
        values = {name: value for name, value in found.items() if name.startswith(prefix)}
        monkeypatch.setenv(f"{prefix}CONTRACT", "reference")
        # It narrows which parents are read, in the reference too.
        monkeypatch.delenv(f"{prefix}ORGANIZATION", raising=False)
    else:
        values = vendor_settings(api.server, contract)
    for name, value in values.items():
        monkeypatch.setenv(name, value)


def rows(api: Vendor) -> Counts:
    """Per table: rows that are there, different keys among them, and rows that are marked as removed."""
    platform, found = platform_named(api.platform), {}
    for one in platform.resources:
        removed = "_deleted_at IS NOT NULL" if (one.name, "_deleted_at") in columns(api) else "FALSE"
        found[one.name] = query(
            api.file,
            f"SELECT count(*) FILTER (NOT ({removed})), count(*) - count(DISTINCT ({', '.join(_key(one))})),"
            f" count(*) FILTER ({removed}) FROM {platform.name}.{one.name}",
        )[0]
    return found


def _key(resource: Any) -> tuple[str, ...]:
    key = resource.primary_key or "id"
    return (key,) if isinstance(key, str) else key


def columns(api: Vendor) -> set[tuple[str, str]]:
    schema = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema"
    return {(table, name) for table, name in query(api.file, f"{schema} = '{api.platform}'")}


def missing_or_invented(api: Vendor, contract: str) -> list[str]:
    """Rows that a load by the contract has not, and others; what it does not serve is left out."""
    platform = connect(platform_named(api.platform)).platform
    world = api.server.backend
    expected = expected_rows(world)[api.platform] if contract == "reference" else vendor_rows(world, contract)
    return [
        f"{one.name}: {problem}"
        for one in platform.resources
        if one.name not in platform.unserved
        for problem in differences(api.file, platform, one, expected[one.name])
        if problem.startswith(("missing", "invented", "duplicate"))
    ]


@pytest.mark.slow
@pytest.mark.parametrize("contract", one_in(len(CONTRACTS), CONTRACTS, slow=3))
def test_no_row_is_removed_doubled_or_lost_by_a_change_of_contract_and_back(
    contract: str, vendor: MakeVendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = vendor(contract)
    use(monkeypatch, api, "reference")
    assert errors(api.sync()) == {}
    first, had = rows(api), columns(api)
    assert {counts[1:] for counts in first.values()} == {(0, 0)}

    use(monkeypatch, api, contract)
    assert errors(api.sync()) == {} and missing_or_invented(api, contract) == []
    assert {name: counts[1:] for name, counts in rows(api).items() if counts[1:] != (0, 0)} == {}
    assert had <= columns(api)

    use(monkeypatch, api, "reference")
    assert errors(api.sync()) == {}
    last = rows(api)
    assert {name: counts[1:] for name, counts in last.items() if counts[1:] != (0, 0)} == {}
    assert {name: (first[name], last[name]) for name in first if last[name][0] < first[name][0]} == {}
    assert had <= columns(api)
    assert missing_or_invented(api, "reference") == []


@pytest.mark.slow
@pytest.mark.parametrize("contract", one_in(len(CONTRACTS), CONTRACTS, slow=3))
def test_what_changes_between_the_changes_of_contract_is_followed(
    contract: str, vendor: MakeVendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = vendor(contract)
    use(monkeypatch, api, "reference")
    api.sync()
    for chosen in (contract, "reference", contract):
        api.server.backend.advance(hours=5)
        use(monkeypatch, api, chosen)
        assert errors(api.sync()) == {} and missing_or_invented(api, chosen) == []


@pytest.mark.slow
def test_rows_that_a_new_contract_does_not_show_are_not_taken_for_removed_all_at_once(
    vendor: MakeVendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sentry's projects do not say which organization's id theirs is: by its name it is the same as before."""
    api = vendor("sentry")
    use(monkeypatch, api, "reference")
    api.sync()
    use(monkeypatch, api, "sentry")
    releases = api.server.backend.tables["error_tracking"]["releases"]["acme"]
    hidden = len(releases) - 5
    del releases[5:]
    outcome = api.sync()["releases"]
    assert (outcome.deleted, outcome.deletion_withheld) == (0, hidden)

"""Parents that share buckets are compared with their state piece by piece, with the result of comparing each."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_assets.arrow.keys import hash_keys
from platform_assets.extraction.queries import Parent
from platform_assets.platforms import platform_named
from platform_assets.sandbox import Fault, SandboxServer, expected_rows
from platform_assets.sync import due
from platform_assets.sync.due import HashedKeys, Settled
from platform_assets.sync.parents import KnownParent
from tests.conftest import Sync
from tests.databases import execute
from tests.settings import PointAt
from tests.warehouse_rows import differences, query

texts = st.text("ab/%", max_size=3)
entries = st.lists(st.tuples(texts, st.none() | texts, st.none() | texts), max_size=8, unique_by=lambda one: one[0])
A_ROUND, A_PIECE = 30, 7


@pytest.fixture(autouse=True)
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(due, "PARENTS_A_ROUND", A_ROUND)
    monkeypatch.setattr(due, "PIECE", A_PIECE)


def rounds(file: Path) -> list[int]:
    """How many deals each round has read."""
    found = query(
        file, "SELECT reads FROM crm._sync_log WHERE resource = 'deal_products' ORDER BY started_at, ended_at"
    )
    return [reads for (reads,) in found]


@pytest.mark.slow
@pytest.mark.always_in_postgres
@pytest.mark.usefixtures("in_either_warehouse")
def test_more_parents_than_a_round_takes_are_all_read_and_never_again(
    point_at: PointAt, sync_platform: Sync, warehouse_file: Path
) -> None:
    platform = platform_named("crm")
    with SandboxServer() as server:
        point_at(server)
        sync_platform("crm", ["deals"])
        outcome = sync_platform("crm", ["deal_products"])["deal_products"]
        records = expected_rows(server.backend)["crm"]
        assert differences(warehouse_file, platform, platform.resource("deal_products"), records["deal_products"]) == []
        ((deals,),) = query(warehouse_file, "SELECT count(*) FROM crm.deals")
        whole, rest = divmod(deals, A_ROUND)
        assert whole >= 2 and rounds(warehouse_file) == [A_ROUND] * whole + [rest] * bool(rest)
        assert sum(one.parents for one in outcome.partitions.values()) == deals and not outcome.left
        asked = len(server.requests)
        assert sync_platform("crm", ["deal_products"])["deal_products"].ok and len(server.requests) == asked


@pytest.mark.slow
@pytest.mark.always_in_postgres
@pytest.mark.usefixtures("in_either_warehouse")
def test_a_parent_that_failed_in_an_early_round_is_the_only_one_that_is_due(
    point_at: PointAt, sync_platform: Sync, warehouse_file: Path
) -> None:
    with SandboxServer() as server:
        point_at(server)
        sync_platform("crm", ["deals"])
        ((first,),) = query(warehouse_file, "SELECT min(id) FROM crm.deals")
        server.faults.append(Fault(f"/deals/{first}/products", status=500, times=None))
        assert not sync_platform("crm", ["deal_products"])["deal_products"].ok
        server.faults.clear()
        asked = len(server.requests)
        assert sync_platform("crm", ["deal_products"])["deal_products"].ok
        assert {request["path"].split("/")[-2] for request in server.requests[asked:]} == {str(first)}


@pytest.mark.slow
@pytest.mark.always_in_postgres
@pytest.mark.usefixtures("in_either_warehouse")
def test_rows_that_somebody_deleted_come_back_for_all_parents_at_once(
    point_at: PointAt, sync_platform: Sync, warehouse_file: Path
) -> None:
    """State that does not count must not be left behind by a round that seems to have read everything."""
    platform = platform_named("crm")
    with SandboxServer() as server:
        point_at(server)
        sync_platform("crm", ["deals", "deal_products"])
        execute(warehouse_file, "DELETE FROM crm.deal_products")
        outcome = sync_platform("crm", ["deal_products"])["deal_products"]
        assert outcome.reset and outcome.ok
        records = expected_rows(server.backend)["crm"]["deal_products"]
        assert differences(warehouse_file, platform, platform.resource("deal_products"), records) == []


@given(entries, entries)
def test_hashes_tell_the_same_as_comparing_each_parent_with_its_state(
    known: list[tuple[str, str | None, str | None]], recorded: list[tuple[str, str | None, str | None]]
) -> None:
    parents = [KnownParent(Parent(key), "", version, id) for key, version, id in known if id is not None]
    state = {key: (version, id) for key, version, id in recorded}
    expected = [
        one.parent.key in state
        and str(state[one.parent.key][0]) == str(one.version)
        and state[one.parent.key][1] in (None, one.id)
        for one in parents
    ]
    settled = Settled([recorded[:3], recorded[3:]])
    assert list(settled.is_settled(parents)) == expected
    assert list(settled.was_ok(parents)) == [one.parent.key in state for one in parents]


@given(st.lists(texts), texts)
def test_a_set_of_hashes_has_what_was_put_in(keys: list[str], other: str) -> None:
    found = HashedKeys([hash_keys(keys)])
    assert all(key in found for key in keys) and (other in found) == (other in keys)
    assert "a" not in HashedKeys([])

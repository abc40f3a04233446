"""The search for a table's last change: what it finds in histories, and that it does not read a history twice."""

import time

import dagster as dg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from platform_assets.dbt import last_changes
from platform_assets.dbt.last_changes import LastChanges

TABLE = dg.AssetKey(["crm", "currencies"])
DAY = 86_400.0


class History:
    """An instance whose loads are of chosen times, and a clock that the search is asked at."""

    def __init__(self, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> None:
        self.instance = instance
        self._patch = monkeypatch
        self.read = 0
        fetch = instance.fetch_materializations

        def counted(*args: object, **given: object) -> object:
            page = fetch(*args, **given)  # pyright: ignore[reportArgumentType] -- as it was called
            self.read += len(page.records)
            return page

        monkeypatch.setattr(instance, "fetch_materializations", counted)

    def load(self, at: float, rows: int = 0) -> None:
        with self._patch.context() as patch:
            patch.setattr(time, "time", lambda: at)
            event = dg.AssetMaterialization(TABLE, metadata={"rows_loaded": rows, "rows_removed": 0})
            self.instance.report_runless_asset_event(event)

    def last_change(self, now: float, since: float) -> float | None:
        latest = self.instance.get_latest_materialization_event(TABLE)
        assert latest is not None
        self.read = 0
        with self._patch.context() as patch:
            patch.setattr(time, "time", lambda: now)
            return LastChanges(self.instance, {TABLE: latest}).since({TABLE: since}).get(TABLE)


@pytest.fixture
def history(instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> History:
    return History(instance, monkeypatch)


def test_a_table_that_never_changes_is_not_read_again_from_the_beginning(history: History) -> None:
    for day in range(1, 31):
        history.load(day * DAY)
    assert history.last_change(31 * DAY, since=0.0) is None and history.read == 30
    history.load(31 * DAY)
    assert history.last_change(31 * DAY, since=0.0) is None and history.read == 1


def test_what_was_found_is_found_again_until_a_build_has_read_it(history: History) -> None:
    history.load(1 * DAY, rows=5)
    for day in range(2, 10):
        history.load(day * DAY)
    assert history.last_change(10 * DAY, since=0.0) == 1 * DAY
    history.load(11 * DAY)
    assert history.last_change(11 * DAY, since=0.0) == 1 * DAY and history.read == 1
    assert history.last_change(11 * DAY, since=1.5 * DAY) is None


def test_a_model_that_was_built_longer_ago_is_searched_from_there(history: History) -> None:
    """Such as one that is new, or was deleted from Dagster's storage and built again by an old release."""
    history.load(1 * DAY, rows=5)
    for day in range(2, 10):
        history.load(day * DAY)
    assert history.last_change(10 * DAY, since=2.5 * DAY) is None
    assert history.last_change(10 * DAY, since=0.5 * DAY) == 1 * DAY


def test_an_event_that_is_stored_late_is_not_missed(history: History) -> None:
    """The clock of one worker is behind, or its connection to the storage is slow."""
    history.load(1 * DAY)
    history.load(2 * DAY)
    assert history.last_change(2 * DAY, since=0.0) is None
    history.load(2 * DAY - 300.0, rows=5)
    history.load(2 * DAY + 60.0)
    assert history.last_change(2 * DAY + 60.0, since=0.0) == 2 * DAY - 300.0


def test_what_another_version_has_kept_is_not_used(history: History) -> None:
    history.load(1 * DAY, rows=5)
    history.load(2 * DAY)
    for text in ("", "[]", '{"through": 1}', "nonsense"):
        history.instance.daemon_cursor_storage.set_cursor_values({"platform_assets/last_change/crm/currencies": text})
        assert history.last_change(3 * DAY, since=0.0) == 1 * DAY


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.floats(1.0, 5 * DAY), st.booleans(), st.integers(0, 3)),
        min_size=1,
        max_size=25,
    )
)
def test_a_search_that_goes_on_finds_what_a_whole_one_finds(
    steps: list[tuple[float, bool, int]],
) -> None:
    """Loads at any distance, some with rows, and builds between them that move the beginning of the search."""
    with pytest.MonkeyPatch.context() as patch, dg.DagsterInstance.ephemeral() as instance:
        patch.setattr(last_changes, "_PAGE", 3)
        history = History(instance, patch)
        now, since = 1.0, 0.0
        changes: list[float] = []
        for wait, has_rows, then in steps:
            now += wait
            history.load(now, rows=int(has_rows))
            changes += [now] if has_rows else []
            if then:
                expected = max((at for at in changes if at > since), default=None)
                assert history.last_change(now, since) == expected
            if then == 3:
                since = now

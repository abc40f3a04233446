"""Events that are stored together, and when patches/event_transactions.py can be deleted."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from platform_assets.patches import event_transactions
from platform_assets.patches.event_transactions import stored_together

EVENTS = 10
KEY = dg.AssetKey("a")
KILLED = """
import os, signal, sys
import dagster as dg
from platform_assets.patches.event_transactions import stored_together
with dg.DagsterInstance.local_temp(sys.argv[1]) as instance:
    with stored_together(instance):
        instance.report_runless_asset_event(dg.AssetMaterialization("a", metadata={"n": 1}))
    with stored_together(instance):
        instance.report_runless_asset_event(dg.AssetMaterialization("a", metadata={"n": 2}))
        os.kill(os.getpid(), signal.SIGKILL)
"""
MANY = """
import sys
import dagster as dg
from platform_assets.patches.event_transactions import stored_together
with dg.DagsterInstance.local_temp(sys.argv[1]) as instance:
    for block in range(10):
        with stored_together(instance):
            for number in range(10):
                n = 1000 * int(sys.argv[2]) + 10 * block + number
                instance.get_latest_materialization_event(dg.AssetKey("a"))
                instance.report_runless_asset_event(dg.AssetMaterialization("a", metadata={"n": n}))
"""


@pytest.fixture
def on_disk(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        yield instance


def report(instance: dg.DagsterInstance, number: int) -> None:
    instance.report_runless_asset_event(dg.AssetMaterialization(KEY, metadata={"n": number}))


def numbers(instance: dg.DagsterInstance) -> list[object]:
    """The number of each event, the newest first."""
    found = [record.asset_materialization for record in instance.fetch_materializations(KEY, limit=1000).records]
    return [one.metadata["n"].value for one in found if one is not None]


def commits_of(instance: dg.DagsterInstance, *, together: bool) -> int:
    """How many transactions `EVENTS` events take, once the files are there."""
    report(instance, -1)
    commits: list[object] = []

    def count(connection: object) -> None:
        commits.append(connection)

    event.listen(Engine, "commit", count)
    try:
        with stored_together(instance) if together else nullcontext():
            for number in range(EVENTS):
                report(instance, number)
    finally:
        event.remove(Engine, "commit", count)
    return len(commits)


def test_dagster_still_makes_transactions_for_every_event(on_disk: dg.DagsterInstance) -> None:
    """When this fails: delete patches/event_transactions.py."""
    assert commits_of(on_disk, together=False) >= 2 * EVENTS


def test_events_of_a_block_are_committed_together(on_disk: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_transactions, "LONGEST", 600.0)
    assert commits_of(on_disk, together=True) <= 2
    assert numbers(on_disk) == list(range(-1, EVENTS))[::-1]


def test_within_a_block_the_events_before_are_read(on_disk: dg.DagsterInstance) -> None:
    """Dagster looks for an asset's newest event when it stores the result of a check."""
    with stored_together(on_disk):
        report(on_disk, 1)
        assert numbers(on_disk) == [1]
        with stored_together(on_disk):
            report(on_disk, 2)
        assert numbers(on_disk) == [2, 1]
    report(on_disk, 3)
    assert numbers(on_disk) == [3, 2, 1]


def test_a_long_block_lets_other_processes_write(
    on_disk: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_transactions, "LONGEST", 0.05)
    path = tmp_path / "history" / "runs" / "index.db"
    with stored_together(on_disk):
        report(on_disk, 1)
        time.sleep(0.1)
        report(on_disk, 2)
        seen = sqlite3.connect(path).execute("SELECT count(*) FROM event_logs").fetchone()[0]
    assert seen >= 1, "committed before the end of the block"
    assert numbers(on_disk) == [2, 1]


def test_what_was_stored_before_an_error_is_there(on_disk: dg.DagsterInstance) -> None:
    with pytest.raises(ZeroDivisionError), stored_together(on_disk):
        report(on_disk, 1)
        _ = 1 / 0
    assert numbers(on_disk) == [1]
    report(on_disk, 2)
    assert numbers(on_disk) == [2, 1]


def test_a_killed_process_leaves_the_blocks_before(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], env={**os.environ}, check=False)
    assert done.returncode == -signal.SIGKILL
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        assert numbers(instance) == [1]


def test_processes_store_in_turn(on_disk: dg.DagsterInstance, tmp_path: Path) -> None:
    """Such as two syncs at once, each of which also reads while it stores. Events without a run share two files."""
    report(on_disk, -1)
    together = [subprocess.Popen([sys.executable, "-c", MANY, str(tmp_path), str(n)]) for n in range(4)]
    assert [process.wait(120) for process in together] == [0, 0, 0, 0]
    expected = {number: 1 for n in range(4) for number in range(1000 * n, 1000 * n + 100)}
    assert Counter(numbers(on_disk)) == {-1: 1, **expected}


def test_threads_store_in_turn(on_disk: dg.DagsterInstance) -> None:
    def store(*, together: bool) -> None:
        for number in range(EVENTS):
            with stored_together(on_disk) if together else nullcontext():
                report(on_disk, number)
                report(on_disk, number)

    threads = [threading.Thread(target=store, kwargs={"together": one % 2 == 0}) for one in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(numbers(on_disk)) == dict.fromkeys(range(EVENTS), 8)


def test_another_storage_is_left_as_it_is() -> None:
    """Such as one in memory, or Postgres."""
    with dg.DagsterInstance.ephemeral() as other, stored_together(other):
        report(other, 1)
        assert numbers(other) == [1]

"""One engine and connection per SQLite file of Dagster, and when patches/sqlite_engines.py can be deleted."""

import signal
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.storage.event_log.sqlite import sqlite_event_log

from platform_assets.cli.environment import open_instance
from platform_assets.patches.sqlite_engines import kept_engines

EVENTS = 10
KILLED = """
import os, signal
import dagster as dg
from platform_assets.cli.environment import open_instance
with open_instance() as instance:
    for number in range(10):
        instance.report_runless_asset_event(dg.AssetMaterialization("a", metadata={"n": number}))
    os.kill(os.getpid(), signal.SIGKILL)
"""


def report_events(instance: dg.DagsterInstance) -> None:
    for number in range(EVENTS):
        instance.report_runless_asset_event(dg.AssetMaterialization("a", metadata={"n": number}))


def numbers(instance: dg.DagsterInstance) -> list[object]:
    """The number of each event, the newest first."""
    records = instance.fetch_materializations(dg.AssetKey("a"), limit=100).records
    found = [record.asset_materialization for record in records]
    return [one.metadata["n"].value for one in found if one is not None]


def test_dagster_still_makes_an_engine_for_every_event(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When this fails: delete patches/sqlite_engines.py."""
    made: list[str] = []
    plain = vars(sqlite_event_log)["create_engine"]

    def counted(url: str, **options: object) -> object:
        made.append(url)
        return plain(url, **options)

    monkeypatch.setattr(sqlite_event_log, "create_engine", counted)
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        before = len(made)
        report_events(instance)
    assert len(made) - before >= EVENTS


def connections_opened(instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many connections `EVENTS` events take."""
    opened: list[str] = []
    plain = sqlite3.connect

    def counted(path: str, **options: Any) -> sqlite3.Connection:
        opened.append(path)
        return plain(path, **options)

    with monkeypatch.context() as patch:
        patch.setattr("sqlite3.dbapi2.connect", counted)
        report_events(instance)
    return len(opened)


def test_connections_are_kept_and_every_event_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        assert connections_opened(instance, monkeypatch) >= EVENTS
    original = vars(sqlite_event_log)["create_engine"]
    with kept_engines(), dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        assert connections_opened(instance, monkeypatch) <= 3
        assert numbers(instance) == list(range(EVENTS))[::-1] * 2
    assert vars(sqlite_event_log)["create_engine"] is original


def test_another_process_reads_what_is_written_and_a_killed_one_has_lost_nothing() -> None:
    done = subprocess.run([sys.executable, "-c", KILLED], check=False)
    assert done.returncode == -signal.SIGKILL
    with open_instance() as instance:
        assert numbers(instance) == list(range(EVENTS))[::-1]


def test_threads_share_an_instance(tmp_path: Path) -> None:
    with kept_engines(), dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        threads = [threading.Thread(target=report_events, args=(instance,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert Counter(numbers(instance)) == dict.fromkeys(range(EVENTS), 4)


def test_a_home_that_was_deleted_and_made_again_is_the_new_one(tmp_path: Path) -> None:
    """A connection kept for longer than its command would write into the deleted file."""
    for _ in range(2):
        home = tmp_path / "home"
        home.mkdir()
        with kept_engines(), dg.DagsterInstance.local_temp(str(home)) as instance:
            assert numbers(instance) == []
            report_events(instance)
        home.rename(tmp_path / f"old {len(list(tmp_path.iterdir()))}")

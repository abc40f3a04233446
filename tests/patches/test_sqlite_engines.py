"""One engine per SQLite file of Dagster, and when patches/sqlite_engines.py can be deleted."""

from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.event_log.sqlite import sqlite_event_log

from platform_assets.patches.sqlite_engines import keep_engines


def engines_made(home: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """The number of engines created for ten events."""
    made = 0
    plain = vars(sqlite_event_log)["create_engine"]

    def counted(*arguments: object, **options: object) -> object:
        nonlocal made
        made += 1
        return plain(*arguments, **options)

    monkeypatch.setattr(sqlite_event_log, "create_engine", counted)
    with dg.DagsterInstance.local_temp(str(home)) as instance:
        keep = made
        for number in range(10):
            instance.report_runless_asset_event(dg.AssetMaterialization("a", metadata={"n": number}))
        return made - keep


def test_dagster_still_makes_an_engine_for_every_event(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When this fails: delete patches/sqlite_engines.py."""
    plain = vars(sqlite_event_log)["create_engine"]
    monkeypatch.setattr(sqlite_event_log, "create_engine", getattr(plain, "original", plain))
    assert engines_made(tmp_path, monkeypatch) >= 10


def test_engines_are_kept_and_every_event_is_there(tmp_path: Path) -> None:
    keep_engines()
    keep_engines()
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        for number in range(10):
            instance.report_runless_asset_event(dg.AssetMaterialization("a", metadata={"n": number}))
        kept = vars(sqlite_event_log)["create_engine"].engines
        mine = [url for url in kept if str(tmp_path) in url]
        assert 1 <= len(mine) <= 3
        records = instance.fetch_materializations(dg.AssetKey("a"), limit=20).records
        assert [record.asset_materialization.metadata["n"].value for record in records] == list(range(9, -1, -1))  # pyright: ignore[reportOptionalMemberAccess] -- materializations

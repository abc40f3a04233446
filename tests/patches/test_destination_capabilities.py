"""What a destination is capable of, found once, and when patches/destination_capabilities.py can go."""

from pathlib import Path
from typing import Any

import dlt
import pytest
from dlt.common.normalizers.naming.snake_case import NamingConvention

from platform_assets.patches.destination_capabilities import remember_capabilities


def resolved(destination: Any, monkeypatch: pytest.MonkeyPatch) -> int:
    """How often the settings of a destination are read while it is asked ten times."""
    made = 0
    plain = destination.configuration

    def counted(*arguments: Any, **options: Any) -> Any:
        nonlocal made
        made += 1
        return plain(*arguments, **options)

    monkeypatch.setattr(destination, "configuration", counted)
    for _ in range(10):
        destination.capabilities()
    return made


def test_dlt_still_resolves_the_settings_each_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """When this fails: delete patches/destination_capabilities.py."""
    assert resolved(dlt.destinations.duckdb(str(tmp_path / "w.duckdb")), monkeypatch) == 10


def test_the_settings_are_resolved_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert resolved(remember_capabilities(dlt.destinations.duckdb(str(tmp_path / "w.duckdb"))), monkeypatch) == 1


def test_the_capabilities_are_dlts_own_and_nobody_changes_anothers(tmp_path: Path) -> None:
    plain = dlt.destinations.duckdb(str(tmp_path / "w.duckdb"))
    remembering = remember_capabilities(dlt.destinations.duckdb(str(tmp_path / "w.duckdb")))
    for naming in (None, NamingConvention(), NamingConvention(20)):
        for _ in range(2):
            found = remembering.capabilities(naming=naming)
            assert dict(found) == dict(plain.capabilities(naming=naming))
            found.preferred_loader_file_format = "csv"
            found.max_identifier_length = 1

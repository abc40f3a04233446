"""An installed package copies its dbt project to where dbt can write, once for each version of it."""

import os
from pathlib import Path

import pytest

from platform_assets.dbt.program import unpacked

NAMES = ("dbt_project.yml", "models/a.sql", "target/parsed/manifest.json")


@pytest.fixture
def packaged(tmp_path: Path) -> Path:
    folder = tmp_path / "packaged"
    for name in NAMES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"of {name}")
    # As from a wheel, whose files may all be of one time, or in any order.
    os.utime(folder / "target" / "parsed" / "manifest.json", (0, 0))
    return folder


def test_the_copy_has_every_file_and_its_manifest_is_not_outdated(packaged: Path, tmp_path: Path) -> None:
    copy = unpacked(packaged, tmp_path / "home" / "dbt_project")
    assert {str(path.relative_to(copy)) for path in copy.rglob("*") if path.is_file()} == set(NAMES)
    assert all((copy / name).read_bytes() == (packaged / name).read_bytes() for name in NAMES)
    times = {name: (copy / name).stat().st_mtime for name in NAMES}
    assert times["target/parsed/manifest.json"] == max(times.values())


def test_a_second_process_takes_the_copy_and_another_version_makes_its_own(packaged: Path, tmp_path: Path) -> None:
    first = unpacked(packaged, tmp_path / "project")
    (first / "target" / "partial_parse.msgpack").write_text("of a build")
    assert unpacked(packaged, tmp_path / "project") == first
    (packaged / "models" / "a.sql").write_text("edited")
    second = unpacked(packaged, tmp_path / "project")
    assert second != first and (second / "models" / "a.sql").read_text() == "edited"
    assert (first / "models" / "a.sql").read_text() == "of models/a.sql"


def test_two_processes_that_start_together_share_one_copy(
    packaged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "project"
    rename = Path.rename
    others: list[Path] = []

    def rename_second(self: Path, target: Path) -> Path:
        monkeypatch.setattr(Path, "rename", rename)
        others.append(unpacked(packaged, folder))  # the other process is faster
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", rename_second)
    assert unpacked(packaged, folder) == others[0]
    assert list(folder.iterdir()) == others

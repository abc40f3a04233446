"""Run directories: one per process, deleted at its end; those of killed processes are deleted by the next one."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from platform_assets.warehouse.run_directory import run_directory

HOLD = """
import sys, time
from platform_assets.warehouse.run_directory import run_directory
with run_directory() as folder:
    (folder / "page.parquet").write_text("rows")
    print(folder, flush=True)
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def _own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)


def test_a_killed_process_leaves_a_folder_that_the_next_run_removes(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", HOLD], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    folder = Path(process.stdout.readline().strip())
    with run_directory() as mine:
        assert folder.exists() and mine.exists() and mine != folder, "a directory in use is kept"
    assert not mine.exists()
    process.kill()
    process.wait()
    assert (folder / "page.parquet").exists()
    with run_directory():
        assert not folder.exists()


def test_a_new_folder_is_kept_until_it_is_old(tmp_path: Path) -> None:
    folder = tmp_path / "platform-assets-run-abc"
    folder.mkdir()
    with run_directory():
        assert folder.exists()
    os.utime(folder, (time.time() - 20, time.time() - 20))
    with run_directory():
        assert not folder.exists()


def test_other_folders_are_kept(tmp_path: Path) -> None:
    other = tmp_path / "platform-assets-0"
    other.mkdir()
    os.utime(other, (0, 0))
    with run_directory():
        pass
    assert other.exists()

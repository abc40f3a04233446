"""Run directories: one per process, deleted at its end; those of killed processes are deleted by the next one."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from filelock import FileLock

from platform_assets.warehouse import run_directory as run_directory_module
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


def test_a_folder_that_another_run_took_for_left_behind_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other run locked it between the lock's file and our lock, and removed it."""
    acquire, tries = FileLock.acquire, iter((True, False))

    def too_late(lock: FileLock) -> object:
        if next(tries):
            folder = Path(lock.lock_file).parent
            folder.rmdir()
            raise FileNotFoundError(lock.lock_file)
        return acquire(lock)

    monkeypatch.setattr(FileLock, "acquire", too_late)
    monkeypatch.setattr(run_directory_module, "_remove_left_behind", lambda parent: None)
    with run_directory() as folder:
        assert folder.exists()
    assert not folder.exists()

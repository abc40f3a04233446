"""A file that is written again is, at each moment, the old one or the new one."""

import stat
from pathlib import Path

import pytest

from platform_assets.whole_file import write_whole


def test_who_has_the_file_open_reads_the_old_content_to_its_end(tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    write_whole(file, "old" * 10_000)
    with file.open() as reader:
        assert reader.read(3) == "old"
        write_whole(file, "new")
        assert reader.read() == "old" * 9_999
    assert file.read_text() == "new"
    assert list(tmp_path.iterdir()) == [file]


def test_what_cannot_be_written_leaves_the_old_content_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "report.html"
    write_whole(file, b"old")

    def full(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(file, b"new")
    assert file.read_bytes() == b"old" and list(tmp_path.iterdir()) == [file]


def test_permissions_links_and_folders_stay_as_they_are(tmp_path: Path) -> None:
    file = tmp_path / "made" / "file"
    write_whole(file, "old")
    file.chmod(0o600)
    link = tmp_path / "link"
    link.symlink_to(file)
    write_whole(link, "new")
    assert link.is_symlink() and file.read_text() == "new"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    write_whole(Path("/dev/null"), "what is no file is written to")
    assert Path("/dev/null").is_char_device()

"""Files that others read while they are written, or after the process that wrote them was killed."""

import os
from contextlib import suppress
from pathlib import Path
from uuid import uuid4


def write_whole(path: Path, content: str | bytes, *, mode: int | None = None) -> None:
    """Put the content in place of a file's, at once: whoever reads it finds the old one or the new one.

    Makes the folder and follows links. What is no file, e.g. `/dev/stdout`, is written to. Raises OSError.

    Args:
        mode: permissions; by default those of the file that is there, or a new one's.
    """
    data = content.encode() if isinstance(content, str) else content
    path = path.resolve()
    if path.exists() and not path.is_file():
        path.write_bytes(data)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}-{uuid4().hex[:12]}")
    try:
        with new.open("xb") as file:
            file.write(data)
            with suppress(FileNotFoundError):
                os.fchmod(file.fileno(), path.stat().st_mode & 0o777 if mode is None else mode)
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise

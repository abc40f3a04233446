"""Bodies that are ZIP archives: servers hand out exports so."""

import io
import zlib
from typing import Any
from zipfile import BadZipFile, ZipFile

from platform_assets.declarations.response_format import PlainFormat, is_list
from platform_assets.http.gzipped import TooLarge

# Files of an archive.
_MOST_FILES = 10_000

_ENCRYPTED = 0x1


def files_in(content: bytes, most: int) -> list[bytes]:
    """The files in a ZIP archive, in its order.

    Args:
        content: complete.
        most: bytes that may come of it.

    Raises:
        TooLarge: if more come of it.
        ValueError: for an archive that is damaged, ends early, has no file, too many, or a password.
    """
    try:
        with ZipFile(io.BytesIO(content)) as archive:
            return _files(archive, most)
    except (BadZipFile, NotImplementedError, zlib.error, EOFError) as error:
        raise ValueError(f"a ZIP archive that is damaged: {error}") from None


def joined(values: list[Any], written_in: PlainFormat) -> Any:
    """One value of those of an archive's files. Raises ValueError for several that are no lists of rows."""
    if is_list(written_in):
        return [row for rows in values for row in rows]
    if len(values) > 1:
        raise ValueError(f"a ZIP archive of {len(values)} files, where one is expected")
    return values[0]


def _files(archive: ZipFile, most: int) -> list[bytes]:
    listed = [one for one in archive.infolist() if not one.is_dir()]
    if not 0 < len(listed) <= _MOST_FILES:
        raise ValueError(f"a ZIP archive of {len(listed)} files")
    found: list[bytes] = []
    left = most
    for one in listed:
        if one.flag_bits & _ENCRYPTED:
            raise ValueError("a ZIP archive with a password")
        with archive.open(one) as file:
            # One more than may come: the end of the file, where its checksum is compared, is read with it.
            found.append(file.read(left + 1))
        left -= len(found[-1])
        if left < 0:
            raise TooLarge
    return found

"""Bodies that are kept in a file as they were sent, and read from it a part at a time: files of reports.

    file -> chunks -> without the encoding of the transfer -> without gzip -> rows, some thousand at a time

What is damaged, cut off or ambiguous is an error, never fewer rows. Before any row is read, the file as a whole was
looked through for that, as far as its format tells.
"""

import codecs
import io
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, BinaryIO

from platform_assets.declarations.response_format import Csv, Gzip, Lines, ResponseFormat, Zip, inner_format, is_list
from platform_assets.http.body_formats import csv_records, refuse_error, text_records
from platform_assets.http.exchange import MAX_FILE
from platform_assets.http.gzipped import GZIP_MAGIC, TooLarge, inflated
from platform_assets.http.lossless_json import lines_from_json

# Rows that are given back at a time.
ROWS = 5_000

# Bytes that are read at a time.
_BLOCK = 1 << 20

# Bytes of one line.
_LONGEST_LINE = 1 << 28


def is_read_in_parts(response_format: ResponseFormat | None) -> bool:
    """Whether a body can be read from a file a part at a time: its rows are all there is in it."""
    is_archive = isinstance(response_format, Zip)
    return response_format is not None and not is_archive and is_list(response_format)


def is_whole_file(file: BinaryIO, response_format: ResponseFormat, headers: Mapping[str, str]) -> bool:
    """Whether the file itself says that nothing is missing; False if it cannot say.

    Raises ValueError for one that is damaged or ends early.
    """
    if _encoding(headers) or (isinstance(response_format, Gzip) and _is_gzipped(file)):
        for _ in _content(file, response_format, headers):
            pass
        return True
    return False


def batches_in(file: BinaryIO, response_format: ResponseFormat, headers: Mapping[str, str]) -> Iterator[list[Any]]:
    """The rows in a file, some thousand at a time.

    Args:
        file: as `ApiClient.send` has filled it.
        response_format: one that `is_read_in_parts`.
        headers: of the answer.

    Raises ValueError, with what is wrong, also after rows that are right.
    """
    declared = inner_format(response_format)
    chunks = _content(file, response_format, headers)
    if isinstance(declared, Csv):
        with io.TextIOWrapper(io.BufferedReader(_Chunks(chunks), _BLOCK), declared.encoding, newline="") as text:
            records = csv_records(text, declared)
            while found := list(islice(records, ROWS)):
                yield found
        return
    kind = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    is_first, number = True, 1
    for block, is_last in _whole_lines(chunks):
        if isinstance(declared, Lines):
            found = text_records(block, is_first=is_first)
        else:
            found = lines_from_json(block, number)
            if is_first and is_last and kind == "application/json":
                refuse_error(found)
        number += block.count(b"\n")
        is_first = False
        for start in range(0, len(found), ROWS):
            yield found[start : start + ROWS]


def _content(file: BinaryIO, response_format: ResponseFormat, headers: Mapping[str, str]) -> Iterator[bytes]:
    """What is in a file, without the encoding of its transfer and without gzip."""
    file.seek(0)
    chunks = iter(lambda: file.read(_BLOCK), b"")
    try:
        if _encoding(headers):
            chunks = inflated(chunks, MAX_FILE)
        if isinstance(response_format, Gzip):
            first = b""
            while len(first) < len(GZIP_MAGIC) and (more := next(chunks, b"")):
                first += more
            chunks = _joined(first, chunks)
            if first.startswith(GZIP_MAGIC):
                chunks = inflated(chunks, MAX_FILE)
        yield from chunks
    except TooLarge:
        raise ValueError(f"the file is larger than {MAX_FILE} bytes") from None


def _joined(first: bytes, others: Iterator[bytes]) -> Iterator[bytes]:
    if first:
        yield first
    yield from others


def _encoding(headers: Mapping[str, str]) -> str:
    """The encoding of the transfer; empty for none. Raises ValueError for one that was not asked for."""
    found = headers.get("Content-Encoding", "").strip().lower()
    if found not in ("", "identity", "gzip", "x-gzip"):
        raise ValueError(f"the file is sent in the encoding {found[:20]!r}, which was not asked for")
    return found.removeprefix("identity")


def _is_gzipped(file: BinaryIO) -> bool:
    file.seek(0)
    return file.read(len(GZIP_MAGIC)) == GZIP_MAGIC


def _whole_lines(chunks: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    """The content in blocks that end with a line, without the byte order mark, and whether it is the last one."""
    rest, is_first = bytearray(), True
    waiting: bytes | None = None
    for chunk in chunks:
        rest += chunk
        end = rest.rfind(b"\n") + 1
        if end:
            if waiting is not None:
                yield waiting, False
            waiting = bytes(rest[:end])
            del rest[:end]
            if is_first:
                waiting, is_first = waiting.removeprefix(codecs.BOM_UTF8), False
        elif len(rest) > _LONGEST_LINE:
            raise ValueError(f"a line is longer than {_LONGEST_LINE} bytes")
    last = bytes(rest)
    if is_first:
        last = last.removeprefix(codecs.BOM_UTF8)
    if waiting is not None:
        yield waiting, not last
    if last:
        yield last, True


class _Chunks(io.RawIOBase):
    """A stream of chunks."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        while not self._rest:
            found = next(self._chunks, None)
            if found is None:
                return 0
            self._rest = memoryview(found)
        target = memoryview(buffer).cast("B")
        size = min(len(target), len(self._rest))
        target[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size

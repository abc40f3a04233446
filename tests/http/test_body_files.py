"""Files that are read a part at a time have the rows that a body in memory has, and the same errors."""

import gzip
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from platform_assets.declarations import Csv, Gzip, JsonLines, Lines
from platform_assets.declarations.response_format import PlainFormat, ResponseFormat
from platform_assets.http import body_files
from platform_assets.http.body_files import batches_in, is_whole_file
from platform_assets.http.body_formats import from_format
from platform_assets.http.gzipped import decompressed, inflated

FORMATS: dict[str, PlainFormat] = {
    "csv": Csv(),
    "semicolons": Csv(delimiter=";", encoding="utf-16", null_values=("",)),
    "lines of JSON": JsonLines(),
    "lines": Lines(),
}


class InSteps(io.BytesIO):
    """A file that gives a few bytes at a time, and counts how many it gave."""

    def __init__(self, content: bytes, step: int) -> None:
        super().__init__(content)
        self.step = step

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(self.step if size is None or size < 0 else min(size, self.step))


def outcome(read: Any) -> Any:
    """What a reader returns, or that it refuses."""
    try:
        return list(read())
    except ValueError:
        return ValueError


def flat(batches: Iterator[list[Any]]) -> list[Any]:
    return [row for batch in batches for row in batch]


TEXTS = st.text(alphabet=st.sampled_from('ab,;"\n\r {}<é\u2028'), max_size=20)


@settings(max_examples=150, deadline=None)
@given(
    name=st.sampled_from(list(FORMATS)),
    lines=st.lists(TEXTS, max_size=6),
    end=st.sampled_from(["", "\n", "\r\n"]),
    step=st.integers(1, 40),
    packed=st.booleans(),
)
def test_a_file_has_what_a_body_has(name: str, lines: list[str], end: str, step: int, packed: bool) -> None:
    declared = FORMATS[name]
    written = [json.dumps({"v": line}) for line in lines] if isinstance(declared, JsonLines) else ["a,b", *lines]
    content = (end or "\n").join(written).encode(declared.encoding if isinstance(declared, Csv) else "utf-8")
    expected = outcome(lambda: from_format(content, declared, "text/plain"))
    response_format: ResponseFormat = Gzip(of=declared) if packed else declared
    file = InSteps(gzip.compress(content) if packed else content, step)
    assert outcome(lambda: flat(batches_in(file, response_format, {}))) == expected


def test_rows_come_before_the_file_is_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_files, "ROWS", 100)
    monkeypatch.setattr(body_files, "_BLOCK", 1 << 12)
    content = b"id,name\n" + b"".join(b"%d,a name\n" % number for number in range(100_000))
    packed = gzip.compress(content, 0)
    for declared, body in ((Csv(), content), (Gzip(of=Csv()), packed), (Lines(), content.replace(b"id", b"ix"))):
        file = io.BytesIO(body)
        batches = batches_in(file, declared, {})
        assert len(next(batches)) == 100
        # A few blocks, whatever the file's size.
        assert file.tell() < len(body) / 4
        assert sum(map(len, batches)) >= 99_900


@pytest.mark.parametrize("cut", [1, 5, 9, 40])
def test_a_gzipped_file_that_ends_early_is_no_whole_one(cut: int) -> None:
    packed = gzip.compress(b"id\n1\n") + gzip.compress(b"2\n3\n")
    assert is_whole_file(io.BytesIO(packed), Gzip(of=Csv()), {})
    for declared, headers in ((Gzip(of=Csv()), {}), (Csv(), {"Content-Encoding": "gzip"})):
        if cut == len(gzip.compress(b"2\n3\n")):
            continue
        with pytest.raises(ValueError, match="ends early"):
            is_whole_file(io.BytesIO(packed[:-cut]), declared, headers)


@settings(max_examples=60, deadline=None)
@given(parts=st.lists(st.binary(max_size=200), min_size=1, max_size=4), step=st.integers(1, 50))
def test_a_gzipped_file_is_the_same_in_any_steps(parts: list[bytes], step: int) -> None:
    packed = b"".join(map(gzip.compress, parts))
    chunks = (packed[at : at + step] for at in range(0, len(packed), step))
    assert b"".join(inflated(chunks, 10_000)) == b"".join(parts) == decompressed(packed, 10_000)

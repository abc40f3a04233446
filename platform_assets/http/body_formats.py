"""Bodies that are not JSON, as the values that JSON would have: lists of objects, texts and null.

What is damaged, cut off or ambiguous is an error, never a shorter list.
"""

import codecs
import csv
import io
from collections.abc import Iterator
from typing import Any, TextIO

from platform_assets.declarations.response_format import Csv, JsonLines, Lines, PlainFormat
from platform_assets.http.lossless_json import lines_from_json

_ERROR_FIELDS = ("error", "errors")

# Characters of one field of a CSV: more than any body has. Python's own limit is 131,072, for all of a process.
_LONGEST_FIELD = 1 << 30

# What a page of HTML, XML or JSON begins with, where the names of columns are expected.
_NO_COLUMNS = ("<", "{", "[")


def from_format(content: bytes, response_format: PlainFormat, content_type: str) -> Any:
    """The value of a body that is not one JSON value.

    Args:
        content: complete and decompressed.
        content_type: the response's header, empty without one.

    Raises ValueError, with what is wrong.
    """
    if isinstance(response_format, Csv):
        return _from_csv(content, response_format)
    if isinstance(response_format, Lines):
        return _from_lines(content)
    if isinstance(response_format, JsonLines):
        kind = content_type.partition(";")[0].strip().lower()
        return _from_json_lines(content, is_declared_json=kind == "application/json")
    # Imported only where there is XML.
    from platform_assets.http.xml_bodies import from_xml

    return from_xml(content)


def ends_itself(response_format: PlainFormat) -> bool:
    """Whether a body that is cut off cannot be taken for a whole one: lines can be cut off between two of them."""
    return not isinstance(response_format, Csv | JsonLines | Lines)


def _from_json_lines(content: bytes, *, is_declared_json: bool) -> list[Any]:
    found = lines_from_json(content.removeprefix(codecs.BOM_UTF8))
    if is_declared_json:
        refuse_error(found)
    return found


def refuse_error(lines: list[Any]) -> None:
    """Raise ValueError for one line that is labelled as one JSON value, and may be an error with status 200."""
    if len(lines) == 1 and isinstance(lines[0], dict):
        name = next((name for name in _ERROR_FIELDS if lines[0].get(name)), None)
        if name is not None:
            raise ValueError(f"one JSON value with `{name}`, where lines are expected")


def _from_lines(content: bytes) -> list[dict[str, str]]:
    return text_records(content.removeprefix(codecs.BOM_UTF8), is_first=True)


def text_records(content: bytes, *, is_first: bool) -> list[dict[str, str]]:
    """The records of lines of text.

    Args:
        is_first: whether the body begins with them.

    Raises ValueError for what is no text, and for a page or JSON.
    """
    try:
        lines = [line.decode() for line in content.splitlines()]
    except UnicodeError:
        raise ValueError("not UTF-8") from None
    if is_first and lines and lines[0].lstrip()[:1] in _NO_COLUMNS:
        raise ValueError("a page or JSON where lines of text are expected")
    return [{"record": line} for line in lines]


def _from_csv(content: bytes, declared: Csv) -> list[dict[str, str | None]]:
    try:
        text = content.decode(declared.encoding)
    except UnicodeError:
        raise ValueError(f"not {declared.encoding}") from None
    return list(csv_records(io.StringIO(text, newline=""), declared))


def csv_records(text: TextIO, declared: Csv) -> Iterator[dict[str, str | None]]:
    """The records of a table, one after the other.

    Args:
        text: without translated ends of lines.

    Raises ValueError, with what is wrong, also after records that are right.
    """
    try:
        yield from _csv_records(text, declared)
    except UnicodeError:
        raise ValueError(f"not {declared.encoding}") from None


def _csv_records(text: TextIO, declared: Csv) -> Iterator[dict[str, str | None]]:
    rows = _rows(_table_lines(text), declared.delimiter)
    _, header = next(rows, (0, []))
    _check_columns(header)
    nulls = frozenset(declared.null_values)
    is_empty = True
    for line, row in rows:
        is_empty = False
        if len(row) != len(header):
            raise ValueError(f"the row that ends on line {line} has {len(row)} fields, of {len(header)} columns")
        record: dict[str, str | None] = dict(zip(header, row, strict=True))
        if record.pop("", ""):
            raise ValueError(f"the row that ends on line {line} has a value in a column without a name")
        if nulls:
            record = {name: None if value in nulls else value for name, value in record.items()}
        yield record
    if is_empty and len(header) == 1:
        # A message instead of a table would look the same.
        raise ValueError("one column without a row: not taken for an empty table")


def _table_lines(text: TextIO) -> Iterator[str]:
    """The lines of a table without the byte order mark. Raises ValueError if it does not begin as one."""
    for place, written in enumerate(text):
        line = written.removeprefix("\ufeff") if place == 0 else written
        if line.lstrip()[:1] in _NO_COLUMNS:
            raise ValueError("a table begins with the names of its columns")
        yield line
        if line.strip():
            break
    yield from text


def _check_columns(header: list[str]) -> None:
    if not any(header):
        raise ValueError("no line with the names of columns")
    names = set[str]()
    for name in header:
        if name in names:
            raise ValueError(f"two columns are called {name[:40]!r}")
        names.add(name)


def _rows(lines: Iterator[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not empty, each with the number of its last line. Raises ValueError for an open quote."""
    if csv.field_size_limit() < _LONGEST_FIELD:
        csv.field_size_limit(_LONGEST_FIELD)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        for row in reader:
            if row:
                yield reader.line_num, row
    except csv.Error as error:
        raise ValueError(f"line {reader.line_num}: {error}") from None

"""What a response's body is written in."""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass

from platform_assets.declarations.strict import strict

# Text encodings that are none of files, or that take time that grows with the square of a body's length.
_NO_ENCODINGS = frozenset({"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape", "utf-7"})


@strict
@dataclass(frozen=True, kw_only=True)
class Json:
    """One JSON value."""


@strict
@dataclass(frozen=True, kw_only=True)
class JsonLines:
    """A JSON value a line; the body is the list of them, as `data_selector` and templates see it.

    `data_selector=""` are the lines themselves, `"*.data"` is what each has at `data`. Empty lines are none.
    """


@strict
@dataclass(frozen=True, kw_only=True)
class Lines:
    """A text a line; the body is the list of them, each an object with the line as its field `record`."""


@strict
@dataclass(frozen=True, kw_only=True)
class Csv:
    """A table with a line of column names; the body is the list of its rows. Every value is a text.

    Args:
        delimiter: one character.
        encoding: the text's, by Python's name.
        null_values: texts that stand for no value, as `("", "NULL")`.
    """

    delimiter: str = ","
    encoding: str = "utf-8"
    null_values: tuple[str, ...] = ()


@strict
@dataclass(frozen=True, kw_only=True)
class Xml:
    """An XML document. Every value is a text.

    An element is the text in it, or an object of its attributes (`@name`), its elements and its text (`#text`); an
    empty one is null. Elements of one name are a list if there are several: where a list is expected, one object is one
    record and null is none.
    """


PlainFormat = Json | JsonLines | Lines | Csv | Xml


@strict
@dataclass(frozen=True, kw_only=True)
class Gzip:
    """A gzipped file; a body that is not gzipped after all is read as it is.

    Servers hand out exports so, beside the encoding of the transfer (`Content-Encoding`), which needs no declaration.

    Args:
        of: what is in it.
    """

    of: PlainFormat = Json()


@strict
@dataclass(frozen=True, kw_only=True)
class Zip:
    """A ZIP archive of one file, or of several tables or lists of lines, which are read one after the other.

    Args:
        of: what is in its files.
    """

    of: PlainFormat = Csv()


ResponseFormat = PlainFormat | Gzip | Zip


def inner_format(response_format: ResponseFormat) -> PlainFormat:
    """What is in a body, in the files of an archive too."""
    return response_format.of if isinstance(response_format, Gzip | Zip) else response_format


def is_list(response_format: ResponseFormat) -> bool:
    """Whether the body is a list of rows and nothing else, so that nothing can stand beside them."""
    return isinstance(inner_format(response_format), JsonLines | Lines | Csv)


def response_format_problems(response_format: ResponseFormat) -> Iterator[str]:
    """What is wrong with a format by itself."""
    response_format = inner_format(response_format)
    if not isinstance(response_format, Csv):
        return
    delimiter = response_format.delimiter
    if len(delimiter) != 1 or delimiter in '"\r\n\0':
        yield f"`delimiter` {delimiter!r} must be one character, and no quote or end of a line"
    if not _is_encoding(response_format.encoding):
        yield f"`encoding` {response_format.encoding!r} is none of Python's encodings of texts"


def _is_encoding(name: str) -> bool:
    try:
        "".encode(name)
        known = codecs.lookup(name).name
    except (LookupError, ValueError, UnicodeError):
        return False
    return known.replace("_", "-") not in _NO_ENCODINGS

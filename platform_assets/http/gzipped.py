"""Bodies that are gzipped files: servers hand out exports so, beside or below the encoding of the transfer."""

import zlib
from collections.abc import Iterable, Iterator

GZIP_MAGIC = b"\x1f\x8b"
_WINDOW_OF_GZIP = 31

# Bytes that are given to zlib at a time, and that it gives back at a time.
_SLICE = 1 << 14
_CHUNK = 1 << 20

# Files put one after the other are one file. A server that compresses by blocks makes a few thousand of a large body.
_MOST_MEMBERS = 100_000


class TooLarge(Exception):
    """A body is larger than it may be once it is decompressed."""


def decompressed(content: bytes, most: int) -> bytes:
    """The bytes in a gzipped file, of all its members. Arguments and errors as for `inflated`."""
    return b"".join(inflated((content[at : at + _SLICE] for at in range(0, len(content), _SLICE)), most))


def inflated(chunks: Iterable[bytes], most: int) -> Iterator[bytes]:
    """The bytes in a gzipped file, of all its members, a part at a time.

    Args:
        chunks: the file, in order.
        most: bytes that may come of it; memory is bounded by a part.

    Raises:
        TooLarge: if more come of it.
        ValueError: for a file that is damaged, or ends early.
    """
    size = members = 0
    member = None
    for rest in chunks:
        while rest:
            if member is None:
                # Zeros after a member are padding.
                rest = rest.lstrip(b"\0") if members else rest
                if not rest:
                    break
                member, members = zlib.decompressobj(_WINDOW_OF_GZIP), members + 1
                if members > _MOST_MEMBERS:
                    raise ValueError(f"a gzipped file of more than {_MOST_MEMBERS} members")
            part = _decompress(member, rest)
            size += len(part)
            if size > most:
                raise TooLarge
            yield part
            rest, member = (member.unused_data, None) if member.eof else (member.unconsumed_tail, member)
    while member is not None and not member.eof:
        part = _decompress(member, b"")
        size += len(part)
        if size > most:
            raise TooLarge
        if not part and not member.eof:
            raise ValueError("a gzipped file that ends early")
        yield part


def _decompress(member: "zlib._Decompress", content: bytes) -> bytes:
    try:
        return member.decompress(content, _CHUNK)
    except zlib.error as error:
        raise ValueError(f"a gzipped file that is damaged: {error}") from None

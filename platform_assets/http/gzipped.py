"""Bodies that are gzipped files: servers hand out exports so, beside or below the encoding of the transfer."""

import zlib

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
    """The bytes in a gzipped file, of all its members.

    Args:
        most: bytes that may come of it; memory is bounded by that.

    Raises:
        TooLarge: if more come of it.
        ValueError: for a file that is damaged, or ends early.
    """
    found: list[bytes] = []
    size = members = 0
    member = None
    for start in range(0, len(content), _SLICE):
        rest = content[start : start + _SLICE]
        while rest or (member is not None and start + _SLICE >= len(content)):
            if member is None:
                # Zeros after a member are padding.
                rest = rest.lstrip(b"\0") if members else rest
                if not rest:
                    break
                member, members = zlib.decompressobj(_WINDOW_OF_GZIP), members + 1
            try:
                chunk = member.decompress(rest, _CHUNK)
            except zlib.error as error:
                raise ValueError(f"a gzipped file that is damaged: {error}") from None
            size += len(chunk)
            if size > most:
                raise TooLarge
            found.append(chunk)
            is_stuck = not rest and not chunk
            if member.eof:
                rest, member = member.unused_data, None
            elif is_stuck:
                raise ValueError("a gzipped file that ends early")
            else:
                rest = member.unconsumed_tail
            if members > _MOST_MEMBERS:
                raise ValueError(f"a gzipped file of more than {_MOST_MEMBERS} members")
    return b"".join(found)

"""Finds keys that stand twice in one object of a response body.

Parsers keep the last of two equal keys, so the rows under the first would be lost without an error. Only the
envelope is searched: the outermost object and the objects in it, three levels deep, not those in its lists. That is
where rows and positions are, and a search through every record would cost as much as parsing it.
"""

import json
import re
from collections import Counter
from typing import Any

from platform_assets.http.errors import AnswerError
from platform_assets.lossless_json import as_json

_ESCAPED_KEY = re.compile(rb'\\u[0-9a-fA-F]{4}[^"\\]*"\s*:')
_ENVELOPE_DEPTH = 3


def repeated_key(body: Any, content: bytes) -> str | None:
    """A key of the envelope that occurs in `content` more often than in the parsed body, None if all are unique.

    Counting bytes is fast, and exact unless a key is written with escapes; then a slower parser decides.

    Args:
        body: `content`, parsed.
        content: JSON without a byte order mark.

    Raises:
        AnswerError: if escaped keys are nested too deep for that parser.
    """
    if not isinstance(body, dict):
        return None
    if _ESCAPED_KEY.search(content):
        return _repeated_key_as_parsed(content)
    rewritten: bytes | None = None
    envelope: list[tuple[dict[str, Any], tuple[bytes, ...]]] = [(body, ())]
    for part, path in envelope:
        keys = [(name, as_json(name, "a key")) for name in part]
        text = _text_after(content, path)
        if not all(text.count(key) == 1 for _, key in keys):
            # Texts and records may hold the key as well: compare with the body as it is without repeated keys.
            rewritten = as_json(body, "the body") if rewritten is None else rewritten
            expected = _text_after(rewritten, path)
            repeated = next((name for name, key in keys if text.count(key) > expected.count(key)), None)
            if repeated is not None:
                return repeated
        if len(path) < _ENVELOPE_DEPTH - 1:
            envelope += [(inner, (*path, key)) for name, key in keys if isinstance(inner := part[name], dict)]
    return None


def _text_after(text: bytes, path: tuple[bytes, ...]) -> bytes:
    """The text behind the first occurrence of each key of `path`, one after the other."""
    for key in path:
        text = text[text.find(key) + len(key) :]
    return text


def _repeated_key_as_parsed(content: bytes) -> str | None:
    """As `repeated_key`, by a parser that sees both of two equal keys, however they are written."""
    repeated: list[tuple[dict[str, Any], str]] = []

    def note_repeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        parsed = dict(pairs)
        if len(parsed) < len(pairs):
            counts = Counter(name for name, _ in pairs)
            repeated.append((parsed, next(name for name, count in counts.items() if count > 1)))
        return parsed

    try:
        level = [json.loads(content, object_pairs_hook=note_repeated)]
    except RecursionError:
        raise AnswerError("the body is nested too deep to look for repeated keys") from None
    for _ in range(_ENVELOPE_DEPTH):
        for part in level:
            for parsed, name in repeated:
                if parsed is part:
                    return name
        level = [value for part in level for value in part.values() if isinstance(value, dict)]
    return None

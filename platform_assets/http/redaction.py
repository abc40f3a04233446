"""Keeps secret values out of every text that leaves the process: errors, logs, metadata."""

import json
import logging
import traceback
from base64 import b64encode
from collections.abc import Iterable, Iterator
from html import escape
from urllib.parse import quote, quote_plus

MASK = "***"


class Redactor:
    """Replaces secret values by `***`, however URLs, JSON, HTML, `repr` or base64 spell them."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._spellings: list[str] = []
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """Replace another secret value from now on, e.g. a token that was just bought."""
        found = {*self._spellings, *(_spellings(secret) if secret else ())}
        self._spellings = sorted(found, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """`text` without any secret value."""
        for spelling in self._spellings:
            text = text.replace(spelling, MASK)
        return text

    def excerpt(self, text: str, length: int) -> str:
        """The first `length` characters of `text` without any secret value, not even one that is cut off at the end."""
        head = text[: 8 * length + sum(map(len, self._spellings[:1]))]
        if len(head) < len(text):
            head = head[: len(head) - max((_overlap(head, spelling) for spelling in self._spellings), default=0)]
        return self(head)[:length]


def _spellings(secret: str) -> Iterator[str]:
    for encoded in (quote(secret, safe=""), quote(secret), quote_plus(secret)):
        yield from (encoded, _lower_hex(encoded))
    yield from (secret, repr(secret)[1:-1], escape(secret))
    for in_json in (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]):
        yield from (in_json, in_json.replace("/", "\\/"))
    yield b64encode(secret.encode()).decode()


def _lower_hex(encoded: str) -> str:
    first, *others = encoded.split("%")
    return "%".join([first, *(other[:2].lower() + other[2:] for other in others)])


def _overlap(text: str, spelling: str) -> int:
    """How much of the end of `text` is the beginning of `spelling`."""
    sizes = range(min(len(text), len(spelling) - 1), 0, -1)
    return next((size for size in sizes if text.endswith(spelling[:size])), 0)


class RedactingFilter(logging.Filter):
    """Redacts log records of libraries that print URLs (urllib3 at DEBUG prints the query string)."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redact = redactor

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = self._redact(record.getMessage())
        record.args = ()
        if record.exc_info and record.exc_info[0] is not None:
            record.exc_text = self._redact("".join(traceback.format_exception(*record.exc_info)))
            record.exc_info = None
        return True

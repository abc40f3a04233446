"""Keeps secret values out of every text that leaves the process."""

import logging
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

MASK = "***"


class Redactor:
    """Replaces secret values, also percent-encoded, by `***`."""

    def __init__(self, secrets: Iterable[str]) -> None:
        spellings = {
            spelling
            for secret in secrets
            if secret
            for spelling in (secret, quote(secret, safe=""), quote_plus(secret))
        }
        self._spellings = sorted(spellings, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """`text` without any secret value."""
        for spelling in self._spellings:
            text = text.replace(spelling, MASK)
        return text


class RedactingFilter(logging.Filter):
    """Redacts log records of libraries that print URLs (urllib3 at DEBUG prints the query string)."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redact = redactor

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = self._redact(record.getMessage())
        record.args = ()
        return True

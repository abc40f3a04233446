"""Texts of what went wrong with a request, free of the credential."""

from dataclasses import dataclass

from platform_assets.http.redaction import Redactor

_EXCERPT_CHARACTERS = 160

# Of a body, only its beginning is decoded for an excerpt.
_EXCERPT_BYTES = 1 << 18


@dataclass(frozen=True)
class Messages:
    """Error texts of one platform's requests.

    Args:
        platform: the platform's name.
        redact: replaces the credential, which a server may echo in a body or a redirect.
    """

    platform: str
    redact: Redactor

    def about(self, request: str, problem: str) -> str:
        """The line for a request, e.g. `GET /v1/deals`: `crm: GET /v1/deals: answered 500: out of memory`."""
        return self.redact(f"{self.platform}: {request}: {problem}")

    def excerpt(self, content: bytes) -> str:
        """The beginning of a body, on one line; empty for an empty body."""
        text = content[:_EXCERPT_BYTES].decode("utf-8", "replace")
        return " ".join(self.redact.excerpt(text, _EXCERPT_CHARACTERS).split())

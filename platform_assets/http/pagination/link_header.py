"""Parses the `Link` header (RFC 8288)."""

import re

from platform_assets.http.answer import Answer

_LINK = re.compile(r"<([^<>]*)>((?:\s*;\s*[\w*-]+\s*=\s*(?:\"[^\"]*\"|[^\s\",;]+))*)")
_LINK_PARAM = re.compile(r";\s*([\w*-]+)\s*=\s*(?:\"([^\"]*)\"|([^\s\",;]+))")


def link_entries(header: str) -> dict[str, dict[str, str]]:
    """The header's entries by `rel`: `{"next": {"url": ..., "results": "true", "cursor": "0:100:0"}}`."""
    entries: dict[str, dict[str, str]] = {}
    for url, params in _LINK.findall(header):
        entry = {name.lower(): quoted or bare for name, quoted, bare in _LINK_PARAM.findall(params)}
        for relation in entry.get("rel", "").split():
            entries.setdefault(relation.lower(), {**entry, "url": url})
    return entries


def header(answer: Answer, name: str) -> str | None:
    """A header's text, whatever its case; None if the answer has none."""
    return next((value for given, value in answer.headers.items() if given.lower() == name.lower()), None)


def link_header(answer: Answer) -> str | None:
    """The text of the `Link` header; None if the answer has none."""
    return header(answer, "Link")

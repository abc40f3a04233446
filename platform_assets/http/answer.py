"""A parsed response, as pagination and record selection see it. Imports no HTTP library."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Answer:
    """A response with status 200.

    Attributes:
        body: its parsed JSON, or what its format comes to (body_formats.py).
        headers: its headers.
        items: the records that the body holds, once they are selected.
        merged: the page's records, of all answers that have some of their fields; None if this answer has them.
        url: where it came from, without the query, which may have a credential.
    """

    body: Any
    headers: Mapping[str, str]
    items: Sequence[Any] = ()
    merged: Sequence[Any] | None = None
    url: str = ""

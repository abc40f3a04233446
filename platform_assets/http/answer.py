"""A parsed response, as pagination and record selection see it. Imports no HTTP library."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Answer:
    """A response with status 200: its parsed JSON body and its headers."""

    body: Any
    headers: Mapping[str, str]

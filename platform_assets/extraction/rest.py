"""What a read of a long list has left to another part."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Rest:
    """What a read has left.

    Attributes:
        params: query parameters that read it.
        unread_before: the value of the upper bound among them; None if the rest is newer than what was read.
        cursor: newest cursor up to which everything was read; None if the rest is older than what was read.
    """

    params: Mapping[str, str]
    unread_before: str | None = None
    cursor: datetime | None = None

    @property
    def position(self) -> str:
        """Differs between two places at which a list was left."""
        return ", ".join(f"{name}={value}" for name, value in sorted(self.params.items()))

"""Faults that the sandbox injects into its responses."""

import re
from dataclasses import dataclass, field


@dataclass
class Fault:
    """A response that replaces the right one for requests that match `pattern`.

    Args:
        pattern: a regular expression, searched in path and query without the credential, e.g. in
            `/crm/v1/leads?limit=500&start=0`.
        times: how many requests it affects; None for all.
        body: the response's body; None for an error in the contract's shape.
    """

    pattern: str
    status: int = 500
    times: int | None = 1
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None

    def strikes(self, target: str) -> bool:
        """Whether the fault applies to this request; counts down `times`."""
        if self.times == 0 or not re.search(self.pattern, target):
            return False
        if self.times is not None:
            self.times -= 1
        return True

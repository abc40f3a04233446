"""Answers that go wrong on purpose."""

import re
from dataclasses import dataclass, field


@dataclass
class Fault:
    """Answer requests whose path and query match `pattern` wrongly, `times` times (None: for ever).

    `pattern` is searched in e.g. `/crm/v1/leads?limit=500&start=0`, without the credential.
    """

    pattern: str
    status: int = 500
    times: int | None = 1
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None

    def strikes(self, target: str) -> bool:
        """Whether this request is to be answered wrongly; counts down."""
        if self.times == 0 or not re.search(self.pattern, target):
            return False
        if self.times is not None:
            self.times -= 1
        return True

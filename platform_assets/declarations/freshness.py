"""How old a resource may grow before it counts as stale."""

from dataclasses import dataclass
from datetime import timedelta

from platform_assets.declarations.strict import strict

# No table may be late for longer; twice this must still be a date.
LONGEST_LAG = timedelta(days=3650)


@strict
@dataclass(frozen=True, kw_only=True)
class Freshness:
    """How long after its last successful read a resource counts as stale.

    Args:
        allowed_lag: what changes upstream is in the warehouse within this time. A table is late (a warning) after one
            allowed lag and too late (an error) after two.
    """

    allowed_lag: timedelta

"""When a platform is read on schedule."""

from dataclasses import dataclass

from platform_assets.declarations.strict import strict


@strict
@dataclass(frozen=True, kw_only=True)
class Cadence:
    """When a platform is read however fresh it is, as cron expressions in UTC.

    Platforms have different minutes, so that they do not all wait for the one warehouse at once.

    Args:
        cursored: the resources that the server filters by their cursor; cheap, so often.
        snapshots: all others, which are read in full.
        full: the cursored ones once from the beginning, for records that changed without moving their cursor.
        verified: when resources are compared with the warehouse, within a budget of requests.
    """

    cursored: str
    snapshots: str
    full: str
    verified: str = "0 6 * * 0"

"""How a resource is read incrementally and how old its cursor may grow."""

from collections.abc import Mapping
from dataclasses import field
from datetime import timedelta

from platform_assets.declarations.declaration import declaration

LONGEST_LAG = timedelta(days=3650)
"""No table may be late for longer; twice this must still be a date."""


@declaration
class Incremental:
    """The field that orders a resource in time, and how the server filters on it.

    Args:
        cursor_path: raw field name of the cursor, e.g. `dateCreated`.
        start_param: query parameter with an inclusive lower bound. Without one the server does not
            filter: the list is read in full each time and the cursor only tells freshness.
        format: `strftime` format of the parameter's values, in UTC.
        initial_value: lower bound of the first read when the setting `start_date` is absent; `None`
            sends no bound.
        lag: look-back before the last cursor value, for records that arrive or change late.
        reopen: field -> values that mark a record as unfinished. The next read starts no later than
            the oldest such row already loaded (Buildkite: builds mutate after creation, but the only
            filter is creation time).
        bounded: whether the setting `start_date` also bounds a list that the server does not filter:
            older records are not loaded.
        reopen_limit: how far back `reopen` may pull the start.
    """

    cursor_path: str
    start_param: str | None = None
    format: str = "%Y-%m-%dT%H:%M:%SZ"
    initial_value: str | None = None
    lag: timedelta = timedelta(0)
    bounded: bool = False
    reopen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    reopen_limit: timedelta = timedelta(days=30)

    @property
    def server_side(self) -> bool:
        """Whether the server filters, so that a read returns only part of the list."""
        return self.start_param is not None


@declaration
class Freshness:
    """How long after its last successful read a resource counts as stale.

    What arrives upstream is in the warehouse within `allowed_lag`.
    """

    allowed_lag: timedelta


@declaration
class Cadence:
    """When a platform is read whatever its freshness says, as cron expressions in UTC.

    Args:
        cursored: resources that the server filters by their cursor; cheap, so often.
        snapshots: all others, which are read in full.
        full: the cursored ones once from the beginning, for records that changed without moving their cursor.
        verified: compared with the warehouse, within a budget of requests.

    Platforms have different minutes, so that they do not all wait for the one warehouse at once.
    """

    cursored: str
    snapshots: str
    full: str
    verified: str = "0 6 * * 0"

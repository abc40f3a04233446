"""How a resource is read incrementally: its cursor, and how the server filters on it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from platform_assets.declarations.strict import strict


@strict
@dataclass(frozen=True, kw_only=True)
class Incremental:
    """The field that orders a resource in time, and how the server filters on it.

    Args:
        cursor_path: raw field name of the cursor, e.g. `dateCreated`.
        start_param: query parameter with an inclusive lower bound. Without one the server does not
            filter: the list is read in full each time and the cursor only tells freshness.
        format: `strftime` format of the parameter's values, in UTC.
        initial_value: lower bound of the first read if the setting `start_date` is absent; `None`
            sends no bound.
        lag: look-back before the last cursor value, for records that arrive or change late.
        bounded: whether the setting `start_date` also bounds a list that the server does not filter:
            older records are not loaded.
        reopen: field -> values that mark a record as unfinished. The next read starts no later than
            the oldest such row already loaded (Buildkite: builds change after creation, but the only
            filter is creation time).
        reopen_limit: how far back `reopen` may move the start.
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

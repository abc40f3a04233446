"""How a resource is read incrementally: its cursor, and how the server filters on it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from platform_assets.declarations.strict import strict
from platform_assets.declarations.template import Template


@strict
@dataclass(frozen=True, kw_only=True)
class TooDeep:
    """A refusal of pages that are too far from the beginning of a list that begins with the newest cursor.

    The read goes on below the oldest cursor that it has seen: the list's `end_param` becomes the second after it, since
    the bound is exclusive and one second may hold several records.

    Args:
        status, text: the refusal's HTTP status and a part of its body.
    """

    status: int
    text: str


@strict
@dataclass(frozen=True, kw_only=True)
class Incremental:
    """The field that orders a resource in time, and how the server filters on it.

    Args:
        cursor_path: raw field name of the cursor, e.g. `dateCreated`.
        start_param: query parameter with an inclusive lower bound. Without one the server does not
            filter: the list is read in full each time and the cursor only tells freshness. `body:filter.since` is a
            place in the body, `header:X-Since` a header; `value:start` is not sent by itself: the endpoint's templates
            have it as `interval.start`. The same holds for `end_param`.
        format: `strftime` format of the parameter's values, in UTC; `%s`, `%ms` and others for numbers since 1970
            (time_format.py).
        initial_value: lower bound of the first read if the setting `start_date` is absent; `None`
            sends no bound. A template has `config` and the clocks, and comes to a text in `format`, ISO 8601 or
            `YYYY-MM-DD`: `{{ config.get('since', day_delta(-365)) }}`.
        lag: look-back before the last cursor value, for records that arrive or change late.
        bounded: whether the setting `start_date` also bounds a list that the server does not filter:
            older records are not loaded.
        reopen: field -> values that mark a record as unfinished. The next read starts no later than
            the oldest such row already loaded (Buildkite: builds change after creation, but the only
            filter is creation time).
        reopen_limit: how far back `reopen` may move the start.
        end_param: query parameter with an exclusive upper bound of the cursor.
        end_required: the server does not take a lower bound alone (Sentry): `end_param` is sent with it, as a moment
            after the time at which the read began.
        row_order: as in dlt, how the server sorts the list by the cursor: "asc" or "desc"; None if that is not known.
            A long read of such a list lands in parts, each of which goes on where the last one was left. "desc" needs
            `end_param` for that, "asc" needs `start_param`.
        newest_first: the server does not filter, but the list begins with the newest cursor, so that a read stops
            after the first page with nothing but older records. With a `RecordCursor` the order is that of its field,
            and a read stops where it comes to records that the table has.
        too_deep: how the server refuses pages that are too far from the list's beginning.
        step: how much of the cursor's time one read of the list asks for: it is read in windows of this length, one
            after the other, from `initial_value` or the last cursor to now, by `start_param` and `end_param`. A long
            history lands in parts, each of whole windows.
        granularity: for a server that takes `end_param` as inclusive: the least difference between two cursors, by
            which each window's end is sent earlier. Without it windows share their edge, so that a row on it may come
            twice and none is lost; what a declared one is too large for is lost.
    """

    cursor_path: str
    start_param: str | None = None
    format: str = "%Y-%m-%dT%H:%M:%SZ"
    initial_value: str | Template | None = None
    lag: timedelta = timedelta(0)
    bounded: bool = False
    reopen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    reopen_limit: timedelta = timedelta(days=30)
    end_param: str | None = None
    end_required: bool = False
    row_order: Literal["asc", "desc"] | None = None
    newest_first: bool = False
    too_deep: TooDeep | None = None
    step: timedelta | None = None
    granularity: timedelta = timedelta(0)

    @property
    def server_side(self) -> bool:
        """Whether the server filters by what is sent."""
        return self.start_param is not None

    @property
    def partial(self) -> bool:
        """Whether a read returns only part of the list, so that a row that did not come may well be there."""
        return self.server_side or self.newest_first

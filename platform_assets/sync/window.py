"""From where a filtered list is read again, so that nothing is passed over."""

from datetime import UTC, datetime, timedelta

from platform_assets.declarations import Incremental

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def start_of_read(
    incremental: Incremental | None,
    cursor: datetime | None,
    read_at: datetime | None,
    start_date: datetime | None,
    oldest_open: datetime | None = None,
    oldest_row: datetime | None = None,
) -> datetime | None:
    """Lower bound of the next read, None to read from the beginning.

    The last cursor less the look-back, further back to the oldest unfinished row. Never after `read_at`, the moment
    the last whole read began: what changed since then was not seen, whatever the newest record says of its own time.
    `start_date` is the lower bound of the first read; later it only keeps the look-back from reaching rows that were
    never wanted, so it does not count where the table has older ones (`oldest_row`).
    """
    if incremental is None or not incremental.server_side:
        return None
    if cursor is None:
        return start_date
    bound = min(cursor, read_at or cursor)
    if bound - _EPOCH <= incremental.lag:
        return None  # Some servers say year 1 where they mean never; before 1970 there is little to save.
    start = bound - incremental.lag
    if oldest_open is not None:
        furthest = max(bound - _EPOCH, timedelta(0))
        start = min(start, max(oldest_open, bound - min(incremental.reopen_limit, furthest)))
    # The parameters have whole seconds; rounding down keeps the bound inclusive.
    start -= timedelta(microseconds=start.microsecond)
    if start_date is None:
        return start
    return max(start, min(start_date, oldest_row or start_date))

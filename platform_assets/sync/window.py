"""Where the next read of a list that is read in part starts, so that no change is missed."""

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
    """Lower bound of the next read in whole seconds of UTC; None to read from the beginning.

    Normally this is the last cursor minus the look-back, or the oldest unfinished row if that is further back.

    Args:
        cursor: newest cursor value read so far; None before the first successful read.
        read_at: when the last complete read began. The bound is never later: what changed after that moment was not
            read, even if the newest record claims a later time.
        start_date: the setting; lower bound of the first read. Later it only stops the look-back from reaching rows
            that were never wanted.
        oldest_open: cursor of the oldest unfinished row in the table (`Incremental.reopen`).
        oldest_row: cursor of the oldest row in the table. If it is older than `start_date`, it bounds the look-back
            instead: those rows were wanted once.
    """
    if incremental is None or not incremental.partial:
        return None
    if cursor is None:
        return start_date
    bound = min(cursor, read_at or cursor)
    if bound - _EPOCH <= incremental.lag:
        return None  # Some servers send year 1 for "never"; from before 1970 on, reading everything costs no more.
    start = bound - incremental.lag
    if oldest_open is not None:
        furthest = max(bound - _EPOCH, timedelta(0))
        start = min(start, max(oldest_open, bound - min(incremental.reopen_limit, furthest)))
    # The parameters have whole seconds; rounding down keeps the bound inclusive.
    start -= timedelta(microseconds=start.microsecond)
    if start_date is None:
        return start
    return max(start, min(start_date, oldest_row or start_date))

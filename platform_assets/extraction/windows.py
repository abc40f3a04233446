"""A list that is read in windows of time: `Incremental.step`.

    initial_value or cursor                                   now
          |--- step ---|--- step ---|--- step ---|--- rest ---|

Windows are read one after the other, and after each a read may be left: everything up to its end was read then. So a
long history lands in parts, and a failure costs the parts that have not landed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from platform_assets.declarations import Endpoint
from platform_assets.declarations.time_format import format_moment, parse_moment, resolution, rounded_up
from platform_assets.extraction.rest import Rest


@dataclass(frozen=True)
class Window:
    """A span of cursors.

    Attributes:
        first: where the first window of the read began.
        start: inclusive lower bound.
        end: upper bound, where the next window begins.
        now: when the read began; nothing later than that was read for certain.
        is_last: whether it reaches `now`.
    """

    first: datetime
    start: datetime
    end: datetime
    now: datetime
    is_last: bool


def windows(
    endpoint: Endpoint, start: datetime | None, now: datetime | None, initial: str | None
) -> Iterator[Window | None]:
    """The windows in which a list is read, oldest first; one None for a list that is not read in windows.

    Args:
        start: lower bound; None for the declared beginning.
        now: when the read began; None for this moment.
        initial: the declared beginning, as it is sent.
    """
    incremental = endpoint.incremental
    if incremental is None or incremental.step is None or start is initial is None:
        yield None
        return
    now = now or datetime.now(UTC)
    first = start or parse_moment(initial or "", incremental.format)
    smallest = resolution(incremental.format)
    # The end is cut off to what the format shows: rounded up, it has what is there now.
    until = max(rounded_up(now, smallest), first + smallest)
    begin = first
    while begin < until:
        end = min(begin + incremental.step, until)
        yield Window(first, begin, end, now, is_last=end >= until)
        begin = end


def rest_after(endpoint: Endpoint, window: Window) -> Rest | None:
    """What is left once a window was read; None if that is nothing, or no less than when the read began."""
    incremental = endpoint.incremental
    if incremental is None or incremental.start_param is None or window.is_last:
        return None
    read_to = min(window.end, window.now)
    # The next part looks back as every read does.
    start = read_to - incremental.lag
    if start <= window.first:
        return None
    return Rest({incremental.start_param: format_moment(start, incremental.format)}, cursor=read_to)
